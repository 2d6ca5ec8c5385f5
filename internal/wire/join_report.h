// How one GPU's row came about, as JSON.
#pragma once

#include <string>
#include <string_view>

#include "models/explanation.h"

namespace gpumon::wire {

// The whole envelope of GET /api/v1/debug/join: data {as_of, rows: [{row, samples}],
// null_reasons, findings}.
std::string EncodeJoin(const models::Explanation& explanation, std::string_view message);

}  // namespace gpumon::wire
