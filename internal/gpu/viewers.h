// When somebody will look again, from when they looked.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "internal/base/clock.h"

namespace gpumon::gpu {

// Of one snapshot after the other: who comes twice to the same one says nothing of how often he
// comes. A value type.
class Viewers {
 public:
  // Somebody gets the snapshot of that number, the first being 1.
  void Look(SteadyTime now, std::uint64_t snapshot) {
    if (snapshot == seen_) return;
    if (seen_ != 0) {
      gap_before_ = gap_;
      gap_ = now - last_;
    }
    seen_ = snapshot;
    last_ = now;
  }

  // When the next look is due; nothing where nobody came three times, or comes seldom.
  std::optional<SteadyTime> Expected() const {
    if (!gap_ || !gap_before_) return std::nullopt;
    const auto gap = std::min(*gap_, *gap_before_);
    return gap > kSeldom ? std::nullopt : std::optional(last_ + gap);
  }

  // The newest that somebody got; 0: none.
  std::uint64_t seen() const { return seen_; }

 private:
  static constexpr std::chrono::seconds kSeldom{60};

  std::uint64_t seen_ = 0;
  SteadyTime last_;                          // when it was first got
  std::optional<SteadyTime::duration> gap_;  // between the newest two
  std::optional<SteadyTime::duration> gap_before_;
};

}  // namespace gpumon::gpu
