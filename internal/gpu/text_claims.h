// What rows are called where their series disagree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "internal/gpu/label_reader.h"
#include "internal/gpu/row_times.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. RowT is models::GpuMetrics or models::GpuProcess. Of each text the newest
// series' counts that has one, of equally new ones the smallest; namespace and container of a
// process are of the series that its pod is of. Nothing depends on the order of calls.
template <class RowT>
class TextClaims {
 public:
  // Texts are kept in `arena`, which must outlive it.
  explicit TextClaims(models::Arena& arena) : arena_(arena) {}

  // Series of one text and another disagree.
  static bool Disagree(std::size_t slot, std::string_view one, std::string_view other) {
    return IsDisputable(slot) && !one.empty() && !other.empty() && one != other;
  }
  bool empty() const { return rows_.empty(); }
  bool IsOpen(std::uint32_t row) const { return rows_.count(row) > 0; }
  // Series of `row` disagree: all of them are to be heard. `before`: the texts, in which they do
  // not, of those that cannot be heard any more; null when there are none.
  void Open(std::uint32_t row, const RowT* before);
  // A series of an open row, shown by `target` (Contest::TargetOf), sampled `at` (Unix seconds,
  // -infinity where unknown).
  void Hear(std::uint32_t row, const RowT& its, const Identity& said, std::size_t target,
            double at = -std::numeric_limits<double>::infinity());
  // Puts the texts into `rows`. Series of which no time is known are as new as what `times` has
  // of their target.
  void Settle(const RowTimes& times, std::vector<RowT>& rows);

 private:
  struct Claim {
    decltype(RowT::texts) texts{};
    std::size_t target = 0;
    bool before = false;  // of the targets that have no claim
    double at = 0;        // -infinity where unknown
  };

  static bool IsDisputable(std::size_t slot);
  static bool Says(const Claim& claim, const Identity& said, std::size_t target);
  static double TimeOf(const Claim& claim, const std::vector<Claim>& all, std::uint32_t row,
                       const RowTimes& times);
  static void Take(std::vector<Claim>& claims, RowT& row);

  models::Arena& arena_;
  std::unordered_map<std::uint32_t, std::vector<Claim>> rows_;
};

extern template class TextClaims<models::GpuMetrics>;
extern template class TextClaims<models::GpuProcess>;

}  // namespace gpumon::gpu
