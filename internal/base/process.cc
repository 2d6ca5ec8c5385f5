#include "internal/base/process.h"

#include <pthread.h>

#include <cstdio>
#include <ctime>
#include <fstream>

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

bool WritePortFile(const std::string& path, std::uint16_t port) {
  const std::string unfinished = path + ".tmp";
  {
    std::ofstream file(unfinished, std::ios::trunc);
    file << port << '\n';
    if (!file.flush()) return false;
  }
  return std::rename(unfinished.c_str(), path.c_str()) == 0;
}

}  // namespace gpumon
