// Since when what is the matter with GPUs has been the matter.
#pragma once

#include <optional>
#include <vector>

#include "handlers/api.h"
#include "internal/fleet/finding_ages.h"
#include "internal/fleet/health.h"
#include "models/gpu.h"

namespace gpumon::handlers {

// Of each row and each of its findings: `healths` are those of `gpus`, row by row.
std::vector<std::vector<std::optional<double>>> LookAt(const models::Snapshot& gpus,
                                                       const std::vector<fleet::Health>& healths,
                                                       fleet::FindingAges& ages);

// After the first look, at `gpus`: walks through the hour before it, beside all else, so that
// later looks know what began in it.
void LearnAges(const CallPtr& call, const models::Snapshot& gpus);

}  // namespace gpumon::handlers
