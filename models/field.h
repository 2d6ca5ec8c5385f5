// What fields are made of. The fields themselves stand in fields.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gpumon::models {

// What an exporter measures of a GPU, in one base unit.
enum class Quantity : std::uint8_t {
  kUtilization,         // %
  kMemoryUtilization,   // %: activity of the memory controller
  kMemoryUsed,          // bytes
  kMemoryTotal,         // bytes
  kMemoryFree,          // bytes
  kMemoryReserved,      // bytes: the driver's own
  kMemoryUsedPercent,   // %, derived: used / total
  kTemperature,         // degrees Celsius
  kMemoryTemperature,   // degrees Celsius
  kPower,               // W
  kPowerLimit,          // W
  kEnergy,              // J since the driver was loaded
  kSmClock,             // MHz
  kSmClockMax,          // MHz
  kMemoryClock,         // MHz
  kPstate,              // 0 (fastest) to 15
  kSmActive,            // %
  kSmOccupancy,         // %
  kTensorActive,        // %
  kDramActive,          // %
  kEncoderUtilization,  // %
  kDecoderUtilization,  // %
  kFan,                 // %
  kPcieRx,              // bytes/s
  kPcieTx,              // bytes/s
  kNvlinkRx,            // bytes/s
  kNvlinkTx,            // bytes/s
  kNvlinkErrors,        // count
  kNvlinkStatus,        // links that are up
  kThrottleReasons,     // bits of NVML's clock event reasons
  kXidLast,             // code; sticky
  kEccCorrectedVolatile,
  kEccUncorrectedVolatile,
  kEccCorrectedAggregate,
  kEccUncorrectedAggregate,
  kRowRemapCorrectable,
  kRowRemapUncorrectable,
  kRowRemapPending,
  kRowRemapFailure,
  kPcieReplay,
  kCount
};
inline constexpr std::size_t kQuantities = static_cast<std::size_t>(Quantity::kCount);

// What an exporter measures of a process on a GPU.
enum class ProcessQuantity : std::uint8_t {
  kGpuMemory,       // bytes
  kCpu,             // % of one core: may pass 100
  kMemory,          // % of the host's memory
  kGpuUtilization,  // % of the GPU's multiprocessors or compute units
  kCount
};
inline constexpr std::size_t kProcessQuantities = static_cast<std::size_t>(ProcessQuantity::kCount);

// Texts of a row. A GPU row uses them up to kSource, a process row all.
enum class Text : std::uint8_t {
  kNode,
  kGpuId,
  kGpuName,
  kUuid,  // `GPU-` and lower case
  kMigGpuInstance,
  kMigComputeInstance,
  kMigProfile,
  kMigUuid,
  kVendor,
  kDriverVersion,
  kPciBusId,
  kNamespace,
  kPod,
  kContainer,
  kSource,
  kProcessName,
  kUser,
  kCommand,
  kCount
};
inline constexpr std::size_t kGpuTexts = static_cast<std::size_t>(Text::kSource) + 1;
inline constexpr std::size_t kProcessTexts = static_cast<std::size_t>(Text::kCount);

// Where a field's value comes from.
enum class From : std::uint8_t {
  kReading,    // slot: Quantity or ProcessQuantity
  kInteger,    // likewise, a whole number
  kThrottle,   // likewise: the names of a mask's bits
  kText,       // slot: Text
  kGpuIndex,   // integer, or null when the id is not a small decimal number
  kMig,        // null, or {gpu_instance_id, compute_instance_id, profile, uuid}
  kPid,        // integer
  kTimestamp,  // time of the newest sample
  kAge,        // seconds from the oldest sample to the snapshot's instant
  kWorkloads,  // list of {namespace, pod, container, share}
  kReasons,    // object: field -> why it is null
};

struct FieldSpec {
  std::string_view name;
  std::string_view unit;  // "%", "GiB", "bytes", "°C", "seconds", "" for none
  From from;
  std::uint8_t slot;
  double scale;  // shown = reading * scale
  // Stands in every row, null when nothing measured it. Other fields stand in every row of a
  // snapshot as soon as one row has them.
  bool always;
  std::string_view help;
};

}  // namespace gpumon::models
