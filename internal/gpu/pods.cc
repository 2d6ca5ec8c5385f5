#include "internal/gpu/pods.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "internal/gpu/contest.h"
#include "internal/gpu/named_pods.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

using models::Pod;
using Names = std::vector<std::string>;

// Others of the same makers count memory, cores or the right to look.
constexpr std::array<std::string_view, 6> kResources = {
    "nvidia_com_gpu",         // device plugin
    "nvidia_com_gpu_shared",  // time slices under a name of their own
    "nvidia_com_mig_.+",      // MIG instances, by profile
    "amd_com_gpu",
    "amd_com_[a-z]+_nps[0-9]+",  // AMD partitions, by their kind
    "gpu_intel_com_(i915|xe)",
};

constexpr std::string_view kRequests = "kube_pod_container_resource_requests";
constexpr std::string_view kCreated = "kube_pod_created";
constexpr std::string_view kInfo = "kube_pod_info";
constexpr std::string_view kOwner = "kube_pod_owner";
constexpr std::string_view kPhase = "kube_pod_status_phase";
constexpr std::string_view kReplicaSetOwner = "kube_replicaset_owner";
constexpr std::string_view kJobOwner = "kube_job_owner";

constexpr std::array kMetrics = {
    PodMetric{kRequests, "gpus_requested: sum over containers and resources that are GPUs"},
    PodMetric{kPhase, "phase"},
    PodMetric{kInfo, "node; owner where kube_pod_owner is not there"},
    PodMetric{kOwner, "owner; a pod without one is its own, of the kind Pod"},
    PodMetric{kReplicaSetOwner, "the Deployment above a ReplicaSet"},
    PodMetric{kJobOwner, "the CronJob above a Job"},
    PodMetric{kCreated, "which of two pods of one name is the newer"},
};

// What is asked of each pod beside its requests.
constexpr std::array<std::string_view, 4> kOfPods = {kCreated, kInfo, kOwner, kPhase};

// From the least to the most final: the further one is the newer.
constexpr std::array<std::string_view, 5> kPhases = {"Unknown", models::kPending, models::kRunning,
                                                     models::kSucceeded, models::kFailed};

template <class Texts>
std::string AnyOf(const Texts& texts) {
  std::string any;
  for (const std::string_view text : texts) any.append(any.empty() ? "" : "|").append(text);
  return prom::Quote(any);
}

struct Owner {
  std::string_view kind;
  std::string_view name;

  bool operator<(const Owner& other) const {
    return std::tie(kind, name) < std::tie(other.kind, other.name);
  }
};

// All that the series of one pod say.
struct Told {
  std::map<std::pair<std::string_view, std::string_view>, double> requests;  // container, resource
  std::set<Owner> owners;  // those that control it
  bool owner_told = false;
  std::string_view node;
  std::size_t phase = kPhases.size();  // none
  double created = std::numeric_limits<double>::quiet_NaN();
};

// What a scrape did to the labels of one target.
struct Scrape {
  bool renamed = false;   // some are exported_*
  bool has_node = false;  // the target itself has `node`
};

// Older versions write "<none>".
bool IsNone(std::string_view text) {
  return text.empty() || text == "<none>";
}

// A label that the target has too is exported_* where labels are not honored.
std::string_view GetOwn(prom::LabelSet labels, std::string_view name, std::string_view exported) {
  const std::string_view own = prom::Get(labels, exported);
  return own.empty() ? prom::Get(labels, name) : own;
}
std::string_view NamespaceOf(prom::LabelSet labels) {
  return GetOwn(labels, "namespace", "exported_namespace");
}

class Reader {
 public:
  explicit Reader(models::Snapshot& snapshot) : snapshot_(snapshot) {}

