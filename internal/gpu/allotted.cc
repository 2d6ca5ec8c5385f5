#include "internal/gpu/allotted.h"

#include <algorithm>

namespace gpumon::gpu {

using models::GpuMetrics;
using models::NullReason;
using models::Quantity;

Allotted::Outcome Allotted::One::GiveTo(GpuMetrics& gpu) const {
  if (gpu.readings.Has(slot)) return Outcome::kNotNeeded;
  const auto used = gpu.readings.Get(static_cast<std::size_t>(Quantity::kMemoryUsed));
  if (slot == static_cast<std::size_t>(Quantity::kMemoryTotal) && used && *used > value) {
    gpu.readings.SetAbsent(slot, NullReason::kInvalidValue);
    return Outcome::kImpossible;
  }
  gpu.readings.Set(slot, value);
  return Outcome::kShown;
}

void Allotted::TakeOut(const schema::Exporter& exporter, std::size_t place,
                       ExporterRows<GpuMetrics>& rows) {
  const bool any = std::any_of(exporter.gpu.begin(), exporter.gpu.end(),
                               [](const schema::Metric& metric) { return metric.allotted; });
  for (std::size_t i = 0; any && i < rows.size(); ++i) {
    for (const schema::Metric& metric : exporter.gpu) {
      const std::size_t shown = rows.metric(i, metric.slot);
      auto& readings = rows.row(i).readings;
      const auto value = readings.Get(metric.slot);
      if (!metric.allotted || !value || &exporter.gpu[shown] != &metric) continue;
      all_.push_back({place, i, metric.slot, *value});
      readings.SetAbsent(metric.slot, NullReason::kNotExported);
    }
  }
}

}  // namespace gpumon::gpu
