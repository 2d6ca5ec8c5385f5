// What the tables of fields are written with.
#pragma once

#include <cstdint>

#include "models/field.h"

namespace gpumon::models {

namespace internal {
constexpr std::uint8_t Slot(Quantity q) {
  return static_cast<std::uint8_t>(q);
}
constexpr std::uint8_t Slot(ProcessQuantity q) {
  return static_cast<std::uint8_t>(q);
}
constexpr std::uint8_t Slot(Text t) {
  return static_cast<std::uint8_t>(t);
}
inline constexpr double kPerGiB = 1.0 / (1024.0 * 1024.0 * 1024.0);
inline constexpr double kPerMiB = 1.0 / (1024.0 * 1024.0);
}  // namespace internal

}  // namespace gpumon::models
