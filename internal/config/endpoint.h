// Where a server program listens: what its options --listen-addr and --port say together.
#pragma once

#include <cstdint>
#include <string>

#include "internal/base/result.h"
#include "internal/config/options.h"

namespace gpumon::config {

struct Endpoint {
  std::string host;  // IPv4 or IPv6 literal
  std::uint16_t port = 0;
};

// `values` have both options. A port in the address counts, unless another one was given.
Result<Endpoint> ReadEndpoint(const Values& values);

}  // namespace gpumon::config
