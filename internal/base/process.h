// What a server program does with its process: the signals that end it, its port file.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon {

// SIGTERM and SIGINT as values instead of interruptions. Make one before any thread starts: they
// are blocked in this thread and every thread it starts.
class EndingSignals {
 public:
  EndingSignals();
  // The signal that came within `wait`, or 0.
  int Await(Millis wait) const;
  // Blocks until one comes.
  int Await() const;

 private:
  sigset_t signals_;
};

// Writes "PORT\n"; whoever waits for the file never sees half a number. kInvalidParameter, saying
// of `path` why it cannot be written; then nothing is left behind.
Result<void> WritePortFile(const std::string& path, std::uint16_t port);

}  // namespace gpumon
