// GET /api/v1/gpu/events: what happened to GPUs in a window.
#pragma once

#include <span>

#include "handlers/api.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

void GetEvents(const CallPtr& call);

std::span<const ParameterSpec> EventParameters();
std::span<const wire::Column> EventColumns();

}  // namespace gpumon::handlers
