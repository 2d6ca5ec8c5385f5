#include "internal/gpu/range_series.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "internal/gpu/range_plan.h"

namespace gpumon::gpu {
namespace {

// Prometheus counts in milliseconds.
constexpr double kSameInstant = 0.0005;

using Fold = PlannedQuery::Fold;

// Of series with these places among all labels.
bool AreSame(const std::vector<prom::InstantVector::Sample>& a,
             const std::vector<prom::InstantVector::Sample>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.first_label == other.first_label &&
           std::bit_cast<std::uint64_t>(one.point.value) ==
               std::bit_cast<std::uint64_t>(other.point.value);
  });
}

}  // namespace

RangeSteps::RangeSteps(prom::RangeVector vector, double step, const Passing& passing,
                       std::shared_ptr<const RangeGaps> gaps)
    : step_(step), gaps_(std::move(gaps)), points_(std::move(vector.points_pool)) {
  now_.labels_pool = std::move(vector.labels_pool);
  now_.backing = std::move(vector.backing);
  now_.samples.reserve(vector.series.size());
  for (const auto& its : vector.series) {
    Series series;
    series.first_label = its.first_label;
    series.label_count = its.label_count;
    series.next = series.run_end = its.first_point;
    series.end = its.first_point + its.point_count;
    if (gaps_)
      series.sampled = gaps_->Of({now_.labels_pool.data() + its.first_label, its.label_count});
    if (its.point_count > 0) by_begin_.push_back(static_cast<std::uint32_t>(series_.size()));
    series_.push_back(series);
  }
  std::sort(by_begin_.begin(), by_begin_.end(), [this](std::uint32_t a, std::uint32_t b) {
    return points_[series_[a].next].at < points_[series_[b].next].at;
  });
  Group(passing);
}

void RangeSteps::Group(const Passing& passing) {
  std::unordered_map<std::string, std::uint32_t> first;
  std::uint32_t groups = 0;
  for (std::uint32_t i = 0; i < series_.size(); ++i) {
    const prom::LabelSet labels(now_.labels_pool.data() + series_[i].first_label,
                                series_[i].label_count);
    const auto [at, is_new] = first.try_emplace(KeyOf(labels, passing), i);
    if (is_new) continue;
    Series& other = series_[at->second];
    if (other.group == kAlone) other.group = groups++;
    series_[i].group = other.group;
  }
  groups_.resize(groups);
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
    return points_[other.run_end - 1].at > ends && other.run_begins > ends - kLookBack;
  });
}

// Where pods come and go most series of a range are not there yet, or no longer.
void RangeSteps::Begin(double time) {
  const auto before = static_cast<std::ptrdiff_t>(under_way_.size());
  while (begun_ < by_begin_.size() &&
         points_[series_[by_begin_[begun_]].next].at <= time + kSameInstant) {
    under_way_.push_back(by_begin_[begun_++]);
  }
  const auto added = under_way_.begin() + before;
  std::sort(added, under_way_.end());
  std::inplace_merge(under_way_.begin(), added, under_way_.end());
}

bool RangeSteps::HasEnded(Series& series, double time) {
  for (; series.next < series.end; ++series.next) {
    FindRun(series);
    if (points_[series.next].at >= time - kSameInstant) return false;
  }
  return true;
}

bool RangeSteps::IsWithin(RangeGaps::Spans& spans, double time) {
  while (!spans.empty() && spans.front().end <= time + kSameInstant) spans = spans.subspan(1);
  return !spans.empty() && spans.front().begin <= time + kSameInstant;
}

// Where it is known which of its group were sampled last, by that.
bool RangeSteps::IsOld(Series& series, double time) {
  if (IsWithin(series.sampled.gaps, time)) return true;
  if (series.group == kAlone) return false;
  if (!series.sampled.is_known) return IsReplaced(series);
  if (!IsWithin(series.sampled.older, time)) return false;
  const auto& group = groups_[series.group];
  return std::any_of(group.begin(), group.end(), [&](std::uint32_t i) {
    Series& other = series_[i];
    return other.sampled.is_known && !IsWithin(other.sampled.older, time);
  });
}

const prom::InstantVector& RangeSteps::At(double time) {
  if (time == at_) return now_;
  at_ = time;
  Begin(time);
  present_.clear();
  std::size_t kept = 0;
  for (const std::uint32_t i : under_way_) {
    Series& series = series_[i];
    if (HasEnded(series, time)) continue;
    under_way_[kept++] = i;
    if (points_[series.next].at <= time + kSameInstant) present_.push_back(i);
  }
  under_way_.resize(kept);
  for (const std::uint32_t i : present_) {
    if (series_[i].group != kAlone) groups_[series_[i].group].clear();
  }
  for (const std::uint32_t i : present_) {
    if (series_[i].group != kAlone) groups_[series_[i].group].push_back(i);
  }
  now_.samples.swap(before_);
  now_.samples.clear();
  for (const std::uint32_t i : present_) {
    Series& series = series_[i];
    if (IsOld(series, time)) continue;
    now_.samples.push_back({series.first_label, series.label_count, points_[series.next]});
  }
  repeats_ = AreSame(before_, now_.samples);
  return now_;
}

