// Arguments without a flag.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "internal/config/options.h"

namespace gpumon::ctl {

// The first argument that is neither a flag nor a flag's value becomes the value of the first of
// `flags`, and so on, so that config::Parse, which knows flags alone, can read it; a flag that is a
// list takes all that are left. `flags` are of `rows`, with a blank between; "": nothing is
// changed.
std::vector<std::string> WithOperand(std::vector<std::string> arguments, std::string_view flags,
                                     config::Rows rows);

}  // namespace gpumon::ctl
