#include "internal/exporter/holders.h"

#include <dirent.h>

#include <algorithm>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::exporter {
namespace {

// Without the number that a plugin gives to each share of one device: "GPU-...::3".
std::string_view DeviceOf(std::string_view id) {
  id = id.substr(0, id.find("::"));
  return id.substr(0, id.find("/vgpu"));
}

void AddOnce(Holder holder, std::vector<Holder>& holders) {
  if (std::find(holders.begin(), holders.end(), holder) == holders.end()) {
    holders.push_back(std::move(holder));
  }
}

}  // namespace

PodNames ReadPodNames(const std::string& folder) {
  PodNames names;
  DIR* const open = opendir(folder.c_str());
  if (open == nullptr) return names;
  while (const dirent* const entry = readdir(open)) {
    // None of the three has an underscore.
    const std::string_view name = entry->d_name;
    const std::size_t first = name.find('_');
    const std::size_t last = name.rfind('_');
    if (first == 0 || first == last || last + 1 == name.size()) continue;
    names[std::string(name.substr(last + 1))] = {
        ToValidUtf8(name.substr(0, first)), ToValidUtf8(name.substr(first + 1, last - first - 1))};
  }
  closedir(open);
  return names;
}

std::vector<Holder> Holders::Having(const std::vector<std::string>& ids, unsigned index) const {
  // A number says nothing of a device of another kind.
  constexpr std::string_view kNvidia = "nvidia.com/";
  const std::string number = std::to_string(index);
  std::vector<Holder> holders;
  for (const models::DeviceHolder& container : containers_) {
    const bool has =
        std::any_of(container.devices.begin(), container.devices.end(), [&](const auto& id) {
          const std::string_view device = DeviceOf(id);
          return std::any_of(ids.begin(), ids.end(), [&](const auto& one) {
            return EqualsIgnoreCase(device, one) &&
                   (one != number || container.resource.starts_with(kNvidia));
          });
        });
    if (has) AddOnce({container.name_space, container.pod, container.container}, holders);
  }
  return holders;
}

std::vector<Holder> Holders::OfGpu(const nvml::Gpu& gpu) const {
  const std::string number = std::to_string(gpu.index);
  std::vector<std::string> ids = {number, "nvidia" + number};
  if (gpu.uuid) ids.push_back(*gpu.uuid);
  return Having(ids, gpu.index);
}

std::vector<Holder> Holders::OfInstance(const nvml::Gpu& gpu,
                                        const nvml::MigInstance& instance) const {
  const std::string number = std::to_string(gpu.index);
  std::vector<std::string> ids = {number + ':' + std::to_string(instance.index)};
  if (instance.uuid) ids.push_back(*instance.uuid);
  if (instance.gpu_instance) {
    ids.push_back("nvidia" + number + "/gi" + std::to_string(*instance.gpu_instance));
  }
  return Having(ids, gpu.index);
}

Holder Holders::OfProcess(const nvml::Gpu& gpu, const SeenProcess& process) const {
  std::vector<Holder> holders = OfGpu(gpu);
  if (process.process.gpu_instance) {
    holders.clear();
    for (const nvml::MigInstance& instance : gpu.mig_instances) {
      if (instance.gpu_instance != process.process.gpu_instance) continue;
      for (Holder& holder : OfInstance(gpu, instance)) AddOnce(std::move(holder), holders);
    }
  }
  const std::string& uid = process.host.container.pod_uid;
  // A program of the host itself may be on a GPU that a pod has.
  if (process.host.found && uid.empty()) return {};
  const auto name = names_.find(uid);
  if (name == names_.end()) return holders.size() == 1 ? holders.front() : Holder{};
  Holder of{name->second.name_space, name->second.pod, ""};
  std::erase_if(holders, [&](const Holder& holder) {
    return holder.name_space != of.name_space || holder.pod != of.pod;
  });
  if (holders.size() == 1) of.container = holders.front().container;
  return of;
}

}  // namespace gpumon::exporter
