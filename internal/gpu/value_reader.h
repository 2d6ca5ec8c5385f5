// What a sample's number means.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

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

// By one exporter's schema. Both references must outlive it.
class ValueReader {
 public:
  ValueReader(const schema::Exporter& exporter, models::Part part, UnitEvidence& evidence)
      : exporter_(exporter), part_(part), evidence_(evidence) {}

  // Before a vector is read: the whole of it decides between units. `metric` as ExporterRows::Add.
  void LearnUnits(const prom::InstantVector& vector, std::optional<std::size_t> metric);
  Reading Read(const schema::Metric& metric, double raw, prom::LabelSet labels) const;
  // Finite values only.
  double ReadShare(const schema::ShareMetric& share, double raw, prom::LabelSet labels) const;

 private:
  bool IsPercent(schema::Rule rule, const std::string& metric, prom::LabelSet labels) const;

  const schema::Exporter& exporter_;
  const models::Part part_;
  UnitEvidence& evidence_;
};

}  // namespace gpumon::gpu
