#include "internal/base/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

extern char** environ;

namespace gpumon {
namespace {

// How long nobody looks whether the program has ended while it prints nothing.
constexpr Millis kLook{20};

// What one descriptor of the program gives.
class Stream {
 public:
  Stream() = default;
  ~Stream() {
    CloseOurs();
    CloseTheirs();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // 0, or why not.
  int Open() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) return errno;
    return fcntl(ends_[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
  }
  int ours() const { return ends_[0]; }
  int theirs() const { return ends_[1]; }
  void CloseTheirs() { Close(ends_[1]); }
  std::string& text() { return text_; }

  // All that can be had without waiting.
  void Read(std::size_t most_bytes) {
    std::array<char, 4096> buffer;
    while (ours() >= 0 && text_.size() <= most_bytes) {
      const ssize_t count = read(ours(), buffer.data(), buffer.size());
      if (count > 0) {
        text_.append(buffer.data(), static_cast<std::size_t>(count));
      } else if (count < 0 && errno == EINTR) {
        continue;
      } else {
        if (count == 0 || errno != EAGAIN) CloseOurs();
        return;
      }
    }
  }

 private:
  void CloseOurs() { Close(ends_[0]); }
  static void Close(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }

  std::array<int, 2> ends_{-1, -1};
  std::string text_;
};

// 0, or why there is no child.
int Spawn(const std::vector<std::string>& command, const Stream& out, const Stream& err,
          pid_t& pid) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out.theirs(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err.theirs(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Signals that this program blocks or ignores are the child's to have.
  sigset_t none;
  sigemptyset(&none);
  sigset_t ignored;
  sigemptyset(&ignored);
  sigaddset(&ignored, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &ignored);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int failed =
      posix_spawnp(&pid, words[0].c_str(), &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return failed;
}

bool HasEnded(pid_t pid) {
  siginfo_t info{};
  // Not taken away yet: while it is there its number is nobody else's.
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid == pid;
}

// Kills what is left of the group. The child's exit code.
int End(pid_t pid) {
  kill(-pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Until the child has ended, the deadline has passed, or there is too much.
bool ReadUntilEnd(pid_t pid, std::array<Stream*, 2> streams, std::size_t most_bytes,
                  const Clock& clock, Deadline deadline) {
  bool ended = false;
  while (!ended && !deadline.Passed(clock)) {
    ended = HasEnded(pid);
    std::array<pollfd, 2> ready{};
    for (std::size_t i = 0; i < 2; ++i) ready[i] = {streams[i]->ours(), POLLIN, 0};
    const Millis wait = ended ? Millis(0) : std::min(kLook, deadline.Left(clock));
    poll(ready.data(), ready.size(), static_cast<int>(wait.count()));
    for (Stream* const stream : streams) stream->Read(most_bytes);
    for (Stream* const stream : streams) {
      if (stream->text().size() > most_bytes) return false;
    }
  }
  return ended;
}

}  // namespace

Result<ProgramAnswer> RunProgram(const std::vector<std::string>& command, const Clock& clock,
                                 Deadline deadline, std::size_t most_bytes) {
  const std::string& name = command.at(0);
  const auto because = [&name](Code code, int reason) {
    return Error(code, name + ": " + std::generic_category().message(reason));
  };
  Stream out;
  Stream err;
  for (Stream* const stream : {&out, &err}) {
    if (const int failed = stream->Open(); failed != 0) return because(Code::kInternal, failed);
  }
  pid_t pid = -1;
  const int failed = Spawn(command, out, err, pid);
  if (failed == ENOENT || failed == ENOTDIR) {
    return Error(Code::kNotFound, name + (name.find('/') == std::string::npos ? " is not in PATH"
                                                                              : " is not there"));
  }
  if (failed == EACCES) return because(Code::kNotFound, failed);
  if (failed != 0) return because(Code::kInternal, failed);
  out.CloseTheirs();
  err.CloseTheirs();
  const bool ended = ReadUntilEnd(pid, {&out, &err}, most_bytes, clock, deadline);
  const int exit_code = End(pid);
  if (ended) return ProgramAnswer{exit_code, std::move(out.text()), std::move(err.text())};
  if (out.text().size() > most_bytes || err.text().size() > most_bytes) {
    return Error(Code::kUpstreamTooLarge,
                 name + " printed more than " + std::to_string(most_bytes) + " bytes");
  }
  return Error(Code::kUpstreamTimeout, name + " did not end in time");
}

}  // namespace gpumon
