// What a server program does with its process: the signals that end it, its port file.
#pragma once

#include <csignal>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon {

// Whichever of the descriptors 0 to 2 is closed becomes /dev/null. Else the next file or connection
// that is opened has its number, and is written to as the log. To write to 1 then fails, as to a
// closed one: output that was asked for is not lost in silence. A program that calls this, from
// main(), has it done before that: before the libraries it is linked with open theirs.
void OpenStandardDescriptors();

// SIGTERM and SIGINT as values instead of interruptions. Make one before any thread starts: they
// are blocked in this thread and every thread it starts.
class EndingSignals {
 public:
  EndingSignals();
  // The signal that came within `wait`, or 0.
  int Await(Millis wait) const;
  // Blocks until one comes.
  int Await() const;
  // They end the process again, as at its start.
  void Release() const;
  // The next one, and one that waits already, ends the process at once with code 1: whatever this
  // thread, which is the one that made this, waits for.
  void EndAtOnceOnNext() const;

 private:
  sigset_t signals_;
};

// Says on `err` why `program` does not start, after what was logged until now. A reader of `err`
// that is stuck holds it up, but not a signal. Returns `code`.
int FailStart(const EndingSignals& signals, std::string_view program, const Status& why, int code,
              std::ostream& err);

// False when not all of `out` went where it should; kUnwritten says so.
inline constexpr std::string_view kUnwritten =
    "not all of the output could be written; see where it goes, and whether there is room";
bool IsWritten(std::ostream& out);

// What WritePortFile() would say of `path` now, as far as that is known without writing: not
// whether there is room. Writes nothing.
Result<void> CheckPortFile(const std::string& path);

// Writes "PORT\n" for --port-file; whoever waits for the file never sees half a number. Only a
// regular file is replaced: what `path` names else, a link too, stays as it is.
// kInvalidParameter, saying of `path` why it cannot be written; then nothing is left behind.
Result<void> WritePortFile(const std::string& path, std::uint16_t port);

}  // namespace gpumon
