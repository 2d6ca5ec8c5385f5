#include "internal/fleet/state.h"

#include <algorithm>
#include <array>

namespace gpumon::fleet {

using models::Quantity;

std::string_view NameOf(State state) {
  static constexpr std::array<std::string_view, kStates> kNames = {"unhealthy", "busy", "idle_held",
                                                                   "unknown", "free"};
  return kNames[static_cast<std::size_t>(state)];
}

State StateOf(const models::GpuMetrics& gpu, const Health& health, bool held,
              const HealthRules& rules) {
  for (const Component component : {Component::kEcc, Component::kXid}) {
    if (health.components[static_cast<std::size_t>(component)] == Level::kCritical) {
      return State::kUnhealthy;
    }
  }
  const auto get = [&](Quantity quantity) {
    return gpu.readings.Get(static_cast<std::size_t>(quantity));
  };
  const auto utilization = get(Quantity::kUtilization);
  if (!utilization) return State::kUnknown;
  if (*utilization >= rules.utilization_low) return State::kBusy;
  if (held) return State::kIdleHeld;
  const auto memory = get(Quantity::kMemoryUsedPercent);
  if (!memory) return State::kUnknown;
  if (*memory > rules.held_memory) return State::kIdleHeld;
  return gpu.holder_reason() == models::NullReason::kNone ? State::kFree : State::kUnknown;
}

State Both(State one, State other) {
  return std::min(one, other);
}

}  // namespace gpumon::fleet
