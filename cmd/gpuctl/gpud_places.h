// Which GPUds are asked.
#pragma once

#include <vector>

#include "cmd/gpuctl/health_source.h"
#include "internal/base/result.h"
#include "internal/config/options.h"

namespace gpumon::ctl {

// By --gpud-url, or --via with --gpud-bind and --gpud-port, or these alone. At least one;
// kInvalidParameter in one line.
Result<std::vector<GpudPlace>> GpudPlacesOf(const config::Values& values);

}  // namespace gpumon::ctl
