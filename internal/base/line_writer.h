// Lines on their way to a descriptor whose reader may stall: only a thread of its own waits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"

namespace gpumon {

// Thread-safe. Lines come out whole and in order.
class LineWriter {
 public:
  // The line that stands where `count` lines are missing; "" for none. Called by the thread.
  using Note = std::string (*)(std::uint64_t count);

  // Holds at most `most_bytes`, and as many again that are being written. `fd` stays the caller's.
  LineWriter(int fd, std::size_t most_bytes, Note note);
  // Waits until the reader has taken everything.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` ends with a line feed. Without room it is dropped, and so are those after it until the
  // thread has taken what waits. The first line starts the thread.
  void Write(std::string_view line) EXCLUDES(mutex_);
  // Waits until what was accepted so far is written. False when `limit` passed first.
  bool Flush(Millis limit) EXCLUDES(mutex_);
  // Lines that came out nowhere: there was no room, or the descriptor took none.
  std::uint64_t dropped() const { return dropped_; }

 private:
  bool Start() REQUIRES(mutex_);
  void Run() EXCLUDES(mutex_);
  // False when there is nothing left and nothing to come.
  bool Take(std::string& batch, std::uint64_t& missing) EXCLUDES(mutex_);
  bool WriteLines(std::string_view lines);
  // The number of lines that could not be written.
  std::uint64_t WriteOut(std::string_view lines);

  const int fd_;
  const std::size_t most_bytes_;
  const Note note_;
  std::atomic<std::uint64_t> dropped_{0};
  bool torn_ = false;  // the thread's: the last line that came out is not whole

  Mutex mutex_;
  CondVar ready_;    // lines wait, or it ends
  CondVar written_;  // a batch is out
  std::string waiting_ GUARDED_BY(mutex_);
  std::uint64_t missing_ GUARDED_BY(mutex_) = 0;  // dropped after the last line of waiting_
  std::uint64_t accepted_lines_ GUARDED_BY(mutex_) = 0;
  std::uint64_t taken_lines_ GUARDED_BY(mutex_) = 0;
  std::uint64_t written_lines_ GUARDED_BY(mutex_) = 0;
  bool ending_ GUARDED_BY(mutex_) = false;
  std::thread thread_ GUARDED_BY(mutex_);
};

}  // namespace gpumon
