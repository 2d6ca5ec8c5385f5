// What a GPU is doing: the states that GPU time is divided into.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "internal/fleet/health.h"
#include "internal/fleet/health_rules.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// Each GPU is in one of them at each instant. In order: the first that applies of several parts.
enum class State : std::uint8_t {
  kUnhealthy,  // its last XID asks for a reset, memory was lost or a row could not be remapped
  kBusy,       // not idle (HealthRules::utilization_low)
  kIdleHeld,   // idle, and somebody holds it
  kUnknown,    // nobody says whether it is busy, or whether somebody holds it
  kFree        // idle, and nobody holds it
};
inline constexpr std::size_t kStates = 5;
std::string_view NameOf(State state);  // "idle_held"

// Of one row: a GPU that is not divided, or a MIG instance. `held`: a pod or a process is known to
// hold it. Memory in use (HealthRules::held_memory) is somebody's too; where neither it nor a
// holder is known, or the exporter that named the holders is down, nobody can tell.
State StateOf(const models::GpuMetrics& gpu, const Health& health, bool held,
              const HealthRules& rules);

// What StateOf looks at.
inline constexpr std::array kStateQuantities = {
    models::Quantity::kUtilization, models::Quantity::kMemoryUsedPercent,
    models::Quantity::kXidLast, models::Quantity::kEccUncorrectedVolatile,
    models::Quantity::kRowRemapFailure};

// Of a divided GPU with an instance in state `one` and others in state `other`.
State Both(State one, State other);

}  // namespace gpumon::fleet
