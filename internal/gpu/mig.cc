#include "internal/gpu/mig.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "internal/gpu/identity.h"

namespace gpumon::gpu {

using models::GpuMetrics;
using models::NullReason;
using models::Text;

namespace {

// The one GPU of that UUID on the instance's node, or anywhere when the instance names no node.
GpuMetrics* GpuOf(const GpuMetrics& instance,
                  const std::unordered_multimap<std::string_view, GpuMetrics*>& gpus) {
  GpuMetrics* found = nullptr;
  const std::string_view node = instance.text(Text::kNode);
  const auto [first, last] = gpus.equal_range(instance.text(Text::kUuid));
  for (auto at = first; at != last; ++at) {
    if (!node.empty() && at->second->text(Text::kNode) != node) continue;
    if (found != nullptr) return nullptr;  // a cloned machine shows another's UUIDs
    found = at->second;
  }
  return found;
}

}  // namespace

bool IsInstance(const GpuMetrics& row) {
  return !row.text(Text::kMigGpuInstance).empty() || !row.text(Text::kMigUuid).empty();
}

ComputeInstances::Place ComputeInstances::PlaceOf(const GpuMetrics& row) {
  const std::string_view uuid = row.text(Text::kUuid);
  const std::string_view instance = row.text(Text::kMigGpuInstance);
  if (!uuid.empty()) return {uuid, "", "", instance};
  return {"", row.text(Text::kNode), row.text(Text::kGpuId), instance};
}

void ComputeInstances::Add(const GpuMetrics& row) {
  const std::string_view compute = row.text(Text::kMigComputeInstance);
  if (compute.empty()) return;
  const auto [known, is_new] = only_.try_emplace(PlaceOf(row), compute);
  if (!is_new && known->second != compute) known->second = {};
}

std::string_view ComputeInstances::OnlyOneOf(const GpuMetrics& row) const {
  if (only_.empty() || row.text(Text::kMigGpuInstance).empty()) return {};
  if (!row.text(Text::kMigComputeInstance).empty()) return {};
  const auto found = only_.find(PlaceOf(row));
  return found == only_.end() ? std::string_view() : found->second;
}

namespace {

// Some exporters write 0 for what a divided GPU cannot tell, others nothing.
void HideUndivided(GpuMetrics& gpu) {
  for (const models::Quantity quantity :
       {models::Quantity::kUtilization, models::Quantity::kMemoryUtilization,
        models::Quantity::kEncoderUtilization, models::Quantity::kDecoderUtilization}) {
    const auto slot = static_cast<std::size_t>(quantity);
    const bool none = gpu.readings.reason(slot) == NullReason::kNotExported;
    if (none || gpu.readings.Get(slot) == 0) {
      gpu.readings.SetAbsent(slot, NullReason::kNotSupported);
    }
  }
}

}  // namespace

void NameInstances(std::vector<GpuMetrics>& rows) {
  bool any = false;
  for (GpuMetrics& row : rows) {
    any |= IsInstance(row);
    if (row.divided && !IsInstance(row)) HideUndivided(row);
  }
  if (!any) return;
  std::unordered_multimap<std::string_view, GpuMetrics*> gpus;
  for (GpuMetrics& row : rows) {
    if (!IsInstance(row) && !row.text(Text::kUuid).empty()) {
      gpus.emplace(row.text(Text::kUuid), &row);
    }
  }
  for (GpuMetrics& row : rows) {
    GpuMetrics* const gpu = IsInstance(row) ? GpuOf(row, gpus) : nullptr;
    if (gpu == nullptr) continue;
    for (const Text text :
         {Text::kNode, Text::kGpuId, Text::kGpuName, Text::kDriverVersion, Text::kPciBusId}) {
      if (row.text(text).empty()) row.set_text(text, gpu->text(text));
    }
    if (row.gpu_index == GpuMetrics::kNoIndex)
      row.gpu_index = ParseGpuIndex(row.text(Text::kGpuId));
    HideUndivided(*gpu);
  }
}

}  // namespace gpumon::gpu
