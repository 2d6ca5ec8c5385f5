// The GPUs of processes.
#pragma once

#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

// A row that tells its GPU's node and id alone has the UUID and the product name that the others
// of that GPU have, where these name one UUID.
void NameGpus(std::vector<models::GpuProcess>& rows);

}  // namespace gpumon::gpu
