// Time that stands still until a test moves it.
#pragma once

#include "internal/base/clock.h"
#include "internal/base/mutex.h"

namespace gpumon {

// Thread-safe. Starts at 2024-01-01T12:00:00Z.
class FakeClock final : public Clock {
 public:
  FakeClock() = default;
  explicit FakeClock(WallTime wall) : wall_(wall) {}

  SteadyTime Steady() const override {
    const MutexLock lock(mutex_);
    return steady_;
  }
  WallTime Wall() const override {
    const MutexLock lock(mutex_);
    return wall_;
  }

  // Both times go on by `by`.
  void Advance(Millis by) {
    const MutexLock lock(mutex_);
    steady_ += by;
    wall_ += by;
  }
  // The wall clock alone, as when someone sets it: durations do not notice.
  void Set(WallTime wall) {
    const MutexLock lock(mutex_);
    wall_ = wall;
  }

 private:
  mutable Mutex mutex_;
  SteadyTime steady_ GUARDED_BY(mutex_){std::chrono::hours(1000)};
  WallTime wall_ GUARDED_BY(mutex_){Millis(1704110400000)};
};

}  // namespace gpumon
