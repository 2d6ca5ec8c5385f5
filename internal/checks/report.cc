#include "internal/checks/report.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gpumon::checks {
namespace {

// In the order of Status.
constexpr std::array kStatuses = {
    StatusRow{Status::kHealthy, "Healthy", "✓", "\x1b[32m", 0},
    StatusRow{Status::kDegraded, "Degraded", "⚠", "\x1b[33m", 1},
    StatusRow{Status::kUnhealthy, "Unhealthy", "✗", "\x1b[31m", 2},
    StatusRow{Status::kUnknown, "Unknown", "?", "\x1b[33m", 1},
};

}  // namespace

const StatusRow& RowOf(Status status) {
  return kStatuses[static_cast<std::size_t>(status)];
}

std::string_view NameOf(Status status) {
  return RowOf(status).name;
}

std::string Marked(Status status) {
  const StatusRow& row = RowOf(status);
  return std::string(row.mark).append(" ").append(row.name);
}

Counts CountOf(const std::vector<Done>& checks) {
  const auto count = [&](Status status) {
    return static_cast<std::size_t>(
        std::count_if(checks.begin(), checks.end(),
                      [&](const Done& done) { return done.outcome.status == status; }));
  };
  return {count(Status::kHealthy), count(Status::kUnhealthy), count(Status::kDegraded),
          count(Status::kUnknown)};
}

Status OverallOf(const Counts& counts) {
  if (counts.unknown == counts.total()) return Status::kUnknown;
  if (counts.healthy == counts.total()) return Status::kHealthy;
  if (counts.healthy == 0 && counts.unhealthy > 0) return Status::kUnhealthy;
  return Status::kDegraded;
}

std::string SummaryLine(const Counts& counts) {
  return "Health Check Summary: " + std::to_string(counts.healthy) + " healthy, " +
         std::to_string(counts.unhealthy) + " unhealthy, " + std::to_string(counts.degraded) +
         " degraded, " + std::to_string(counts.unknown) + " unknown out of " +
         std::to_string(counts.total()) + " total services";
}

Report MakeReport(std::vector<Done> checks, WallTime at) {
  const Counts counts = CountOf(checks);
  return {at, OverallOf(counts), counts, std::move(checks)};
}

int ExitCode(const Report& report) {
  int code = report.checks.empty() ? RowOf(Status::kUnknown).exit_code : 0;
  for (const Done& done : report.checks) {
    code = std::max(code, RowOf(done.outcome.status).exit_code);
  }
  return code;
}

}  // namespace gpumon::checks
