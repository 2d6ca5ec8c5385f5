// Whose the GPUs are: GET /api/v1/gpu/workloads and /users.
#pragma once

#include <span>

#include "handlers/api.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

void GetWorkloads(const CallPtr& call);
void GetUsers(const CallPtr& call);

std::span<const ParameterSpec> WorkloadParameters();
std::span<const ParameterSpec> UserParameters();

// For the OpenAPI document.
std::span<const wire::Column> WorkloadColumns();
std::span<const wire::Column> UserColumns();

}  // namespace gpumon::handlers
