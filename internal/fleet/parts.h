// What each part of each GPU is doing, and who holds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/fleet/health.h"
#include "internal/fleet/health_rules.h"
#include "internal/fleet/state.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// A GPU that is not divided, or a MIG instance. Texts are views into the snapshots.
struct Part {
  const models::GpuMetrics* row = nullptr;
  State state = State::kUnknown;
  std::set<std::pair<std::string_view, std::string_view>> pods;  // namespace, name
  std::set<std::string_view> users;  // of its processes; "" where a process does not tell
};

struct Whole {
  const models::GpuMetrics* gpu = nullptr;  // its own row, or its first instance's
  std::vector<Part> parts;                  // never empty
};

// In the order of the rows. A part of a GPU that is unhealthy is unhealthy. `processes` may be
// null.
std::vector<Whole> PartsOf(const models::Snapshot& gpus, const models::Snapshot* processes,
                           const HealthRules& rules);

// Of `whole`, split equally into `parts`, the part of that place. They add up: the first ones get
// what is left over.
constexpr std::int64_t ShareOf(std::int64_t whole, std::size_t parts, std::size_t place) {
  const auto n = static_cast<std::int64_t>(parts);
  return whole / n + (static_cast<std::int64_t>(place) < whole % n ? 1 : 0);
}

}  // namespace gpumon::fleet
