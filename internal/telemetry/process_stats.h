// What the kernel says about this process.
#pragma once

#include <cstdint>

#include "internal/base/result.h"

namespace gpumon::telemetry {

struct ProcessStats {
  double cpu_seconds = 0;         // user and system, all threads
  double start_time_seconds = 0;  // Unix time
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_bytes = 0;       // now (VmRSS)
  std::uint64_t peak_resident_bytes = 0;  // since start (VmHWM)
  std::uint64_t threads = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;  // the soft limit
};

// Thread-safe. kUnavailable when /proc cannot be read.
Result<ProcessStats> ReadProcessStats();

}  // namespace gpumon::telemetry
