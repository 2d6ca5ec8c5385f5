// The check of the GPUs of this machine.
#pragma once

#include <string>
#include <vector>

#include "internal/checks/check.h"
#include "internal/checks/gpu_look.h"
#include "internal/checks/group.h"

namespace gpumon::checks {

// "GPU Hardware": a row "NVIDIA GPU 0" for each GPU, and the detailed text.
Group GpuGroup(GpuOptions options);

// Temperature above 95 °C is Unhealthy, above 85 °C Degraded; memory above 90 %, or power above
// 95 % of its limit, Degraded. A GPU that is lost is Unhealthy; one of which nothing can be read
// Unknown. `extra` has the fields of models/fields.h that were asked for, null where absent with
// the reason under "null_reasons", and "utilization_per_watt".
std::vector<Done> GpuRows(const GpuLook& look);

// For people: "GPU Summary: NVIDIA GPUs available", and a block for each GPU. What is absent is
// "N/A".
std::string DetailedGpuText(const GpuLook& look);

}  // namespace gpumon::checks
