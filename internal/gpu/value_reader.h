// What a sample's number means.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "internal/gpu/unit_evidence.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// A value in its field's base unit, or why there is none.
struct Reading {
  double value = 0;
  models::NullReason reason = models::NullReason::kNone;
};

// What this exporter writes where a device cannot tell.
bool IsBlank(const schema::Exporter& exporter, double raw);

// By one exporter's schema. Both references must outlive it.
class ValueReader {
 public:
  ValueReader(const schema::Exporter& exporter, models::Part part, UnitEvidence& evidence);

  // Before a vector is read: the whole of it decides between units. `metric` as ExporterRows::Add;
  // `at` is the vector's instant, in Unix seconds. Gives the number of jobs whose targets do not
  // mean one unit.
  std::size_t LearnUnits(const prom::InstantVector& vector, std::optional<std::size_t> metric,
                         double at);
  Reading Read(const schema::Metric& metric, double raw, prom::LabelSet labels) const;
  Reading ReadShare(const schema::ShareMetric& share, double raw, prom::LabelSet labels) const;

 private:
  bool IsPercent(schema::Rule rule, const std::string& metric, prom::LabelSet labels) const;

  const schema::Exporter& exporter_;
  const models::Part part_;
  UnitEvidence& evidence_;
  // By each name that may be a ratio or percent: what its targets mean in the vector at hand.
  std::map<std::string, std::unordered_map<std::size_t, bool>, std::less<>> is_percent_;
};

}  // namespace gpumon::gpu
