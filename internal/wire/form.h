// Forms that JSON and CSV share.
#pragma once

#include <string>
#include <string_view>

#include "internal/base/clock.h"

namespace gpumon::wire {

// To the millisecond.
WallTime ToWallTime(double unix_seconds);

// A weak ETag over both texts.
std::string Tag(std::string_view data, std::string_view warnings);

}  // namespace gpumon::wire
