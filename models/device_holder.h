// Who holds devices of a node, as its kubelet tells.
#pragma once

#include <string>
#include <vector>

namespace gpumon::models {

// A container and its devices of one resource.
struct DeviceHolder {
  std::string name_space;
  std::string pod;
  std::string container;
  std::string resource;              // "nvidia.com/gpu"
  std::vector<std::string> devices;  // ids as the device plugin gives them: "GPU-...", "MIG-..."
};

}  // namespace gpumon::models
