// Notices that the server hangs.
#pragma once

#include <cstdint>
#include <optional>

#include "internal/base/clock.h"

namespace gpumon::grpc {

// Watches a counter that moves while all is well. Time is that in which it was asked: a pause
// between two questions counts as one second at most, so a process that was suspended, or a machine
// that slept, has not hung. One thread at a time.
class Watchdog {
 public:
  // `clock` must outlive it.
  Watchdog(const Clock& clock, Millis limit) : clock_(clock), limit_(limit) {}

  // Ask several times a second. False when `beats` has been the same for `limit`; true again as
  // soon as it moves.
  bool Alive(std::uint64_t beats);

 private:
  const Clock& clock_;
  const Millis limit_;
  std::optional<std::uint64_t> last_beats_;
  SteadyTime last_asked_{};
  SteadyTime::duration still_{};
};

}  // namespace gpumon::grpc
