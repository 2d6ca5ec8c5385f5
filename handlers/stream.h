// GET /api/v1/gpu/stream.
#pragma once

#include <span>

#include "handlers/api.h"
#include "handlers/parameters.h"

namespace gpumon::handlers {

void GetStream(const CallPtr& call);
std::span<const ParameterSpec> StreamParameters();

}  // namespace gpumon::handlers
