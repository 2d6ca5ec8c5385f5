#include "internal/gpu/nodes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "internal/gpu/contest.h"
#include "internal/gpu/host_names.h"
#include "internal/gpu/node_rows.h"

namespace gpumon::gpu {
namespace {

using models::NodeQuantity;
using models::TargetState;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// fmax of what is there.
void Raise(double& value, double other) {
  value = std::fmax(value, other);
}

class Reader {
 public:
  Reader(const TargetsKnown& known, models::Snapshot& snapshot)
      : known_(known), snapshot_(snapshot) {}

  void Learn(const NodeAnswers& answers) {
    const auto* const nodes = answers[static_cast<std::size_t>(NodeQuery::kKubernetes)];
    if (nodes != nullptr) names_.AddKubernetes(*nodes);
    for (const NodeQuery query : {NodeQuery::kHosts, NodeQuery::kTargets}) {
      const auto* const hosts = answers[static_cast<std::size_t>(query)];
      if (hosts != nullptr) names_.AddHosts(*hosts);
    }
  }

  void Read(NodeQuery query, const prom::InstantVector& vector) {
    if (query == NodeQuery::kTargets) LearnJobs(vector);
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
          ReadTarget(labels, value);
          break;
      }
    }
    if (query == NodeQuery::kKubernetes) FinishKubernetes();
    if (query == NodeQuery::kTargets) FinishTargets();
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

