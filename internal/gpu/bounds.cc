#include "internal/gpu/bounds.h"

#include <array>
#include <cmath>
#include <limits>

namespace gpumon::gpu {
namespace {

using models::NullReason;
using models::ProcessQuantity;
using models::Quantity;

struct Bound {
  double low;
  double high;
};
constexpr double kNoLimit = std::numeric_limits<double>::max();
constexpr double kMostBytes = 1152921504606846976;  // 1 EiB
// Smallest double above zero: a device without memory does not exist.
constexpr double kPositive = std::numeric_limits<double>::denorm_min();

constexpr std::array<Bound, models::kQuantities> kGpuBounds = {{
    {0, 100.5},               // utilization
    {0, kMostBytes},          // memory used
    {kPositive, kMostBytes},  // memory total
    {0, kMostBytes},          // memory free
    {0, 100.5},               // memory utilization
    {-100, 200},              // temperature
    {0, 105},                 // memory used percent
}};
constexpr std::array<Bound, models::kProcessQuantities> kProcessBounds = {{
    {0, kMostBytes},  // GPU memory
    {0, kNoLimit},    // cpu
    {0, 100.5},       // memory
}};

constexpr std::size_t Slot(Quantity quantity) {
  return static_cast<std::size_t>(quantity);
}

}  // namespace

template <>
bool IsPossible<models::GpuMetrics>(std::size_t slot, double value) {
  return value >= kGpuBounds[slot].low && value <= kGpuBounds[slot].high;
}

template <>
bool IsPossible<models::GpuProcess>(std::size_t slot, double value) {
  return value >= kProcessBounds[slot].low && value <= kProcessBounds[slot].high;
}

void CheckTogether(models::GpuMetrics& row) {
  const auto total = row.readings.Get(Slot(Quantity::kMemoryTotal));
  if (!total) return;
  for (const Quantity part : {Quantity::kMemoryUsed, Quantity::kMemoryFree}) {
    const auto value = row.readings.Get(Slot(part));
    if (value && *value > *total * 1.05) {
      row.readings.SetAbsent(Slot(part), NullReason::kInvalidValue);
    }
  }
}

void Derive(models::GpuMetrics& row) {
  const std::size_t target = Slot(Quantity::kMemoryUsedPercent);
  for (const Quantity input : {Quantity::kMemoryUsed, Quantity::kMemoryTotal}) {
    if (!row.readings.Has(Slot(input))) {
      row.readings.SetAbsent(target, row.readings.reason(Slot(input)));
      return;
    }
  }
  row.readings.Set(target, 100.0 * *row.readings.Get(Slot(Quantity::kMemoryUsed)) /
                               *row.readings.Get(Slot(Quantity::kMemoryTotal)));
}

}  // namespace gpumon::gpu
