#include "internal/gpu/nodes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "internal/gpu/host_names.h"
#include "internal/gpu/node_rows.h"
#include "internal/gpu/node_targets.h"

namespace gpumon::gpu {
namespace {

using models::NodeQuantity;
using models::TargetState;

// fmax of what is there.
void Raise(double& value, double other) {
  value = std::fmax(value, other);
}

class Reader {
 public:
  Reader(const TargetsKnown& known, models::Snapshot& snapshot)
      : snapshot_(snapshot), targets_(known, names_, told_, snapshot) {}

  void Learn(const NodeAnswers& answers) {
    const auto* const nodes = answers[static_cast<std::size_t>(NodeQuery::kKubernetes)];
    if (nodes != nullptr) names_.AddKubernetes(*nodes);
    for (const NodeQuery query : {NodeQuery::kHosts, NodeQuery::kTargets}) {
      const auto* const hosts = answers[static_cast<std::size_t>(query)];
      if (hosts != nullptr) names_.AddHosts(*hosts);
    }
  }

  void Read(NodeQuery query, const prom::InstantVector& vector) {
    if (query == NodeQuery::kTargets) return targets_.Read(vector);
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const prom::LabelSet labels = vector.labels(i);
      const double value = vector.point(i).value;
      switch (query) {
        case NodeQuery::kHosts:
        case NodeQuery::kRates:
          ReadHost(query, labels, value);
          break;
        case NodeQuery::kKubernetes:
          ReadKubernetes(labels, value);
          break;
        case NodeQuery::kRequests:
          ReadRequest(labels, value);
          break;
        case NodeQuery::kTargets:
          break;
      }
    }
    if (query == NodeQuery::kKubernetes) FinishKubernetes();
  }

  void Finish(const NodesHeard& heard) {
    for (const auto& [name, told] : told_) AddNode(name, told, heard, snapshot_);
  }

 private:
  ToldNode& Of(std::string_view name) { return told_[name]; }

  void ReadHost(NodeQuery query, prom::LabelSet labels, double value) {
    const std::string_view metric = prom::Get(labels, "__name__");
    const std::string_view tag = prom::Get(labels, "__series__");
    const bool is_numa = metric.starts_with("node_memory_numa_");
    const std::string_view name = names_.NodeOf(labels, is_numa);
    if (name.empty()) {
      ++nameless_;
      return;
    }
    ToldNode& told = Of(name);
    if (is_numa) return ReadNuma(told, metric, labels, value);
    if (metric.starts_with("node_filesystem_")) return ReadDisk(told, metric, labels, value);
    const auto metrics = NodeMetrics();
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const NodeMetric& one = metrics[i];
      if (one.query != query || one.series != (tag.empty() ? metric : tag)) continue;
      if (!one.required.empty() && prom::Get(labels, one.required).empty()) continue;
      told.Enter(one.gives, i, value);
    }
  }

  static void ReadNuma(ToldNode& told, std::string_view metric, prom::LabelSet labels,
                       double value) {
    const std::string_view moved = prom::Get(labels, "exported_node");
    const std::string_view id = moved.empty() ? prom::Get(labels, "node") : moved;
    if (id.empty() || !IsPossible(NodeQuantity::kMemoryAvailable, value)) return;
    models::NumaNode& numa = told.numa[id];
    numa.id = id;
    Raise(metric == "node_memory_numa_MemTotal" ? numa.memory : numa.memory_free, value);
  }

  static void ReadDisk(ToldNode& told, std::string_view metric, prom::LabelSet labels,
                       double value) {
    const std::string_view mountpoint = prom::Get(labels, "mountpoint");
    if (mountpoint.empty()) return;
    models::Disk& disk = told.disks[mountpoint];
    disk.mountpoint = mountpoint;
    disk.device = std::max(disk.device, prom::Get(labels, "device"));
    disk.type = std::max(disk.type, prom::Get(labels, "fstype"));
    if (!IsPossible(NodeQuantity::kMemoryAvailable, value)) return;
    Raise(metric == "node_filesystem_size_bytes" ? disk.size : disk.available, value);
  }

