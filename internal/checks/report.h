// All checks of one round, and what they come to.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/checks/check.h"

namespace gpumon::checks {

struct StatusRow {
  Status status;
  std::string_view name;    // "Healthy"
  std::string_view mark;    // "✓"
  std::string_view colour;  // as a terminal is told
  int exit_code;            // of a check in this status; the worst one is the program's
};
const StatusRow& RowOf(Status status);
// "✓ Healthy"
std::string Marked(Status status);

struct Counts {
  std::size_t healthy = 0;
  std::size_t unhealthy = 0;
  std::size_t degraded = 0;
  std::size_t unknown = 0;

  std::size_t total() const { return healthy + unhealthy + degraded + unknown; }
};
Counts CountOf(const std::vector<Done>& checks);
// Healthy if every check is; Unknown if all are unknown, or there is none; Unhealthy if none is
// healthy and one is unhealthy; else Degraded.
Status OverallOf(const Counts& counts);
// "Health Check Summary: 9 healthy, 1 unhealthy, 0 degraded, 0 unknown out of 10 total services"
std::string SummaryLine(const Counts& counts);

struct Report {
  WallTime at{};
  Status overall = Status::kUnknown;
  Counts counts;
  std::vector<Done> checks;  // in the order of the plan
};
Report MakeReport(std::vector<Done> checks, WallTime at);

// By the worst single check: 0 all healthy, 1 one is degraded or unknown, 2 one is unhealthy. 1
// where there is no check.
int ExitCode(const Report& report);

}  // namespace gpumon::checks
