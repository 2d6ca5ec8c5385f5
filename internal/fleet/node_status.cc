#include "internal/fleet/node_status.h"

#include <algorithm>
#include <cmath>

namespace gpumon::fleet {

NodeStatus StatusOf(const models::Node& node, std::span<const models::NodeTarget> targets,
                    bool has_rows) {
  if (!std::isnan(node.vanished)) return {false, "Kubernetes no longer lists it"};
  if (node.Get(models::NodeQuantity::kReady) == 0.0) return {false, "not ready in Kubernetes"};
  const bool all_down =
      !targets.empty() && std::all_of(targets.begin(), targets.end(), [](const auto& target) {
        return target.state == models::TargetState::kDown;
      });
  if (all_down && !has_rows) return {false, "its exporters are down"};
  return {};
}

}  // namespace gpumon::fleet
