#include "internal/gpu/process_gpus.h"

#include <map>
#include <string_view>
#include <utility>

#include "internal/gpu/identity.h"

namespace gpumon::gpu {
namespace {

using models::GpuProcess;
using models::Text;

struct Named {
  std::string_view uuid;
  std::string_view name;
  bool several = false;
};

auto PlaceOf(const GpuProcess& row) {
  return std::pair(row.text(Text::kNode), row.text(Text::kGpuId));
}
bool HasPlace(const GpuProcess& row) {
  return !row.text(Text::kNode).empty() && !row.text(Text::kGpuId).empty();
}

}  // namespace

void NameGpus(std::vector<GpuProcess>& rows) {
  bool any = false;
  for (const GpuProcess& row : rows) any |= row.text(Text::kUuid).empty() && HasPlace(row);
  if (!any) return;
  std::map<std::pair<std::string_view, std::string_view>, Named> gpus;
  for (const GpuProcess& row : rows) {
    const std::string_view uuid = row.text(Text::kUuid);
    if (uuid.empty() || IsMigUuid(uuid) || !HasPlace(row)) continue;
    Named& gpu = gpus[PlaceOf(row)];
    gpu.several |= !gpu.uuid.empty() && gpu.uuid != uuid;
    gpu.uuid = uuid;
    // In any order of the rows the same.
    if (gpu.name.empty() || row.text(Text::kGpuName) > gpu.name)
      gpu.name = row.text(Text::kGpuName);
  }
  for (GpuProcess& row : rows) {
    if (!row.text(Text::kUuid).empty() || !HasPlace(row)) continue;
    const auto found = gpus.find(PlaceOf(row));
    if (found == gpus.end() || found->second.several) continue;
    row.set_text(Text::kUuid, found->second.uuid);
    if (row.text(Text::kGpuName).empty()) row.set_text(Text::kGpuName, found->second.name);
  }
}

}  // namespace gpumon::gpu
