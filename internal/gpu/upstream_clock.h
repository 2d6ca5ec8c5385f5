// Prometheus's clock, as far as it differs from ours.
#pragma once

#include <atomic>
#include <cmath>

#include "internal/base/clock.h"

namespace gpumon::gpu {

// Thread-safe. A Date header has whole seconds, so a difference of up to 2 s is none.
class UpstreamClock {
 public:
  explicit UpstreamClock(const Clock& clock) : clock_(clock) {}

  // The instant to evaluate queries at, Unix seconds with milliseconds.
  double Now() const { return Ours() + offset_.load(std::memory_order_relaxed); }
  // `server_time`: a Date header that came just now.
  void Learn(double server_time) {
    // The header was cut to whole seconds: half a second is its mean error.
    double offset = server_time + 0.5 - Ours();
    const double known = offset_.load(std::memory_order_relaxed);
    if (std::abs(offset) <= 2.5) {
      offset = 0;
    } else if (std::abs(offset - known) < 1) {
      offset = known;  // the same, cut elsewhere: the time must not jump to and fro
    }
    offset_.store(offset, std::memory_order_relaxed);
  }
  double offset_seconds() const { return offset_.load(std::memory_order_relaxed); }

 private:
  double Ours() const {
    return static_cast<double>(clock_.Wall().time_since_epoch().count()) / 1000.0;
  }
  const Clock& clock_;
  std::atomic<double> offset_{0};
};

}  // namespace gpumon::gpu
