#include "handlers/usage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "handlers/list_answer.h"
#include "handlers/records.h"
#include "internal/gpu/usage.h"

namespace gpumon::handlers {
namespace {

using gpu::Usage;
using models::NullReason;
using models::Part;
using wire::Column;
using wire::Value;
using Type = Column::Type;

constexpr std::array kWorkloadColumns = {
    Column{"namespace", Type::kText, "", "namespace", "Kubernetes namespace."},
    Column{"pod", Type::kText, "", "pod", "Null unless by=pod."},
    Column{"phase", Type::kText, "", "phase", "Of the pod, from kube-state-metrics.", nullptr,
           "Pending|Running|Succeeded|Failed|Unknown"},
    Column{"owner_kind", Type::kText, "", "owner_kind",
           "What made the pod in the end: Deployment, not ReplicaSet; Pod: nothing made it. Null "
           "with by=namespace."},
    Column{"owner_name", Type::kText, "", "owner", "Its name."},
    Column{"pods", Type::kInteger, "", "", "Pods that hold these GPUs."},
    Column{"containers", Type::kTexts, "", "", "Containers that hold them."},
    Column{"node_names", Type::kTexts, "", "node", "Where the GPUs are."},
    Column{"gpu_names", Type::kTexts, "", "model", "Their product names."},
    Column{"gpus", Type::kInteger, "", "",
           "GPUs that exporters say it holds, whole or in part; null: none says which."},
    Column{"mig_instances", Type::kInteger, "", "",
           "MIG instances that it holds, parts of these GPUs."},
    Column{"gpus_shared", Type::kInteger, "", "", "GPUs and MIG instances that others hold too."},
    Column{"gpu_share", Type::kNumber, "", "",
           "Sum over its GPUs of 1 / the number of those who hold it; a MIG instance counts as its "
           "slices of those that the board has."},
    Column{
        "gpus_requested", Type::kInteger, "", "",
        "GPUs that its pods ask for, from kube-state-metrics. Null when it does not tell for one "
        "of them."},
    Column{"utilization", Type::kNumber, "%", "",
           "Mean over its GPUs; of a shared one its own part, where that is measured."},
    Column{"memory_used_bytes", Type::kNumber, "bytes", "",
           "Sum over its GPUs; of a shared one its own part. Null when a part is not measured."},
    Column{"timestamp", Type::kTime, "", "", "When its newest sample was taken."},
};

constexpr std::array kUserColumns = {
    Column{"user", Type::kText, "", "user", "Owner of the processes."},
    Column{"processes", Type::kInteger, "", "", "Processes on GPUs; one on several counts once."},
    Column{"pods", Type::kTexts, "", "pod",
           "Pods of the processes. Null where no exporter tells whose a process is.", nullptr, "",
           true},
    Column{"node_names", Type::kTexts, "", "node", "Where the GPUs are."},
    Column{"gpu_names", Type::kTexts, "", "model", "Their product names."},
    Column{"gpus", Type::kInteger, "", "",
           "GPUs with a process of the user, on the whole or on a part."},
    Column{"gpus_shared", Type::kInteger, "", "",
           "GPUs and MIG instances with processes of others too."},
    Column{"gpu_share", Type::kNumber, "", "",
           "Sum over these GPUs of 1 / the number of users on it; a MIG instance counts as its "
           "slices of those that the board has."},
    Column{"utilization", Type::kNumber, "%", "", "Mean over the GPUs that the user has alone."},
    Column{"memory_used_bytes", Type::kNumber, "bytes", "",
           "GPU memory of the processes. Null when one of them does not tell."},
    Column{"timestamp", Type::kTime, "", "", "When its newest sample was taken."},
};

std::vector<std::string> Texts(const std::set<std::string_view>& views) {
  return {views.begin(), views.end()};
}

Value Integer(std::size_t count) {
  return static_cast<std::int64_t>(count);
}

// The mean of what is known; null when nothing is.
Value Mean(const gpu::Total& total) {
  if (total.known == 0) return total.why;
  return total.value / static_cast<double>(total.known);
}

// Null unless all is known: the rest would pass for the whole.
Value Sum(const gpu::Total& total) {
  if (total.why != NullReason::kNone) return total.why;
  return total.value;
}

Value Time(double at) {
  if (std::isnan(at)) return NullReason::kNotExported;
  return at;
}

Value Requested(const gpu::Total& total) {
  if (total.why != NullReason::kNone) return total.why;
  return static_cast<std::int64_t>(std::llround(total.value));
}

Value Share(double share) {
  if (std::isnan(share)) return NullReason::kNotExported;
  return share;
}

// `failed`: kube-state-metrics could not be asked.
std::vector<Value> WorkloadRow(const Usage& usage, bool failed) {
  const NullReason untold = failed ? NullReason::kQueryFailed : NullReason::kNotExported;
  const bool named = usage.gpus > 0;
  const Value nobody = usage.unnamed;
  return {wire::TextOrNull(usage.name_space),
          wire::TextOrNull(usage.pod),
          wire::TextOrNull(usage.phase, untold),
          wire::TextOrNull(usage.owner_kind, untold),
          wire::TextOrNull(usage.owner_name, untold),
          Integer(usage.pods.size()),
          Texts(usage.containers),
          Texts(usage.nodes),
          Texts(usage.gpu_names),
          named ? Integer(usage.gpus) : nobody,
          named ? Integer(usage.mig_instances) : nobody,
          named ? Integer(usage.shared_gpus) : nobody,
          named ? Share(usage.share) : nobody,
          failed ? Value(untold) : Requested(usage.requested),
          Mean(usage.utilization),
          Sum(usage.memory_used),
          Time(usage.newest)};
}

std::vector<Value> UserRow(const Usage& usage) {
  const bool untold = usage.pods.empty() && usage.pods_untold != NullReason::kNone;
  const Value pods = untold ? Value(usage.pods_untold) : Texts(usage.pods);
  return {wire::TextOrNull(usage.user), Integer(usage.processes), pods,
          Texts(usage.nodes),           Texts(usage.gpu_names),   Integer(usage.gpus),
          Integer(usage.shared_gpus),   Share(usage.share),       Mean(usage.utilization),
          Sum(usage.memory_used),       Time(usage.newest)};
}

constexpr std::array kBy = {ParameterSpec{.name = "by",
                                          .kind = ParameterKind::kWord,
                                          .help = "One row for each pod, namespace or owner.",
                                          .words = "pod|namespace|owner"}};

// The snapshots behind an answer; `other` (processes or pods) is null when it `failed`.
struct Sources {
  gpu::Got gpus;
  gpu::Got other;
  std::optional<Status> failed;
};

wire::RecordsMeta MetaOf(const Sources& sources, wire::Page& page) {
  wire::RecordsMeta meta;
  meta.as_of = sources.gpus.snapshot->as_of;
  for (const gpu::Got* got : {&sources.gpus, &sources.other}) {
    if (!got->snapshot) continue;
    meta.partial |= got->snapshot->partial;
    if (got->stale && !page.stale) {
      page.stale = true;
      page.stale_code = got->why.wire_name();
    }
    for (const auto& source : got->snapshot->sources) {
      if (std::find(meta.sources.begin(), meta.sources.end(), source) == meta.sources.end()) {
        meta.sources.push_back(source);
      }
    }
    for (const auto& warning : got->snapshot->warnings) {
      meta.warnings.push_back(std::string(models::NameOf(got->snapshot->part)) + ": " + warning);
    }
  }
  if (sources.failed) {
    meta.partial = true;
    meta.warnings.push_back("pods: query failed (" + std::string(sources.failed->wire_name()) +
                            ")");
  }
  return meta;
}

void SendRecords(Call& call, const RecordQuery& query, const Sources& sources,
                 const wire::Records& records, std::string_view message) {
  wire::Page page = Select(records, query);
  const wire::RecordsMeta meta = MetaOf(sources, page);
  page.partial = meta.partial;
  auto encoded = query.form.csv ? wire::EncodeCsv(records, page)
                                : wire::EncodeRecords(records, meta, page, message);
  SendMade(call, sources.gpus, std::move(encoded), page, query.form.csv);
}

std::optional<RecordQuery> Parse(const CallPtr& call, std::span<const Column> columns) {
  auto query = ParseRecordQuery(columns, call->parameters());
  if (!query) {
    call->SendError(query.error());
    return std::nullopt;
  }
  if (const auto refused = FutureRefused(*call, query->form.at)) {
    call->SendError(*refused);
    return std::nullopt;
  }
  return *std::move(query);
}

std::vector<Usage> UsagesBy(std::string_view by, const models::Snapshot& gpus,
                            const models::Snapshot& pods) {
  if (by == "namespace") return gpu::UsageByNamespace(gpus, pods);
  if (by == "owner") return gpu::UsageByOwner(gpus, pods);
  return gpu::UsageByPod(gpus, pods);
}

void SendWorkloads(Call& call, const RecordQuery& query, const Sources& sources) {
  static const models::Snapshot kNoPods;
  wire::Records records{kWorkloadColumns, {}};
  for (const Usage& usage : UsagesBy(call.parameters().Text("by"), *sources.gpus.snapshot,
                                     sources.failed ? kNoPods : *sources.other.snapshot)) {
    records.rows.push_back(WorkloadRow(usage, sources.failed.has_value()));
  }
  SendRecords(call, query, sources, records, "GPU workloads retrieved successfully");
}

// Without pods there is still what exporters say.
void AnswerWorkloads(const CallPtr& call, const RecordQuery& query, Result<gpu::Got> gpus,
                     Result<gpu::Got> pods) {
  if (!gpus) return call->SendError(gpus.error());
  const bool partial = gpus->snapshot->partial || !pods || pods->snapshot->partial;
  if (partial && !query.form.allow_partial) return call->SendError(PartialRefused());
  Sources sources{*std::move(gpus), {}, {}};
  if (pods) {
    sources.other = *std::move(pods);
  } else {
    sources.failed = pods.error();
  }
  SendWorkloads(*call, query, sources);
}

void AnswerUsers(const CallPtr& call, const RecordQuery& query, Result<gpu::Got> gpus,
                 Result<gpu::Got> processes) {
  for (const auto* got : {&gpus, &processes}) {
    if (!*got) return call->SendError(got->error());
    if ((*got)->snapshot->partial && !query.form.allow_partial) {
      return call->SendError(PartialRefused());
    }
  }
  const Sources sources{*std::move(gpus), *std::move(processes), {}};
  wire::Records records{kUserColumns, {}};
  for (const Usage& usage : gpu::UsageByUser(*sources.gpus.snapshot, *sources.other.snapshot)) {
    records.rows.push_back(UserRow(usage));
  }
  SendRecords(*call, query, sources, records, "GPU users retrieved successfully");
}

}  // namespace

void GetWorkloads(const CallPtr& call) {
  auto query = Parse(call, kWorkloadColumns);
  if (!query) return;
  const auto at = query->form.at;
  const bool allow_stale = query->form.allow_stale;
  GetBoth(call, {Part::kGpus, Part::kPods}, at, allow_stale,
          [call, query = *std::move(query)](Result<gpu::Got> gpus, Result<gpu::Got> pods) {
            AnswerWorkloads(call, query, std::move(gpus), std::move(pods));
          });
}

void GetUsers(const CallPtr& call) {
  auto query = Parse(call, kUserColumns);
  if (!query) return;
  const auto at = query->form.at;
  const bool allow_stale = query->form.allow_stale;
  GetBoth(call, kGpusAndProcesses, at, allow_stale,
          [call, query = *std::move(query)](Result<gpu::Got> gpus, Result<gpu::Got> processes) {
            AnswerUsers(call, query, std::move(gpus), std::move(processes));
          });
}

std::span<const ParameterSpec> WorkloadParameters() {
  static const RecordParameters kParameters(kWorkloadColumns, kBy);
  return kParameters.specs();
}
std::span<const ParameterSpec> UserParameters() {
  static const RecordParameters kParameters(kUserColumns);
  return kParameters.specs();
}

std::span<const wire::Column> WorkloadColumns() {
  return kWorkloadColumns;
}
std::span<const wire::Column> UserColumns() {
  return kUserColumns;
}

}  // namespace gpumon::handlers
