// What a reading may be. Values outside are shown as null with the reason invalid_value.
//
// Bounds: percent 0 to 100.5 (exporters round up), temperatures -100 to 200 degrees Celsius
// but not 0, memory 0 to 1 EiB and total > 0, power limit and highest clock > 0, used and free at most 1.05 x
// total and not 0 beside an impossible total. Never NaN or infinite.
#pragma once

#include <cstddef>

#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

inline constexpr double kMostOfTotal = 1.05;

// By itself. RowT says whether `slot` is a Quantity or a ProcessQuantity.
template <class RowT>
bool IsPossible(std::size_t slot, double value);

// Together with the row's other readings: makes impossible ones absent (kInvalidValue).
void CheckTogether(models::GpuMetrics& row);
inline void CheckTogether(models::GpuProcess&) {}

// Fills what no exporter of this schema measures: memory_used_percent = used / total.
void Derive(models::GpuMetrics& row);
inline void Derive(models::GpuProcess&) {}

// Fills what `row` lacks and the exporter's own row `its`, as its schema says, gives. How many
// values were impossible (kInvalidValue).
std::size_t DeriveAsIn(const schema::Exporter& exporter, const models::GpuMetrics& its,
                       models::GpuMetrics& row);

}  // namespace gpumon::gpu
