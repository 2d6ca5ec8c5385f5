#include "internal/gpu/bounds.h"

#include <algorithm>
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
  bool whole = false;  // no fraction: shown as an integer, it would be another number
  bool not_zero = false;
};
constexpr double kMostBytes = 1152921504606846976;  // 1 EiB
// Smallest double above zero: a device without memory does not exist.
constexpr double kPositive = std::numeric_limits<double>::denorm_min();

constexpr Bound kPercent{0, 100.5};
// 1e15 J is what a GPU draws in tens of thousands of years, and 1e15 B/s no link.
constexpr Bound kAtLeastZero{0, 1e15};
constexpr Bound kBytes{0, kMostBytes};
// No board is at 0 °C: drivers and exporters write it where they know nothing.
constexpr Bound kCelsius{-100, 200, false, true};
constexpr Bound kFlag{0, 1, true};
constexpr Bound kCount{0, 9007199254740992, true};  // above it not all numbers can be told apart

constexpr std::array<Bound, models::kQuantities> kGpuBounds = {{
    kPercent,                 // utilization
    kPercent,                 // memory utilization
    kBytes,                   // memory used
    {kPositive, kMostBytes},  // memory total
    kBytes,                   // memory free
    kBytes,                   // memory reserved
    {0, 105},                 // memory used percent
    kCelsius,                 // temperature
    kCelsius,                 // memory temperature
    {0, 20'000},              // power: 65535 is AMD's "unknown"
    {kPositive, 20'000},      // power limit
    kAtLeastZero,             // energy
    {0, 100'000},             // SM clock
    {kPositive, 100'000},     // highest SM clock
    {0, 100'000},             // memory clock
    {0, 15, true},            // performance state: 32 is NVML's "unknown"
    kPercent,                 // SM active
    kPercent,                 // SM occupancy
    kPercent,                 // tensor active
    kPercent,                 // DRAM active
    kPercent,                 // encoder
    kPercent,                 // decoder
    {0, 200},                 // fan: above 100 where the board's own limit is passed
    kAtLeastZero,             // PCIe in
    kAtLeastZero,             // PCIe out
    kAtLeastZero,             // NVLink in
    kAtLeastZero,             // NVLink out
    kCount,                   // NVLink errors
    kCount,                   // NVLink links
    {0, 4294967295.0, true},  // throttle reasons
    {0, 65535, true},         // XID
    kCount,                   // ECC, corrected, volatile
    kCount,                   // ECC, uncorrected, volatile
    kCount,                   // ECC, corrected, aggregate
    kCount,                   // ECC, uncorrected, aggregate
    kCount,                   // rows remapped, correctable
    kCount,                   // rows remapped, uncorrectable
    kCount,                   // remapping pending
    kFlag,                    // remapping failed
    kCount,                   // PCIe replays
}};
constexpr std::array<Bound, models::kProcessQuantities> kProcessBounds = {{
    {0, kMostBytes},  // GPU memory
    {0, 1e6},         // cpu: of ten thousand cores
    {0, 100.5},       // memory
    {0, 100.5},       // utilization of the GPU
}};

constexpr std::size_t Slot(Quantity quantity) {
  return static_cast<std::size_t>(quantity);
}

}  // namespace

template <>
bool IsPossible<models::GpuMetrics>(std::size_t slot, double value) {
  const Bound& bound = kGpuBounds[slot];
  return value >= bound.low && value <= bound.high &&
         (!bound.whole || value == std::floor(value)) && !(bound.not_zero && value == 0);
}

template <>
bool IsPossible<models::GpuProcess>(std::size_t slot, double value) {
  return value >= kProcessBounds[slot].low && value <= kProcessBounds[slot].high;
}

void CheckTogether(models::GpuMetrics& row) {
  const auto total = row.readings.Get(Slot(Quantity::kMemoryTotal));
  // Of a memory of no size nothing is used and nothing free: such zeros stand for N/A, and so do
  // those beside them. Where the size is not exported nobody can tell these from others.
  const bool no_size =
      row.readings.reason(Slot(Quantity::kMemoryTotal)) == NullReason::kInvalidValue;
  for (const Quantity part : {Quantity::kMemoryUsed, Quantity::kMemoryFree, Quantity::kUtilization,
                              Quantity::kMemoryUtilization}) {
    if (no_size && row.readings.Get(Slot(part)) == 0) {
      row.readings.SetAbsent(Slot(part), NullReason::kInvalidValue);
    }
  }
  if (!total) return;
  for (const Quantity part : {Quantity::kMemoryUsed, Quantity::kMemoryFree}) {
    const auto value = row.readings.Get(Slot(part));
    if (value && *value > *total * kMostOfTotal) {
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

std::size_t DeriveAsIn(const schema::Exporter& exporter, const models::GpuMetrics& its,
                       models::GpuMetrics& row) {
  std::size_t impossible = 0;
  const auto get = [&](models::Quantity q) {
    return its.readings.Get(static_cast<std::size_t>(q));
  };
  for (const schema::Derived& derived : exporter.derive) {
    if (row.readings.Has(static_cast<std::size_t>(derived.target))) continue;
    double sum = 0;
    const bool all = std::all_of(derived.sum.begin(), derived.sum.end(), [&](auto q) {
      const auto value = get(q);
      sum += value.value_or(0);
      return value.has_value();
    });
    if (!all) continue;
    for (const auto q : derived.plus_if_there) sum += get(q).value_or(0);
    const auto slot = static_cast<std::size_t>(derived.target);
    if (IsPossible<models::GpuMetrics>(slot, sum)) {
      row.readings.Set(slot, sum);
    } else {
      row.readings.SetAbsent(slot, NullReason::kInvalidValue);
      ++impossible;
    }
  }
  return impossible;
}

}  // namespace gpumon::gpu
