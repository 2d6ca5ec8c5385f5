#include "internal/gpu/findings.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "internal/gpu/down_targets.h"
#include "internal/gpu/mig.h"
#include "internal/schema/unit.h"

namespace gpumon::gpu {
namespace {

using models::Finding;
using models::Snapshot;

// Of a list that may be long.
constexpr std::size_t kNamed = 5;

constexpr char kSeeTargets[] =
    "look at the exporter's pod and log, and at the error on Prometheus's page /targets";

std::string Count(std::size_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + ' ' + std::string(n == 1 ? one : many);
}

std::string List(const std::vector<std::string>& names, std::string_view between = ", ") {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) {
    text.append(text.empty() ? "" : between).append(names[i]);
  }
  if (names.size() > kNamed) text += " and " + std::to_string(names.size() - kNamed) + " more";
  return text;
}

std::string NodeText(std::string_view node) {
  return node.empty() ? "a target without a node" : std::string(node);
}

class Finder {
 public:
  Finder(const JoinFacts& facts, const Snapshot& snapshot,
         std::span<const schema::Exporter* const> exporters)
      : facts_(facts), snapshot_(snapshot), exporters_(exporters) {}

  std::vector<Finding> Find() {
    FindTargets();
    FindPods();
    FindCounts();
    FindOtherWarnings();
    FindOverlaps();
    FindClones();
    FindSharedIds();
    FindUnits();
    FindGaps();
    std::stable_partition(findings_.begin(), findings_.end(),
                          [](const Finding& finding) { return finding.warning; });
    return std::move(findings_);
  }

 private:
  void Warn(std::string what, std::string next_step) {
    findings_.push_back({true, std::move(what), std::move(next_step)});
  }
  void Tell(std::string what, std::string next_step) {
    findings_.push_back({false, std::move(what), std::move(next_step)});
  }

  void FindTargets() {
    if (snapshot_.gpus.empty()) {
      Warn("no GPU at all: Prometheus has no series of a known GPU exporter",
           "check that an exporter runs and that Prometheus scrapes it (its page /targets); "
           "SCHEMA_FILE teaches exporters that are not known");
    }
    if (!facts_.down.empty()) {
      Warn(Count(facts_.down.size(), "scrape target of a GPU exporter is down",
                 "scrape targets of GPU exporters are down") +
               ": " + List(facts_.down, "; "),
           kSeeTargets);
    }
    FindFrozen();
    for (const std::string& check : facts_.failed_checks) {
      Tell(check + " could not be checked", "see the server's log for Prometheus's answer");
    }
  }

  void FindFrozen() {
    if (!facts_.stuck.empty()) {
      Warn(
          Count(facts_.stuck.size(), "scrape target is frozen", "scrape targets are frozen") +
              ", neither energy nor power has changed for ten minutes: " + List(facts_.stuck, "; "),
          "restart the exporter: it answers scrapes but no longer reads its GPUs");
    }
    std::vector<std::string> doubted;
    std::copy_if(facts_.frozen.begin(), facts_.frozen.end(), std::back_inserter(doubted),
                 [&](const std::string& target) {
                   return std::find(facts_.stuck.begin(), facts_.stuck.end(), target) ==
                          facts_.stuck.end();
                 });
    if (doubted.empty()) return;
    Tell(Count(doubted.size(), "scrape target shows", "scrape targets show") +
             " the same values for 15 minutes: " + List(doubted, "; "),
         "nothing, when its GPUs are idle; else restart the exporter");
  }

  void FindPods() {
    for (const auto& its : facts_.exporters) {
      if (its.exported_pod > 0) {
        Warn("honorLabels is false for " + its.name + ": " +
                 Count(its.exported_pod, "GPU carries", "GPUs carry") +
                 " the exporter's pod in `pod`; using exported_pod",
             "set honorLabels: true in the exporter's ServiceMonitor (honor_labels in a plain "
             "scrape configuration), so that queries and dashboards see the workload in `pod`");
      }
      if (its.own_pod > 0) {
        Tell(Count(its.own_pod, "GPU carries", "GPUs carry") + " the own pod of " + its.name +
                 " in `pod` and no workload's",
             "nothing, when no pod holds them; else let the exporter map pods (for dcgm-exporter "
             "DCGM_EXPORTER_KUBERNETES=true and the kubelet's pod-resources socket)");
      }
    }
  }

