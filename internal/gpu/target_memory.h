// Which scrape targets showed which nodes' GPUs: known still when a target is down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// Thread-safe. The series of a target that is down are gone, so nothing in Prometheus's present
// says what it used to show; this process remembers, for a day after it saw them last.
class TargetMemory {
 public:
  static constexpr Millis kHour{3'600'000};
  static constexpr Millis kDay{24 * kHour};

  explicit TargetMemory(const Clock& clock) : clock_(clock) {}

  // Bits by slot (models::Quantity, of processes models::ProcessQuantity): of what a target gives a
  // value, or says why there is none. Above them bits by models::Text: of what it names.
  struct Fields {
    std::uint64_t of_gpus = 0;  // whole ones; or of processes
    std::uint64_t of_instances = 0;
    // Of these, what had no value on some row of the node.
    std::uint64_t lacking_of_gpus = 0;
    std::uint64_t lacking_of_instances = 0;

    Fields& operator|=(const Fields& more);
    bool operator==(const Fields&) const = default;
  };
  // By node; "" of rows that have none. Empty where nothing is known.
  using Nodes = std::map<std::string, Fields, std::less<>>;
  struct Target {
    std::string exporter;    // a schema's name
    std::size_t target = 0;  // Contest::TargetOf
    auto operator<=>(const Target&) const = default;
  };
  using Metrics = std::vector<std::string_view>;
  struct What {
    Nodes nodes;
    std::string hidden_in;  // the job of a target that no `up` names; else empty
    bool has_lost = false;  // some of `nodes` are remembered only: another pod of it is up
    // By slot: the metric of the exporter's schema that showed it; "" where none did.
    Metrics metrics = {};
  };
  using Shown = std::map<Target, What>;

  // What one refresh of the present saw.
  void Learn(models::Part part, const Shown& shown);
  // What `target` showed, of the refresh that saw it last, if that was within `age`.
  Nodes Recall(models::Part part, const Target& target, Millis age = kHour) const;
  // What::metrics of the refresh that saw it last.
  Metrics RecallMetrics(models::Part part, const Target& target) const;
  bool Knows(std::string_view exporter) const;
  // What::has_lost of the refresh that saw it last.
  bool HasLost(models::Part part, const Target& target) const;
  // What targets of `exporter` that `now` lacks showed lately, within `age`.
  Shown RecallOthers(models::Part part, const std::string& exporter, const Shown& now,
                     Millis age = kHour) const;
  // All that it remembers of targets that no `up` of `job` names.
  Shown RecallHidden(models::Part part, const std::string& exporter, const std::string& job) const;

 private:
  using Key = std::pair<Target, models::Part>;
  struct Entry {
    What what;
    SteadyTime seen;
  };

  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<Key, Entry> entries_ GUARDED_BY(mutex_);
};

// What a GPU's exporter computes of fields that are there is there too, as the metric of the first
// of them.
void AddDerived(const schema::Exporter& exporter, TargetMemory::Fields& fields,
                TargetMemory::Metrics& metrics);

}  // namespace gpumon::gpu
