// A report as people read it.
#pragma once

#include <string>

#include "internal/checks/report.h"

namespace gpumon::checks {

struct Style {
  bool colour = false;
  bool verbose = false;  // beneath: why each check that is not healthy is not, and what was tried
};

// No control character of a checked system reaches the text; times are in UTC. It ends with a line
// feed.
std::string TableText(const Report& report, const Style& style);
// A line for each check between the time and the summary.
std::string SummaryText(const Report& report, const Style& style);

}  // namespace gpumon::checks
