// Whether a node serves.
#pragma once

#include <span>
#include <string_view>

#include "models/gpu.h"

namespace gpumon::fleet {

struct NodeStatus {
  bool online = true;
  std::string_view why;  // it is not; empty while it is
};

// A node is offline when Kubernetes no longer lists it, or calls it not ready, or when every
// exporter that tells of it is down. `targets` are its own; `has_rows`: its GPUs have rows now, so
// some exporter is heard.
NodeStatus StatusOf(const models::Node& node, std::span<const models::NodeTarget> targets,
                    bool has_rows);

}  // namespace gpumon::fleet
