// The document's own example, and how tests ask a probe.
#pragma once

#include <string>
#include <utility>

#include "internal/base/clock.h"
#include "internal/base/text.h"
#include "internal/checks/report.h"

namespace gpumon::checks {

inline Done Row(std::string name, Status status, int ms, std::string details,
                std::string error = {}) {
  Done done;
  done.name = std::move(name);
  done.outcome.status = status;
  done.outcome.details = std::move(details);
  done.outcome.error = std::move(error);
  done.took = Millis(ms);
  done.at = *ParseTime("2025-07-28T10:30:00Z");
  return done;
}

// Six of its ten rows are shown there, beside the numbers of all.
inline Report DocumentReport() {
  Report report;
  report.at = *ParseTime("2025-07-28T10:30:00Z");
  report.overall = Status::kHealthy;
  report.counts = {9, 1, 0, 0};
  report.checks = {
      Row("backend.ai-halfstack-postgres-1", Status::kHealthy, 45,
          "Running since 2025-07-28T08:00"),
      Row("backend.ai-halfstack-redis-1", Status::kHealthy, 32, "Running since 2025-07-28T08:00"),
      Row("PostgreSQL", Status::kHealthy, 125, "Connected - PostgreSQL 15.3"),
      Row("Redis", Status::kHealthy, 18, "PING successful"),
      Row("Manager API", Status::kUnhealthy, 5000, "Connection refused",
          "Manager API: Connection refused"),
      Row("NVIDIA GPU 0", Status::kHealthy, 156, "RTX 4090 - GPU: 45%, Mem: 12.5%"),
  };
  return report;
}

// What `probe` says within so many milliseconds, which are long for a test that waits for none.
inline Outcome Ask(const Probe& probe, int ms = 20'000) {
  const SystemClock clock;
  return probe(clock, Deadline::After(clock, Millis(ms)));
}

}  // namespace gpumon::checks