  void FindCounts() {
    const JoinCounts& counts = facts_.counts;
    const auto warn = [&](std::size_t n, std::string_view one, std::string_view many,
                          std::string_view next_step) {
      if (n > 0) Warn(Count(n, one, many), std::string(next_step));
    };
    warn(counts.no_node_label, "row has no node label", "rows have no node label",
         "add one by relabelling: source __meta_kubernetes_pod_node_name, target label node");
    warn(counts.no_gpu_label, "sample names no GPU and was dropped",
         "samples name no GPU and were dropped",
         "check relabelling rules that drop the exporter's gpu or UUID label");
    warn(counts.conflicts, "value is shown as null: two series contradict each other about it",
         "values are shown as null: two series contradict each other about each",
         "find the scrape job or relabelling that makes two series of one device: ask about one "
         "such GPU with node and gpu, the labels of its dropped samples tell them apart");
    warn(counts.duplicates, "series repeats another one and was ignored",
         "series repeat others and were ignored",
         "scrape each exporter by one job only; of replicas of Prometheus read one, or "
         "deduplicate");
    warn(counts.bad_value, "impossible value was dropped", "impossible values were dropped",
         "ask about one such GPU with node and gpu: its dropped samples are marked");
    warn(
        counts.unknown_pods,
        "scrape target has no `up` in this Prometheus: whether its pods are the exporter's own "
        "cannot be told, and none is shown",
        "scrape targets have no `up` in this Prometheus: whether their pods are the exporter's own "
        "cannot be told, and none is shown",
        "federate or remote-write `up` of the exporters' jobs beside their metrics");
    warn(counts.unclear_id,
         "row without a UUID may be either of several GPUs that its node shows by its id",
         "rows without a UUID may be either of several GPUs that their nodes show by their ids",
         "let the exporter label its series with the UUID, or find what makes two devices of one "
         "node share an id");
    warn(counts.twice,
         "MIG instance that one exporter knows by its UUID alone is not shown: it may be one that "
         "another shows without its UUID",
         "MIG instances that one exporter knows by their UUIDs alone are not shown: they may be "
         "those that another shows without their UUIDs",
         "nothing, when the other exporter shows what you need; else let the one of them that "
         "tells less leave MIG instances out");
    warn(counts.moved, "GPU is on two nodes, as two exporters call them, and is shown on one",
         "GPUs are on two nodes each, as two exporters call them, and are shown on one",
         "give both scrape jobs one node name: source __meta_kubernetes_pod_node_name, target "
         "label node");
    warn(counts.mixed_units,
         "scrape job has targets that export percent and targets that export a ratio by one name",
         "scrape jobs have targets that export percent and targets that export a ratio by one name",
         "bring all its exporters to one version (DCGM_FI_DEV_GPU_UTIL_RATIO is percent with DCGM "
         "4.6 and a ratio from 4.7): a target that shows only 0 and 1 is taken for percent");
    warn(counts.stale, "old value of a failed collection or frozen exporter is shown as null",
         "old values of failed collections or frozen exporters are shown as null",
         "restart exporters that a finding here names as frozen; the log of any other tells why "
         "it could not read its GPUs");
  }

  // Those of the snapshot that no other finding stands for.
  void FindOtherWarnings() {
    const std::vector<std::string> counted = WarningsOf(facts_.counts);
    for (const std::string& warning : snapshot_.warnings) {
      const bool told = std::find(counted.begin(), counted.end(), warning) != counted.end();
      if (told || (snapshot_.gpus.empty() && warning.starts_with("Prometheus has no"))) continue;
      if (IsDownWarning(warning)) {
        const bool named = std::any_of(
            facts_.down.begin(), facts_.down.end(),
            [&](const std::string& target) { return warning.find(target) != std::string::npos; });
        if (!named) Warn(warning, kSeeTargets);
        continue;
      }
      if (IsSilentWarning(warning)) {
        Warn(warning, "look at what its exporter shows now, and at the driver of that node");
        continue;
      }
      if (IsFailedWarning(warning)) {
        Warn(warning, "look at the exporter's log: it tells why it could not read its GPUs");
        continue;
      }
      Warn(warning, warning.starts_with("no ")
                        ? "check that the exporter publishes it and that no rule drops it"
                        : "see the server's log for the cause");
    }
  }

  void FindOverlaps() {
    for (const auto& overlap : facts_.overlaps) {
      std::size_t gives = 0;
      std::size_t loses = 0;
      for (const models::Coverage& coverage : snapshot_.coverage) {
        if (coverage.exporter != overlap.second) continue;
        gives += coverage.rows;
        loses += coverage.losers;
      }
      Tell(Count(overlap.gpus, "GPU is", "GPUs are") + " shown by " + overlap.first + " and " +
               overlap.second + ": " + overlap.first + " stands first; " + overlap.second +
               " fills " + Count(gives, "value", "values") + " and loses " + std::to_string(loses),
           loses > 0 && gives == 0 && !TellsMore(overlap.second)
               ? "one of the two is enough: " + overlap.second + " adds nothing"
               : "nothing: each field comes from the best source");
    }
  }

  // Of pods or processes, beside fields of GPUs.
  bool TellsMore(const std::string& name) const {
    return std::any_of(exporters_.begin(), exporters_.end(), [&](const schema::Exporter* exporter) {
      return exporter->name == name && !(exporter->shares.empty() && exporter->process.empty());
    });
  }

