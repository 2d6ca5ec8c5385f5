// Scrape targets that are down, and what they used to show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "internal/gpu/target_memory.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// A scrape target for people: `job gpu, 10.0.0.1:9400`.
std::string TargetName(prom::LabelSet labels);
// The snapshot's warning that targets with these names, one or more, are down.
std::string DownWarning(const std::string& exporter, const std::set<std::string>& names);
bool IsDownWarning(std::string_view warning);

// One thread at a time.
class DownTargets {
 public:
  struct Shown {
    std::string name;  // as TargetName
    TargetMemory::Memory what;
    bool operator==(const Shown&) const = default;
  };
  // By target (Contest::TargetOf).
  using Past = std::map<std::size_t, Shown>;

  // What Prometheus's past says of an exporter's targets, beside what is remembered.
  void SetPast(const std::string& exporter, const Past& past) { past_[exporter] = past; }
  // Series of `up`.
  void Add(const prom::InstantVector& targets);
  bool empty() const { return targets_.empty(); }
  bool Has(std::size_t target) const;

  struct Missed {
    std::set<std::string> nodes;
    std::uint64_t fields = 0;  // bits by models::Quantity
    std::string warning;
  };
  // What is missing of an exporter; nothing when none of these targets is known to have shown it.
  // `memory` may be null.
  std::optional<Missed> MissedOf(const schema::Exporter& exporter,
                                 const TargetMemory* memory) const;

 private:
  struct Target {
    std::size_t key;  // Contest::TargetOf
    std::string name;
  };
  std::vector<Target> targets_;
  std::map<std::string, Past> past_;  // by exporter
};

}  // namespace gpumon::gpu
