#include "handlers/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/gpu_groups.h"
#include "handlers/list_answer.h"
#include "handlers/lost_gpus.h"
#include "handlers/record_answer.h"
#include "handlers/records.h"
#include "internal/fleet/health.h"
#include "internal/fleet/state.h"

namespace gpumon::handlers {
namespace {

using fleet::Health;
using fleet::Level;
using fleet::State;
using models::GpuMetrics;
using models::NullReason;
using models::Part;
using models::Quantity;
using models::Text;
using wire::Column;
using wire::Value;
using Type = Column::Type;

constexpr std::array kColumns = {
    Column{"node_name", Type::kText, "", "node", "With by=node."},
    Column{"gpu_name", Type::kText, "", "model", "Product name, with by=model."},
    Column{"gpus", Type::kInteger, "", "",
           "GPUs. One that only its MIG instances tell of counts once."},
    Column{"gpus_lost", Type::kInteger, "", "",
           "GPUs that were shown within the last hour, or since they were looked at first, and are "
           "not, though the exporters of their node are up; not in gpus, but in score and level."},
    Column{"mig_instances", Type::kInteger, "", "", "MIG instances, parts of these GPUs."},
    Column{"busy", Type::kInteger, "", "",
           "GPUs that are not idle. The five states add up to gpus."},
    Column{"idle_held", Type::kInteger, "", "", "Idle GPUs that somebody holds."},
    Column{"free", Type::kInteger, "", "", "Idle GPUs that nobody holds."},
    Column{"unhealthy", Type::kInteger, "", "",
           "GPUs that need a reset, a reboot or somebody to look at them."},
    Column{"unknown", Type::kInteger, "", "",
           "GPUs of which nobody says whether they are busy or held."},
    Column{"score", Type::kInteger, "%", "", "As in /api/v1/gpu/health."},
    Column{"level", Type::kText, "", "level", "As in /api/v1/gpu/health.", nullptr,
           fleet::kLevelWords},
    Column{"level_healthy", Type::kInteger, "", "",
           "GPUs of this level; the four add up to gpus and gpus_lost."},
    Column{"level_degraded", Type::kInteger, "", "", "As level_healthy."},
    Column{"level_critical", Type::kInteger, "", "", "As level_healthy."},
    Column{"level_unknown", Type::kInteger, "", "", "As level_healthy."},
    Column{"utilization", Type::kNumber, "%", "", "Mean over the GPUs that it is known of."},
    Column{"utilization_gpus", Type::kInteger, "", "", "How many these are."},
    Column{"memory_used_bytes", Type::kNumber, "bytes", "",
           "Sum over the GPUs whose used and total memory are known; where none tells both, over "
           "those whose used memory is known."},
    Column{"memory_total_bytes", Type::kNumber, "bytes", "",
           "Sum over the same GPUs; where no used memory is known, over those whose total is."},
    Column{"memory_gpus", Type::kInteger, "", "", "How many these are."},
    Column{"power", Type::kNumber, "W", "", "Sum over the GPUs that it is known of."},
    Column{"power_gpus", Type::kInteger, "", "", "How many these are."},
    Column{"temperature", Type::kNumber, "°C", "", "Mean over the GPUs that it is known of."},
    Column{"temperature_max", Type::kNumber, "°C", "", "The hottest."},
    Column{"processes", Type::kInteger, "", "", "Processes on these GPUs."},
    Column{"users", Type::kInteger, "", "", "Owners of these processes."},
    Column{"namespaces", Type::kInteger, "", "", "Of the pods that hold these GPUs."},
    Column{"pods_running", Type::kInteger, "", "",
           "Pods that request GPUs, from kube-state-metrics. Null with by=model."},
    Column{"pods_pending", Type::kInteger, "", "", "As pods_running."},
    Column{"pods_succeeded", Type::kInteger, "", "", "As pods_running."},
    Column{"pods_failed", Type::kInteger, "", "", "As pods_running."},
    Column{"pods_unknown", Type::kInteger, "", "", "As pods_running: of no phase that is known."},
    Column{"gpus_requested", Type::kInteger, "", "",
           "By the pods that run. Null with by=model, and where one of them does not tell."},
    Column{"gpus_pending", Type::kInteger, "", "",
           "By the pods that wait; those that are on no node yet stand in a row of their own."},
    Column{"timestamp", Type::kTime, "", "", "When its newest sample was taken."},
};

constexpr std::array kBy = {ParameterSpec{.name = "by",
                                          .kind = ParameterKind::kWord,
                                          .help = "One row for the fleet, or for each node or "
                                                  "model.",
                                          .words = "fleet|node|model"}};

using By = GpuGroups::By;

// Pods that ask for GPUs.
struct PodCounts {
  std::size_t running = 0;
  std::size_t pending = 0;
  std::size_t succeeded = 0;
  std::size_t failed = 0;
  std::size_t unknown = 0;
  double requested = 0;          // by those that run; NaN where one does not tell
  double requested_pending = 0;  // the same of those that wait
  bool told = true;              // some are of a phase that is known, or there are none
};

// The snapshots behind an answer; null where one could not be had.
struct Behind {
  const models::Snapshot& gpus;
  const models::Snapshot* processes;
  const models::Snapshot* pods;
  const models::Snapshot* nodes;
};

class Summary {
 public:
  Summary(const Behind& behind, GoneGpus gone, By by, const fleet::HealthRules& rules)
      : lost_(std::move(gone)), groups_(behind.gpus, behind.processes, by, rules) {
    AddLost(lost_, behind.gpus, behind.nodes, rules, groups_);
    if (behind.pods != nullptr && by != By::kModel) AddPods(behind.pods->pods, by);
  }

