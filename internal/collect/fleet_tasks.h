// Snapshots of the tasks that Prometheus knows.
#pragma once

#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/fleet/health_rules.h"
#include "internal/store/snapshot.h"
#include "models/gpu.h"

namespace gpumon::collect {

// What is known at one time; null: it could not be asked.
struct Fleet {
  const models::Snapshot& gpus;
  const models::Snapshot* processes = nullptr;
  const models::Snapshot* pods = nullptr;
  const models::Snapshot* nodes = nullptr;
  WallTime time{};
  std::string note;  // of every snapshot: why there is no GPUd behind it
};

// Rules. A task is a pod that holds GPUs, or parts of them: `namespace/pod`. A running pod that
// asks for GPUs of which no exporter says which has a snapshot without GPUs. What no pod holds is
// its node's, one snapshot by the node's name: GPUs, and GPUs that are divided, since those are no
// pod's as a whole. So each GPU is in one snapshot at least, and a GPU without a node in that of
// `unknown`. All have the same time, and ids of their own, and what is known of the machine, whose
// name may have a domain on one side alone. Sorted by task.
std::vector<store::Snapshot> TasksOf(const Fleet& fleet, const fleet::HealthRules& rules);

}  // namespace gpumon::collect
