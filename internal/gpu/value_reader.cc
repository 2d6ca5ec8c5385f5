#include "internal/gpu/value_reader.h"

#include <cmath>

#include "internal/gpu/bounds.h"

namespace gpumon::gpu {

using models::NullReason;

namespace {

bool IsPossibleOf(models::Part part, std::size_t slot, double value) {
  return part == models::Part::kProcesses ? IsPossible<models::GpuProcess>(slot, value)
                                          : IsPossible<models::GpuMetrics>(slot, value);
}

// The nearest double of the exact product: 0.001 itself is none.
double Scaled(double raw, double scale) {
  return scale < 1 ? raw / (1 / scale) : raw * scale;
}

}  // namespace

Reading ValueReader::Read(const schema::Metric& metric, double raw, prom::LabelSet labels) const {
  for (const auto& [low, high] : exporter_.blanks) {
    if (raw >= low && raw <= high) return {0, NullReason::kNotSupported};
  }
  if (exporter_.nan_is_blank && std::isnan(raw)) return {0, NullReason::kNotSupported};
  double value = Scaled(raw, metric.scale);
  if (metric.rule == schema::Rule::kFlag) {
    value = raw != 0 ? metric.bit : 0;  // NaN is checked below
    if (std::isnan(raw)) value = raw;
  }
  if (IsPercent(metric.rule, metric.name, labels)) value = raw * metric.scale / 100;
  if (IsPossibleOf(part_, metric.slot, value)) return {value, NullReason::kNone};
  return {0, NullReason::kInvalidValue};
}

double ValueReader::ReadShare(const schema::ShareMetric& share, double raw,
                              prom::LabelSet labels) const {
  const double value = Scaled(raw, share.scale);
  return IsPercent(share.rule, share.name, labels) ? value / 100 : value;
}

bool ValueReader::IsPercent(schema::Rule rule, const std::string& metric,
                            prom::LabelSet labels) const {
  return rule == schema::Rule::kRatioOrPercent &&
         evidence_.IsPercent(metric, prom::Get(labels, "job"));
}

void ValueReader::LearnUnits(const prom::InstantVector& vector, std::optional<std::size_t> metric) {
  for (const schema::Metric& doubtful : exporter_.metrics(part_ == models::Part::kProcesses)) {
    if (doubtful.rule != schema::Rule::kRatioOrPercent) continue;
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const prom::LabelSet labels = vector.labels(i);
      const double value = vector.point(i).value;
      // A blank is neither a ratio nor percent.
      if (!(value > 1) || !IsPossibleOf(part_, doubtful.slot, value * doubtful.scale / 100))
        continue;
      if (!metric && prom::Get(labels, "__name__") != doubtful.name) continue;
      evidence_.SawAboveOne(doubtful.name, prom::Get(labels, "job"));
    }
  }
}

}  // namespace gpumon::gpu
