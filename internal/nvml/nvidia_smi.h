// The GPUs as the nvidia-smi program tells of them: where NVML cannot be loaded, or lacks a value.
#pragma once

#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/nvml/gpu.h"
#include "internal/nvml/smi_columns.h"

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

// Asks for `columns` of the GPUs alone, beside their index and UUID; for no processes. One run, but
// for those to find out which columns an older program does not have. Errors likewise.
Result<std::vector<Gpu>> AskNvidiaSmi(const std::string& program, const SmiColumns& columns,
                                      const Clock& clock, Deadline deadline,
                                      std::vector<std::string>& steps);

}  // namespace gpumon::nvml
