// Asks the kubelet which containers have which devices.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "models/device_holder.h"

namespace gpumon::grpc {

// v1.PodResourcesLister/List over the kubelet's socket. Thread-safe.
class PodResources {
 public:
  // `socket`: the path, usually /var/lib/kubelet/pod-resources/kubelet.sock; need not be there.
  explicit PodResources(std::string socket);
  ~PodResources();
  PodResources(const PodResources&) = delete;
  PodResources& operator=(const PodResources&) = delete;

  // Containers with devices, one entry for each of their resources. kNotFound: there is no socket.
  // kUnavailable, kUpstreamTimeout: it does not answer. kUpstreamInvalid: what it says is no
  // answer.
  Result<std::vector<models::DeviceHolder>> List(Deadline deadline) const;

 private:
  struct Parts;  // gRPC's own
  const std::string socket_;
  const std::unique_ptr<Parts> parts_;
};

// Of ListPodResourcesResponse in protobuf's wire format; unknown fields are passed over. Any bytes;
// kUpstreamInvalid when they are no message.
Result<std::vector<models::DeviceHolder>> ReadPodResources(std::string_view bytes);

}  // namespace gpumon::grpc
