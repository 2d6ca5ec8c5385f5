// Which exporter's rows went into which rows of a join.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. RowT is models::GpuMetrics or models::GpuProcess.
template <class RowT>
class Contributions {
 public:
  explicit Contributions(std::size_t exporters) : places_(exporters) {}

  static constexpr std::uint32_t kNowhere = 0xFFFFFFFF;

  // That exporter has so many rows; those that are never added are nowhere.
  void Expect(std::size_t exporter, std::size_t rows) { places_[exporter].resize(rows, kNowhere); }
  // Its row `i` is row `at`, or a part of it.
  void Add(std::size_t exporter, std::size_t i, std::uint32_t at);
  // The rows of the only exporter are the rows.
  void AddAll();
  std::uint32_t PlaceOf(std::size_t exporter, std::size_t i) const { return places_[exporter][i]; }

  // Sets models::Row::exporters.
  void Mark(std::vector<RowT>& rows) const;

  // All rows, at least one, that it has a part in have a reading in `slot`.
  bool AllHave(std::size_t exporter, std::size_t slot, const std::vector<RowT>& rows) const;

 private:
  std::vector<std::vector<std::uint32_t>> places_;  // exporter, its row -> row
};

extern template class Contributions<models::GpuMetrics>;
extern template class Contributions<models::GpuProcess>;

}  // namespace gpumon::gpu
