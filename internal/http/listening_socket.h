// Closes a listener that Pistache would keep until its very end.
#pragma once

#include <cstdint>

#include "internal/base/clock.h"

namespace gpumon::http {

// Pistache keeps the descriptor to itself: this finds it among the process's own by its port.
class ListeningSocket {
 public:
  ListeningSocket() = default;
  // Right after Pistache has begun to listen on `port`. Nothing is found: Close does nothing.
  explicit ListeningSocket(std::uint16_t port);

  // From now on the kernel refuses connections. Those it has taken for us already are accepted
  // first, for which this waits `patience` at most. Idempotent; one thread at a time.
  void Close(Millis patience);

 private:
  int fd_ = -1;
};

}  // namespace gpumon::http
