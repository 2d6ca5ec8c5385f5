// One thing that is checked, and what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"

namespace gpumon::checks {

enum class Status : std::uint8_t { kHealthy, kDegraded, kUnhealthy, kUnknown };
std::string_view NameOf(Status status);  // "Healthy"

struct Outcome {
  Status status = Status::kUnknown;
  std::string details;  // one line, for people: "Connected - PostgreSQL 15.3"
  std::string error;    // one line, no secret: why it is not healthy; "" while it is
  std::string hint;     // the next step; "" where there is none
  // What was tried, one line each, for --verbose and LOG_LEVEL=debug; no secrets.
  std::vector<std::string> steps;
  std::vector<std::string> log_lines;  // the last ones of a container that is not healthy
  std::string extra;                   // a JSON object with more for machines, or ""
};

// Blocks its thread until the deadline at most; throws nothing. What it leaves open it closes.
using Probe = std::function<Outcome(const Clock& clock, Deadline deadline)>;

struct Check {
  std::string name;  // "PostgreSQL", as shown
  Probe probe;
};

// A check that has ended.
struct Done {
  std::string name;
  Outcome outcome;
  Millis took{0};
  WallTime at{};  // when it ended
};

}  // namespace gpumon::checks