  void ReadKubernetes(prom::LabelSet labels, double value) {
    const std::string_view name = HostNames::KubernetesNodeOf(labels);
    if (name.empty()) return;
    if (prom::Get(labels, "__series__") == kVanishedSeries) {
      vanished_.emplace_back(name, value);
      return;
    }
    ToldNode& told = Of(name);
    const std::string_view metric = prom::Get(labels, "__name__");
    if (metric == "kube_node_info") {
      told.in_kubernetes = true;
    } else if (metric == "kube_node_status_condition") {
      told.Enter(NodeQuantity::kReady, 0, value);
    } else if (metric == "kube_node_status_capacity" || metric == "kube_node_status_allocatable") {
      const bool capacity = metric == "kube_node_status_capacity";
      const std::string_view resource = prom::Get(labels, "resource");
      if (IsGpuResource(resource)) {
        // MIG profiles and time slices are resources of their own: together they are the node's.
        auto& known = resources_[{name, capacity, resource}];
        known = known ? std::fmax(*known, value) : value;
      } else if (resource == "cpu") {
        told.Enter(capacity ? NodeQuantity::kCoresCapacity : NodeQuantity::kCoresAllocatable, 0,
                   value);
      }
    }
  }

  void FinishKubernetes() {
    for (const auto& [key, value] : resources_) {
      const auto& [name, capacity, resource] = key;
      Of(name).Add(capacity ? NodeQuantity::kGpusCapacity : NodeQuantity::kGpusAllocatable, *value);
    }
    const bool any = std::any_of(told_.begin(), told_.end(),
                                 [](const auto& node) { return node.second.in_kubernetes; });
    // Without a node left it is kube-state-metrics that went away, not they.
    for (const auto& [name, at] : vanished_) {
      const auto found = told_.find(name);
      if (!any || (found != told_.end() && found->second.in_kubernetes)) continue;
      Raise(Of(name).vanished, at);
    }
    kubernetes_ = any;
  }

  void ReadRequest(prom::LabelSet labels, double value) {
    const std::string_view name = HostNames::KubernetesNodeOf(labels);
    if (name.empty()) return;
    const std::string_view resource = prom::Get(labels, "resource");
    if (resource.empty()) return;
    const bool gpus = IsGpuResource(resource);
    Of(name).Add(gpus ? NodeQuantity::kGpusRequested : NodeQuantity::kCoresRequested, value);
  }

 public:
  std::size_t nameless() const { return nameless_; }
  bool knows_kubernetes() const { return kubernetes_; }
  bool knows_hosts() const { return targets_.knows_hosts(); }

 private:
  models::Snapshot& snapshot_;
  HostNames names_;
  std::map<std::string_view, ToldNode> told_;
  std::map<std::tuple<std::string_view, bool, std::string_view>, std::optional<double>> resources_;
  std::vector<std::pair<std::string_view, double>> vanished_;
  NodeTargets targets_;
  bool kubernetes_ = false;
  std::size_t nameless_ = 0;
};

}  // namespace

void ReadNodes(const NodeAnswers& answers, const TargetsKnown& known, models::Snapshot& snapshot) {
  Reader reader(known, snapshot);
  reader.Learn(answers);
  NodesHeard heard;
  for (std::size_t i = 0; i < kNodeQueries; ++i) {
    const auto query = static_cast<NodeQuery>(i);
    if (answers[i] == nullptr) {
      heard.failed.insert(query);
    } else {
      reader.Read(query, *answers[i]);
    }
  }
  const auto* const requests = answers[static_cast<std::size_t>(NodeQuery::kRequests)];
  heard.requests = requests != nullptr && requests->size() > 0;
  reader.Finish(heard);
  if (reader.knows_hosts()) snapshot.sources.emplace_back(kNodeExporter);
  if (reader.knows_kubernetes()) snapshot.sources.emplace_back("kube_state_metrics");
  if (reader.nameless() > 0) {
    snapshot.warnings.push_back(std::to_string(reader.nameless()) +
                                " series of hosts name no machine and are not shown: give their "
                                "scrape targets a label node");
  }
}

}  // namespace gpumon::gpu
