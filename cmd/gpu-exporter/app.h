// gpu-exporter: publishes GPU metrics for Prometheus.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "internal/config/options.h"

namespace gpumon::exporter {

// The whole program: serves until SIGTERM or SIGINT, or with --past writes to `out` and ends. The
// exit code: 0 after a signal, --past, --help, --version or --healthcheck; 1 when it cannot listen,
// `out` takes no more or --healthcheck finds it unhealthy; 2 for wrong options, such as a port file
// that cannot be written; 3 when this machine has no NVIDIA GPU that can be read, and no --demo is
// wanted. Each with one line on `err`. While it serves, those two signals are blocked in this
// thread and every thread it starts.
int Run(std::span<const std::string> arguments, const config::Environment& environment,
        std::ostream& out, std::ostream& err);

}  // namespace gpumon::exporter
