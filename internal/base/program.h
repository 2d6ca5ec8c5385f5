// Another program, run to its end under a deadline.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon {

struct ProgramAnswer {
  int exit_code = 0;  // 128 + the signal's number when a signal ended it
  std::string output;
  std::string errors;  // standard error
};

inline constexpr std::size_t kMostProgramBytes = std::size_t{4} << 20U;

// Runs `command`, whose first word is looked up in PATH unless it has a slash. It has no input, our
// environment, and a process group of its own, which is killed when it ends, when `deadline` has
// passed, and when it prints more than `most_bytes`. Blocks its thread; thread-safe.
//
// Any exit code is a success here. Errors: kNotFound (there is no such program, or none that this
// user may run), kUpstreamTimeout, kUpstreamTooLarge, kInternal. The message begins with the
// program's name.
Result<ProgramAnswer> RunProgram(const std::vector<std::string>& command, const Clock& clock,
                                 Deadline deadline, std::size_t most_bytes = kMostProgramBytes);

}  // namespace gpumon
