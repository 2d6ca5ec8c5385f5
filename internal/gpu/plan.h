// Which PromQL a refresh asks. The number of queries depends on the schema alone, never on the
// number of GPUs or viewers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "internal/schema/schema.h"
#include "models/gpu.h"

namespace gpumon::gpu {

struct PlannedQuery {
  enum class Gives : std::uint8_t { kValue, kTimes };

  std::string name;  // for metrics, logs and warnings: the metric's name, or sample_times
  std::string promql;
  Gives gives = Gives::kValue;
  std::size_t slot = 0;  // kValue: the Quantity or ProcessQuantity
  double scale = 1;
};

std::vector<PlannedQuery> PlanQueries(const schema::Exporter& exporter, models::Part part);

}  // namespace gpumon::gpu
