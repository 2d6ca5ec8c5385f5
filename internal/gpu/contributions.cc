#include "internal/gpu/contributions.h"

#include <algorithm>
#include <numeric>

namespace gpumon::gpu {

template <class RowT>
void Contributions<RowT>::Add(std::size_t exporter, std::size_t i, std::uint32_t at) {
  places_[exporter][i] = at;
}

template <class RowT>
void Contributions<RowT>::AddAll() {
  std::iota(places_.front().begin(), places_.front().end(), 0U);
}

template <class RowT>
void Contributions<RowT>::Mark(std::vector<RowT>& rows) const {
  std::uint32_t bit = 1;  // 0 from the 33rd on
  for (const auto& places : places_) {
    for (const std::uint32_t at : places) {
      if (at != kNowhere) rows[at].exporters |= bit;
    }
    if (!places.empty()) bit <<= 1;
  }
}

template <class RowT>
bool Contributions<RowT>::AllHave(std::size_t exporter, std::size_t slot,
                                  const std::vector<RowT>& rows) const {
  const auto& places = places_[exporter];
  return !places.empty() && std::all_of(places.begin(), places.end(), [&](std::uint32_t at) {
    return at == kNowhere || rows[at].readings.Has(slot);
  });
}

template class Contributions<models::GpuMetrics>;
template class Contributions<models::GpuProcess>;

}  // namespace gpumon::gpu
