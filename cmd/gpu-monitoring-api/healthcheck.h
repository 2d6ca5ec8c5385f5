// gpu-monitoring-api --healthcheck: asks the server on this machine, for container runtimes.
#pragma once

#include <iosfwd>

#include "internal/config/server_options.h"

namespace gpumon::api {

// 0 when the server that these options describe answers 2xx to *config.healthcheck, else 1 with
// one line on `err`. Takes at most 5 s.
int CheckHealth(const config::ServerConfig& config, std::ostream& err);

}  // namespace gpumon::api
