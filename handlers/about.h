// What the server says of itself: /, /api, /api/openapi.json, /metrics.
#pragma once

#include "handlers/api.h"

namespace gpumon::handlers {

void GetRoot(const CallPtr& call);
void GetApi(const CallPtr& call);
void GetOpenApi(const CallPtr& call);
void GetOwnMetrics(const CallPtr& call);

// The OpenAPI 3 document of the routes that exist with these settings, their parameters
// and the fields, as the code has them.
std::string OpenApiDocument(const Settings& settings);

}  // namespace gpumon::handlers
