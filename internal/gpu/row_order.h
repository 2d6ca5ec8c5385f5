// The order in which rows are shown.
#pragma once

#include <cstdint>
#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

// Takes the rows at `places` (ascending) out, with what they hold.
template <class RowT>
void Remove(const std::vector<std::uint32_t>& places, std::vector<RowT>& rows,
            std::vector<std::vector<models::Workload>>& held);

// Bytewise by node (none last), then by GPU index (none last), id, pid, UUID,
// MIG instances.
// `held[i]`, the workloads of `rows[i]`, are appended to `workloads` in the rows' order, and each
// row shows the first of its own. RowT is models::GpuMetrics or models::GpuProcess.
template <class RowT>
std::vector<RowT> InOrder(const std::vector<RowT>& rows,
                          std::vector<std::vector<models::Workload>> held,
                          std::vector<models::Workload>& workloads);

}  // namespace gpumon::gpu
