// How Prometheus can fail, and what a client is then told.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <vector>

#include "tests/fakes/fault/reply.h"

namespace gpumon::e2e {

// Stands in answers of the upstream and must be in none of ours.
inline constexpr char kUpstreamText[] = "words-of-the-upstream";

struct UpstreamFault {
  const char* name;
  fault::Reply reply;
  int status;
  const char* code;
  const char* retry_after = "";
  std::size_t max_attempts = 2;
};
std::ostream& operator<<(std::ostream& out, const UpstreamFault& fault);

// Connections and HTTP: hanging, cut, refused, redirected.
std::vector<UpstreamFault> TransportFaults();
// Whole answers that are no answer to a query.
std::vector<UpstreamFault> ContentFaults();

}  // namespace gpumon::e2e
