// The snapshot of the host whose GPUd answers.
#pragma once

#include "internal/base/clock.h"
#include "internal/fleet/health_rules.h"
#include "internal/gpud/client.h"
#include "internal/store/snapshot.h"

namespace gpumon::collect {

// Its task is `gpud/HOSTNAME`: what the exporters say of the same node is told apart from it.
// GPUs are judged by the same rules as Prometheus's; GPUd's own states stand beside that: where it
// has none the host is unknown, however well its GPUs look. Events that lie behind `time` are left
// out.
store::Snapshot TaskOf(const gpud::Host& host, WallTime time, const fleet::HealthRules& rules);

// It tells of its machine and of states, and of nothing that only a machine with GPUs has: it
// leaves out the components that nothing is there for.
bool TellsOfNoGpu(const gpud::Host& host);

}  // namespace gpumon::collect
