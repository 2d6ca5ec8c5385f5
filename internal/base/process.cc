#include "internal/base/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <ostream>
#include <system_error>

#include "internal/base/log.h"

namespace gpumon {
namespace {

// How long a failed start waits for the log's reader.
constexpr Millis kLastLines{100};

}  // namespace

// Nothing is initialised when this runs first: neither libraries nor sanitizers.
__attribute__((no_sanitize("address", "thread", "undefined"))) void OpenStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The lowest number that is free, and those below are taken.
    if (syscall(SYS_fcntl, fd, F_GETFD) < 0) syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
  }
}
// https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html#init_fini
__attribute__((section(".preinit_array"),
               used)) void (*const kBeforeLibraries)() = OpenStandardDescriptors;

EndingSignals::EndingSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

int EndingSignals::Await(Millis wait) const {
  timespec timeout{};
  timeout.tv_sec = wait.count() / 1000;
  timeout.tv_nsec = (wait.count() % 1000) * 1'000'000;
  const int signal = sigtimedwait(&signals_, nullptr, &timeout);
  return signal > 0 ? signal : 0;
}

int EndingSignals::Await() const {
  int signal = 0;
  sigwait(&signals_, &signal);
  return signal;
}

void EndingSignals::Release() const {
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
}

void EndingSignals::EndAtOnceOnNext() const {
  struct sigaction end {};
  end.sa_handler = [](int) { _exit(1); };
  for (const int signal : {SIGTERM, SIGINT}) sigaction(signal, &end, nullptr);
  Release();
}

int FailStart(const EndingSignals& signals, std::string_view program, const Status& why, int code,
              std::ostream& err) {
  signals.Release();
  log::Flush(kLastLines);
  err << program << ": " << why.message << '\n';
  return code;
}

bool IsWritten(std::ostream& out) {
  return static_cast<bool>(out.flush());
}

Result<void> WritePortFile(const std::string& path, std::uint16_t port) {
  const std::string unfinished = path + ".tmp";
  errno = 0;
  bool opened = false;
  bool written = false;
  {
    std::ofstream file(unfinished, std::ios::trunc);
    opened = file.is_open();
    file << port << '\n';
    written = static_cast<bool>(file.flush());
  }
  if (written && std::rename(unfinished.c_str(), path.c_str()) == 0) return {};
  const int reason = errno == 0 ? EIO : errno;
  if (opened) std::remove(unfinished.c_str());
  return Error(Code::kInvalidParameter, "--port-file: " + path + " cannot be written: " +
                                            std::generic_category().message(reason) +
                                            "; name a file in a folder that this user may write");
}

}  // namespace gpumon
