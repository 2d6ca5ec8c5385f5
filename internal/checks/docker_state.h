// What the Docker Engine's answers say of one container.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "internal/checks/check.h"
#include "internal/json/document.h"

namespace gpumon::checks {

// `inspected` is the answer to /containers/{id}/json. Judged by State.Status, then by
// State.Health.Status, each as a whole word: a container that restarts or is paused has
// `Running: true`. Unknown when the words are others, or are not there.
Outcome JudgeContainer(const json::Value& inspected, const std::string& name);

// The last `most` lines of the answer to /containers/{id}/logs: frames of standard output and
// error, or plain text of a container with a terminal. Long lines are cut.
std::vector<std::string> LogLines(std::string_view stream, std::size_t most);

}  // namespace gpumon::checks
