#include "internal/grpc/watchdog.h"

#include <algorithm>
#include <chrono>

namespace gpumon::grpc {

bool Watchdog::Alive(std::uint64_t beats) {
  constexpr std::chrono::seconds kLongestStep{1};
  const SteadyTime now = clock_.Steady();
  if (beats != last_beats_) {
    last_beats_ = beats;
    still_ = {};
  } else {
    still_ += std::min<SteadyTime::duration>(now - last_asked_, kLongestStep);
  }
  last_asked_ = now;
  return still_ < limit_;
}

}  // namespace gpumon::grpc
