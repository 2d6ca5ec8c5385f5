#include "internal/gpu/range_gaps.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "internal/gpu/selectors.h"

namespace gpumon::gpu {
namespace {

constexpr double kLate = 1.5;
// Labels of a series in their order, which is the same for all.
constexpr std::string_view kName = "__name__";

// How long a sample of each target counts.
template <class Target, class All>
std::map<Target, double> LastingOf(const All& all, double step) {
  std::map<Target, std::vector<double>> apart;
  for (const auto& [key, sampled] : all) {
    auto& its = apart[sampled.target];
    for (std::size_t i = 1; i < sampled.times.size(); ++i) {
      its.push_back(sampled.times[i] - sampled.times[i - 1]);
    }
  }
  std::map<Target, double> lasting;
  for (auto& [target, its] : apart) {
    if (its.empty()) continue;
    const auto median = its.begin() + static_cast<std::ptrdiff_t>((its.size() - 1) / 2);
    std::nth_element(its.begin(), median, its.end());
    lasting[target] = std::max(*median, step);
  }
  return lasting;
}

}  // namespace

std::string TimesOfUtilization(const schema::Exporter& exporter,
                               const std::vector<std::string>& matchers) {
  std::vector<std::string> names;
  for (const schema::Metric& metric : exporter.gpu) {
    const bool is_known = std::find(names.begin(), names.end(), metric.name) != names.end();
    const auto utilization = static_cast<std::size_t>(models::Quantity::kUtilization);
    if (metric.slot == utilization && !is_known) names.push_back(metric.name);
  }
  std::string promql;
  for (const std::string& name : WithPrefixes(exporter, names)) {
    const auto add = [&](const std::string& matcher) {
      promql.append(promql.empty() ? "timestamp(" : " or timestamp(");
      promql.append(Selector(name, exporter.require, matcher)).append(1, ')');
    };
    for (const std::string& matcher : matchers) add(matcher);
    if (matchers.empty()) add("");
  }
  return promql;
}

std::string RangeGaps::KeyOf(prom::LabelSet labels) const {
  std::string key;
  for (const prom::Label& label : labels) {
    const bool is_pods = std::binary_search(pods_.begin(), pods_.end(), label.name);
    if (label.name == kName || is_pods) continue;
    key.append(label.name).append(1, '\0').append(label.value).append(1, '\0');
  }
  return key;
}

std::map<std::string, RangeGaps::Sampled> RangeGaps::SampledBy(
    const prom::RangeVector& times) const {
  std::map<std::string, Sampled> all;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const prom::LabelSet labels = times.labels(i);
    Sampled& sampled = all[KeyOf(labels)];
    sampled.target = {std::string(prom::Get(labels, "job")),
                      std::string(prom::Get(labels, "instance"))};
    for (const prom::Point& point : times.points(i)) {
      sampled.last = std::max(sampled.last, point.at);
      auto& its = sampled.times;
      if (its.empty() || its.back() != point.value) its.push_back(point.value);
    }
  }
  for (auto& [key, sampled] : all) {
    auto& its = sampled.times;
    std::sort(its.begin(), its.end());
    its.erase(std::unique(its.begin(), its.end()), its.end());
  }
  return all;
}

RangeGaps::RangeGaps(const prom::RangeVector& times, double step, std::vector<std::string> pods)
    : pods_(std::move(pods)) {
  const std::map<std::string, Sampled> all = SampledBy(times);
  const auto lasting = LastingOf<Target>(all, step);
  for (const auto& [key, sampled] : all) {
    const auto found = lasting.find(sampled.target);
    if (found == lasting.end() || sampled.times.empty()) continue;
    const double lasts = found->second;
    std::vector<Gap> gaps;
    for (std::size_t i = 1; i < sampled.times.size(); ++i) {
      const double from = sampled.times[i - 1];
      if (sampled.times[i] - from > kLate * lasts) gaps.push_back({from + lasts, sampled.times[i]});
    }
    const double newest = sampled.times.back();
    if (sampled.last - newest > kLate * lasts) gaps.push_back({newest + lasts});
    if (!gaps.empty()) gaps_[key] = std::move(gaps);
  }
}

std::span<const RangeGaps::Gap> RangeGaps::Of(prom::LabelSet labels) const {
  if (gaps_.empty()) return {};
  const auto found = gaps_.find(KeyOf(labels));
  return found == gaps_.end() ? std::span<const Gap>() : std::span<const Gap>(found->second);
}

}  // namespace gpumon::gpu
