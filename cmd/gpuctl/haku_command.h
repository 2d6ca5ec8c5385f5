// What a HakuRiver task runs, as it is shown.
#pragma once

#include <string>

#include "internal/hakuriver/models.h"

namespace gpumon::ctl {

// The command and its arguments, with `***` for what looks like a secret.
std::string CommandLineOf(const hakuriver::Task& task);

// With `***` for them in the command and in each argument; where it cannot be told in which they
// are, for each of those that it may be.
hakuriver::Task WithoutSecrets(hakuriver::Task task);

}  // namespace gpumon::ctl
