#include "internal/gpu/value_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "internal/gpu/bounds.h"
#include "internal/gpu/contest.h"

namespace gpumon::gpu {

using models::NullReason;

namespace {

bool IsPossibleOf(models::Part part, std::size_t slot, double value) {
  return part == models::Part::kProcesses ? IsPossible<models::GpuProcess>(slot, value)
                                          : IsPossible<models::GpuMetrics>(slot, value);
}

// The nearest double of the exact product: 0.001 itself is none. -0 is 0.
double Scaled(double raw, double scale) {
  return (scale < 1 ? raw / (1 / scale) : raw * scale) + 0.0;
}

constexpr double kPercent = 100;

}  // namespace

ValueReader::ValueReader(const schema::Exporter& exporter, models::Part part,
                         UnitEvidence& evidence)
    : exporter_(exporter), part_(part), evidence_(evidence) {
  const auto add = [this](schema::Rule rule, const std::string& name) {
    if (rule == schema::Rule::kRatioOrPercent) is_percent_[name];
  };
  for (const auto& metric : exporter.metrics(part == models::Part::kProcesses)) {
    add(metric.rule, metric.name);
  }
  for (const auto& share : exporter.shares) add(share.rule, share.name);
}

bool IsBlank(const schema::Exporter& exporter, double raw) {
  if (exporter.nan_is_blank && std::isnan(raw)) return true;
  return std::any_of(exporter.blanks.begin(), exporter.blanks.end(), [raw](const auto& range) {
    return raw >= range.first && raw <= range.second;
  });
}

Reading ValueReader::Read(const schema::Metric& metric, double raw, prom::LabelSet labels) const {
  if (IsBlank(exporter_, raw)) return {0, NullReason::kNotSupported};
  double value = Scaled(raw, metric.scale);
  if (metric.rule == schema::Rule::kFlag) {
    if (raw != 0 && raw != 1) return {0, NullReason::kInvalidValue};
    value = raw * metric.bit;
  }
  if (IsPercent(metric.rule, metric.name, labels)) value = raw * metric.scale / 100;
  if (IsPossibleOf(part_, metric.slot, value)) return {value, NullReason::kNone};
  return {0, NullReason::kInvalidValue};
}

Reading ValueReader::ReadShare(const schema::ShareMetric& share, double raw,
                               prom::LabelSet labels) const {
  if (IsBlank(exporter_, raw)) return {0, NullReason::kNotSupported};
  double value = Scaled(raw, share.scale);
  if (IsPercent(share.rule, share.name, labels)) value /= 100;
  auto slot = static_cast<std::size_t>(models::Quantity::kMemoryUsed);
  if (share.share == schema::Share::kUtilization) {
    slot = static_cast<std::size_t>(models::Quantity::kUtilization);
    // A metric of its own is a sum over processes, counted over slices of time that do not match
    // the GPU's.
    const bool is_sum = !share.needs_device;
    if (is_sum && value > kPercent && value <= 2 * kPercent) value = kPercent;
  }
  if (!IsPossible<models::GpuMetrics>(slot, value)) return {0, NullReason::kInvalidValue};
  return {value, NullReason::kNone};
}

bool ValueReader::IsPercent(schema::Rule rule, const std::string& metric,
                            prom::LabelSet labels) const {
  if (rule != schema::Rule::kRatioOrPercent) return false;
  const auto targets = is_percent_.find(metric);
  if (targets == is_percent_.end()) return false;
  const auto target = targets->second.find(Contest::TargetOf(labels));
  return target != targets->second.end() && target->second;
}

std::size_t ValueReader::LearnUnits(const prom::InstantVector& vector,
                                    std::optional<std::size_t> metric, double at) {
  const auto& metrics = exporter_.metrics(part_ == models::Part::kProcesses);
  std::size_t mixed_jobs = 0;
  for (auto& [named, percent] : is_percent_) {
    const std::string& name = named;
    percent.clear();
    if (metric && metrics[*metric].name != name) continue;
    const auto is_its = [&](std::string_view family) {
      return family.ends_with(name) &&
             std::any_of(exporter_.prefixes.begin(), exporter_.prefixes.end(),
                         [&](const std::string& prefix) { return family == prefix + name; });
    };
    std::unordered_map<std::size_t, UnitEvidence::Target> targets;
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const prom::LabelSet labels = vector.labels(i);
      if (!metric && !is_its(prom::Get(labels, "__name__"))) continue;
      const std::size_t key = Contest::TargetOf(labels);
      UnitEvidence::Target& target = targets[key];
      target.key = key;
      if (target.job.empty()) target.job = prom::Get(labels, "job");
      const double value = vector.point(i).value;
      // Percent are whole numbers: 1.5 is an impossible ratio. More than 100 is a blank.
      target.above_one |= value >= 2 && value <= kPercent && value == std::floor(value);
      target.fraction |= value > 0 && value < 1;
    }
    if (targets.empty()) continue;
    std::vector<UnitEvidence::Target> all;
    all.reserve(targets.size());
    for (auto& [key, target] : targets) all.push_back(std::move(target));
    UnitEvidence::Verdict verdict = evidence_.Judge(name, all, at);
    percent = std::move(verdict.percent);
    mixed_jobs += verdict.mixed_jobs;
  }
  return mixed_jobs;
}

}  // namespace gpumon::gpu
