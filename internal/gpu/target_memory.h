// Which scrape targets showed which nodes' GPUs: known still when a target is down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"

namespace gpumon::gpu {

// Thread-safe. The series of a target that is down are gone, so nothing in Prometheus's present
// says what it used to show; this process remembers, for an hour after it saw them last.
class TargetMemory {
 public:
  static constexpr Millis kHour{3'600'000};

  explicit TargetMemory(const Clock& clock) : clock_(clock) {}

  struct Shown {
    std::string exporter;    // a schema's name
    std::size_t target = 0;  // Contest::TargetOf
    std::string node;
    std::uint64_t fields = 0;  // bits by models::Quantity: what the target gives
    auto operator<=>(const Shown&) const = default;
  };
  // What one refresh of the present saw.
  void Learn(const std::set<Shown>& shown);
  struct Memory {
    std::set<std::string> nodes;  // whose GPUs it showed; empty when it is not known
    std::uint64_t fields = 0;
    bool operator==(const Memory&) const = default;
  };
  // What `target` showed for `exporter`.
  Memory Recall(std::string_view exporter, std::size_t target) const;
  bool Knows(std::string_view exporter) const;

 private:
  using Key = std::pair<std::string, std::size_t>;
  struct Entry {
    Memory memory;  // of the refresh that saw it last
    SteadyTime seen;
  };

  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<Key, Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::gpu
