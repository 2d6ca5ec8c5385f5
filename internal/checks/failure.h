// What the checks say when something does not work.
#pragma once

#include <string>
#include <string_view>

#include "internal/base/clock.h"
#include "internal/checks/check.h"

namespace gpumon::checks {

// "No answer within 30 s", "No answer within 250 ms"
std::string NoAnswerWithin(Millis limit);

// An outcome that is not healthy. `why` is one clause, which becomes the details with a capital
// letter, and the error behind `what`: "etcd: connection refused".
Outcome Failed(Status status, std::string_view what, std::string_view why, std::string_view hint);

}  // namespace gpumon::checks
