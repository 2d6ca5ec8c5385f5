// GET /api/v1/gpu/schema: where the data comes from.
#pragma once

#include "handlers/api.h"

namespace gpumon::handlers {

void GetSchema(const CallPtr& call);

}  // namespace gpumon::handlers
