// Rows that another exporter's series make.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "internal/gpu/exporter_rows.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// Generations of an exporter share names of metrics: where one runs its series make a row of the
// other too.
struct ShadowRow {
  std::size_t exporter = 0;  // whose row it seems to be
  std::size_t row = 0;
  std::size_t of = 0;  // whose it is
  std::size_t of_row = 0;
};
inline bool IsBefore(const ShadowRow& a, const ShadowRow& b) {
  return std::tie(a.exporter, a.row) < std::tie(b.exporter, b.row);
}

// Of each exporter whose names another one has too: its rows that show nothing but these, where the
// other's row of the same GPU shows what it has no name for. In the order of IsBefore.
std::vector<ShadowRow> FindShadows(
    std::span<const schema::Exporter* const> exporters,
    const std::vector<std::unique_ptr<ExporterRows<models::GpuMetrics>>>& parts);

}  // namespace gpumon::gpu
