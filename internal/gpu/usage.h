// Whose the GPUs are: rows of GPUs and processes, added up by pod, namespace, owner and user.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string_view>
#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

// A sum or a mean that is null, with the first reason met, where it would have to guess.
struct Total {
  double value = 0;
  std::size_t known = 0;
  models::NullReason why = models::NullReason::kNone;  // of those that are not known

  void Add(double more) {
    value += more;
    ++known;
  }
  void Miss(models::NullReason reason) {
    if (why == models::NullReason::kNone) why = reason;
  }
};

// What one pod, namespace, owner or user has. Texts are views into the snapshots.
struct Usage {
  std::string_view name_space;
  std::string_view pod;
  std::string_view phase;       // of a pod
  std::string_view owner_kind;  // of a pod, or the owner itself
  std::string_view owner_name;
  std::string_view user;
  std::set<std::string_view> pods;
  // Of a user: why nobody knows whose some process is; kNone where that is known of all.
  models::NullReason pods_untold = models::NullReason::kNone;
  std::set<std::string_view> containers;
  std::set<std::string_view> nodes;
  std::set<std::string_view> gpu_names;
  std::set<std::string_view> sources;
  std::size_t processes = 0;
  std::set<std::array<std::string_view, 3>> devices;
  std::size_t gpus = 0;  // boards, whole or in part; 0: it has some, nobody says which
  models::NullReason unnamed = models::NullReason::kNotExported;  // why not
  std::size_t mig_instances = 0;                                  // parts of them
  std::size_t shared_gpus = 0;  // GPUs or MIG instances held by others too
  // Sum over its GPUs of 1 / those who hold it; a MIG instance counts as its part of the board. NaN
  // where nobody knows how large that is.
  double share = 0;
  Total utilization;  // % of its GPUs, or of its part where that is measured
  Total memory_used;  // bytes of its own
  Total requested;    // GPUs that its pods ask for, but those that have ended
  // Unix seconds of its newest sample; NaN when unknown.
  double newest = std::numeric_limits<double>::quiet_NaN();
};

// By namespace and pod, in that order: pods that an exporter names, and running ones of `pods` that
// ask for GPUs. A part of a shared GPU that nobody measures is not known: neither the whole GPU's
// value nor an equal part of it is the pod's.
std::vector<Usage> UsageByPod(const models::Snapshot& gpus, const models::Snapshot& pods);
// The same pods by namespace. A GPU that pods of one namespace share counts once.
std::vector<Usage> UsageByNamespace(const models::Snapshot& gpus, const models::Snapshot& pods);
// The same pods by namespace, kind and name of their owners; those of a namespace of whose owners
// nobody tells stand together.
std::vector<Usage> UsageByOwner(const models::Snapshot& gpus, const models::Snapshot& pods);
// By user, processes without one last. `gpus` says how busy GPUs are that a user has alone; memory
// is that of the processes.
std::vector<Usage> UsageByUser(const models::Snapshot& gpus, const models::Snapshot& processes);

}  // namespace gpumon::gpu
