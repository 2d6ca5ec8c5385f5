// How well the GPUs are: GET /api/v1/gpu/health.
#pragma once

#include <span>

#include "handlers/api.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

void GetGpuHealth(const CallPtr& call);
std::span<const ParameterSpec> GpuHealthParameters();

// For the OpenAPI document.
std::span<const wire::Column> HealthColumns();

}  // namespace gpumon::handlers
