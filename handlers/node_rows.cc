#include "handlers/node_rows.h"

#include <algorithm>

#include "internal/gpu/host_names.h"

namespace gpumon::handlers {

using models::NullReason;

std::span<const models::NodeTarget> NodeRow::targets() const {
  if (node == nullptr) return {};
  return Of(snapshot->targets, node->parts.targets);
}

fleet::NodeStatus NodeRow::status() const {
  if (node == nullptr) return {};
  return fleet::StatusOf(*node, targets(), gpus != nullptr);
}

NullReason NodeRow::WhyNoGpus() const {
  const auto all = targets();
  const bool down = std::any_of(all.begin(), all.end(), [](const auto& target) {
    return target.of_gpus && target.state == models::TargetState::kDown;
  });
  return down ? NullReason::kExporterDown : NullReason::kNotExported;
}

std::map<std::string_view, NodeRow> NodeRowsOf(const GpuGroups& groups,
                                               const models::Snapshot* nodes,
                                               const fleet::HealthRules& rules) {
  std::map<std::string_view, NodeRow> rows;
  // By their names without a domain.
  std::map<std::string_view, std::vector<std::string_view>> by_short;
  for (const auto& [name, group] : groups.groups()) {
    if (name.empty()) continue;  // GPUs of whose node nobody tells
    // A process may tell of a GPU that nobody shows.
    const GpuGroup* const shown = group.gpus + group.lost == 0 ? nullptr : &group;
    rows[name] = NodeRow{name, shown, nullptr, nodes, &rules};
    by_short[gpu::ShortName(name)].push_back(name);
  }
  if (nodes == nullptr) return rows;
  std::map<std::string_view, std::size_t> machines;
  for (const models::Node& node : nodes->nodes) ++machines[gpu::ShortName(node.name)];
  const auto other = [&](std::string_view name) {
    const auto found = by_short.find(gpu::ShortName(name));
    const bool one =
        found != by_short.end() && found->second.size() == 1 && machines[gpu::ShortName(name)] == 1;
    return one ? rows.find(found->second.front()) : rows.end();
  };
  for (const bool exact : {true, false}) {
    for (const models::Node& node : nodes->nodes) {
      const auto own = rows.find(node.name);
      if (exact != (own != rows.end())) continue;
      const auto found = exact ? own : other(node.name);
      if (found != rows.end()) {
        if (found->second.node == nullptr) found->second.node = &node;
      } else if (node.has_gpus) {
        rows[node.name] = NodeRow{node.name, nullptr, &node, nodes, &rules};
      }
    }
  }
  return rows;
}

}  // namespace gpumon::handlers
