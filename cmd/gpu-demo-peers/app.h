// gpu-demo-peers: stand-ins for the systems that others run beside their GPUs.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "internal/config/options.h"

namespace gpumon::demo {

// The whole program: serves until SIGTERM or SIGINT. The exit code: 0 after a signal, --help or
// --version; 1 when it cannot listen or `out` takes no more; 2 for wrong options, with one line on
// `err`. While it serves, those two signals are blocked in this thread and every thread it starts.
int Run(std::span<const std::string> arguments, const config::Environment& environment,
        std::ostream& out, std::ostream& err);

}  // namespace gpumon::demo
