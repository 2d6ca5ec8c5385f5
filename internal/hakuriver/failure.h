// What went wrong, in one sentence. Used inside internal/hakuriver alone.
#pragma once

#include <string>

#include "internal/base/result.h"
#include "internal/hakuriver/dialect.h"

namespace gpumon::hakuriver {

// No whole answer came; `why` is the fetch client's.
Status Unreached(const std::string& name, const Status& why);
// An answer that is no success.
Status FailureOf(const std::string& name, const Call& call, const fetch::Response& response);
// An answer that cannot be read; `what` is a clause: "its nodes are no list".
Status Unreadable(const std::string& name, std::string what);

}  // namespace gpumon::hakuriver
