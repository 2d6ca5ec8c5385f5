// From an HTTP answer to a query's result. Used inside internal/prom alone.
#pragma once

#include <string>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/fetch/client.h"
#include "internal/prom/value.h"

namespace gpumon::prom {

// Looks at the status first, then at the content type, then decodes.
//
// Errors: kUpstreamNotPrometheus (redirect, 404, not JSON), kUpstreamAuth (401, 403),
// kUpstreamThrottled (429), kUpstreamNotReady (503), kUpstreamRejectedQuery (400 or 422 in JSON),
// kUpstreamTls (a server that wants https), kUpstreamError (other failures), or Decode's. 429 and
// 503 carry retry_after_s, 1 to 60.
Result<QueryResult> ReadHttpAnswer(fetch::Response response, const Clock& clock);

// kUpstreamThrottled.
Status Throttled(std::string detail, int retry_after_s);

}  // namespace gpumon::prom
