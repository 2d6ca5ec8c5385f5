// Arguments without a flag.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "internal/config/options.h"

namespace gpumon::ctl {

// The first argument that is neither a flag nor a flag's value becomes `flag`'s value, so that
// config::Parse, which knows flags alone, can read it; where `flag` is a list all such arguments
// do. `flag` is one of `rows`; "": nothing is changed.
std::vector<std::string> WithOperand(std::vector<std::string> arguments, std::string_view flag,
                                     config::Rows rows);

}  // namespace gpumon::ctl
