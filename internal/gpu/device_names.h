// What series of GPUs say of those that processes name by their UUID alone.
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
  // Fills in the node, id and name that `process` lacks; none where several nodes show its UUID and
  // it does not say which of them it is on.
  void Name(models::GpuProcess& process) const;

 private:
  std::unordered_map<std::string_view, std::vector<const models::GpuMetrics*>> gpus_;  // by UUID
};

}  // namespace gpumon::gpu
