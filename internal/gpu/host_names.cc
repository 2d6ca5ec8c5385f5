#include "internal/gpu/host_names.h"

#include <algorithm>

#include "internal/gpu/contest.h"
#include "internal/gpu/node_queries.h"

namespace gpumon::gpu {
namespace {

bool IsAddress(std::string_view host) {
  return host.find(':') != std::string_view::npos ||
         std::all_of(host.begin(), host.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace

std::string_view ShortName(std::string_view name) {
  return IsAddress(name) ? name : name.substr(0, name.find('.'));
}

std::string_view HostNames::KubernetesNodeOf(prom::LabelSet labels) {
  const std::string_view exported = prom::Get(labels, "exported_node");
  return exported.empty() ? prom::Get(labels, "node") : exported;
}

void HostNames::AddKubernetes(const prom::InstantVector& nodes) {
  addresses_.Add(nodes);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string_view node = KubernetesNodeOf(nodes.labels(i));
    if (!node.empty()) nodes_.emplace(node);
  }
  for (const std::string& node : nodes_) {
    const auto [known, is_new] = by_short_.try_emplace(std::string(ShortName(node)), node);
    if (!is_new && known->second != node) known->second.clear();
  }
}

void HostNames::AddHosts(const prom::InstantVector& hosts) {
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const prom::LabelSet labels = hosts.labels(i);
    const std::string_view name = prom::Get(labels, "nodename");
    if (name.empty() || Addresses::IsLoopback(name)) continue;
    if (prom::Get(labels, "__name__") != "node_uname_info") continue;
    const auto [known, is_new] = targets_.try_emplace(Contest::TargetOf(labels), Known(name));
    // A target that shows several machines is none of them.
    if (!is_new && known->second != Known(name)) known->second.clear();
  }
}

std::string_view HostNames::Known(std::string_view name) const {
  if (nodes_.find(name) != nodes_.end()) return name;
  if (const auto at = addresses_.NodeAt(name); !at.empty()) return at;
  const auto found = by_short_.find(ShortName(name));
  return found == by_short_.end() || found->second.empty() ? name : std::string_view(found->second);
}

std::string_view HostNames::NodeOf(prom::LabelSet labels, bool is_numa) const {
  const bool moved = !prom::Get(labels, "exported_node").empty();
  for (const std::string_view label : NodeLabels()) {
    // Of a NUMA node's own label and the target's the latter is called `node`.
    if (is_numa && (label == "exported_node" || (label == "node" && !moved))) continue;
    const std::string_view name = prom::Get(labels, label);
    if (!name.empty() && !Addresses::IsLoopback(name)) return Known(name);
  }
  const std::string_view instance = prom::Get(labels, "instance");
  if (const auto at = addresses_.NodeAt(instance); !at.empty()) return at;
  const auto target = targets_.find(Contest::TargetOf(labels));
  if (target != targets_.end() && !target->second.empty()) return target->second;
  const std::string_view nodename = prom::Get(labels, "nodename");
  if (!nodename.empty() && !Addresses::IsLoopback(nodename)) return Known(nodename);
  const std::string_view host = Addresses::HostOf(instance);
  return IsAddress(host) || Addresses::IsLoopback(host) ? std::string_view() : Known(host);
}

}  // namespace gpumon::gpu
