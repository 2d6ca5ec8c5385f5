// gpu-monitoring-api: the REST API over Prometheus.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "internal/config/options.h"

namespace gpumon::api {

// The whole program: serves until SIGTERM or SIGINT. The exit code: 0 after a signal, --help,
// --version, a good --check-config or --healthcheck; 1 when it cannot serve or --healthcheck
// fails; 2 for wrong options, such as a port file that cannot be written, with one line on `err`.
// Blocks those two signals in this thread and every thread it starts. A second signal ends the
// process at once with exit code 1.
int Run(std::span<const std::string> arguments, const config::Environment& environment,
        std::ostream& out, std::ostream& err);

}  // namespace gpumon::api
