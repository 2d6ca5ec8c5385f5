#include "internal/gpu/mig.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "internal/gpu/identity.h"

namespace gpumon::gpu {

using models::GpuMetrics;
using models::NullReason;
using models::Text;

bool IsInstance(const GpuMetrics& row) {
  return !row.text(Text::kMigGpuInstance).empty() || !row.text(Text::kMigUuid).empty();
}

void NameInstances(std::vector<GpuMetrics>& rows) {
  if (std::none_of(rows.begin(), rows.end(), IsInstance)) return;
  const auto key = [](const GpuMetrics& row) {
    return std::string(row.text(Text::kNode)).append(1, '\0').append(row.text(Text::kUuid));
  };
  std::unordered_map<std::string, GpuMetrics*> gpus;
  for (GpuMetrics& row : rows) {
    if (!IsInstance(row) && !row.text(Text::kUuid).empty()) gpus[key(row)] = &row;
  }
  constexpr auto kUtilization = static_cast<std::size_t>(models::Quantity::kUtilization);
  for (GpuMetrics& row : rows) {
    const auto found = IsInstance(row) ? gpus.find(key(row)) : gpus.end();
    if (found == gpus.end()) continue;
    GpuMetrics& gpu = *found->second;
    for (const Text text :
         {Text::kGpuId, Text::kGpuName, Text::kVendor, Text::kDriverVersion, Text::kPciBusId}) {
      if (row.text(text).empty()) row.set_text(text, gpu.text(text));
    }
    if (row.gpu_index == GpuMetrics::kNoIndex)
      row.gpu_index = ParseGpuIndex(row.text(Text::kGpuId));
    if (gpu.readings.reason(kUtilization) == NullReason::kNotExported) {
      gpu.readings.SetAbsent(kUtilization, NullReason::kNotSupported);
    }
  }
}

}  // namespace gpumon::gpu
