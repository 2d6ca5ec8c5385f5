// The table that nvidia-smi prints of its GPUs, a column a row here.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "internal/nvml/gpu.h"

namespace gpumon::nvml {

// Where a column goes: the first member that is set.
struct SmiColumn {
  std::string_view name;
  Reading<std::string> Gpu::*text = nullptr;
  Reading<double> Gpu::*number = nullptr;
  Reading<bool> Gpu::*flag = nullptr;  // "Enabled" or "Disabled"
  models::Quantity quantity = models::Quantity::kCount;
  double scale = 1;
};

inline constexpr double kSmiMiB = 1024.0 * 1024.0;

namespace internal {
constexpr SmiColumn Text(std::string_view name, Reading<std::string> Gpu::*to) {
  return {name, to, nullptr, nullptr, models::Quantity::kCount, 1};
}
constexpr SmiColumn Megahertz(std::string_view name, Reading<double> Gpu::*to) {
  return {name, nullptr, to, nullptr, models::Quantity::kCount, 1};
}
constexpr SmiColumn Flag(std::string_view name, Reading<bool> Gpu::*to) {
  return {name, nullptr, nullptr, to, models::Quantity::kCount, 1};
}
constexpr SmiColumn Value(std::string_view name, models::Quantity to, double scale = 1) {
  return {name, nullptr, nullptr, nullptr, to, scale};
}
}  // namespace internal

inline constexpr std::string_view kSmiIndex = "index";
inline constexpr std::string_view kSmiUuid = "uuid";
inline constexpr std::string_view kSmiDriver = "driver_version";
// Of two for one quantity the first that is known counts.
inline constexpr std::array kSmiColumns = {
    SmiColumn{kSmiIndex},
    SmiColumn{kSmiDriver},
    internal::Flag("mig.mode.current", &Gpu::mig_mode),
    internal::Text("name", &Gpu::name),
    internal::Text(kSmiUuid, &Gpu::uuid),
    internal::Text("pci.bus_id", &Gpu::pci_bus_id),
    internal::Text("serial", &Gpu::serial),
    internal::Value("utilization.gpu", models::Quantity::kUtilization),
    internal::Value("utilization.memory", models::Quantity::kMemoryUtilization),
    internal::Value("memory.total", models::Quantity::kMemoryTotal, kSmiMiB),
    internal::Value("memory.used", models::Quantity::kMemoryUsed, kSmiMiB),
    internal::Value("memory.free", models::Quantity::kMemoryFree, kSmiMiB),
    internal::Value("memory.reserved", models::Quantity::kMemoryReserved, kSmiMiB),
    internal::Value("temperature.gpu", models::Quantity::kTemperature),
    internal::Value("temperature.memory", models::Quantity::kMemoryTemperature),
    internal::Value("power.draw", models::Quantity::kPower),
    internal::Value("enforced.power.limit", models::Quantity::kPowerLimit),
    internal::Value("power.limit", models::Quantity::kPowerLimit),
    internal::Value("clocks.sm", models::Quantity::kSmClock),
    internal::Value("clocks.max.sm", models::Quantity::kSmClockMax),
    internal::Value("clocks.mem", models::Quantity::kMemoryClock),
    internal::Megahertz("clocks.max.mem", &Gpu::memory_clock_max),
    internal::Megahertz("clocks.gr", &Gpu::graphics_clock),
    internal::Megahertz("clocks.max.gr", &Gpu::graphics_clock_max),
    internal::Value("pstate", models::Quantity::kPstate),
    internal::Value("fan.speed", models::Quantity::kFan),
    internal::Value("clocks_throttle_reasons.active", models::Quantity::kThrottleReasons),
    internal::Value("ecc.errors.corrected.volatile.total", models::Quantity::kEccCorrectedVolatile),
    internal::Value("ecc.errors.corrected.aggregate.total",
                    models::Quantity::kEccCorrectedAggregate),
    internal::Value("ecc.errors.uncorrected.volatile.total",
                    models::Quantity::kEccUncorrectedVolatile),
    internal::Value("ecc.errors.uncorrected.aggregate.total",
                    models::Quantity::kEccUncorrectedAggregate),
};
// Some of them, by their place in the table.
using SmiColumns = std::bitset<kSmiColumns.size()>;

// Without what is blank around it.
std::string_view Trimmed(std::string_view text);
// What a cell holds: "[N/A]", "[Insufficient Permissions]", "ERR!" are absent.
Reading<std::string> ReadSmiCell(std::string_view cell);
// "45", "180.50", "0x0000000000000004", "P2"; nothing of what is no finite number.
std::optional<double> SmiNumberOf(std::string_view text);
std::optional<std::uint32_t> SmiCountOf(std::string_view text);  // an index, the id of a process
Reading<double> ReadSmiNumber(std::string_view cell, double scale);
void SetSmiCell(const SmiColumn& column, std::string_view cell, Gpu& gpu, Software& software);

// The columns whose value, as far as it is none of the board's names, the source of `gpu` does not
// support; those whose value it tells.
SmiColumns LackedBy(const Gpu& gpu);
SmiColumns ToldBy(const Gpu& gpu);
// Gives `to` what it lacks and `from`, the same board, tells. Those columns; of two for a quantity
// the first.
SmiColumns FillLacking(const Gpu& from, Gpu& to);

}  // namespace gpumon::nvml
