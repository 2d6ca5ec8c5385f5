// Scrape targets that are down, and what they used to show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "internal/gpu/target_memory.h"
#include "internal/prom/value.h"

namespace gpumon::gpu {

// The snapshot's warning that targets with these names, one or more, are down.
std::string DownWarning(const std::string& exporter, const std::set<std::string>& names);
bool IsDownWarning(std::string_view warning);

// One thread at a time.
class DownTargets {
 public:
  // Series of `up`.
  void Add(const prom::InstantVector& targets);
  bool empty() const { return targets_.empty(); }

  struct Missed {
    std::set<std::string> nodes;
    std::uint64_t fields = 0;  // bits by models::Quantity
    std::string warning;
  };
  // What is missing of an exporter; nothing when none of these targets is known to have shown it.
  std::optional<Missed> MissedOf(const std::string& exporter, const TargetMemory& memory) const;

 private:
  struct Target {
    std::size_t key;  // Contest::TargetOf
    std::string name;
  };
  std::vector<Target> targets_;
};

}  // namespace gpumon::gpu
