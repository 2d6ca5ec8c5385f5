#include "internal/gpu/alerts.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "internal/gpu/host_names.h"
#include "internal/gpu/identity.h"
#include "internal/gpu/label_reader.h"

namespace gpumon::gpu {
namespace {

using models::Alert;
using models::Text;

constexpr std::string_view kState = "alertstate";
constexpr std::string_view kSince = "ALERTS_FOR_STATE";

constexpr std::array<std::string_view, kAlertQueries> kNames = {"alerts", "hosts"};
constexpr std::array<std::string_view, kAlertQueries> kPromql = {
    "{__name__=~\"ALERTS|ALERTS_FOR_STATE\",alertstate=~\"firing|pending|\"}",
    "kube_node_info or node_uname_info"};

constexpr int kOtherRank = 3;
constexpr int kNoRank = 5;
constexpr std::array<std::pair<std::string_view, int>, 17> kRanks = {{
    {"critical", 0},
    {"emergency", 0},
    {"page", 0},
    {"fatal", 0},
    {"disaster", 0},
    {"error", 1},
    {"high", 1},
    {"major", 1},
    {"warning", 2},
    {"warn", 2},
    {"medium", 2},
    {"info", 4},
    {"low", 4},
    {"minor", 4},
    {"information", 4},
    {"notice", 4},
    {"none", 4},
}};

// Where a label of the pod's own was renamed, the other is the scrape target's.
constexpr std::array<std::string_view, 5> kNamespaceLabels = {
    "exported_namespace", "exported_pod_namespace", "podnamespace", "pod_namespace", "namespace"};
constexpr std::array<std::string_view, 5> kPodLabels = {"exported_pod", "exported_pod_name",
                                                        "podname", "pod_name", "pod"};

template <class Names>
std::string_view FirstOf(prom::LabelSet labels, const Names& names) {
  for (const std::string_view name : names) {
    if (const auto value = prom::Get(labels, name); !value.empty()) return value;
  }
  return {};
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

// What an alert is: its labels by name, without those that Prometheus adds.
std::vector<prom::Label> OwnLabels(prom::LabelSet labels) {
  std::vector<prom::Label> own;
  for (const prom::Label& label : labels) {
    if (label.name != "__name__" && label.name != kState && !label.value.empty()) {
      own.push_back(label);
    }
  }
  std::sort(own.begin(), own.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return own;
}
std::string KeyOf(const std::vector<prom::Label>& labels) {
  std::string key;
  for (const prom::Label& label : labels) {
    key.append(label.name).append(1, '\0').append(label.value).append(1, '\0');
  }
  return key;
}

// Which GPU labels name, as the exporter that knows most of them reads them.
class GpuNames {
 public:
  explicit GpuNames(const schema::Registry& registry) {
    constexpr std::size_t kTexts = models::kGpuTexts;
    for (const auto& exporter : registry.exporters()) {
      readers_.push_back({exporter.get(), LabelReader(*exporter, kTexts, false)});
    }
  }

  void Name(prom::LabelSet labels, models::Arena& arena, Alert& alert) {
    int most = 0;
    const schema::Exporter* exporter = nullptr;
    Identity best;
    for (auto& [its, reader] : readers_) {
      const Identity identity = reader.Read(labels);
      int known = 0;
      for (const Text text : {Text::kGpuId, Text::kUuid, Text::kMigUuid, Text::kGpuName}) {
        known += identity.text(text).empty() ? 0 : 1;
      }
      if (known <= most) continue;
      most = known;
      exporter = its;
      best = identity;
    }
    if (exporter == nullptr) return;
    const std::string_view id = best.text(Text::kGpuId);
    const std::string_view whole = best.text(Text::kUuid);
    const std::string_view uuid = whole.empty() ? best.text(Text::kMigUuid) : whole;
    // `index` and `uuid` may be those of anything.
    const bool is_gpu =
        IsNvidias(uuid) || (!id.empty() && !uuid.empty()) || SaysSo(*exporter, labels);
    if (!is_gpu) return;
    alert.uuid = KeepUuid(uuid, exporter->vendor, arena);
    // A model may stand in a label that others have an id in.
    if (id.find(' ') == std::string_view::npos) alert.gpu_id = arena.Keep(id);
  }

 private:
  static bool IsNvidias(std::string_view uuid) {
    const std::string begin = Lower(uuid.substr(0, 4));
    return begin == "gpu-" || begin == "mig-";
  }
  // One of the labels says by its name that it is about a GPU.
  static bool SaysSo(const schema::Exporter& exporter, prom::LabelSet labels) {
    for (const auto& [text, aliases] : exporter.labels.texts) {
      if (text != Text::kGpuId && text != Text::kUuid) continue;
      for (const std::string& alias : aliases) {
        if (prom::Get(labels, alias).empty()) continue;
        if (Lower(alias).find("gpu") != std::string::npos || alias.starts_with("device")) {
          return true;
        }
      }
    }
    return false;
  }

  std::vector<std::pair<const schema::Exporter*, LabelReader>> readers_;
};

// What machines are called.
class Machines {
 public:
  explicit Machines(const prom::InstantVector* hosts) {
    if (hosts == nullptr) return;
    prom::InstantVector nodes = *hosts;
    std::erase_if(nodes.samples, [&](const auto& sample) {
      const prom::LabelSet labels(hosts->labels_pool.data() + sample.first_label,
                                  sample.label_count);
      return prom::Get(labels, "__name__") != "kube_node_info";
    });
    names_.AddKubernetes(nodes);
    names_.AddHosts(*hosts);
    for (std::size_t i = 0; i < hosts->size(); ++i) {
      const prom::LabelSet labels = hosts->labels(i);
      const bool is_node = prom::Get(labels, "__name__") == "kube_node_info";
      const std::string_view name =
          is_node ? HostNames::KubernetesNodeOf(labels) : names_.NodeOf(labels);
      if (!name.empty()) known_.emplace(name);
    }
  }

  // Of labels by name. Any exporter may have raised it: only a known machine's name is taken from
  // an `instance`.
  std::string_view NodeOf(const std::vector<prom::Label>& labels) const {
    std::vector<prom::Label> named = labels;
    std::erase_if(named, [](const auto& label) { return label.name == "instance"; });
    if (const auto name = names_.NodeOf(named); !name.empty()) return name;
    const std::string_view name = names_.NodeOf(labels);
    return known_.contains(name) ? name : std::string_view();
  }

 private:
  HostNames names_;
  std::set<std::string, std::less<>> known_;
};

struct Told {
  std::vector<prom::Label> labels;
  bool firing = false;
};

auto OrderOf(const Alert& alert) {
  return std::tuple(!alert.firing, RankOf(alert.severity), alert.name, alert.node,
                    ParseGpuIndex(alert.gpu_id), alert.gpu_id);
}

}  // namespace

std::string_view NameOf(AlertQuery query) {
  return kNames[static_cast<std::size_t>(query)];
}

std::string_view PromqlOf(AlertQuery query) {
  return kPromql[static_cast<std::size_t>(query)];
}

int RankOf(std::string_view severity) {
  if (severity.empty()) return kNoRank;
  const std::string lower = Lower(severity);
  const auto* const found = std::find_if(kRanks.begin(), kRanks.end(),
                                         [&](const auto& rank) { return rank.first == lower; });
  return found == kRanks.end() ? kOtherRank : found->second;
}

void ReadAlerts(const AlertAnswers& answers, const schema::Registry& registry,
                models::Snapshot& snapshot) {
  const prom::InstantVector& series = *answers[static_cast<std::size_t>(AlertQuery::kAlerts)];
  std::map<std::string, Told> told;
  std::map<std::string, double> since;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const prom::LabelSet labels = series.labels(i);
    const double value = series.point(i).value;
    std::vector<prom::Label> own = OwnLabels(labels);
    std::string key = KeyOf(own);
    if (prom::Get(labels, "__name__") == kSince) {
      // Of a Prometheus that has just begun it may be zero.
      if (value > 0 && value <= snapshot.as_of + 60) since[std::move(key)] = value;
      continue;
    }
    if (!(value > 0)) continue;  // how Prometheus 1 ended one
    Told& alert = told[std::move(key)];
    alert.labels = std::move(own);
    alert.firing |= prom::Get(labels, kState) == "firing";
  }
  const Machines machines(answers[static_cast<std::size_t>(AlertQuery::kHosts)]);
  GpuNames gpus(registry);
  models::Arena& arena = snapshot.arena;
  for (const auto& [key, its] : told) {
    const prom::LabelSet labels(its.labels);
    Alert& alert = snapshot.alerts.emplace_back();
    alert.name = arena.Keep(prom::Get(labels, "alertname"));
    alert.firing = its.firing;
    alert.severity = arena.Keep(prom::Get(labels, "severity"));
    if (const auto at = since.find(key); at != since.end()) alert.since = at->second;
    alert.node = arena.Keep(machines.NodeOf(its.labels));
    gpus.Name(labels, arena, alert);
    alert.name_space = arena.Keep(FirstOf(labels, kNamespaceLabels));
    alert.pod = arena.Keep(FirstOf(labels, kPodLabels));
    alert.first_label = static_cast<std::uint32_t>(snapshot.alert_labels.size());
    alert.label_count = static_cast<std::uint32_t>(its.labels.size());
    for (const prom::Label& label : its.labels) {
      std::string text(label.name);
      snapshot.alert_labels.push_back(arena.Keep(text.append("=").append(label.value)));
    }
  }
  // They stand by their labels before.
  std::stable_sort(snapshot.alerts.begin(), snapshot.alerts.end(),
                   [](const Alert& a, const Alert& b) { return OrderOf(a) < OrderOf(b); });
}

}  // namespace gpumon::gpu
