// GET /api/v1/gpu/idle: who holds GPUs and does not use them.
#pragma once

#include <span>

#include "handlers/api.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

void GetIdle(const CallPtr& call);

std::span<const ParameterSpec> IdleParameters();
std::span<const wire::Column> IdleColumns();

}  // namespace gpumon::handlers
