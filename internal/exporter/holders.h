// Which pods have which GPUs, and which processes are theirs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "internal/exporter/driver_look.h"
#include "models/device_holder.h"

namespace gpumon::exporter {

struct Holder {
  std::string name_space;
  std::string pod;
  std::string container;  // "" when it may be several
  bool operator==(const Holder&) const = default;
};

struct PodName {
  std::string name_space;
  std::string pod;
};
// By the UID: of the folders NAMESPACE_POD_UID that a kubelet keeps logs in (/var/log/pods).
// Nothing when the folder is not there.
using PodNames = std::map<std::string, PodName, std::less<>>;
PodNames ReadPodNames(const std::string& folder);

// Of one node at one time.
class Holders {
 public:
  Holders() = default;
  Holders(std::vector<models::DeviceHolder> containers, PodNames names)
      : containers_(std::move(containers)), names_(std::move(names)) {}

  // Those that have the GPU, without its instances, or one of its instances.
  std::vector<Holder> OfGpu(const nvml::Gpu& gpu) const;
  std::vector<Holder> OfInstance(const nvml::Gpu& gpu, const nvml::MigInstance& instance) const;
  // Empty where it is not known, and of a process that is in no pod.
  Holder OfProcess(const nvml::Gpu& gpu, const SeenProcess& process) const;

 private:
  std::vector<Holder> Having(const std::vector<std::string>& ids, unsigned index) const;

  std::vector<models::DeviceHolder> containers_;
  PodNames names_;
};

}  // namespace gpumon::exporter
