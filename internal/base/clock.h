// Time as a parameter. Tests use tests/fakes/fake_clock.h.
#pragma once

#include <chrono>

namespace gpumon {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;
using Millis = std::chrono::milliseconds;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime Steady() const = 0;  // for durations and deadlines
  virtual WallTime Wall() const = 0;      // for what people read
};

class SystemClock final : public Clock {
 public:
  SteadyTime Steady() const override { return std::chrono::steady_clock::now(); }
  WallTime Wall() const override {
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  }
};

// The instant after which an answer is worth nothing. It enters with the request and is a
// parameter all the way down.
class Deadline {
 public:
  explicit Deadline(SteadyTime at) : at_(at) {}
  static Deadline After(const Clock& clock, Millis budget) {
    return Deadline(clock.Steady() + budget);
  }
  SteadyTime at() const { return at_; }
  // Never negative.
  Millis Left(const Clock& clock) const {
    const auto left = std::chrono::duration_cast<Millis>(at_ - clock.Steady());
    return left.count() > 0 ? left : Millis(0);
  }
  bool Passed(const Clock& clock) const { return clock.Steady() >= at_; }
  Deadline Earlier(Deadline other) const { return at_ < other.at_ ? *this : other; }

 private:
  SteadyTime at_;
};

}  // namespace gpumon
