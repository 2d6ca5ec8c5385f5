// Spreads hashes before they are put together.
#pragma once

#include <cstddef>

namespace gpumon::gpu {

constexpr std::size_t Mix(std::size_t x) {
  return x * 0x9E3779B97F4A7C15U ^ (x >> 29U);
}

}  // namespace gpumon::gpu
