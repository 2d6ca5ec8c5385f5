// The GPUs as an all-smi tells of them, on any platform.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/nvml/gpu.h"

namespace gpumon::checks {

struct AllSmiGpu : nvml::Gpu {
  std::string host;         // the label `instance`: one all-smi may tell of several
  nvml::Software software;  // its own host's
};
struct AllSmiAnswer {
  std::vector<AllSmiGpu> gpus;  // by host and index
};

// Of the text of /metrics, by either generation's labels: `gpu_uuid` and `gpu_index`, or `uuid` and
// `index`, which wrote 0 for what it did not know. kUpstreamNotReady before its first round,
// kUpstreamInvalid when there is nothing of all-smi, kNotFound when it shows no GPU.
Result<AllSmiAnswer> ReadAllSmi(std::string_view text);

// Asks `url`, and adds to `steps` what was asked and what came. Blocks its thread; thread-safe. The
// error is a sentence that begins with all-smi and the URL, its user and password hidden.
Result<AllSmiAnswer> AskAllSmi(const std::string& url, const Clock& clock, Deadline deadline,
                               std::vector<std::string>& steps);

}  // namespace gpumon::checks
