// A pod that asks for GPUs, or a Job of such pods, from its submission to its end.
#pragma once

#include <limits>
#include <string_view>

namespace gpumon::models {

// Texts are views into the snapshot's Arena; an empty text and NaN are absent. Times are Unix
// seconds.
struct Task {
  static constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

  std::string_view kind;  // "Pod" or "Job"
  std::string_view name_space;
  std::string_view name;
  std::string_view phase;  // of pods.h
  // Why it waits or why it failed: what Kubernetes says of its scheduling, its containers or
  // itself.
  std::string_view reason;
  std::string_view node;        // of a pod
  std::string_view owner_kind;  // as Pod's: the top one
  std::string_view owner_name;
  std::string_view job;  // of a pod: the Job that made it
  // Requested by its containers; of a Job: by its largest pod, times the pods that may run at once.
  double gpus = kAbsent;
  double cores = kAbsent;   // likewise
  double memory = kAbsent;  // likewise, bytes
  double submitted = kAbsent;
  double started = kAbsent;
  double completed = kAbsent;
  double exit_code = kAbsent;  // of its last run that ended
  std::string_view error;      // why that run ended, where it failed: "OOMKilled"
  double restarts = kAbsent;   // of its containers together
  // Of a Job: its pods.
  double active = kAbsent;
  double succeeded = kAbsent;
  double failed = kAbsent;
  double completions = kAbsent;  // that it wants
  double parallelism = kAbsent;  // at once
};

}  // namespace gpumon::models
