#include "tests/fakes/process/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace gpumon::process {
namespace {

std::vector<std::string> EnvironmentOf(const Environment& wanted) {
  std::vector<std::string> all;
  for (const char* name :
       {"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
        "TSAN_OPTIONS", "LSAN_OPTIONS", "GCOV_PREFIX", "GCOV_PREFIX_STRIP"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && wanted.count(name) == 0) all.push_back(std::string(name) + '=' + value);
  }
  for (const auto& [name, value] : wanted) all.push_back(name + '=' + value);
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

ChildProcess::ChildProcess(const std::string& program, std::vector<std::string> arguments,
                           const Environment& environment, int errors_fd)
    : output_file_(directory_.File("out")), errors_file_(directory_.File("err")) {
  arguments.insert(arguments.begin(), program);
  auto variables = EnvironmentOf(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const int flags = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output_file_.c_str(), flags, 0600);
  if (errors_fd >= 0) {
    posix_spawn_file_actions_adddup2(&actions, errors_fd, 2);
  } else {
    posix_spawn_file_actions_addopen(&actions, 2, errors_file_.c_str(), flags, 0600);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  const int failed = posix_spawn(&pid_, program.c_str(), &actions, &attributes,
                                 Pointers(arguments).data(), Pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " + program);
  exited_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (exited_ < 0) throw std::runtime_error("pidfd_open");
}

ChildProcess::~ChildProcess() {
  if (!ended_) {
    kill(pid_, SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
  }
  close(exited_);
}

void ChildProcess::Signal(int signal) const {
  if (!ended_) kill(pid_, signal);
}

void ChildProcess::SignalAll(int signal) const {
  if (!ended_) kill(-pid_, signal);
}

bool ChildProcess::Running() const {
  pollfd exited{exited_, POLLIN, 0};
  return !ended_ && poll(&exited, 1, 0) == 0;
}

std::optional<Ended> ChildProcess::Wait(Millis limit) {
  if (ended_) return ended_;
  pollfd exited{exited_, POLLIN, 0};
  if (poll(&exited, 1, static_cast<int>(Scaled(limit).count())) != 1) return std::nullopt;
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) throw std::runtime_error("waitpid");
  ended_.emplace();
  if (WIFEXITED(status)) ended_->exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended_->signal = WTERMSIG(status);
  return ended_;
}

bool ChildProcess::AwaitErrors(const std::string& text, Millis limit) const {
  bool ended = false;
  WaitUntil(
      [&] {
        ended = !Running();
        return ended || Errors().find(text) != std::string::npos;
      },
      limit);
  return Errors().find(text) != std::string::npos;
}

Finished Run(const std::string& program, const std::vector<std::string>& arguments,
             const Environment& environment, Millis limit) {
  ChildProcess child(program, arguments, environment);
  const auto ended = child.Wait(limit);
  return {ended ? ended->exit_code : -1, child.Output(), child.Errors()};
}

}  // namespace gpumon::process
