// GET /api/v1/gpu/health/history
#pragma once

#include <span>

#include "handlers/api.h"
#include "handlers/parameters.h"

namespace gpumon::handlers {

// What METRICS_DIR holds of the last `hours` before `at` (now): the snapshots of the page, by time,
// the newest last, and what all of the window say together. No snapshot is an answer too, with a
// warning that says where was looked.
void GetHealthHistory(const CallPtr& call);
std::span<const ParameterSpec> HealthHistoryParameters();

}  // namespace gpumon::handlers
