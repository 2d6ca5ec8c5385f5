// Numbers that look random and are not: everything the synthetic fleet shows is a pure function
// of its seed and the time, so a restart changes nothing and any instant costs the same.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace gpumon::exporter {

// SplitMix64's finaliser: every input bit moves every output bit.
constexpr std::uint64_t Mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}
template <class... Rest>
constexpr std::uint64_t Mix(std::uint64_t x, std::uint64_t y, Rest... rest) {
  return Mix(Mix(x) ^ y, rest...);
}

// A draw for the purpose `salt` from a hashed identity.
constexpr std::uint64_t Below(std::uint64_t hash, std::uint64_t salt, std::uint64_t n) {
  return Mix(hash, salt) % n;
}
constexpr double Unit(std::uint64_t hash, std::uint64_t salt) {  // [0, 1)
  return static_cast<double>(Mix(hash, salt) >> 11U) * 0x1.0p-53;
}
constexpr double Between(std::uint64_t hash, std::uint64_t salt, double low, double high) {
  return low + (high - low) * Unit(hash, salt);
}

// How busy something is, 0 to 1: a level and a wave around it. Its integral has a closed form,
// which is what lets counters agree with gauges at any instant. Keep amplitude <= level and
// level + amplitude <= 1. Times in seconds.
struct LoadCurve {
  double level = 0;
  double amplitude = 0;
  double period = 60;
  double phase = 0;  // radians

  double At(double t) const { return level + amplitude * std::sin(Omega() * t + phase); }
  // The integral from `from` to `to`, in load-seconds.
  double Integral(double from, double to) const {
    return level * (to - from) +
           amplitude / Omega() *
               (std::cos(Omega() * from + phase) - std::cos(Omega() * to + phase));
  }

 private:
  double Omega() const { return 2 * std::numbers::pi / period; }
};

// A state that recurs: on during [begin, end) of every `period` seconds.
struct Recurring {
  double period = 600;
  double begin = 0;
  double end = 0;
  double offset = 0;  // shifts the whole pattern

  double Phase(double t) const {  // [0, period)
    const double x = t + offset;
    return x - std::floor(x / period) * period;
  }
  bool Active(double t) const { return Phase(t) >= begin && Phase(t) < end; }
  // Seconds spent on, from when `t + offset` was 0.
  double ActiveSeconds(double t) const {
    const double on = Phase(t) <= begin ? 0 : std::fmin(Phase(t), end) - begin;
    return std::floor((t + offset) / period) * (end - begin) + on;
  }
};

}  // namespace gpumon::exporter
