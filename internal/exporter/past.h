// The synthetic fleet's past as an OpenMetrics text: what Prometheus would hold had it scraped the
// fleet all along, for `promtool tsdb create-blocks-from openmetrics`.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "internal/exporter/demo_collector.h"
#include "internal/exporter/fleet.h"

namespace gpumon::exporter {

// Just below the five minutes for which Prometheus takes a sample for the present. Were it above,
// there would be gaps; the further below, the longer series that have ended stay visible beside
// those that took their place, since a text cannot hold Prometheus's stale markers.
inline constexpr std::string_view kPastStep = "299s";

// All times in seconds; `end` since 1970.
struct PastOptions {
  std::int64_t end = 0;     // the last instant
  std::int64_t length = 0;  // the first instant is later than end - length
  std::int64_t step = 0;    // at least 2
  std::string job;          // the labels of the target; with honor_labels nothing else is added
  std::string instance;
};

// Writes what the fleet's page says at end, end - step, ... in the order of time, with `up` beside
// it, and `# EOF`. Counters of the nodes come at half the step, so that rate() over five minutes
// finds two samples. Left out is what never says more than something else does: the rows of
// kLeftOut in past.cc. A family comes once per instant and without metadata: promtool takes that, a
// reader that wants families together does not. Holds one instant in memory. False, at once, when
// `out` fails.
bool WritePast(const Fleet& fleet, Surroundings surroundings, std::string_view version,
               const PastOptions& options, std::ostream& out);

}  // namespace gpumon::exporter
