// How Prometheus can fail, and what a client is then told.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <vector>

#include "internal/base/clock.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/fault/reply.h"

namespace gpumon::e2e {

// Stands in answers of the upstream and must be in none of ours.
inline constexpr char kUpstreamText[] = "words-of-the-upstream";

// How the port of a Prometheus is.
enum class Port { kOpen, kDown, kDropsPackets };

struct UpstreamFault {
  int row;  // of the fault matrix, see fault_matrix_test.cc
  const char* name;
  fault::Reply reply;
  int status;
  const char* code;
  const char* retry_after = "";
  std::size_t max_attempts = 2;
  Port port = Port::kOpen;
  Millis limit{1300};  // of the answer, where PROMETHEUS_TIMEOUT is 600 ms or nothing hangs
};
std::ostream& operator<<(std::ostream& out, const UpstreamFault& fault);

// From now on `server` has the fault.
void Inject(fault::FaultServer& server, const UpstreamFault& fault);

// Connections and HTTP: hanging, cut, refused, redirected.
std::vector<UpstreamFault> TransportFaults();
// Whole answers that are no answer to a query.
std::vector<UpstreamFault> ContentFaults();

}  // namespace gpumon::e2e
