// What a schema asks of the labels of a metric's series.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "internal/prom/value.h"
#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// Null when they all hold.
inline const schema::Condition* FirstUnmet(const std::vector<schema::Condition>& conditions,
                                           prom::LabelSet labels) {
  const auto unmet = std::find_if(conditions.begin(), conditions.end(), [&](const auto& condition) {
    return !condition.Holds(prom::Get(labels, condition.label));
  });
  return unmet == conditions.end() ? nullptr : &*unmet;
}

inline bool AllHold(const std::vector<schema::Condition>& conditions, prom::LabelSet labels) {
  return FirstUnmet(conditions, labels) == nullptr;
}

}  // namespace gpumon::gpu
