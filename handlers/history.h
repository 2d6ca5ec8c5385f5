// GET /api/v1/gpu/history: readings over time.
#pragma once

#include <span>

#include "handlers/api.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

void GetHistory(const CallPtr& call);

std::span<const ParameterSpec> HistoryParameters();
std::span<const wire::Column> HistoryColumns();

}  // namespace gpumon::handlers
