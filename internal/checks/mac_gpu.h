// The GPUs of Apple Silicon, from the output of macOS's own programs.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/checks/gpu_look.h"
#include "internal/nvml/gpu.h"

namespace gpumon::checks {

// `system_profiler SPDisplaysDataType -json`: the GPUs that Apple made, by name. kUpstreamInvalid
// when it is something else, kNotFound when there is none.
Result<std::vector<nvml::Gpu>> ReadSystemProfiler(std::string_view text);

// `ioreg -r -d 1 -w 0 -c IOAccelerator`: utilization and memory in use. Nothing is taken when it
// shows another number of GPUs.
void ReadIoreg(std::string_view text, std::vector<nvml::Gpu>& gpus);

// `powermetrics --samplers gpu_power -n 1`: power, clock, and utilization where that is unknown.
// Of a machine with one GPU.
void ReadPowermetrics(std::string_view text, std::vector<nvml::Gpu>& gpus);

// `sysctl -n hw.memsize`: bytes that processors and GPU share.
std::optional<double> ReadMemorySize(std::string_view text);

// Runs them. Adds to `steps`. kNotFound without system_profiler.
Result<std::vector<nvml::Gpu>> AskMac(const MacTools& tools, const Clock& clock, Deadline deadline,
                                      std::vector<std::string>& steps);

}  // namespace gpumon::checks
