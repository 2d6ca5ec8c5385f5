// Parts of a GPU: MIG instances.
#pragma once

#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

bool IsInstance(const models::GpuMetrics& row);

// An instance is a part of the GPU whose UUID it shows: it gets the texts of that GPU's row where
// it has none. A GPU with instances has no utilization of its own (kNotSupported).
void NameInstances(std::vector<models::GpuMetrics>& rows);

}  // namespace gpumon::gpu
