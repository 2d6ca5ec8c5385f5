// A Unix socket before a port of loopback.
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "internal/base/mutex.h"

namespace gpumon::checks {

// Whatever connects to the socket is connected to the port. Ends all connections at destruction.
class UnixRelay {
 public:
  UnixRelay(std::string path, std::uint16_t port);
  ~UnixRelay();
  UnixRelay(const UnixRelay&) = delete;
  UnixRelay& operator=(const UnixRelay&) = delete;

 private:
  void Accept();
  void Carry(int from) const;

  const std::string path_;
  const std::uint16_t port_;
  int listener_ = -1;
  int stop_ = -1;  // readable at the end
  Mutex mutex_;
  std::vector<std::thread> carriers_ GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace gpumon::checks
