#include "internal/base/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <ostream>
#include <string_view>
#include <system_error>

#include "internal/base/log.h"
#include "internal/base/regular_file.h"

namespace gpumon {
namespace {

// How long a failed start waits for the log's reader.
constexpr Millis kLastLines{100};

tl::unexpected<Status> WrongPortFile(const std::string& path, const std::string& why,
                                     std::string_view next_step) {
  return Error(Code::kInvalidParameter,
               "--port-file: " + path + " " + why + "; " + std::string(next_step));
}

tl::unexpected<Status> UnwritablePortFile(const std::string& path, int reason) {
  return WrongPortFile(path, "cannot be written: " + std::generic_category().message(reason),
                       "name a file in a folder that this user may write");
}

// The new file would take the place of what is there: a device's, a pipe's that somebody reads, a
// link's.
Result<void> CheckReplaceable(const std::string& path) {
  struct stat there {};
  if (lstat(path.c_str(), &there) != 0 || S_ISREG(there.st_mode)) return {};
  return WrongPortFile(path, "is " + std::string(KindOfFile(there.st_mode)),
                       "name a new file, or a regular one that may be replaced");
}

std::string UnfinishedName(const std::string& path) {
  return path + ".tmp";
}

bool MakesRoom(mode_t mode) {
  return S_ISREG(mode) || S_ISLNK(mode);
}

// Whether the file's folder is like /tmp, and the file another user's: then it stays.
bool MustStay(const struct stat& folder, const struct stat& file) {
  const uid_t user = geteuid();
  return (folder.st_mode & S_ISVTX) != 0 && user != 0 && user != folder.st_uid &&
         user != file.st_uid;
}

// For writing; what an earlier run left unfinished makes room, anything else is nobody's to touch.
int OpenNew(const std::string& path) {
  struct stat there {};
  if (lstat(path.c_str(), &there) == 0 && MakesRoom(there.st_mode)) {
    unlink(path.c_str());
  }
  constexpr mode_t kAsUmaskAllows = 0666;
  return open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kAsUmaskAllows);
}

}  // namespace

// Nothing is initialised when this runs first: neither libraries nor sanitizers.
__attribute__((no_sanitize("address", "thread", "undefined"))) void OpenStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The lowest number that is free, and those below are taken. Who closed standard output learns
    // that nothing was written.
    const int mode = fd == STDOUT_FILENO ? O_RDONLY : O_RDWR;
    if (syscall(SYS_fcntl, fd, F_GETFD) < 0) syscall(SYS_openat, AT_FDCWD, "/dev/null", mode);
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

Result<void> CheckPortFile(const std::string& path) {
  if (auto replaceable = CheckReplaceable(path); !replaceable) return replaceable;
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash) + "/.";
  const std::string unfinished = UnfinishedName(path);
  struct stat above {};
  struct stat there {};
  if (stat(folder.c_str(), &above) != 0) return UnwritablePortFile(path, errno);
  if (lstat(unfinished.c_str(), &there) == 0) {
    if (!MakesRoom(there.st_mode) || MustStay(above, there)) {
      return UnwritablePortFile(path, EEXIST);
    }
  } else if (errno != ENOENT) {
    return UnwritablePortFile(path, errno);
  }
  if (faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return UnwritablePortFile(path, errno);
  }
  if (lstat(path.c_str(), &there) == 0 && MustStay(above, there)) {
    return UnwritablePortFile(path, EPERM);
  }
  return {};
}

Result<void> WritePortFile(const std::string& path, std::uint16_t port) {
  if (auto replaceable = CheckReplaceable(path); !replaceable) return replaceable;
  const std::string unfinished = UnfinishedName(path);
  const std::string text = std::to_string(port) + "\n";
  const int fd = OpenNew(unfinished);
  int reason = fd < 0 ? errno : 0;
  if (fd >= 0) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count != static_cast<ssize_t>(text.size())) reason = count < 0 ? errno : ENOSPC;
    if (close(fd) != 0 && reason == 0) reason = errno;
    if (reason == 0 && std::rename(unfinished.c_str(), path.c_str()) != 0) reason = errno;
    if (reason != 0) std::remove(unfinished.c_str());
  }
  if (reason == 0) return {};
  return UnwritablePortFile(path, reason);
}

}  // namespace gpumon
