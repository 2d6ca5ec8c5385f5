// What series of GPUs say of those that others name by their UUID alone.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

class DeviceNames {
 public:
  // Those of the best exporter first. It must outlive this.
  void Add(const models::GpuMetrics& gpu);
  // Fills in the node, id and name that `row` (models::GpuMetrics or models::GpuProcess) lacks;
  // none where several nodes show its UUID and it does not say which of them it is on.
  template <class RowT>
  void Name(RowT& row) const;

 private:
  std::unordered_map<std::string_view, std::vector<const models::GpuMetrics*>> gpus_;  // by UUID
};

extern template void DeviceNames::Name(models::GpuMetrics&) const;
extern template void DeviceNames::Name(models::GpuProcess&) const;

}  // namespace gpumon::gpu