  const std::map<std::string_view, GpuGroup>& groups() const { return groups_.groups(); }
  PodCounts pods(std::string_view name) const {
    const auto found = pods_.find(name);
    return found == pods_.end() ? PodCounts() : found->second;
  }

 private:
  void AddPods(const std::vector<models::Pod>& pods, By by) {
    std::map<std::string_view, bool> untold;  // no pod of it is of a phase that is known
    for (const models::Pod& pod : pods) {
      if (!pod.asks_for_gpus()) continue;
      const std::string_view name = by == By::kFleet ? std::string_view() : pod.node;
      GpuGroup& group = groups_.At(name);
      PodCounts& counts = pods_[name];
      if (pod.phase == models::kRunning) {
        ++counts.running;
        counts.requested += pod.gpus_requested;
        group.namespaces.insert(pod.name_space);
      } else if (pod.phase == models::kPending) {
        ++counts.pending;
        counts.requested_pending += pod.gpus_requested;
      } else {
        ++(pod.phase == models::kSucceeded ? counts.succeeded
           : pod.phase == models::kFailed  ? counts.failed
                                           : counts.unknown);
      }
      untold.try_emplace(name, true).first->second &= pod.phase.empty();
    }
    // kube-state-metrics may be told not to show phases.
    for (const auto& [name, all] : untold) pods_[name].told = !all;
  }

  GoneGpus lost_;
  GpuGroups groups_;
  std::map<std::string_view, PodCounts> pods_;
};

Value Count(std::size_t count) {
  return static_cast<std::int64_t>(count);
}

// `processes` and `pods`: why they are not known, or kNone.
std::vector<Value> RowOf(std::string_view name, const GpuGroup& group, const PodCounts& of_pods,
                         By by, NullReason processes, NullReason pods,
                         const fleet::HealthRules& rules) {
  const Health health = group.health.Of(rules);
  const auto state = [&](State which) { return Count(group.state(which)); };
  const auto level = [&](Level which) { return Count(group.health.count(which)); };
  const auto unless = [](NullReason why, Value value) {
    return why == NullReason::kNone ? std::move(value) : Value(why);
  };
  const NullReason phases =
      pods == NullReason::kNone && !of_pods.told ? NullReason::kNotExported : pods;
  const auto whole = [](double gpus) {
    return std::isnan(gpus) ? Value(NullReason::kNotExported)
                            : Value(static_cast<std::int64_t>(std::llround(gpus)));
  };
  return {wire::TextOrNull(by == By::kNode ? name : ""),
          wire::TextOrNull(by == By::kModel ? name : ""),
          Count(group.gpus),
          Count(group.lost),
          Count(group.instances),
          state(State::kBusy),
          state(State::kIdleHeld),
          state(State::kFree),
          state(State::kUnhealthy),
          state(State::kUnknown),
          health.score ? Value(fleet::ShownScore(*health.score)) : Value(NullReason::kNotExported),
          std::string(fleet::NameOf(health.level)),
          level(Level::kHealthy),
          level(Level::kDegraded),
          level(Level::kCritical),
          level(Level::kUnknown),
          MeanOf(group.utilization),
          Count(group.utilization.gpus),
          SumOf(group.memory_used),
          SumOf(group.memory_total),
          Count(std::max(group.memory_used.gpus, group.memory_total.gpus)),
          SumOf(group.power),
          Count(group.power.gpus),
          MeanOf(group.temperature),
          MostOf(group.temperature),
          unless(processes, Count(group.processes)),
          unless(processes, Count(group.users.size())),
          unless(group.why_no_namespaces(), Count(group.namespaces.size())),
          unless(phases, Count(of_pods.running)),
          unless(phases, Count(of_pods.pending)),
          unless(phases, Count(of_pods.succeeded)),
          unless(phases, Count(of_pods.failed)),
          unless(pods, Count(of_pods.unknown)),
          unless(phases, whole(of_pods.requested)),
          unless(phases, whole(of_pods.requested_pending)),
          std::isnan(group.newest) ? Value(NullReason::kNotExported) : Value(group.newest)};
}

By ByOf(const std::string& word) {
  return word == "node" ? By::kNode : word == "model" ? By::kModel : By::kFleet;
}

constexpr std::array kAsked = {Part::kGpus, Part::kProcesses, Part::kPods, Part::kNodes};

void AnswerWith(const CallPtr& call, const RecordQuery& query, const GotParts& parts,
                GoneGpus gone) {
  const By by = ByOf(call->parameters().Text("by"));
  const fleet::HealthRules& rules = call->services().settings.health_rules;
  const Behind behind{*SnapshotOf(parts[0]), SnapshotOf(parts[1]), SnapshotOf(parts[2]),
                      SnapshotOf(parts[3])};
  const Summary summary(behind, std::move(gone), by, rules);
  const NullReason pods = by == By::kModel ? NullReason::kNotSupported : WhyNone(parts[2]);
  wire::Records records{kColumns, {}};
  for (const auto& [name, group] : summary.groups()) {
    records.rows.push_back(
        RowOf(name, group, summary.pods(name), by, WhyNone(parts[1]), pods, rules));
  }
  SendRecords(*call, query, kAsked, parts, records, "GPU summary retrieved successfully");
}

void Answer(const CallPtr& call, const RecordQuery& query, const GotParts& parts) {
  FindGone(call, query, parts, [call, query, parts](GoneGpus gone) {
    AnswerWith(call, query, parts, std::move(gone));
  });
}

}  // namespace

void GetSummary(const CallPtr& call) {
  AnswerRecords(call, kColumns, kAsked, Answer);
}

std::span<const ParameterSpec> SummaryParameters() {
  static const RecordParameters kParameters(kColumns, kBy);
  return kParameters.specs();
}

std::span<const wire::Column> SummaryColumns() {
  return kColumns;
}

}  // namespace gpumon::handlers
