// Finds the metrics of a schema by the names of series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "internal/prom/value.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// What a family of a schema is for.
struct FamilyUse {
  enum class As : std::uint8_t { kMetric, kInfo, kShare, kSuccess, kGpuId, kMigMode };
  As as = As::kMetric;
  std::size_t index = 0;  // in the schema's list
};

// Immutable. Names stand with each of the schema's prefixes.
class MetricIndex {
 public:
  MetricIndex(const schema::Exporter& exporter, models::Part part);

  // One family may feed several fields, told apart by its labels.
  std::span<const FamilyUse> Find(std::string_view name) const;
  // A family of texts and of nothing else.
  bool IsInfo(std::string_view name) const;
  // Every name, sorted.
  std::vector<std::string> Names() const;

 private:
  std::unordered_map<std::string, std::vector<FamilyUse>> uses_;
};

// `shown`: by slot, the place in exporter.gpu of the metric that a row shows, or 0xFF. It is the
// device's own of which `share` measures pods' parts: not what they may repeat of it.
bool ShowsDeviceOf(const schema::Exporter& exporter, std::span<const std::uint8_t> shown,
                   const schema::ShareMetric& share);

// Series of pods beside the GPU's own of `metric` may be parts of it: no other metric is told to
// have these.
bool HasParts(const schema::Exporter& exporter, const schema::Metric& metric);

// How many of these series tell of the part: totals of GPUs that come along with processes do not.
std::size_t CountSeries(const schema::Exporter& exporter, models::Part part,
                        const prom::InstantVector& vector);

// By metric: the first that it is added to, or itself.
std::vector<std::size_t> LeadersOf(const std::vector<schema::Metric>& metrics);

}  // namespace gpumon::gpu
