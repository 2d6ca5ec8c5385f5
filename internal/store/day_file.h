// The files of a store: one for each UTC day of its snapshots' times.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::store {

using Day = std::chrono::sys_days;

Day DayOf(WallTime time);

// "health-metrics-20260301.jsonl"; with `compressed` ".gz" behind it.
std::string DayFileName(Day day, bool compressed);
struct DayFile {
  Day day;
  bool compressed = false;
};
// Nothing for any other name.
std::optional<DayFile> ParseDayFileName(std::string_view name);

// What there is in `folder`, by day; the plain one of a day first. An error says why the folder
// cannot be read; a folder that is not there is kNotFound.
Result<std::vector<DayFile>> ListDayFiles(const std::string& folder);

// "ENOSPC" in words: "No space left on device".
std::string ReasonOf(int error_number);

// A file descriptor that closes.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = other.Release();
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int Release();
  void Close();

 private:
  int fd_;
};

// All of `bytes`; else errno says why not, and some of them may have been written.
bool WriteAll(int fd, std::string_view bytes);

// Writes a whole new file that is there with all of `bytes` or not at all, whatever happens. The
// error's message is the reason.
Result<void> WriteWhole(const std::string& folder, const std::string& name, std::string_view bytes);
// Makes the names in it last.
bool SyncFolder(const std::string& folder);

}  // namespace gpumon::store
