// Machines with GPUs: what Kubernetes and node-exporter say beside what GPU exporters do.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "handlers/gpu_groups.h"
#include "internal/fleet/health_rules.h"
#include "internal/fleet/node_status.h"
#include "models/gpu.h"

namespace gpumon::handlers {

// `gpus` is null where no exporter shows a GPU of it and none was lost, `node` where neither
// Kubernetes nor node-exporter tells of it.
struct NodeRow {
  std::string_view name;
  const GpuGroup* gpus = nullptr;
  const models::Node* node = nullptr;
  const models::Snapshot* snapshot = nullptr;  // node's; null where it could not be had
  const fleet::HealthRules* rules = nullptr;

  template <class T>
  std::span<const T> Of(const std::vector<T>& all, models::Range range) const {
    return std::span(all).subspan(range.first, range.count);
  }
  std::span<const models::NodeTarget> targets() const;
  fleet::NodeStatus status() const;
  std::optional<double> Get(models::NodeQuantity quantity) const {
    return node == nullptr ? std::nullopt : node->Get(quantity);
  }
  // Why there is none.
  models::NullReason Why(models::NodeQuantity quantity) const {
    return node == nullptr ? WhyNoNode()
                           : node->readings.reason(static_cast<std::size_t>(quantity));
  }
  // Why nothing is known of its GPUs, or of the node itself.
  models::NullReason WhyNoGpus() const;
  models::NullReason WhyNoNode() const {
    return snapshot == nullptr || snapshot->partial ? models::NullReason::kQueryFailed
                                                    : models::NullReason::kNotExported;
  }
};

// All that have GPUs now, or had within the hour, by name; `nodes` may be null. A GPU's node and a
// machine that are called the same but for their domain are one, where no other is called so. What
// is given has to outlive them.
std::map<std::string_view, NodeRow> NodeRowsOf(const GpuGroups& groups,
                                               const models::Snapshot* nodes,
                                               const fleet::HealthRules& rules);

}  // namespace gpumon::handlers
