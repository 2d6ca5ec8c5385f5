// Samples that name no GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "models/gpu.h"

namespace gpumon::gpu {

// A field of which a node shows such samples was exported, only nobody can tell of which GPU.
class NamelessSamples {
 public:
  void Add(std::string_view node, std::size_t slot) {
    slots_[std::string(node)] |= std::uint64_t{1} << slot;
  }

  // Of a row of `node`: why it lacks these fields.
  template <class RowT>
  void Tell(std::string_view node, RowT& row) const {
    if (slots_.empty()) return;
    const auto slots = slots_.find(node);
    if (slots == slots_.end()) return;
    for (std::size_t slot = 0; (slots->second >> slot) != 0; ++slot) {
      const bool shown = ((slots->second >> slot) & 1U) != 0;
      if (shown && !row.readings.Has(slot) &&
          row.readings.reason(slot) == models::NullReason::kNotExported) {
        row.readings.SetAbsent(slot, models::NullReason::kInvalidValue);
      }
    }
  }

 private:
  std::map<std::string, std::uint64_t, std::less<>> slots_;
};

}  // namespace gpumon::gpu