  const schema::Metric* MetricOf(const models::Coverage& coverage) const {
    for (const schema::Exporter* exporter : exporters_) {
      if (exporter->name != coverage.exporter) continue;
      for (const schema::Metric& metric : exporter->gpu) {
        if (metric.name == coverage.metric && metric.slot == coverage.slot) return &metric;
      }
    }
    return nullptr;
  }

  // Rows that may well be of one GPU, and could not meet: other names, or more UUIDs than one.
  void FindSharedIds() {
    using Place = std::array<std::string_view, 3>;  // node, id, maker
    std::map<Place, std::size_t> rows;
    for (const models::GpuMetrics& row : snapshot_.gpus) {
      const std::string_view node = row.text(models::Text::kNode);
      const std::string_view id = row.text(models::Text::kGpuId);
      if (!node.empty() && !id.empty() && !IsInstance(row)) {
        ++rows[{node, id, row.text(models::Text::kVendor)}];
      }
    }
    std::vector<std::string> shared;
    for (const auto& [place, count] : rows) {
      if (count < 2) continue;
      shared.push_back(std::string(place[1]) + " on " + std::string(place[0]));
    }
    if (shared.empty()) return;
    Warn(Count(shared.size(), "id stands for several GPUs of its node",
               "ids stand for several GPUs of their nodes") +
             ": " + List(shared),
         "where they are one device, let all of its exporters give its UUID, or at least one name "
         "of its model");
  }

  // Rows of one GPU that several nodes claim are several GPUs in every list and total.
  void FindClones() {
    std::map<std::string_view, std::set<std::string_view>> nodes;  // by UUID
    for (const models::GpuMetrics& row : snapshot_.gpus) {
      const std::string_view uuid = row.text(models::Text::kUuid);
      if (!uuid.empty()) nodes[uuid].insert(row.text(models::Text::kNode));
    }
    std::vector<std::string> clones;
    for (const auto& [uuid, its] : nodes) {
      if (its.size() < 2) continue;
      clones.push_back(std::string(uuid) + " by " + NodeText(*its.begin()) + " and " +
                       NodeText(*its.rbegin()));
    }
    if (clones.empty()) return;
    Warn(Count(clones.size(), "GPU is shown by several nodes and counted for each",
               "GPUs are shown by several nodes and counted for each") +
             ": " + List(clones, "; "),
         "if it is one device, make all of its exporters and scrape jobs name its node alike (the "
         "label node); machines cloned from one image may truly show one UUID");
  }

  void FindUnits() {
    for (const models::Coverage& coverage : snapshot_.coverage) {
      const schema::Metric* const metric = MetricOf(coverage);
      if (coverage.rows == 0 || metric == nullptr) continue;
      if (metric->rule != schema::Rule::kRatioOrPercent) continue;
      if (coverage.percent) {
        Tell(metric->name +
                 " is read as a percentage in the jobs that showed samples above 1, as a ratio, "
                 "times 100, in others",
             "nothing: a ratio never passes 1, and busy GPUs settle it for the other jobs");
      } else {
        Tell(metric->name +
                 " is read as a ratio, times 100: no sample above 1 was seen, or fractions came "
                 "after it",
             "nothing, unless every GPU was idle in the last hour: then busy ones "
             "settle it");
      }
    }
  }

  bool IsHere(std::string_view exporter) const {
    return std::find(snapshot_.sources.begin(), snapshot_.sources.end(), exporter) !=
           snapshot_.sources.end();
  }

  // Fields that no row has though an exporter here knows a metric for them.
  void FindGaps() {
    std::vector<std::string> gaps;
    if (snapshot_.gpus.empty()) return;
    for (const schema::Measured& field : schema::MeasuredOfGpus()) {
      // Blank and impossible values are published: nothing is to be added.
      if (snapshot_.missing_gpu[field.slot] != models::NullReason::kNotExported) continue;
      for (const schema::Exporter* exporter : exporters_) {
        const auto metric =
            std::find_if(exporter->gpu.begin(), exporter->gpu.end(),
                         [&](const schema::Metric& one) { return one.slot == field.slot; });
        if (!IsHere(exporter->name) || metric == exporter->gpu.end()) continue;
        gaps.push_back(std::string(field.name) + " (" + exporter->name + ": " + metric->name + ")");
        break;
      }
    }
    if (gaps.empty()) return;
    Tell(
        Count(gaps.size(), "field is", "fields are") +
            " null everywhere though an exporter here knows a metric: " + List(gaps),
        "nothing, where the boards have no such part; else add the metrics to the exporter's list: "
        "GET /api/v1/gpu/schema names them all");
  }

  const JoinFacts& facts_;
  const Snapshot& snapshot_;
  const std::span<const schema::Exporter* const> exporters_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<models::Finding> FindAll(const JoinFacts& facts, const models::Snapshot& snapshot,
                                     std::span<const schema::Exporter* const> exporters) {
  return Finder(facts, snapshot, exporters).Find();
}

}  // namespace gpumon::gpu
