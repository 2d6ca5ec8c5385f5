// Reads stored snapshots back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/store/day_file.h"

namespace gpumon::store {

// Longer lines are bad ones.
inline constexpr std::size_t kMaxLineBytes = std::size_t{16} << 20U;

struct ReadReport {
  std::size_t files = 0;
  std::size_t bad_lines = 0;          // no snapshot
  std::vector<std::string> problems;  // files that could not be read to their end
};

// What a line says of itself: enough to choose by. Views live as long as the call they are given
// to.
struct LineHead {
  WallTime time{};
  std::string_view task_id;
  std::string_view instance_id;
  bool has_score = false;
  double score = 0;  // 0..1
  std::int64_t gpus = 0;
  bool has_error_event = false;
  std::string_view text;  // the line
};

// Gives each line whose time lies in [from, to] to `visit`, in the order of days and of each file,
// until that gives false. Lines are chosen by their own time; files of the days before and behind
// are looked at too. One line is in memory at a time, plain or compressed. A line without
// `needle` in it may be passed over unread. kNotFound: there is no such folder;
// kUnavailable: it cannot be read; the message is the reason. `alive` is asked for each 64 KiB
// read; once it gives false, kOverloaded.
Result<ReadReport> ReadLines(const std::string& folder, WallTime from, WallTime to,
                             std::string_view needle, const std::function<bool()>& alive,
                             const std::function<bool(const LineHead&)>& visit);

}  // namespace gpumon::store
