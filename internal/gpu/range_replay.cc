#include "internal/gpu/range_replay.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "internal/gpu/join.h"
#include "internal/gpu/range_plan.h"

namespace gpumon::gpu {
namespace {

// Prometheus counts in milliseconds.
constexpr double kSameInstant = 0.0005;
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

RangeSteps::RangeSteps(prom::RangeVector vector, double step, const std::vector<std::string>& pods)
    : step_(step), points_(std::move(vector.points_pool)) {
  now_.labels_pool = std::move(vector.labels_pool);
  now_.backing = std::move(vector.backing);
  now_.samples.reserve(vector.series.size());
  for (const auto& its : vector.series) {
    Series series;
    series.first_label = its.first_label;
    series.label_count = its.label_count;
    series.next = series.run_end = its.first_point;
    series.end = its.first_point + its.point_count;
    series_.push_back(series);
  }
  Group(pods);
}

void RangeSteps::Group(const std::vector<std::string>& pods) {
  std::unordered_map<std::string, std::uint32_t> first;
  for (std::uint32_t i = 0; i < series_.size(); ++i) {
    std::string key;
    for (std::uint32_t l = 0; l < series_[i].label_count; ++l) {
      const prom::Label& label = now_.labels_pool[series_[i].first_label + l];
      if (std::binary_search(pods.begin(), pods.end(), label.name)) continue;
      key.append(label.name).append(1, '\0').append(label.value).append(1, '\0');
    }
    const auto [at, is_new] = first.try_emplace(std::move(key), i);
    if (is_new) continue;
    Series& other = series_[at->second];
    if (other.group == kAlone) {
      other.group = static_cast<std::uint32_t>(groups_.size());
      groups_.push_back({at->second});
    }
    series_[i].group = other.group;
    groups_[other.group].push_back(i);
  }
}

void RangeSteps::FindRun(Series& series) {
  if (series.next < series.run_end) return;
  series.run_begins = points_[series.next].at;
  series.run_end = series.next + 1;
  const double gap = step_ * 1.5;
  while (series.run_end < series.end &&
         points_[series.run_end].at - points_[series.run_end - 1].at < gap) {
    ++series.run_end;
  }
}

bool RangeSteps::IsReplaced(const Series& series) const {
  const double ends = points_[series.run_end - 1].at;
  const auto& group = groups_[series.group];
  return std::any_of(group.begin(), group.end(), [&](std::uint32_t i) {
    const Series& other = series_[i];
    return std::binary_search(present_.begin(), present_.end(), i) &&
           points_[other.run_end - 1].at > ends && other.run_begins > ends - kLookBack;
  });
}

const prom::InstantVector& RangeSteps::At(double time) {
  present_.clear();
  for (std::uint32_t i = 0; i < series_.size(); ++i) {
    Series& series = series_[i];
    while (series.next < series.end) {
      FindRun(series);
      if (points_[series.next].at >= time - kSameInstant) break;
      ++series.next;
    }
    const bool is_there =
        series.next < series.end && points_[series.next].at <= time + kSameInstant;
    if (is_there) present_.push_back(i);
  }
  now_.samples.clear();
  for (const std::uint32_t i : present_) {
    const Series& series = series_[i];
    if (series.group != kAlone && IsReplaced(series)) continue;
    now_.samples.push_back({series.first_label, series.label_count, points_[series.next]});
  }
  return now_;
}

RangeReplay::RangeReplay(models::Part part, std::span<const Subject> subjects,
                         std::span<const schema::Exporter* const> exporters,
                         std::span<const PlannedQuery> plan, std::vector<prom::RangeVector> answers,
                         double step, UnitEvidence& evidence, CommandStyle commands)
    : part_(part),
      subjects_(subjects),
      exporters_(exporters),
      plan_(plan),
      evidence_(evidence),
      commands_(commands) {
  steps_.reserve(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const bool is_values = plan[i].gives == PlannedQuery::Gives::kValues;
    steps_.emplace_back(
        std::move(answers[i]), step,
        is_values ? PodLabels(*exporters[plan[i].exporter]) : std::vector<std::string>());
  }
}

template <class RowT>
models::SnapshotPtr RangeReplay::JoinAt(double time) {
  using Gives = PlannedQuery::Gives;
  Join<RowT> join(exporters_, evidence_, time);
  join.Expect(subjects_, time - kHour);
  // Whose a pod is, and where a target runs, has to be known before series are read.
  for (const bool surroundings : {true, false}) {
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      const PlannedQuery& query = plan_[i];
      const bool is_of_them = query.gives == Gives::kTargets || query.gives == Gives::kAddresses;
      if (is_of_them != surroundings) continue;
      const prom::InstantVector& vector = steps_[i].At(time);
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
  return join.Finish(commands_);
}

models::SnapshotPtr RangeReplay::At(double time) {
  return part_ == models::Part::kGpus ? JoinAt<models::GpuMetrics>(time)
                                      : JoinAt<models::GpuProcess>(time);
}

}  // namespace gpumon::gpu
