// gpu-monitoring-api collect: snapshots of health, stored and sent.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "internal/config/options.h"

namespace gpumon::api {

// The whole program behind the word `collect`: collects until SIGTERM or SIGINT, then sends what
// waits, for some seconds at most. The exit code: 0 after a signal, --help, --version, when health
// monitoring is off, or after a good --once; 1 when another collector has the folder, or --once
// collected or stored nothing; 2 for wrong options, with one line on `err`.
int Collect(std::span<const std::string> arguments, const config::Environment& environment,
            std::ostream& out, std::ostream& err);

}  // namespace gpumon::api
