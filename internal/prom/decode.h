// Reads an answer of /api/v1/query or /api/v1/query_range.
#pragma once

#include <string>

#include "internal/base/result.h"
#include "internal/prom/value.h"

namespace gpumon::prom {

// The body is taken over, not copied: label texts are views into it, and it is freed with the last
// copy of the result's `backing`. Bytes that are not UTF-8 become U+FFFD first, so every text in
// the result is valid UTF-8. Keys may come in any order; unknown ones are skipped. `server_time`
// is left empty.
//
// A sample whose value is not a number written as text (a native histogram, a bare number, "1e400")
// is NaN in a vector, left out of a matrix, and counted in `bad_samples`; a scalar like that is an
// error.
//
// Errors: kUpstreamInvalid (not JSON, not an answer of Prometheus, cut short). An answer with
// status "error" gives the error it stands for: kUpstreamQueryTimeout, kUpstreamRejectedQuery
// (execution, bad_data), kUpstreamNotReady (unavailable) or kUpstreamError.
Result<QueryResult> Decode(std::string body);

}  // namespace gpumon::prom
