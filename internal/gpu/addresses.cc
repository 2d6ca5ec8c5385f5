#include "internal/gpu/addresses.h"

#include <algorithm>

namespace gpumon::gpu {

void Addresses::Add(const prom::InstantVector& infos) {
  for (std::size_t i = 0; i < infos.size(); ++i) {
    const prom::LabelSet labels = infos.labels(i);
    const std::string_view exported = prom::Get(labels, "exported_node");
    const std::string_view node = exported.empty() ? prom::Get(labels, "node") : exported;
    const std::string_view pod_ip = prom::Get(labels, "pod_ip");
    const std::string_view ip = pod_ip.empty() ? prom::Get(labels, "internal_ip") : pod_ip;
    if (node.empty()) continue;
    for (const std::string_view address : {ip, node}) {
      if (address.empty()) continue;
      const auto [known, is_new] = nodes_.try_emplace(std::string(address), node);
      if (!is_new && known->second != node) known->second.clear();
    }
  }
}

bool Addresses::IsLoopback(std::string_view host) {
  const std::string_view name = HostOf(host);
  if (name.starts_with("127.")) return true;
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::any_of(kLoopback.begin(), kLoopback.end(), [&](std::string_view known) {
    return std::equal(name.begin(), name.end(), known.begin(), known.end(), same);
  });
}

std::string_view Addresses::HostOf(std::string_view instance) {
  if (instance.starts_with('[')) {
    const auto end = instance.find(']');
    return end == std::string_view::npos ? instance : instance.substr(1, end - 1);
  }
  const auto colon = instance.find(':');
  // More than one: an IPv6 address without a port.
  if (colon == std::string_view::npos || instance.find(':', colon + 1) != std::string_view::npos) {
    return instance;
  }
  return instance.substr(0, colon);
}

std::string_view Addresses::NodeAt(std::string_view address) const {
  if (nodes_.empty()) return {};
  const auto found = nodes_.find(HostOf(address));
  return found == nodes_.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace gpumon::gpu
