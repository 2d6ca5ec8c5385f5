// Fields that are masks: several metrics, each with a bit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

// Which bits of each row's masks are known. A mask with a bit that its exporter has a series of,
// and nobody a value, is not known. One thread at a time; the order of calls never counts.
class FlagMasks {
 public:
  // A series of `bit`: kNone, or why it has no value.
  void Hear(std::uint32_t row, std::size_t slot, std::uint32_t bit, models::NullReason reason) {
    std::vector<Mask>& masks = masks_[slot];
    if (masks.size() <= row) masks.resize(std::max<std::size_t>(row + 1, masks.size() * 2));
    Mask& mask = masks[row];
    if (reason == models::NullReason::kNone) {
      mask.known |= bit;
      return;
    }
    mask.unknown |= bit;
    mask.reason = std::max(mask.reason, reason);
  }

  // As fn(row, slot, reason), for each mask that is not known.
  template <class Fn>
  void ForEachUnknown(Fn fn) const {
    for (const auto& [slot, masks] : masks_) {
      for (std::uint32_t row = 0; row < masks.size(); ++row) {
        const Mask& mask = masks[row];
        if ((mask.unknown & ~mask.known) != 0) fn(row, slot, mask.reason);
      }
    }
  }

 private:
  struct Mask {
    std::uint32_t known = 0;
    std::uint32_t unknown = 0;
    models::NullReason reason = models::NullReason::kNone;  // an impossible value first
  };

  std::map<std::size_t, std::vector<Mask>> masks_;  // slot -> row -> mask
};

}  // namespace gpumon::gpu