  // Which jobs scrape which exporter, before those of its targets that are down are met.
  void LearnJobs(const prom::InstantVector& vector) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const prom::LabelSet labels = vector.labels(i);
      const std::string_view exporter = prom::Get(labels, "exporter");
      if (!exporter.empty()) jobs_[prom::Get(labels, "job")].insert(exporter);
    }
    for (const Subject& subject : known_.detected.subjects) {
      for (const std::string& job : subject.jobs) jobs_[job].insert(subject.exporter->name);
    }
  }

  bool IsFrozen(std::string_view exporter, std::size_t target) const {
    const auto& subjects = known_.detected.subjects;
    return std::any_of(subjects.begin(), subjects.end(), [&](const Subject& subject) {
      return subject.exporter->name == exporter && subject.frozen.count(target) > 0;
    });
  }

  // The machines that a target showed before it went down.
  std::set<std::string> RecallNodes(const Subject& subject, std::size_t target) const {
    std::set<std::string> nodes;
    const auto add = [&](const TargetMemory::Nodes& told) {
      for (const auto& [node, fields] : told) {
        if (!node.empty()) nodes.insert(node);
      }
    };
    if (known_.memory != nullptr) {
      add(known_.memory->Recall(models::Part::kGpus, {subject.exporter->name, target}));
    }
    const auto past = subject.down.find(target);
    if (past != subject.down.end()) add(past->second.gpus);
    return nodes;
  }

  void ReadTarget(prom::LabelSet labels, double value) {
    const std::string_view tag = prom::Get(labels, "__series__");
    const std::size_t target = Contest::TargetOf(labels);
    if (tag == kLastUpSeries)
      return Raise(last_up_.try_emplace(target, kNone).first->second, value);
    if (tag == kScrapedSeries) {
      Scraped& its = scraped_[target];
      its.labels = labels;
      return Raise(its.at, value);
    }
    if (tag == kDownSeries) {
      down_.push_back(labels);
      return;
    }
    if (tag != kExporterSeries) return;
    const std::string_view exporter = prom::Get(labels, "exporter");
    std::string_view name = names_.NodeOf(labels);
    if (known_.memory != nullptr && exporter != kNodeExporter) {
      // The rows of its GPUs may know the machine better than its labels do.
      const auto nodes =
          known_.memory->Recall(models::Part::kGpus, {std::string(exporter), target});
      if (nodes.size() == 1 && !nodes.begin()->first.empty()) {
        name = *kept_.insert(nodes.begin()->first).first;
      }
    }
    if (exporter != kNodeExporter) show_gpus_.insert(target);
    if (name.empty()) return;
    ToldTarget& its = TargetOf(name, exporter, labels);
    if (IsFrozen(exporter, target)) its.state = TargetState::kFrozen;
    up_.emplace_back(target, &its);
    up_nodes_.emplace(target, name);
  }

  ToldTarget& TargetOf(std::string_view node, std::string_view exporter, prom::LabelSet labels) {
    ToldTarget& its =
        Of(node).targets[{exporter, prom::Get(labels, "job"), prom::Get(labels, "instance")}];
    its.of_gpus = !exporter.empty() && exporter != kNodeExporter;
    return its;
  }

  void FinishTargets() {
    for (const auto& [target, its] : up_) {
      const auto scraped = scraped_.find(target);
      if (scraped != scraped_.end()) Raise(its->newest, scraped->second.at);
    }
    for (const prom::LabelSet labels : down_) {
      const std::size_t target = Contest::TargetOf(labels);
      bool recalled = false;
      for (const Subject& subject : known_.detected.subjects) {
        for (const std::string& node : RecallNodes(subject, target)) {
          SetDown(*kept_.insert(node).first, subject.exporter->name, labels);
          recalled = true;
        }
      }
      if (!recalled) JudgeDown(labels);
    }
    FindSilent();
  }

  void FindSilent() {
    std::set<std::size_t> down;
    std::map<std::pair<std::string_view, std::string_view>, bool> silent;  // up
    for (const prom::LabelSet labels : down_) {
      down.insert(Contest::TargetOf(labels));
      silent.try_emplace({prom::Get(labels, "job"), prom::Get(labels, "instance")}, false);
    }
    for (const auto& [target, its] : scraped_) {
      const std::string_view job = prom::Get(its.labels, "job");
      const auto known = jobs_.find(job);
      const bool of_gpus = known != jobs_.end() &&
                           std::any_of(known->second.begin(), known->second.end(),
                                       [](std::string_view one) { return one != kNodeExporter; });
      if (!of_gpus || down.contains(target) || show_gpus_.contains(target)) continue;
      silent.try_emplace({job, prom::Get(its.labels, "instance")}, true);
    }
    models::Arena& arena = snapshot_.arena;
    for (const auto& [target, up] : silent) {
      snapshot_.silent.push_back({arena.Keep(target.first), arena.Keep(target.second), up});
    }
  }

  // Nobody remembers what it showed: its job and its labels say what it is.
  void JudgeDown(prom::LabelSet labels) {
    const std::string_view name = names_.NodeOf(labels);
    if (name.empty()) return;
    const std::string_view job = prom::Get(labels, "job");
    const auto found = jobs_.find(job);
    if (found != jobs_.end()) {
      SetDown(name, found->second.size() == 1 ? *found->second.begin() : "", labels);
    } else if (job.find("node-exporter") != std::string_view::npos ||
               job.find("node_exporter") != std::string_view::npos) {
      SetDown(name, kNodeExporter, labels);
    }
  }

  // Another pod that is up may have taken its place; several machines may have one `instance`.
  void SetDown(std::string_view node, std::string_view exporter, prom::LabelSet labels) {
    if (up_nodes_.contains({Contest::TargetOf(labels), node})) return;
    ToldTarget& its = TargetOf(node, exporter, labels);
    its.state = TargetState::kDown;
    const auto last = last_up_.find(Contest::TargetOf(labels));
    if (last != last_up_.end()) Raise(its.newest, last->second);
  }

 public:
  std::size_t nameless() const { return nameless_; }
  bool knows_kubernetes() const { return kubernetes_; }
  bool knows_hosts() const {
    return std::any_of(jobs_.begin(), jobs_.end(),
                       [](const auto& job) { return job.second.count(kNodeExporter) > 0; });
  }

 private:
  const TargetsKnown& known_;
  models::Snapshot& snapshot_;
  HostNames names_;
  std::set<std::string> kept_;  // names that stand in no answer
  std::map<std::string_view, ToldNode> told_;
  std::map<std::tuple<std::string_view, bool, std::string_view>, std::optional<double>> resources_;
  std::vector<std::pair<std::string_view, double>> vanished_;
  std::map<std::string_view, std::set<std::string_view>> jobs_;  // and the exporters they scrape
  std::vector<prom::LabelSet> down_;
  std::vector<std::pair<std::size_t, ToldTarget*>> up_;  // by Contest::TargetOf, as these
  struct Scraped {
    prom::LabelSet labels;
    double at = kNone;  // Unix seconds
  };
  std::set<std::pair<std::size_t, std::string_view>> up_nodes_;
  std::map<std::size_t, Scraped> scraped_;
  std::set<std::size_t> show_gpus_;
  std::map<std::size_t, double> last_up_;
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
