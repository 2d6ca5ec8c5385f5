// One HTTP request, waited for.
#pragma once

#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/checks/check.h"
#include "internal/fetch/client.h"

namespace gpumon::checks {

// What a check reads of a service at most.
inline constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

// Blocks until the answer or the deadline; adds to `steps` what was asked and what came, without
// credentials. Any HTTP status is an answer. The error is one clause: "Connection refused", "No
// answer within 30 s".
Result<fetch::Response> Ask(fetch::Client& client, fetch::Request request, const Clock& clock,
                            Deadline deadline, std::vector<std::string>& steps);

}  // namespace gpumon::checks
