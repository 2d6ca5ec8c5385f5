// Why a value that an answer has room for is not in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gpumon::models {

// Why a value is absent. kNone: it is there.
enum class NullReason : std::uint8_t {
  kNone,
  kNotExported,   // no exporter here offers it (for this GPU)
  kNotSupported,  // the exporter says that the device cannot tell
  kExporterDown,
  kStale,
  kInvalidValue,  // NaN, infinite, or physically impossible
  kConflict,
  kQueryFailed,  // the query for it failed: the snapshot is partial
  kHidden,       // the configuration shows it to nobody
  kCount
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(NullReason::kCount)>
    kNullReasonNames = {"none",          "not_exported", "not_supported", "exporter_down", "stale",
                        "invalid_value", "conflict",     "query_failed",  "hidden"};
constexpr std::string_view NameOf(NullReason reason) {
  return kNullReasonNames[static_cast<std::size_t>(reason)];
}

}  // namespace gpumon::models
