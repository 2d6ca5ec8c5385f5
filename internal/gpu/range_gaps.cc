#include "internal/gpu/range_gaps.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "internal/gpu/selectors.h"

namespace gpumon::gpu {
namespace {

constexpr double kLate = 1.5;
constexpr double kUsuallyApart = 60;  // Prometheus's default scrape_interval; seconds
// Series of one scrape have its time; seconds.
constexpr double kSameScrape = 0.5;

// What names a series stands for, as a sample has it and as SampleTimesQuery gives it.
constexpr std::string_view kName = "__name__";
constexpr std::string_view kSeries = "__series__";

std::string_view NameOf(prom::LabelSet labels) {
  const std::string_view name = prom::Get(labels, kName);
  return name.empty() ? prom::Get(labels, kSeries) : name;
}

std::vector<prom::Label> WithoutName(prom::LabelSet labels) {
  std::vector<prom::Label> others;
  std::copy_if(
      labels.begin(), labels.end(), std::back_inserter(others),
      [](const prom::Label& label) { return label.name != kName && label.name != kSeries; });
  return others;
}

std::string AllOf(prom::LabelSet labels) {
  return KeyWithout(WithoutName(labels), {});
}

std::string GroupOf(prom::LabelSet labels, const Passing& passing) {
  return std::string(NameOf(labels)) + '{' + KeyOf(WithoutName(labels), passing);
}

}  // namespace

std::string SampleTimesQuery(const schema::Exporter& exporter,
                             const std::vector<std::string>& matchers, bool and_faults) {
  std::vector<std::string> names;
  for (const schema::Metric& metric : exporter.gpu) {
    const auto is = [&](models::Quantity quantity) {
      return metric.slot == static_cast<std::size_t>(quantity);
    };
    const bool is_known = std::find(names.begin(), names.end(), metric.name) != names.end();
    const bool is_fault = is(models::Quantity::kXidLast) ||
                          is(models::Quantity::kEccUncorrectedVolatile) ||
                          is(models::Quantity::kRowRemapFailure);
    const bool is_wanted = is(models::Quantity::kUtilization) || (and_faults && is_fault);
    if (is_wanted && !is_known) names.push_back(metric.name);
  }
  std::string promql;
  for (const std::string& name : WithPrefixes(exporter, names)) {
    const auto add = [&](const std::string& matcher) {
      promql.append(promql.empty() ? "" : " or ");
      const std::string its = "timestamp(" + Selector(name, exporter.require, matcher) + ')';
      // Prometheus pays dearly for a label at each step.
      promql.append(and_faults
                        ? "label_replace(" + its + ",\"__series__\",\"" + name + "\",\"\",\"\")"
                        : its);
    };
    for (const std::string& matcher : matchers) add(matcher);
    if (matchers.empty()) add("");
  }
  return promql;
}

RangeGaps::Groups RangeGaps::GroupsOf(const prom::RangeVector& times) const {
  Groups groups;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const prom::LabelSet labels = times.labels(i);
    Group& group = groups[GroupOf(labels, passing_)];
    group.target = {std::string(prom::Get(labels, "job")),
                    std::string(prom::Get(labels, "instance"))};
    group.series.push_back(i);
    for (const prom::Point& point : times.points(i)) {
      group.last = std::max(group.last, point.at);
      if (group.times.empty() || group.times.back() != point.value) {
        group.times.push_back(point.value);
      }
    }
  }
  for (auto& [key, group] : groups) {
    std::sort(group.times.begin(), group.times.end());
    group.times.erase(std::unique(group.times.begin(), group.times.end()), group.times.end());
  }
  return groups;
}

std::map<RangeGaps::Target, double> RangeGaps::LastingOf(const Groups& groups, double step) {
  std::map<Target, std::vector<double>> apart;
  for (const auto& [key, group] : groups) {
    auto& its = apart[group.target];
    for (std::size_t i = 1; i < group.times.size(); ++i) {
      its.push_back(group.times[i] - group.times[i - 1]);
    }
  }
  std::map<Target, double> lasting;
  for (auto& [target, its] : apart) {
    if (its.empty()) continue;
    const auto median = its.begin() + static_cast<std::ptrdiff_t>((its.size() - 1) / 2);
    std::nth_element(its.begin(), median, its.end());
    const double lasts = lasting[target] = std::max(*median, step);
    double& of_job = lasting[{target.first, {}}];
    of_job = std::max(of_job, lasts);
  }
  return lasting;
}

std::vector<RangeGaps::Span> RangeGaps::GapsOf(const Group& group, double lasts) {
  std::vector<Span> gaps;
  for (std::size_t i = 1; i < group.times.size(); ++i) {
    const double from = group.times[i - 1];
    if (group.times[i] - from > kLate * lasts) gaps.push_back({from + lasts, group.times[i]});
  }
  const double newest = group.times.back();
  if (group.last - newest > kLate * lasts) gaps.push_back({newest + lasts});
  return gaps;
}

// By step: of which series the newest sample is.
void RangeGaps::FindOlder(const prom::RangeVector& times, const Group& group) {
  std::map<double, double> newest;
  for (const std::size_t i : group.series) {
    for (const prom::Point& point : times.points(i)) {
      double& its = newest.try_emplace(point.at, point.value).first->second;
      its = std::max(its, point.value);
    }
  }
  for (const std::size_t i : group.series) {
    const auto [at, is_new] = older_.try_emplace(AllOf(times.labels(i)));
    if (!is_new) continue;
    std::vector<Span>& older = at->second;
    bool is_older = false;
    for (const prom::Point& point : times.points(i)) {
      const bool was_older = is_older;
      is_older = point.value < newest[point.at] - kSameScrape;
      if (is_older && !was_older) older.push_back({point.at});
      if (was_older && !is_older) older.back().end = point.at;
    }
  }
}

RangeGaps::RangeGaps(const prom::RangeVector& times, double step, Passing passing)
    : passing_(std::move(passing)) {
  const Groups groups = GroupsOf(times);
  const auto lasting = LastingOf(groups, step);
  for (const auto& [key, group] : groups) {
    if (group.series.size() > 1) FindOlder(times, group);
    if (group.times.empty()) continue;
    auto lasts = lasting.find(group.target);
    if (lasts == lasting.end()) lasts = lasting.find({group.target.first, {}});
    auto gaps =
        GapsOf(group, lasts == lasting.end() ? std::max(kUsuallyApart, step) : lasts->second);
    if (!gaps.empty()) gaps_[key] = std::move(gaps);
  }
}

RangeGaps::Sampled RangeGaps::Of(prom::LabelSet labels) const {
  Sampled sampled;
  if (gaps_.empty() && older_.empty()) return sampled;
  if (const auto gaps = gaps_.find(GroupOf(labels, passing_)); gaps != gaps_.end()) {
    sampled.gaps = gaps->second;
  }
  const auto older = older_.find(AllOf(labels));
  sampled.is_known = older != older_.end();
  if (sampled.is_known) sampled.older = older->second;
  return sampled;
}

}  // namespace gpumon::gpu
