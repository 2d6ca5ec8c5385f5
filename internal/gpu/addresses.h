// Names of nodes, by the addresses of what runs on them.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "internal/prom/value.h"

namespace gpumon::gpu {

// Where an exporter and its scrape configuration name no node, or call it by its address, that
// address or the one in `instance` is one that kube-state-metrics knows. One thread at a time.
class Addresses {
 public:
  // Series of kube_node_info (internal_ip) and kube_pod_info (pod_ip), each with its `node`; where
  // a scrape target's own label stood in its way, `exported_node`. A node is at its name too.
  void Add(const prom::InstantVector& infos);
  // The node at `address`, with or without a port; empty where it is not known, or where two nodes
  // claim it.
  std::string_view NodeAt(std::string_view address) const;
  bool empty() const { return nodes_.empty(); }

  // What so many machines call themselves, beside the rest of 127.0.0.0/8.
  static constexpr std::array<std::string_view, 9> kLoopback = {
      "localhost",     "localhost.localdomain", "localhost4", "localhost6",
      "ip6-localhost", "ip6-loopback",          "::1",        "127.0.0.1",
      "0.0.0.0"};
  // In any case of letters, with or without a port.
  static bool IsLoopback(std::string_view host);
  // `10.0.0.7:9400`, `[fd00::7]:9400`, `gpu-a01:9400` without the port.
  static std::string_view HostOf(std::string_view instance);

 private:
  std::map<std::string, std::string, std::less<>> nodes_;  // address -> node, "" for several
};

}  // namespace gpumon::gpu
