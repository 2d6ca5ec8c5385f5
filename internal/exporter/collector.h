// Where the exporter's numbers come from.
#pragma once

#include <string>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::exporter {

// A source of metric families. The synthetic fleet is one (demo_collector.h); a collector that
// reads the GPUs of this machine through NVML takes the same place and writes the same families.
// Thread-safe.
class Collector {
 public:
  virtual ~Collector() = default;
  // Appends the families in text format 0.0.4 to `out`: each family once, its samples together.
  // May take seconds: never call it on a server thread. On an error `out` is worthless.
  virtual Result<void> Collect(WallTime at, std::string& out) const = 0;
};

}  // namespace gpumon::exporter
