#include "internal/schema/unit.h"

#include <algorithm>
#include <array>

namespace gpumon::schema {
namespace {

using models::ProcessQuantity;
using models::Quantity;
using models::Text;

constexpr double kKiB = 1024;
constexpr double kMiB = 1024 * kKiB;

constexpr std::array kUnits = {
    Unit{"%", Dimension::kPercent, 1},
    Unit{"ratio", Dimension::kPercent, 100},
    Unit{"ratio_or_percent", Dimension::kPercent, 100, Rule::kRatioOrPercent},
    Unit{"bytes", Dimension::kBytes, 1},
    Unit{"KiB", Dimension::kBytes, kKiB},
    Unit{"MiB", Dimension::kBytes, kMiB},
    Unit{"C", Dimension::kCelsius, 1},
    Unit{"W", Dimension::kWatt, 1},
    Unit{"mW", Dimension::kWatt, 1e-3},
    Unit{"J", Dimension::kJoule, 1},
    Unit{"mJ", Dimension::kJoule, 1e-3},
    Unit{"uJ", Dimension::kJoule, 1e-6},
    Unit{"Hz", Dimension::kMegahertz, 1e-6},
    Unit{"MHz", Dimension::kMegahertz, 1},
    Unit{"B/s", Dimension::kBytesPerSecond, 1},
    Unit{"MiB/s", Dimension::kBytesPerSecond, kMiB},
    Unit{"count", Dimension::kWhole, 1},
    Unit{"code", Dimension::kWhole, 1},
    Unit{"bitmask", Dimension::kMask, 1},
    Unit{"flag", Dimension::kMask, 1, Rule::kFlag},
};

constexpr Measured Gpu(std::string_view name, Quantity quantity, Dimension dimension) {
  return {name, static_cast<std::size_t>(quantity), dimension};
}
constexpr Measured Process(std::string_view name, ProcessQuantity quantity, Dimension dimension) {
  return {name, static_cast<std::size_t>(quantity), dimension};
}

constexpr std::array kGpu = {
    Gpu("utilization", Quantity::kUtilization, Dimension::kPercent),
    Gpu("memory_utilization", Quantity::kMemoryUtilization, Dimension::kPercent),
    Gpu("memory_used", Quantity::kMemoryUsed, Dimension::kBytes),
    Gpu("memory_total", Quantity::kMemoryTotal, Dimension::kBytes),
    Gpu("memory_free", Quantity::kMemoryFree, Dimension::kBytes),
    Gpu("memory_reserved", Quantity::kMemoryReserved, Dimension::kBytes),
    Gpu("temperature", Quantity::kTemperature, Dimension::kCelsius),
    Gpu("memory_temperature", Quantity::kMemoryTemperature, Dimension::kCelsius),
    Gpu("power", Quantity::kPower, Dimension::kWatt),
    Gpu("power_limit", Quantity::kPowerLimit, Dimension::kWatt),
    Gpu("energy", Quantity::kEnergy, Dimension::kJoule),
    Gpu("sm_clock", Quantity::kSmClock, Dimension::kMegahertz),
    Gpu("sm_clock_max", Quantity::kSmClockMax, Dimension::kMegahertz),
    Gpu("memory_clock", Quantity::kMemoryClock, Dimension::kMegahertz),
    Gpu("pstate", Quantity::kPstate, Dimension::kWhole),
    Gpu("sm_active", Quantity::kSmActive, Dimension::kPercent),
    Gpu("sm_occupancy", Quantity::kSmOccupancy, Dimension::kPercent),
    Gpu("tensor_active", Quantity::kTensorActive, Dimension::kPercent),
    Gpu("dram_active", Quantity::kDramActive, Dimension::kPercent),
    Gpu("encoder_utilization", Quantity::kEncoderUtilization, Dimension::kPercent),
    Gpu("decoder_utilization", Quantity::kDecoderUtilization, Dimension::kPercent),
    Gpu("fan", Quantity::kFan, Dimension::kPercent),
    Gpu("pcie_rx", Quantity::kPcieRx, Dimension::kBytesPerSecond),
    Gpu("pcie_tx", Quantity::kPcieTx, Dimension::kBytesPerSecond),
    Gpu("nvlink_rx", Quantity::kNvlinkRx, Dimension::kBytesPerSecond),
    Gpu("nvlink_tx", Quantity::kNvlinkTx, Dimension::kBytesPerSecond),
    Gpu("nvlink_errors", Quantity::kNvlinkErrors, Dimension::kWhole),
    Gpu("nvlink_status", Quantity::kNvlinkStatus, Dimension::kWhole),
    Gpu("throttle_reasons", Quantity::kThrottleReasons, Dimension::kMask),
    Gpu("xid_last", Quantity::kXidLast, Dimension::kWhole),
    Gpu("ecc_corrected_volatile", Quantity::kEccCorrectedVolatile, Dimension::kWhole),
    Gpu("ecc_uncorrected_volatile", Quantity::kEccUncorrectedVolatile, Dimension::kWhole),
    Gpu("ecc_corrected_aggregate", Quantity::kEccCorrectedAggregate, Dimension::kWhole),
    Gpu("ecc_uncorrected_aggregate", Quantity::kEccUncorrectedAggregate, Dimension::kWhole),
    Gpu("row_remap_correctable", Quantity::kRowRemapCorrectable, Dimension::kWhole),
    Gpu("row_remap_uncorrectable", Quantity::kRowRemapUncorrectable, Dimension::kWhole),
    Gpu("row_remap_pending", Quantity::kRowRemapPending, Dimension::kWhole),
    Gpu("row_remap_failure", Quantity::kRowRemapFailure, Dimension::kWhole),
    Gpu("pcie_replay", Quantity::kPcieReplay, Dimension::kWhole),
};

constexpr std::array kProcess = {
    Process("gpu_memory", ProcessQuantity::kGpuMemory, Dimension::kBytes),
    Process("cpu", ProcessQuantity::kCpu, Dimension::kPercent),
    Process("memory", ProcessQuantity::kMemory, Dimension::kPercent),
    Process("gpu_utilization", ProcessQuantity::kGpuUtilization, Dimension::kPercent),
};

constexpr std::array kTexts = {
    TextName{"node", Text::kNode},
    TextName{"gpu_id", Text::kGpuId},
    TextName{"gpu_name", Text::kGpuName},
    TextName{"uuid", Text::kUuid},
    TextName{"mig_gpu_instance_id", Text::kMigGpuInstance},
    TextName{"mig_compute_instance_id", Text::kMigComputeInstance},
    TextName{"mig_profile", Text::kMigProfile},
    TextName{"mig_uuid", Text::kMigUuid},
    TextName{"vendor", Text::kVendor},
    TextName{"driver_version", Text::kDriverVersion},
    TextName{"pci_bus_id", Text::kPciBusId},
    TextName{"namespace", Text::kNamespace},
    TextName{"pod", Text::kPod},
    TextName{"container", Text::kContainer},
    TextName{"process_name", Text::kProcessName},
    TextName{"user", Text::kUser},
    TextName{"command", Text::kCommand},
};

}  // namespace

std::span<const Unit> Units() {
  return kUnits;
}

const Unit* FindUnit(std::string_view name) {
  const auto* found =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == name; });
  return found == kUnits.end() ? nullptr : found;
}

std::span<const Measured> MeasuredOfGpus() {
  return kGpu;
}

std::span<const Measured> MeasuredOfProcesses() {
  return kProcess;
}

std::span<const TextName> TextNames() {
  return kTexts;
}

}  // namespace gpumon::schema
