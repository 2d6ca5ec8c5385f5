// A pod that asks for GPUs, as kube-state-metrics tells of it.
#pragma once

#include <cmath>
#include <limits>
#include <string_view>

namespace gpumon::models {

// The phases that Kubernetes has, beside "Unknown".
inline constexpr std::string_view kPending = "Pending";
inline constexpr std::string_view kRunning = "Running";
inline constexpr std::string_view kSucceeded = "Succeeded";
inline constexpr std::string_view kFailed = "Failed";

// Texts are views into the snapshot's Arena; an empty text and NaN are absent.
struct Pod {
  std::string_view name_space;
  std::string_view name;
  std::string_view uid;
  std::string_view job;   // that made it
  std::string_view node;  // absent until it is scheduled
  std::string_view phase;
  // What made it in the end: the Deployment, not its ReplicaSet. A pod that nothing made is its
  // own owner, of the kind "Pod".
  std::string_view owner_kind;
  std::string_view owner_name;
  double gpus_requested = std::numeric_limits<double>::quiet_NaN();  // by its containers together
  double created = std::numeric_limits<double>::quiet_NaN();         // Unix seconds

  // It holds no GPU any more, though its requests still stand there.
  bool ended() const { return phase == kSucceeded || phase == kFailed; }
  bool asks_for_gpus() const { return !std::isnan(gpus_requested); }
  // It holds GPUs, whether an exporter says which or not.
  bool holds_gpus() const { return phase == kRunning && asks_for_gpus(); }
};

}  // namespace gpumon::models
