#include "internal/base/line_writer.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace gpumon {
namespace {

// A buffer that a burst has made larger is given back.
constexpr std::size_t kKeptBytes = std::size_t{64} << 10U;

std::uint64_t CountLines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// Whole lines that a pipe takes in one piece, so that they never mix with those of another process
// that shares it; or one longer line.
std::string_view FirstPiece(std::string_view lines) {
  if (lines.size() <= PIPE_BUF) return lines;
  std::size_t last = lines.rfind('\n', PIPE_BUF - 1);
  if (last == std::string_view::npos) last = std::min(lines.find('\n'), lines.size() - 1);
  return lines.substr(0, last + 1);
}

// False, and `torn`, when only a part of it was written.
bool WriteAll(int fd, std::string_view text, bool& torn) {
  const std::size_t size = text.size();
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      // Another process that shares it may have made it non-blocking.
      pollfd room{fd, POLLOUT, 0};
      poll(&room, 1, -1);
    } else if (written == 0 || errno != EINTR) {
      torn |= text.size() < size;
      return false;
    }
  }
  return true;
}

}  // namespace

LineWriter::LineWriter(int fd, std::size_t most_bytes, Note note)
    : fd_(fd), most_bytes_(most_bytes), note_(note) {}

LineWriter::~LineWriter() {
  std::thread thread;
  {
    MutexLock lock(mutex_);
    ending_ = true;
    thread.swap(thread_);
    ready_.NotifyOne();
  }
  if (thread.joinable()) thread.join();
}

void LineWriter::Write(std::string_view line) {
  MutexLock lock(mutex_);
  const bool room = missing_ == 0 && waiting_.size() + line.size() <= most_bytes_;
  if (!room && !waiting_.empty()) {
    ++missing_;
    ++dropped_;
    return;
  }
  const bool first = waiting_.empty();
  waiting_ += line;
  ++accepted_lines_;
  if (!thread_.joinable() && !Start()) return;  // the next line tries again
  if (first) ready_.NotifyOne();
}

bool LineWriter::Flush(Millis limit) {
  const SteadyTime until = std::chrono::steady_clock::now() + limit;
  MutexLock lock(mutex_);
  const std::uint64_t wanted = accepted_lines_;
  while (written_lines_ < wanted) {
    if (!written_.WaitUntil(mutex_, until)) return written_lines_ >= wanted;
  }
  return true;
}

bool LineWriter::Start() {
  // No signal is this thread's: not those that end the process, nor SIGPIPE when the reader is
  // gone.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = true;
  try {
    thread_ = std::thread([this] { Run(); });
    pthread_setname_np(thread_.native_handle(), "log");
  } catch (const std::system_error&) {
    started = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void LineWriter::Run() {
  std::string batch;
  std::uint64_t missing = 0;
  while (Take(batch, missing)) {
    missing += WriteOut(batch);
    if (missing > 0 && WriteLines(note_(missing))) missing = 0;
    batch.clear();
    if (batch.capacity() > kKeptBytes) std::string().swap(batch);
  }
}

bool LineWriter::Take(std::string& batch, std::uint64_t& missing) {
  MutexLock lock(mutex_);
  written_lines_ = taken_lines_;
  written_.NotifyAll();
  while (waiting_.empty()) {
    if (ending_) return false;
    ready_.Wait(mutex_);
  }
  batch.swap(waiting_);
  missing += std::exchange(missing_, 0);
  taken_lines_ = accepted_lines_;
  return true;
}

// A line that a full disk has cut ends where it is.
bool LineWriter::WriteLines(std::string_view lines) {
  if (torn_) {
    bool again = false;
    if (!WriteAll(fd_, "\n", again)) return false;
    torn_ = false;
  }
  return WriteAll(fd_, lines, torn_);
}

std::uint64_t LineWriter::WriteOut(std::string_view lines) {
  std::uint64_t lost = 0;
  while (!lines.empty()) {
    const std::string_view piece = FirstPiece(lines);
    if (!WriteLines(piece)) lost += CountLines(piece);
    lines.remove_prefix(piece.size());
  }
  dropped_ += lost;
  return lost;
}

}  // namespace gpumon
