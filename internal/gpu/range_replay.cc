#include "internal/gpu/range_replay.h"

#include <utility>
#include <variant>

#include "internal/gpu/join.h"
#include "internal/gpu/range_nodes.h"

namespace gpumon::gpu {
namespace {

constexpr double kHour = 3600;

}  // namespace

Result<prom::QueryResult> WholeRange(Result<prom::QueryResult> answer) {
  if (answer && !std::holds_alternative<prom::RangeVector>(answer->value)) {
    return gpumon::Error(Code::kUpstreamInvalid,
                         "Prometheus answered a query for a range with another type");
  }
  if (answer && answer->partial) {
    return gpumon::Error(Code::kUpstreamPartial,
                         "Prometheus says that its answer for this window is partial");
  }
  return answer;
}

RangeReplay::RangeReplay(models::Part part, std::span<const Subject> subjects,
                         std::span<const schema::Exporter* const> exporters,
                         std::vector<Answer> answers, UnitEvidence& evidence, CommandStyle commands,
                         bool any_as_of)
    : part_(part),
      subjects_(subjects),
      exporters_(exporters),
      answers_(std::move(answers)),
      evidence_(evidence),
      commands_(commands),
      any_as_of_(any_as_of),
      rows_(exporters.size()) {}

template <class RowT>
std::shared_ptr<models::Snapshot> RangeReplay::JoinAt(double time) {
  using Gives = PlannedQuery::Gives;
  Join<RowT> join(exporters_, evidence_, time);
  join.Expect(subjects_, time - kHour);
  for (std::size_t i = 0; i < rows_.size(); ++i) join.Reserve(i, rows_[i]);
  // Whose a pod is, and where a target runs, has to be known before series are read.
  for (const bool surroundings : {true, false}) {
    for (const Answer& answer : answers_) {
      const PlannedQuery& query = *answer.query;
      const bool is_of_them = query.gives == Gives::kTargets || query.gives == Gives::kAddresses;
      if (is_of_them != surroundings || answer.series == nullptr) continue;
      const prom::InstantVector& vector = answer.series->At(time);
      if (query.gives == Gives::kTargets) {
        join.AddTargets(vector);
      } else if (query.gives == Gives::kAddresses) {
        join.AddAddresses(vector);
      } else if (query.gives == Gives::kDevices) {
        join.AddDevices(query.exporter, vector);
      } else {
        join.Add(query.exporter, vector, query.metric);
      }
    }
  }
  for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] = join.RowsOf(i);
  return join.Finish(commands_);
}

models::SnapshotPtr RangeReplay::At(double time) {
  if (part_ == models::Part::kNodes) return NodesAt(answers_, subjects_, time);
  // In a past that was sampled more rarely than it is looked at most instants are as those before.
  const bool is_free = last_.use_count() == 1;
  if (AllRepeat(time) && last_ != nullptr && (is_free || any_as_of_)) {
    if (is_free) last_->as_of = time;
    return last_;
  }
  last_.reset();
  last_ = part_ == models::Part::kGpus ? JoinAt<models::GpuMetrics>(time)
                                       : JoinAt<models::GpuProcess>(time);
  return last_;
}

// Asks each, for the next instant compares with this one.
bool RangeReplay::AllRepeat(double time) const {
  bool all = true;
  for (const Answer& answer : answers_) {
    if (answer.series == nullptr) continue;
    answer.series->At(time);
    all &= answer.series->Repeats();
  }
  return all;
}

}  // namespace gpumon::gpu
