// Routes of GPUs and their processes.
#pragma once

#include <span>

#include "handlers/api.h"

namespace gpumon::handlers {

void GetGpuMetrics(const CallPtr& call);
void GetGpuProcesses(const CallPtr& call);
void GetFields(const CallPtr& call);

std::span<const ParameterSpec> GpuListParameters();
std::span<const ParameterSpec> ProcessListParameters();

}  // namespace gpumon::handlers
