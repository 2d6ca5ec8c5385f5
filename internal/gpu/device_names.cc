#include "internal/gpu/device_names.h"

#include <algorithm>

#include "internal/gpu/identity.h"
#include "internal/gpu/mig.h"

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::Text;
using Gpus = std::vector<const GpuMetrics*>;

// Those of the node. A cloned machine shows another's UUIDs.
Gpus OfNode(const Gpus& gpus, std::string_view node) {
  Gpus fitting;
  for (const GpuMetrics* gpu : gpus) {
    if (Agree(gpu->text(Text::kNode), node)) fitting.push_back(gpu);
  }
  const bool one_node = std::all_of(fitting.begin(), fitting.end(), [&](const GpuMetrics* gpu) {
    return std::all_of(fitting.begin(), fitting.end(), [&](const GpuMetrics* other) {
      return Agree(gpu->text(Text::kNode), other->text(Text::kNode));
    });
  });
  return one_node ? fitting : Gpus();
}

// The best exporter's; of several of its texts the first.
std::string_view Best(const Gpus& gpus, Text text) {
  const GpuMetrics* best = nullptr;
  for (const GpuMetrics* gpu : gpus) {
    if (gpu->text(text).empty()) continue;
    const bool better = best == nullptr || (gpu->text(Text::kSource) == best->text(Text::kSource) &&
                                            gpu->text(text) < best->text(text));
    if (better) best = gpu;
  }
  return best == nullptr ? std::string_view() : best->text(text);
}

}  // namespace

void DeviceNames::Add(const GpuMetrics& gpu) {
  if (IsInstance(gpu) || gpu.text(Text::kUuid).empty()) return;
  gpus_[gpu.text(Text::kUuid)].push_back(&gpu);
}

template <class RowT>
void DeviceNames::Name(RowT& row) const {
  const auto found = gpus_.find(row.text(Text::kUuid));
  if (found == gpus_.end()) return;
  const Gpus gpus = OfNode(found->second, row.text(Text::kNode));
  for (const Text text : {Text::kNode, Text::kGpuId, Text::kGpuName}) {
    if (row.text(text).empty()) row.set_text(text, Best(gpus, text));
  }
  if (row.gpu_index == RowT::kNoIndex) row.gpu_index = ParseGpuIndex(row.text(Text::kGpuId));
}

template void DeviceNames::Name(models::GpuMetrics&) const;
template void DeviceNames::Name(models::GpuProcess&) const;

}  // namespace gpumon::gpu
