// GET /api/v1/gpu/alerts
#pragma once

#include <span>

#include "handlers/api.h"
#include "handlers/parameters.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

// What the rules of the connected Prometheus call out, with the GPU that it is about.
void GetAlerts(const CallPtr& call);
std::span<const ParameterSpec> AlertParameters();
std::span<const wire::Column> AlertColumns();

}  // namespace gpumon::handlers
