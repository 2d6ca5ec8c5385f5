// Names of NVML's clock event reasons (nvml.h, nvmlClocksEventReason*).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gpumon::wire {

// One for each bit of `mask`, the lowest first; `unknown_0x200` for one that has no name.
std::vector<std::string> ThrottleNames(std::int64_t mask);

}  // namespace gpumon::wire
