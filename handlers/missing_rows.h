// What a lost GPU's row in /api/v1/gpu/missing says.
#pragma once

#include <span>
#include <vector>

#include "internal/fleet/missing.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

std::span<const wire::Column> MissingColumns();

// In the order of MissingColumns. `whole`: all is known of nodes since the loss. `end` is that of
// the window, Unix seconds.
std::vector<wire::Value> MissingRow(const fleet::LostGpu& gpu, const fleet::Verdict& verdict,
                                    bool whole, double end);

}  // namespace gpumon::handlers
