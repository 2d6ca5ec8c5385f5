// Names of GPUs: ids and UUIDs in one form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "models/gpu.h"

namespace gpumon::gpu {

// Of a MIG instance, in whichever case of letters.
bool IsMigUuid(std::string_view uuid);
bool IsDecimal(std::string_view text);

// The same text, or one of them is absent.
inline bool Agree(std::string_view a, std::string_view b) {
  return a.empty() || b.empty() || a == b;
}

// Product names of which one has all words of the other, in any case ("H100", "NVIDIA H100 PCIe"),
// or is absent.
bool NamesAgree(std::string_view a, std::string_view b);

// `0|[1-9][0-9]{0,5}` as a number, else RowT::kNoIndex.
std::int32_t ParseGpuIndex(std::string_view id);

// NVIDIA's UUIDs as `GPU-` (or `MIG-`, before R470 `MIG-GPU-`) and lower case, whether the exporter
// writes the prefix or not; those of other makers as they are. Kept in `arena`.
std::string_view KeepUuid(std::string_view uuid, std::string_view vendor, models::Arena& arena);

// As KeepUuid has it; nothing where it is so already.
std::optional<std::string> RewriteUuid(std::string_view uuid, std::string_view vendor);

// Whether two UUIDs, as clients and exporters write them, are one in KeepUuid's form.
bool IsSameUuid(std::string_view a, std::string_view b);

}  // namespace gpumon::gpu
