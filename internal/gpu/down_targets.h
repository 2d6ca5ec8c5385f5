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

// The snapshot's warning that targets with these names, one or more, are down.
std::string DownWarning(const std::string& exporter, const std::set<std::string>& names);
bool IsDownWarning(std::string_view warning);

// One thread at a time.
class DownTargets {
 public:
  // By target (Contest::TargetOf): the nodes whose GPUs it showed.
  using Nodes = std::map<std::size_t, std::set<std::string>>;

  // What Prometheus's past says of an exporter's targets, beside what is remembered.
  void SetNodes(const std::string& exporter, const Nodes& nodes) { past_[exporter] = nodes; }
  // Series of `up`.
  void Add(const prom::InstantVector& targets);
  bool empty() const { return targets_.empty(); }

  struct Missed {
    std::set<std::string> nodes;
    std::uint64_t fields = 0;  // bits by models::Quantity
    std::string warning;
  };
  // What is missing of an exporter; nothing when none of these targets is known to have shown it.
  // Of a target that `memory` (may be null) does not know, `fields` that the exporter's others
  // give; without others all that the exporter may give.
  std::optional<Missed> MissedOf(const schema::Exporter& exporter, const TargetMemory* memory,
                                 std::uint64_t fields) const;

 private:
  struct Target {
    std::size_t key;  // Contest::TargetOf
    std::string name;
  };
  std::vector<Target> targets_;
  std::map<std::string, Nodes> past_;  // by exporter
};

}  // namespace gpumon::gpu
