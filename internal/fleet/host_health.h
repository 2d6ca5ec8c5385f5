// How well the machine is that GPUs are in.
#pragma once

#include <span>
#include <vector>

#include "internal/fleet/health.h"
#include "internal/fleet/health_rules.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// Of the component `host`. It does nothing to a score, which is the GPU's own.
struct HostHealth {
  Level level = Level::kUnknown;        // nothing is known of it
  std::vector<HealthFinding> findings;  // the worst first
};

// `targets` and `disks` are the node's own; `has_rows`: its GPUs have rows now. A node that serves
// is well; one that is offline is critical; short of memory or disk, or with GPUs that Kubernetes
// counts and gives to nobody, it is degraded.
HostHealth AssessHost(const models::Node& node, std::span<const models::NodeTarget> targets,
                      std::span<const models::Disk> disks, bool has_rows, const HealthRules& rules);

}  // namespace gpumon::fleet
