// The cluster in few numbers: GET /api/v1/gpu/summary.
#pragma once

#include <span>

#include "handlers/api.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

void GetSummary(const CallPtr& call);
std::span<const ParameterSpec> SummaryParameters();

// For the OpenAPI document.
std::span<const wire::Column> SummaryColumns();

}  // namespace gpumon::handlers
