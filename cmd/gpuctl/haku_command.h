// What a HakuRiver task runs, as it is shown.
#pragma once

#include <string>

#include "internal/hakuriver/models.h"

namespace gpumon::ctl {

// The command and its arguments, with `***` for what looks like a secret.
std::string CommandLineOf(const hakuriver::Task& task);

// A task with a secret in its command line has that line as its command, and no arguments.
hakuriver::Task WithoutSecrets(hakuriver::Task task);

}  // namespace gpumon::ctl