  void LearnScrapes(const prom::InstantVector& vector) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const prom::LabelSet labels = vector.labels(i);
      Scrape& scrape = scrapes_[Contest::TargetOf(labels)];
      for (const prom::Label& label : labels) scrape.renamed |= label.name.starts_with("exported_");
      const std::string_view metric = prom::Get(labels, "__name__");
      const bool own_node = metric == kRequests || metric == kInfo;
      scrape.has_node |= !prom::Get(labels, own_node ? "exported_node" : "node").empty();
    }
  }

  void Read(prom::LabelSet labels, double value) {
    const std::string_view metric = prom::Get(labels, "__name__");
    if (metric == kReplicaSetOwner) return ReadMaker("ReplicaSet", "replicaset", labels);
    if (metric == kJobOwner) return ReadMaker("Job", "job_name", labels);
    const std::string_view pod = GetOwn(labels, "pod", "exported_pod");
    if (pod.empty()) return;
    Told& told = pods_[{NamespaceOf(labels), pod, GetOwn(labels, "uid", "exported_uid")}];
    if (metric == kRequests) {
      ReadRequest(told, labels, value);
    } else if (metric == kInfo) {
      ReadNode(told, labels);
      ReadOwner(told, prom::Get(labels, "created_by_kind"), prom::Get(labels, "created_by_name"));
    } else if (metric == kOwner) {
      const bool controls = prom::Get(labels, "owner_is_controller") == "true";
      ReadOwner(told, controls ? prom::Get(labels, "owner_kind") : "",
                prom::Get(labels, "owner_name"));
    } else if (metric == kPhase && value == 1) {
      ReadPhase(told, prom::Get(labels, "phase"));
    } else if (metric == kCreated && value > 0 && std::isfinite(value)) {
      told.created = std::fmax(told.created, value);
    }
  }

  void Finish() {
    NameByInfo();
    std::map<std::pair<std::string_view, std::string_view>, Pod> chosen;
    for (const auto& [key, told] : pods_) {
      const auto& [name_space, name, uid] = key;
      Pod pod = RowOf(name_space, name, told);
      pod.uid = uid;
      const auto [place, first] = chosen.try_emplace({name_space, name}, pod);
      if (!first && IsNewer(pod, place->second)) place->second = pod;
    }
    for (const auto& [key, pod] : chosen) snapshot_.pods.push_back(Keep(pod));
  }

 private:
  using Name = std::pair<std::string_view, std::string_view>;                    // namespace, name
  using Key = std::tuple<std::string_view, std::string_view, std::string_view>;  // and uid

  // Before its version 2 kube-state-metrics has the uid in kube_pod_info alone: the rest is of the
  // pod that this names, unless it names two.
  void NameByInfo() {
    for (auto at = pods_.begin(); at != pods_.end();) {
      const auto [name_space, name, uid] = at->first;
      const auto named = std::next(at);
      const auto is_same = [&, space = name_space, pod = name](auto place) {
        return place != pods_.end() && std::get<0>(place->first) == space &&
               std::get<1>(place->first) == pod;
      };
      if (uid.empty() && is_same(named) && !is_same(std::next(named))) {
        Add(at->second, named->second);
        pods_.erase(at);
      }
      at = named;
    }
  }

  static void Add(const Told& more, Told& told) {
    told.requests.insert(more.requests.begin(), more.requests.end());
    told.owners.insert(more.owners.begin(), more.owners.end());
    told.owner_told |= more.owner_told;
    told.node = std::max(told.node, more.node);
    if (told.phase == kPhases.size()) told.phase = more.phase;
    told.created = std::fmax(told.created, more.created);
  }

  static void ReadPhase(Told& told, std::string_view name) {
    const auto* const found = std::find(kPhases.begin(), kPhases.end(), name);
    if (found == kPhases.end()) return;
    const auto phase = static_cast<std::size_t>(found - kPhases.begin());
    if (told.phase == kPhases.size() || phase > told.phase) told.phase = phase;
  }

  static void ReadOwner(Told& told, std::string_view kind, std::string_view name) {
    told.owner_told = true;
    if (!IsNone(kind) && !IsNone(name)) told.owners.insert({kind, name});
  }

  void ReadRequest(Told& told, prom::LabelSet labels, double value) {
    ReadNode(told, labels);
    if (!(value > 0) || !std::isfinite(value)) return;
    double& request = told.requests[{GetOwn(labels, "container", "exported_container"),
                                     prom::Get(labels, "resource")}];
    request = std::max(request, value);
  }

  // A pod that is not scheduled has no node; the target's then stands in its place.
  void ReadNode(Told& told, prom::LabelSet labels) {
    const Scrape& scrape = scrapes_[Contest::TargetOf(labels)];
    const bool targets = scrape.renamed && scrape.has_node;
    told.node = std::max(told.node, prom::Get(labels, targets ? "exported_node" : "node"));
  }

  // What made a ReplicaSet or a Job.
  void ReadMaker(std::string_view kind, std::string_view label, prom::LabelSet labels) {
    const Owner owner{prom::Get(labels, "owner_kind"), prom::Get(labels, "owner_name")};
    if (IsNone(owner.kind) || IsNone(owner.name)) return;
    const Name made{NamespaceOf(labels), prom::Get(labels, label)};
    const auto [place, first] = makers_[kind].try_emplace(made, owner);
    if (!first) place->second = std::min(place->second, owner);
  }

  Pod RowOf(std::string_view name_space, std::string_view name, const Told& told) const {
    Pod pod;
    pod.name_space = name_space;
    pod.name = name;
    pod.node = told.node;
    if (told.phase < kPhases.size()) pod.phase = kPhases[told.phase];
    pod.created = told.created;
    for (const Owner& owner : told.owners) {
      if (owner.kind == "Job") pod.job = owner.name;
    }
    if (told.owner_told) {
      const Owner owner = TopOwner(name_space, name, told);
      pod.owner_kind = owner.kind;
      pod.owner_name = owner.name;
    }
    double sum = 0;
    for (const auto& [what, request] : told.requests) sum += request;
    if (!told.requests.empty()) pod.gpus_requested = sum;
    return pod;
  }

  Owner TopOwner(std::string_view name_space, std::string_view pod, const Told& told) const {
    if (told.owners.empty()) return {"Pod", pod};
    const Owner owner = *told.owners.begin();
    const auto kind = makers_.find(owner.kind);
    if (kind == makers_.end()) return owner;
    const auto maker = kind->second.find({name_space, owner.name});
    return maker == kind->second.end() ? owner : maker->second;
  }

  static bool IsNewer(const Pod& a, const Pod& b) {
    if (a.ended() != b.ended()) return b.ended();
    return a.created > b.created || (std::isnan(b.created) && !std::isnan(a.created));
  }

  Pod Keep(Pod pod) {
    for (std::string_view* text : {&pod.name_space, &pod.name, &pod.uid, &pod.job, &pod.node,
                                   &pod.phase, &pod.owner_kind, &pod.owner_name}) {
      *text = snapshot_.arena.Keep(*text);
    }
    return pod;
  }

  models::Snapshot& snapshot_;
  std::map<std::size_t, Scrape> scrapes_;  // by Contest::TargetOf
  std::map<Key, Told> pods_;
  std::map<std::string_view, std::map<Name, Owner>> makers_;  // by the kind that was made
};

}  // namespace

