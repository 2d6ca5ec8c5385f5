// GET /api/v1/debug/join: how one row came about.
#pragma once

#include <span>

#include "handlers/api.h"

namespace gpumon::handlers {

void GetJoin(const CallPtr& call);

std::span<const ParameterSpec> JoinParameters();

}  // namespace gpumon::handlers
