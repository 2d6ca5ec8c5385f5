#include "internal/gpu/contributions.h"

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

template class Contributions<models::GpuMetrics>;
template class Contributions<models::GpuProcess>;

}  // namespace gpumon::gpu
