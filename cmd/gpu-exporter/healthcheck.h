// gpu-exporter --healthcheck: asks the exporter on this machine, for container runtimes.
#pragma once

#include <iosfwd>

#include "internal/config/options.h"

namespace gpumon::exporter {

// `values` were parsed from OptionRows() and have --healthcheck. 0 when the exporter that listens
// where they say answers 200 to its path, else 1 with one line on `err`. Takes at most 5 s.
int CheckHealth(const config::Values& values, std::ostream& err);

}  // namespace gpumon::exporter
