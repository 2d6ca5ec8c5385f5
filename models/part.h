// The query sets of a server.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace gpumon::models {

// Collected and cached apart from each other.
enum class Part : std::uint8_t { kGpus, kProcesses, kPods, kNodes, kTasks, kAlerts };
inline constexpr std::array kParts = {Part::kGpus,  Part::kProcesses, Part::kPods,
                                      Part::kNodes, Part::kTasks,     Part::kAlerts};
constexpr std::string_view NameOf(Part part) {
  constexpr std::string_view kNames[] = {"gpus", "processes", "pods", "nodes", "tasks", "alerts"};
  static_assert(std::size(kNames) == kParts.size());
  return kNames[static_cast<std::size_t>(part)];
}

}  // namespace gpumon::models
