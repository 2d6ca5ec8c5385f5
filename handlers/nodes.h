// Machines with GPUs: GET /api/v1/gpu/nodes and /nodes/{node}.
#pragma once

#include <span>

#include "handlers/api.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

void GetNodes(const CallPtr& call);
void GetNode(const CallPtr& call);

std::span<const ParameterSpec> NodeListParameters();
std::span<const ParameterSpec> NodeParameters();

// For the OpenAPI document.
std::span<const wire::Column> NodeColumns();

}  // namespace gpumon::handlers
