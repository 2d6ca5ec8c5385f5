// Time for probes that are to be slow.
#pragma once

#include <atomic>

#include "internal/base/clock.h"

namespace gpumon::checks {

// Real time, but that two more seconds have passed with each look. Thread-safe.
class LeapingClock final : public Clock {
 public:
  SteadyTime Steady() const override { return real_.Steady() + Millis(2000) * ++looks_; }
  WallTime Wall() const override { return real_.Wall(); }

 private:
  SystemClock real_;
  mutable std::atomic<int> looks_ = 0;
};

}  // namespace gpumon::checks
