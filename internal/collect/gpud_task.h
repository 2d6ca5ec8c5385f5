// The snapshot of the host whose GPUd answers.
#pragma once

#include "internal/base/clock.h"
#include "internal/fleet/health_rules.h"
#include "internal/gpud/client.h"
#include "internal/store/snapshot.h"

namespace gpumon::collect {

// Its task is `gpud/HOSTNAME`: what the exporters say of the same node is told apart from it.
// GPUs are judged by the same rules as Prometheus's; GPUd's own states stand beside that. Events
// that lie behind `time` are left out.
store::Snapshot TaskOf(const gpud::Host& host, WallTime time, const fleet::HealthRules& rules);

}  // namespace gpumon::collect