RangeFold::RangeFold(Fold how, prom::RangeVector values, const prom::RangeVector& counts,
                     double step, const std::vector<std::string>& pods)
    : how_(how), step_(step) {
  SetSteps(values);
  now_.backing = std::move(values.backing);
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto [at, is_new] =
        places.try_emplace(KeyWithout(values.labels(i), pods), groups_.size());
    if (is_new) {
      Group& group = groups_.emplace_back();
      group.first_label = static_cast<std::uint32_t>(now_.labels_pool.size());
      for (const prom::Label& label : values.labels(i)) {
        const bool is_pods = std::binary_search(pods.begin(), pods.end(), label.name);
        if (!is_pods) now_.labels_pool.push_back(label);
      }
      group.label_count = static_cast<std::uint32_t>(now_.labels_pool.size()) - group.first_label;
      group.numbers.resize(steps_);
    }
    FoldIn(how, values.points(i), groups_[at->second]);
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto at = places.find(KeyWithout(counts.labels(i), pods));
    if (at != places.end()) FoldIn(Fold::kCount, counts.points(i), groups_[at->second]);
  }
}

std::size_t RangeFold::StepOf(double time) const {
  return static_cast<std::size_t>(std::llround((time - begin_) / step_));
}

void RangeFold::SetSteps(const prom::RangeVector& values) {
  double end = -std::numeric_limits<double>::infinity();
  begin_ = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values.points(i).empty()) continue;
    begin_ = std::min(begin_, values.points(i).front().at);
    end = std::max(end, values.points(i).back().at);
  }
  if (begin_ <= end) steps_ = StepOf(end) + 1;
}

void RangeFold::FoldIn(Fold how, std::span<const prom::Point> points, Group& group) {
  for (const prom::Point& point : points) {
    if (point.at < begin_ - kSameInstant || StepOf(point.at) >= steps_) continue;
    Number& number = group.numbers[StepOf(point.at)];
    if (how == Fold::kCount) {
      number.count += point.value;
    } else if (how == Fold::kSum) {
      number.value += point.value;
    } else if (number.count == 0 || std::isnan(number.value)) {
      number = {point.value, 1};
    } else {
      const bool is_more =
          how == Fold::kMost ? point.value > number.value : point.value < number.value;
      if (is_more) number.value = point.value;
    }
  }
}

const prom::InstantVector& RangeFold::At(double time) {
  now_.samples.clear();
  if (steps_ == 0 || time < begin_ - kSameInstant) return now_;
  const std::size_t step = StepOf(time);
  if (step >= steps_) return now_;
  for (const Group& group : groups_) {
    const Number& number = group.numbers[step];
    if (number.count == 0) continue;
    const double value = how_ == Fold::kSum ? number.value / number.count : number.value;
    now_.samples.push_back({group.first_label, group.label_count, {time, value}});
  }
  return now_;
}

std::vector<std::unique_ptr<RangeSeries>> SeriesOf(
    std::span<const PlannedQuery> queries, std::vector<prom::RangeVector> answers, double step,
    std::span<const schema::Exporter* const> exporters) {
  using Gives = PlannedQuery::Gives;
  std::vector<std::unique_ptr<RangeSeries>> series(queries.size());
  std::vector<std::shared_ptr<const RangeGaps>> gaps(exporters.size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (queries[i].gives != Gives::kSeriesTimes) continue;
    gaps[queries[i].exporter] = std::make_shared<const RangeGaps>(
        answers[i], step, PassingOf(*exporters[queries[i].exporter]));
  }
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const PlannedQuery& query = queries[i];
    if (query.gives == Gives::kSeriesTimes) continue;
    const bool of_gpus = query.gives == Gives::kValues || query.gives == Gives::kDevices;
    const Passing passing = of_gpus ? PassingOf(*exporters[query.exporter]) : Passing();
    if (query.fold == Fold::kNone) {
      series[i] = std::make_unique<RangeSteps>(std::move(answers[i]), step, passing,
                                               of_gpus ? gaps[query.exporter] : nullptr);
    } else if (query.fold != Fold::kCount) {
      const prom::RangeVector none;
      const bool folds = of_gpus && query.metric;
      const auto pods = folds ? HolderLabels(*exporters[query.exporter],
                                             exporters[query.exporter]->gpu[*query.metric])
                              : passing.pods;
      const bool is_counted = i + 1 < queries.size() && queries[i + 1].fold == Fold::kCount;
      series[i] = std::make_unique<RangeFold>(query.fold, std::move(answers[i]),
                                              is_counted ? answers[i + 1] : none, step, pods);
    }
  }
  return series;
}

}  // namespace gpumon::gpu
