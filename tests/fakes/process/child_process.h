// A real program as a child process.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/fakes/process/wait.h"

namespace gpumon::process {

struct Ended {
  int exit_code = -1;  // -1: a signal ended it
  int signal = 0;
};

// What the child gets beside the few variables every program needs (PATH, HOME, TMPDIR and the
// options of sanitizers); nothing else of our own environment reaches it.
using Environment = std::map<std::string, std::string>;

// Ends with SIGKILL when it still runs at destruction. One thread at a time, but for Signal and
// the readers.
class ChildProcess {
 public:
  // Throws std::runtime_error when `program` cannot be started. What it prints goes to files of
  // its own; with `errors_fd` what it prints to standard error goes there instead.
  ChildProcess(const std::string& program, std::vector<std::string> arguments,
               const Environment& environment = {}, int errors_fd = -1);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // To those too that it has started itself; it leads a process group.
  void SignalAll(int signal) const;
  bool Running() const;
  // How it ended; nothing when it still runs after Scaled(`limit`). Repeatable.
  std::optional<Ended> Wait(Millis limit);

  // What it printed so far.
  std::string Output() const { return ReadFile(output_file_); }
  std::string Errors() const { return ReadFile(errors_file_); }
  // Waits until Errors() holds `text`. False when it ended first or Scaled(`limit`) passed.
  bool AwaitErrors(const std::string& text, Millis limit) const;

 private:
  ScratchDirectory directory_;
  const std::string output_file_;
  const std::string errors_file_;
  pid_t pid_ = -1;
  int exited_ = -1;  // pidfd: readable once it ended
  std::optional<Ended> ended_;
};

// Runs a program to its end. Exit code -1 when Scaled(`limit`) passed first.
struct Finished {
  int exit_code = -1;
  std::string output;
  std::string errors;
};
Finished Run(const std::string& program, const std::vector<std::string>& arguments,
             const Environment& environment = {}, Millis limit = Millis(30'000));

}  // namespace gpumon::process
