// THE field registry. A row's name is the JSON key, the CSV, command-line and dashboard column
// and the name in filters. Everything else loops over these tables: a new field is one row here
// and one line in each exporter's schema.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gpumon::models {

// What an exporter measures of a GPU, in one base unit.
enum class Quantity : std::uint8_t {
  kUtilization,        // %
  kMemoryUsed,         // bytes
  kMemoryTotal,        // bytes
  kMemoryFree,         // bytes
  kMemoryUtilization,  // %
  kTemperature,        // degrees Celsius
  kMemoryUsedPercent,  // %, derived: used / total
  kCount
};
inline constexpr std::size_t kQuantities = static_cast<std::size_t>(Quantity::kCount);

// What an exporter measures of a process on a GPU.
enum class ProcessQuantity : std::uint8_t {
  kGpuMemory,  // bytes
  kCpu,        // % of one core: may pass 100
  kMemory,     // % of the host's memory
  kCount
};
inline constexpr std::size_t kProcessQuantities = static_cast<std::size_t>(ProcessQuantity::kCount);

// Texts of a row. A GPU row uses them up to kSource, a process row all.
enum class Text : std::uint8_t {
  kNode,
  kGpuId,
  kGpuName,
  kUuid,
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
  kText,       // slot: Text
  kGpuIndex,   // integer, or null when the id is not a small decimal number
  kPid,        // integer
  kTimestamp,  // time of the newest sample
  kAge,        // seconds from the oldest sample to the snapshot's instant
  kWorkloads,  // list of {namespace, pod, container}
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

// In the order in which they are written.
inline constexpr std::array kGpuFields = {
    FieldSpec{"node_name", "", From::kText, internal::Slot(Text::kNode), 1, true,
              "Kubernetes node, or the host name that the exporter reports."},
    FieldSpec{"gpu_index", "", From::kGpuIndex, 0, 1, true,
              "Index of the GPU on its node; null when the exporter's id is not a number."},
    FieldSpec{"gpu_name", "", From::kText, internal::Slot(Text::kGpuName), 1, true,
              "Product name of the GPU."},
    FieldSpec{"utilization", "%", From::kReading, internal::Slot(Quantity::kUtilization), 1, true,
              "Share of the sample period in which at least one kernel ran."},
    FieldSpec{"memory_used", "GiB", From::kReading, internal::Slot(Quantity::kMemoryUsed),
              internal::kPerGiB, true, "Device memory in use."},
    FieldSpec{"memory_total", "GiB", From::kReading, internal::Slot(Quantity::kMemoryTotal),
              internal::kPerGiB, true, "Device memory installed."},
    FieldSpec{"memory_free", "GiB", From::kReading, internal::Slot(Quantity::kMemoryFree),
              internal::kPerGiB, true, "Device memory free, as the exporter reports it."},
    FieldSpec{"memory_utilization", "%", From::kReading,
              internal::Slot(Quantity::kMemoryUtilization), 1, true,
              "The exporter's own reading: memory controller activity on NVIDIA, not used/total."},
    FieldSpec{"temperature", "°C", From::kReading, internal::Slot(Quantity::kTemperature), 1, true,
              "Temperature of the GPU die."},
    FieldSpec{"timestamp", "", From::kTimestamp, 0, 1, true,
              "When the newest sample of this row was taken."},
    FieldSpec{"gpu_id", "", From::kText, internal::Slot(Text::kGpuId), 1, true,
              "The exporter's id of the GPU, as text."},
    FieldSpec{"uuid", "", From::kText, internal::Slot(Text::kUuid), 1, false, "UUID of the GPU."},
    FieldSpec{"memory_used_bytes", "bytes", From::kReading, internal::Slot(Quantity::kMemoryUsed),
              1, false, "Device memory in use, exact."},
    FieldSpec{"memory_total_bytes", "bytes", From::kReading, internal::Slot(Quantity::kMemoryTotal),
              1, false, "Device memory installed, exact."},
    FieldSpec{"memory_free_bytes", "bytes", From::kReading, internal::Slot(Quantity::kMemoryFree),
              1, false, "Device memory free, exact."},
    FieldSpec{"memory_used_percent", "%", From::kReading,
              internal::Slot(Quantity::kMemoryUsedPercent), 1, false,
              "Derived: memory used / memory total."},
    FieldSpec{"workloads", "", From::kWorkloads, 0, 1, false,
              "Pods that hold the GPU: namespace, pod, container."},
    FieldSpec{"source", "", From::kText, internal::Slot(Text::kSource), 1, true,
              "Exporter schema that the row came from."},
    FieldSpec{"sample_age_seconds", "seconds", From::kAge, 0, 1, true,
              "Age of the row's oldest sample at meta.as_of."},
    FieldSpec{"null_reasons", "", From::kReasons, 0, 1, false,
              "Why a field of this row is null, where meta.null_reasons does not say it."},
};

inline constexpr std::array kProcessFields = {
    FieldSpec{"node_name", "", From::kText, internal::Slot(Text::kNode), 1, true,
              "Kubernetes node, or the host name that the exporter reports."},
    FieldSpec{"gpu_index", "", From::kGpuIndex, 0, 1, true,
              "Index of the GPU on its node; null when the exporter's id is not a number."},
    FieldSpec{"pid", "", From::kPid, 0, 1, true,
              "Process id, in the pid namespace that the exporter sees."},
    FieldSpec{"process_name", "", From::kText, internal::Slot(Text::kProcessName), 1, true,
              "Name of the executable."},
    FieldSpec{"user", "", From::kText, internal::Slot(Text::kUser), 1, true,
              "Owner of the process."},
    FieldSpec{"command", "", From::kText, internal::Slot(Text::kCommand), 1, true,
              "Command line; secrets are masked unless PROCESS_COMMANDS says otherwise."},
    FieldSpec{"gpu_memory", "MiB", From::kReading, internal::Slot(ProcessQuantity::kGpuMemory),
              internal::kPerMiB, true, "Device memory that the process holds."},
    FieldSpec{"cpu", "%", From::kReading, internal::Slot(ProcessQuantity::kCpu), 1, true,
              "CPU use, 100 being one core."},
    FieldSpec{"memory", "%", From::kReading, internal::Slot(ProcessQuantity::kMemory), 1, true,
              "Share of the host's memory."},
    FieldSpec{"timestamp", "", From::kTimestamp, 0, 1, true,
              "When the newest sample of this row was taken."},
    FieldSpec{"gpu_id", "", From::kText, internal::Slot(Text::kGpuId), 1, true,
              "The exporter's id of the GPU, as text."},
    FieldSpec{"gpu_name", "", From::kText, internal::Slot(Text::kGpuName), 1, false,
              "Product name of the GPU."},
    FieldSpec{"uuid", "", From::kText, internal::Slot(Text::kUuid), 1, false, "UUID of the GPU."},
    FieldSpec{"gpu_memory_bytes", "bytes", From::kReading,
              internal::Slot(ProcessQuantity::kGpuMemory), 1, false,
              "Device memory that the process holds, exact."},
    FieldSpec{"namespace", "", From::kText, internal::Slot(Text::kNamespace), 1, false,
              "Namespace of the process's pod."},
    FieldSpec{"pod", "", From::kText, internal::Slot(Text::kPod), 1, false, "Pod of the process."},
    FieldSpec{"container", "", From::kText, internal::Slot(Text::kContainer), 1, false,
              "Container of the process."},
    FieldSpec{"source", "", From::kText, internal::Slot(Text::kSource), 1, true,
              "Exporter schema that the row came from."},
    FieldSpec{"sample_age_seconds", "seconds", From::kAge, 0, 1, true,
              "Age of the row's oldest sample at meta.as_of."},
    FieldSpec{"null_reasons", "", From::kReasons, 0, 1, false,
              "Why a field of this row is null, where meta.null_reasons does not say it."},
};

}  // namespace gpumon::models
