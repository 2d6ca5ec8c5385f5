// What a scripted Prometheus answers for a small fleet: two nodes, two GPUs each, one process.
#pragma once

#include <cstddef>
#include <string>

#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {

inline constexpr std::size_t kScriptedGpus = 4;

// The right answer to a query of the server.
fault::Reply FleetReply(const fault::Request& request);

// `labels` without braces; `time` and `value` as Prometheus writes them.
std::string SampleText(const std::string& labels, const std::string& time,
                       const std::string& value);
// An answer of these samples, with commas between them.
fault::Reply VectorOf(const std::string& samples);

// Is it the reachability probe?
bool IsProbe(const fault::Request& request);
// Does it ask for the values (not the sample times) of the metric?
bool Asks(const fault::Request& request, const std::string& metric);

// How many times the GPU part was refreshed: requests for its utilization.
std::size_t GpuRefreshes(const fault::FaultServer& server);

}  // namespace gpumon::e2e
