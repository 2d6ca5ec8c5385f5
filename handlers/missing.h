// GET /api/v1/gpu/missing
#pragma once

#include <span>

#include "handlers/api.h"
#include "handlers/parameters.h"

namespace gpumon::handlers {

// GPUs that a window showed and its end does not: since when, whose they were, and why.
void GetMissing(const CallPtr& call);
std::span<const ParameterSpec> MissingParameters();

}  // namespace gpumon::handlers
