// Why no row has a field.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

// Per slot the reason that all rows have for it, or kNone where they differ or one has it; where
// there are no rows that of `blank`.
template <class RowT, std::size_t N>
std::array<models::NullReason, N> SharedReasons(const std::vector<RowT>& rows, const RowT& blank) {
  std::array<models::NullReason, N> shared{};
  for (std::size_t slot = 0; slot < N; ++slot) {
    const models::NullReason reason = (rows.empty() ? blank : rows.front()).readings.reason(slot);
    const bool same = std::all_of(rows.begin(), rows.end(), [&](const RowT& row) {
      return row.readings.reason(slot) == reason;
    });
    shared[slot] = same ? reason : models::NullReason::kNone;
  }
  return shared;
}

}  // namespace gpumon::gpu