std::span<const PodMetric> PodMetrics() {
  return kMetrics;
}

std::span<const std::string_view> GpuResources() {
  return kResources;
}

std::string PodsQuery(std::span<const Subject> exporters) {
  const std::string requests = std::string(kRequests) + "{resource=~" + AnyOf(kResources) + "} > 0";
  const std::string named = NamedPods(exporters);
  const Names of_pod = {"namespace", "pod"};
  const std::string wanted = " and on(of) (" + WithOwnNames(requests, of_pod) +
                             (named.empty() ? ")" : " or " + named + ')');
  const auto of_pods = [&](const std::string& series) {
    return WithOwnNames(series, of_pod) + wanted;
  };
  const auto made = [](std::string_view metric, const std::string& label) {
    return WithOwnNames(std::string(metric) + "{owner_is_controller=\"true\"}",
                        {"namespace", label});
  };
  return requests + " or " + of_pods("{__name__=~" + AnyOf(kOfPods) + "} > 0") + " or (" +
         made(kReplicaSetOwner, "replicaset") + " or " + made(kJobOwner, "job_name") +
         ") and on(of) " +
         WithOwnNames(of_pods(std::string(kOwner) + "{owner_kind=~\"ReplicaSet|Job\"}"),
                      {"namespace", "owner_name"});
}

void ReadPods(const prom::InstantVector& vector, models::Snapshot& snapshot) {
  Reader reader(snapshot);
  reader.LearnScrapes(vector);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    reader.Read(vector.labels(i), vector.point(i).value);
  }
  reader.Finish();
}

}  // namespace gpumon::gpu
