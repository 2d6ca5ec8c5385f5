// Writes snapshots to the files of their days, and keeps the folder in order.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"
#include "internal/store/day_file.h"

namespace gpumon::store {

// A line and the time that says which file it belongs to.
struct Line {
  WallTime time{};
  std::string text;  // without a line break
};

struct UpkeepReport {
  std::size_t compressed = 0;
  std::size_t deleted = 0;
  std::vector<std::string> problems;  // one for each file that could not be
};

// One process writes to a folder at a time: the first holds a lock on the folder itself, which
// needs nothing to be written. Append and Upkeep may be called from two threads.
//
// Rules of the files. A line goes to the file of the UTC day of its time. A file is as old as the
// end of its day; it is compressed when that is longer ago than so many days. The compressed file
// is whole before it has its name, and only then is the plain one removed: where both are there
// the compressed one counts, and the plain one is what a crash left behind. A line that comes late
// for a compressed day is a member of its own at the end of that file.
class Writer {
 public:
  explicit Writer(std::string folder) : folder_(std::move(folder)) {}

  // Makes the folder where it is missing, also where it went since, and takes the lock. kForbidden:
  // another process has it. Other errors may pass: Append tries again. The message names the folder
  // and the reason.
  Result<void> Open();

  // All lines of a day or, where the error says why, none of that day or of later ones: a part of
  // a line is taken back. What a crash left of a line stays one bad line.
  Result<void> Append(std::span<const Line> lines);

  // Compresses days that ended more than `compress_after` days before `now`, deletes those that
  // did more than `keep` days before. Ends early once `stop` is true.
  UpkeepReport Upkeep(WallTime now, std::chrono::days compress_after, std::chrono::days keep,
                      const std::atomic<bool>& stop);

  const std::string& folder() const { return folder_; }

 private:
  Result<void> AppendTo(Day day, const std::string& bytes) REQUIRES(mutex_);
  Result<void> Compress(Day day, const std::atomic<bool>& stop);
  std::string PathOf(Day day, bool compressed) const {
    return folder_ + '/' + DayFileName(day, compressed);
  }

  const std::string folder_;
  Mutex mutex_;
  Descriptor lock_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::store
