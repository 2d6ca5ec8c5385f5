// The GPUs as the nvidia-smi program tells of them: where NVML cannot be loaded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/nvml/gpu.h"

namespace gpumon::nvml {

struct SmiAnswer {
  Software software;
  std::vector<Gpu> gpus;  // in the order of their index; of MIG only whether it is on
};

// Runs `program` (a name in PATH or a path) up to a few times. Its processes are those that
// compute. Adds to `steps` a line for each run. Blocks its thread; thread-safe.
// kNotFound: no such program or no GPU. kForbidden: no rights. kUnavailable: there is a GPU or a
// driver that does not work. kUpstreamTimeout, kUpstreamTooLarge, kUpstreamInvalid.
Result<SmiAnswer> AskNvidiaSmi(const std::string& program, const Clock& clock, Deadline deadline,
                               std::vector<std::string>& steps);

// What a cell of its tables holds: "[N/A]", "[Insufficient Permissions]", "ERR!" are absent.
Reading<std::string> ReadSmiCell(std::string_view cell);

}  // namespace gpumon::nvml
