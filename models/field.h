// THE field registry. A row's key is the JSON key, the CSV, command-line and dashboard column and
// the schema key. Everything else loops over these tables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gpumon::models {

enum class Kind : std::uint8_t { kNumber, kInteger, kText, kTime, kObject };

// One key of a GPU or process row.
struct FieldSpec {
  std::string_view name;
  std::string_view unit;  // "", "%", "GiB", "bytes", "°C", "seconds", ...
  Kind kind;
  // The key stands in every row, null when nothing measured it. Other keys stand where some row
  // of the snapshot has them.
  bool always;
  std::string_view help;
};

// What an exporter measures, in one base unit; the rows below show it in the API's units.
enum class Quantity : std::uint8_t {
  kUtilization,        // %
  kMemoryUtilization,  // %
  kMemoryUsed,         // bytes
  kMemoryTotal,        // bytes
  kMemoryFree,         // bytes
  kTemperature,        // degrees Celsius
  kCount
};
inline constexpr std::size_t kQuantities = static_cast<std::size_t>(Quantity::kCount);

enum class ProcessQuantity : std::uint8_t {
  kGpuMemory,  // bytes
  kCpu,        // % of one core; may pass 100
  kMemory,     // % of the host's memory
  kCount
};
inline constexpr std::size_t kProcessQuantities =
    static_cast<std::size_t>(ProcessQuantity::kCount);

}  // namespace gpumon::models
