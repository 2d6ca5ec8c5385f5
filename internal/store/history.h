// What stored snapshots say together: the answer behind /api/v1/gpu/health/history.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/store/reader.h"

namespace gpumon::store {

struct HistoryQuery {
  std::string task;  // exact or with `*`; "" any
  std::string node;  // likewise, of the instance
  WallTime from{};
  WallTime to{};
  double healthy = 0.8;     // scores below are an unhealthy period
  std::size_t limit = 100;  // lines that are kept, counted back from the newest
  std::size_t offset = 0;   // so many of the newest are left out
  // Their bytes together; the oldest give way.
  std::size_t max_bytes = std::size_t{32} << 20U;
};

struct History {
  std::size_t snapshot_count = 0;  // in the whole window
  std::size_t task_count = 0;
  std::optional<double> current;  // of the newest; the average where several have its time
  std::optional<double> average;
  std::optional<double> min;
  std::optional<double> max;
  std::int64_t gpu_count = 0;         // the most in one task's snapshot; of several tasks in
                                      // those of one time together
  std::size_t critical_events = 0;    // snapshots with an error event
  std::size_t unhealthy_periods = 0;  // of each task: from healthy, or the start, to not
  std::vector<std::string> lines;     // of the page, the newest last
  std::size_t cut = 0;                // of the page, left out for max_bytes
  ReadReport report;
};

// Reads all of the window; `alive` and errors are as of ReadLines. Memory: the page, and 40 bytes
// for each snapshot of one day.
Result<History> ReadHistory(const std::string& folder, const HistoryQuery& query,
                            const std::function<bool()>& alive);

}  // namespace gpumon::store
