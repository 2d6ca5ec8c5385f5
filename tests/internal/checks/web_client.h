// A client of real sockets for tests of probes.
#pragma once

#include <memory>

#include "internal/fetch/client.h"

namespace gpumon::checks {

inline std::shared_ptr<fetch::Client> RealClient() {
  static const SystemClock kClock;
  fetch::ClientOptions options;
  options.connect_timeout = Millis(20'000);
  return std::shared_ptr<fetch::Client>(fetch::MakeClient(options, kClock)->release());
}

}  // namespace gpumon::checks
