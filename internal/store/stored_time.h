// Times as they stand in the store.
#pragma once

#include <optional>
#include <string_view>

#include "internal/base/clock.h"

namespace gpumon::store {

// ParseTime, and the times of Flow: without an offset they are UTC, and `+00:00Z` is one.
std::optional<WallTime> ParseStoredTime(std::string_view text);

}  // namespace gpumon::store
