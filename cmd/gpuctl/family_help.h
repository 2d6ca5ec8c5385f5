// The help of commands that share their first word.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cmd/gpuctl/app.h"

namespace gpumon::ctl {

// What gpuctl FAMILY --help prints: each of its commands, then what their own help says, once. A
// flag that not all of them take says which do.
std::string FamilyHelp(std::span<const Command> commands, std::string_view family);

}  // namespace gpumon::ctl
