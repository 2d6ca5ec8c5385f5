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

#include "handlers/list_answer.h"
#include "handlers/records.h"
#include "handlers/summary_groups.h"
#include "internal/fleet/health.h"
#include "internal/fleet/state.h"

namespace gpumon::handlers {
namespace {

using fleet::Health;
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
    Column{"level", Type::kText, "", "level", "As in /api/v1/gpu/health."},
    Column{"utilization", Type::kNumber, "%", "", "Mean over the GPUs that it is known of."},
    Column{"utilization_gpus", Type::kInteger, "", "", "How many these are."},
    Column{"memory_used_bytes", Type::kNumber, "bytes", "",
           "Sum over the GPUs whose used and total memory are known; of one that only its MIG "
           "instances tell of, over these."},
    Column{"memory_total_bytes", Type::kNumber, "bytes", "", "Sum over the same GPUs."},
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

Value Count(std::size_t count) {
  return static_cast<std::int64_t>(count);
}
Value Sum(const SummaryOfKnown& known) {
  if (known.gpus == 0) return NullReason::kNotExported;
  return known.sum;
}
Value Mean(const SummaryOfKnown& known) {
  if (known.gpus == 0) return NullReason::kNotExported;
  return known.sum / static_cast<double>(known.gpus);
}

// `processes` and `pods`: why they are not known, or kNone.
std::vector<Value> RowOf(std::string_view name, const SummaryGroup& group, SummaryBy by,
                         NullReason processes, NullReason pods, const fleet::HealthRules& rules) {
  const Health health = group.health.Of(rules);
  const auto state = [&](State which) {
    return Count(group.states[static_cast<std::size_t>(which)]);
  };
  const auto unless = [](NullReason why, Value value) {
    return why == NullReason::kNone ? std::move(value) : Value(why);
  };
  const auto whole = [](double gpus) {
    return std::isnan(gpus) ? Value(NullReason::kNotExported)
                            : Value(static_cast<std::int64_t>(std::llround(gpus)));
  };
  return {
      wire::TextOrNull(by == SummaryBy::kNode ? name : ""),
      wire::TextOrNull(by == SummaryBy::kModel ? name : ""),
      Count(group.gpus),
      Count(group.instances),
      state(State::kBusy),
      state(State::kIdleHeld),
      state(State::kFree),
      state(State::kUnhealthy),
      state(State::kUnknown),
      health.score ? Value(fleet::ShownScore(*health.score)) : Value(NullReason::kNotExported),
      std::string(fleet::NameOf(health.level)),
      Mean(group.utilization),
      Count(group.utilization.gpus),
      Sum(group.memory_used),
      Sum(group.memory_total),
      Count(group.memory_used.gpus),
      Sum(group.power),
      Count(group.power.gpus),
      Mean(group.temperature),
      group.temperature.gpus == 0 ? Value(NullReason::kNotExported) : Value(group.temperature.most),
      unless(processes, Count(group.processes)),
      unless(processes, Count(group.users.size())),
      Count(group.namespaces.size()),
      unless(pods, Count(group.pods_running)),
      unless(pods, Count(group.pods_pending)),
      unless(pods, whole(group.gpus_requested)),
      unless(pods, whole(group.gpus_pending)),
      std::isnan(group.newest) ? Value(NullReason::kNotExported) : Value(group.newest)};
}

SummaryBy ByOf(const std::string& word) {
  return word == "node"    ? SummaryBy::kNode
         : word == "model" ? SummaryBy::kModel
                           : SummaryBy::kFleet;
}

// What came of the parts, in kAsked's order.
using Parts = std::vector<Result<gpu::Got>>;
constexpr std::array kAsked = {Part::kGpus, Part::kProcesses, Part::kPods};

wire::RecordsMeta MetaOf(const Parts& parts, wire::Page& page) {
  wire::RecordsMeta meta;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string name(models::NameOf(kAsked[i]));
    if (!parts[i]) {
      meta.partial = true;
      meta.warnings.push_back(name + ": query failed (" +
                              std::string(parts[i].error().wire_name()) + ")");
      continue;
    }
    const models::Snapshot& snapshot = *parts[i]->snapshot;
    if (i == 0) meta.as_of = snapshot.as_of;
    meta.partial |= snapshot.partial;
    if (parts[i]->stale && !page.stale) {
      page.stale = true;
      page.stale_code = parts[i]->why.wire_name();
    }
    for (const auto& source : snapshot.sources) {
      const bool known =
          std::find(meta.sources.begin(), meta.sources.end(), source) != meta.sources.end();
      if (!known) meta.sources.push_back(source);
    }
    for (const auto& warning : snapshot.warnings) {
      meta.warnings.push_back(std::string(name).append(": ").append(warning));
    }
  }
  return meta;
}

// Nothing of a part was told: no exporter, or no kube-state-metrics, gives it.
NullReason WhyNone(const Result<gpu::Got>& part) {
  if (!part) return NullReason::kQueryFailed;
  return part->snapshot->sources.empty() ? NullReason::kNotExported : NullReason::kNone;
}

void Send(Call& call, const RecordQuery& query, const Parts& parts) {
  const auto snapshot = [&](std::size_t i) {
    return parts[i] ? parts[i]->snapshot.get() : nullptr;
  };
  const SummaryBy by = ByOf(call.parameters().Text("by"));
  const fleet::HealthRules& rules = call.services().settings.health_rules;
  const Summary summary({*parts[0]->snapshot, snapshot(1), snapshot(2)}, by, rules);
  const NullReason pods = by == SummaryBy::kModel ? NullReason::kNotSupported : WhyNone(parts[2]);
  wire::Records records{kColumns, {}};
  for (const auto& [name, group] : summary.groups()) {
    records.rows.push_back(RowOf(name, group, by, WhyNone(parts[1]), pods, rules));
  }
  wire::Page page = Select(records, query);
  const wire::RecordsMeta meta = MetaOf(parts, page);
  page.partial = meta.partial;
  auto encoded = query.form.csv ? wire::EncodeCsv(records, page)
                                : wire::EncodeRecords(records, meta, page,
                                                      "GPU summary retrieved successfully");
  SendMade(call, *parts[0], std::move(encoded), page, query.form.csv);
}

// Without the others there is still what exporters say of GPUs.
void Answer(const CallPtr& call, const RecordQuery& query, const Parts& parts) {
  if (!parts[0]) return call->SendError(parts[0].error());
  const bool partial = std::any_of(parts.begin(), parts.end(), [](const Result<gpu::Got>& part) {
    return !part || part->snapshot->partial;
  });
  if (partial && !query.form.allow_partial) return call->SendError(PartialRefused());
  if (call->Alive()) Send(*call, query, parts);
}

}  // namespace

void GetSummary(const CallPtr& call) {
  auto query = ParseRecordQuery(kColumns, call->parameters());
  if (!query) return call->SendError(query.error());
  if (const auto refused = FutureRefused(*call, query->form.at)) return call->SendError(*refused);
  const auto at = query->form.at;
  const bool allow_stale = query->form.allow_stale;
  GetAll(call, kAsked, at, allow_stale,
         [call, query = *std::move(query)](const Parts& parts) { Answer(call, query, parts); });
}

std::span<const ParameterSpec> SummaryParameters() {
  static const RecordParameters kParameters(kColumns, kBy);
  return kParameters.specs();
}

std::span<const wire::Column> SummaryColumns() {
  return kColumns;
}

}  // namespace gpumon::handlers
