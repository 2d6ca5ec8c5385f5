// A kubelet that tells whose the devices are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/device_holder.h"

namespace gpumon::fake_kubelet {

// ListPodResourcesResponse in protobuf's wire format, one pod for each entry, with fields that
// nobody asked for.
std::string Encode(const std::vector<models::DeviceHolder>& holders);

enum class Manner { kAnswers, kIsSilent, kRefuses };

// Serves v1.PodResourcesLister/List on a unix socket until it ends.
class Kubelet {
 public:
  // Throws std::runtime_error when it cannot listen on `socket`.
  Kubelet(const std::string& socket, std::string answer, Manner manner = Manner::kAnswers);
  ~Kubelet();
  Kubelet(const Kubelet&) = delete;
  Kubelet& operator=(const Kubelet&) = delete;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gpumon::fake_kubelet
