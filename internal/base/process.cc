#include "internal/base/process.h"

#include <pthread.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <system_error>

namespace gpumon {

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
  return Error(Code::kInvalidParameter,
               path + " cannot be written: " + std::generic_category().message(reason) +
                   "; name a file in a folder that this user may write");
}

}  // namespace gpumon
