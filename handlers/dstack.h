// GET /health: the BackendInfo of a DStack host, bare.
#pragma once

#include "handlers/api.h"

namespace gpumon::handlers {

void GetBackendInfo(const CallPtr& call);

}  // namespace gpumon::handlers
