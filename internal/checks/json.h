// A report as machines read it.
#pragma once

#include <string>

#include "internal/checks/report.h"

namespace gpumon::checks {

// Two blanks a level, a line feed at the end. `verbose` adds members to each check that is not
// healthy: `hint`, `steps`, `logs`. A check that measured more has it as `extra`.
std::string JsonText(const Report& report, bool verbose);
// The same in one line.
std::string JsonLine(const Report& report, bool verbose);

}  // namespace gpumon::checks
