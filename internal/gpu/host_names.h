// Which machine a series is about.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "internal/gpu/addresses.h"
#include "internal/prom/value.h"

namespace gpumon::gpu {

// A host name without its domain; an address as it is.
std::string_view ShortName(std::string_view name);

// One thread at a time.
class HostNames {
 public:
  // Series of kube_node_info among others: the names that Kubernetes uses, and their addresses.
  void AddKubernetes(const prom::InstantVector& nodes);
  // Series of node_uname_info among others: what targets without a label for it are called.
  void AddHosts(const prom::InstantVector& hosts);

  // The machine of `labels`; empty where nothing names it. `is_numa`: its `node` is a NUMA node, or
  // was before the target's own label took its place. Good while this and the labels live.
  std::string_view NodeOf(prom::LabelSet labels, bool is_numa = false) const;
  // As kube-state-metrics has it: `exported_node` where the target has a `node` too.
  static std::string_view KubernetesNodeOf(prom::LabelSet labels);

 private:
  // The name that Kubernetes has for it, where it has one.
  std::string_view Known(std::string_view name) const;

  Addresses addresses_;
  std::set<std::string, std::less<>> nodes_;
  std::map<std::string, std::string, std::less<>> by_short_;  // "" for several
  std::map<std::size_t, std::string> targets_;                // by Contest::TargetOf
};

}  // namespace gpumon::gpu
