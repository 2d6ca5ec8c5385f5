#include "internal/gpu/device_names.h"

#include <algorithm>
#include <map>
#include <utility>

#include "internal/gpu/bounds.h"
#include "internal/gpu/identity.h"
#include "internal/gpu/mig.h"

namespace gpumon::gpu {

using models::GpuMetrics;
using models::GpuProcess;
using models::Text;

namespace {

// 0: nobody knows.
double TotalOf(const GpuMetrics& gpu) {
  return gpu.readings.Get(static_cast<std::size_t>(models::Quantity::kMemoryTotal)).value_or(0);
}

}  // namespace

// Those of the node. A cloned machine shows another's UUIDs.
auto DeviceNames::OfNode(const Devices& devices, std::string_view node) -> Devices {
  Devices fitting;
  for (const Device& device : devices) {
    if (Agree(device.gpu->text(Text::kNode), node)) fitting.push_back(device);
  }
  const bool one_node = std::all_of(fitting.begin(), fitting.end(), [&](const Device& device) {
    return std::all_of(fitting.begin(), fitting.end(), [&](const Device& other) {
      return Agree(device.gpu->text(Text::kNode), other.gpu->text(Text::kNode));
    });
  });
  return one_node ? fitting : Devices();
}

// The best exporter's; of several of its texts the first.
std::string_view DeviceNames::Best(const Devices& devices, Text text) {
  const Device* best = nullptr;
  for (const Device& device : devices) {
    // An instance may have a name of its own.
    if (device.gpu->text(text).empty() || (device.is_part && text == Text::kGpuName)) continue;
    const bool better = best == nullptr || (device.exporter == best->exporter &&
                                            device.gpu->text(text) < best->gpu->text(text));
    if (better) best = &device;
  }
  return best == nullptr ? std::string_view() : best->gpu->text(text);
}

void DeviceNames::Add(std::size_t exporter, const GpuMetrics& gpu) {
  const std::string_view uuid = gpu.text(Text::kUuid);
  const std::string_view mig_uuid = gpu.text(Text::kMigUuid);
  if (!uuid.empty()) devices_[uuid].push_back({exporter, &gpu, IsInstance(gpu)});
  if (!mig_uuid.empty()) devices_[mig_uuid].push_back({exporter, &gpu});
  if (IsInstance(gpu) || gpu.text(Text::kGpuId).empty() || TotalOf(gpu) == 0) return;
  double& total = totals_[{gpu.text(Text::kNode), gpu.text(Text::kGpuId)}];
  total = std::max(total, TotalOf(gpu));
}

void DeviceNames::NameByPlace(std::vector<GpuProcess>& rows) const {
  const bool any = std::any_of(rows.begin(), rows.end(), [](const GpuProcess& row) {
    return row.text(Text::kUuid).empty() && !row.text(Text::kNode).empty();
  });
  if (!any) return;
  // Node and id -> whole GPU; null: several.
  std::map<std::pair<std::string_view, std::string_view>, const GpuMetrics*> places;
  for (const auto& [uuid, devices] : devices_) {
    for (const Device& device : devices) {
      const GpuMetrics& gpu = *device.gpu;
      if (IsInstance(gpu) || gpu.text(Text::kNode).empty() || gpu.text(Text::kGpuId).empty()) {
        continue;
      }
      const auto [known, is_new] =
          places.try_emplace({gpu.text(Text::kNode), gpu.text(Text::kGpuId)}, &gpu);
      const GpuMetrics*& its = known->second;
      if (its != nullptr && its->text(Text::kUuid) != uuid) its = nullptr;
    }
  }
  for (GpuProcess& row : rows) {
    if (!row.text(Text::kUuid).empty()) continue;
    const auto found = places.find({row.text(Text::kNode), row.text(Text::kGpuId)});
    if (found == places.end() || found->second == nullptr) continue;
    const GpuMetrics& gpu = *found->second;
    if (!NamesAgree(row.text(Text::kGpuName), gpu.text(Text::kGpuName))) continue;
    row.set_text(Text::kUuid, gpu.text(Text::kUuid));
    if (row.text(Text::kGpuName).empty()) row.set_text(Text::kGpuName, gpu.text(Text::kGpuName));
  }
}

std::size_t DeviceNames::DropBeyond(std::vector<GpuProcess>& rows) const {
  constexpr auto kUsed = static_cast<std::size_t>(models::ProcessQuantity::kGpuMemory);
  const auto total_of = [&](const GpuProcess& row) {
    double most = 0;
    if (const auto found = devices_.find(row.text(Text::kUuid)); found != devices_.end()) {
      for (const Device& device : found->second) most = std::max(most, TotalOf(*device.gpu));
    }
    const auto place = totals_.find({row.text(Text::kNode), row.text(Text::kGpuId)});
    return most == 0 && place != totals_.end() ? place->second : most;
  };
  std::size_t dropped = 0;
  for (GpuProcess& row : rows) {
    const auto used = row.readings.Get(kUsed);
    if (!used) continue;
    const double total = total_of(row);
    if (total == 0 || *used <= total * kMostOfTotal) continue;
    row.readings.SetAbsent(kUsed, models::NullReason::kInvalidValue);
    ++dropped;
  }
  return dropped;
}

template <class RowT>
void DeviceNames::Name(RowT& row) const {
  const auto found = devices_.find(row.text(Text::kUuid));
  if (found == devices_.end()) return;
  const Devices devices = OfNode(found->second, row.text(Text::kNode));
  for (const Text text : {Text::kNode, Text::kGpuId, Text::kGpuName}) {
    if (row.text(text).empty()) row.set_text(text, Best(devices, text));
  }
  if (row.gpu_index == RowT::kNoIndex) row.gpu_index = ParseGpuIndex(row.text(Text::kGpuId));
}

bool DeviceNames::AreSeveral(const GpuMetrics& row) const {
  if (devices_.empty() || !row.text(Text::kNode).empty()) return false;
  const auto found = devices_.find(row.text(Text::kUuid));
  if (found == devices_.end()) return false;
  // Those of one exporter stand together.
  const Device* before = nullptr;
  for (const Device& device : found->second) {
    const std::string_view node = device.gpu->text(Text::kNode);
    if (node.empty()) continue;
    if (before != nullptr && before->exporter == device.exporter &&
        before->gpu->text(Text::kNode) != node) {
      return true;
    }
    before = &device;
  }
  return false;
}

void DeviceNames::Rename(GpuProcess& row, std::size_t exporter) const {
  const auto found = devices_.find(row.text(Text::kUuid));
  if (found == devices_.end()) return;
  Devices better;
  for (const Device& device : found->second) {
    if (device.exporter < exporter && !device.gpu->text(Text::kNode).empty()) {
      better.push_back(device);
    }
  }
  if (better.empty()) return;
  // The best alone: those below it call the node as the row itself may do.
  std::erase_if(better, [first = better.front().exporter](const Device& device) {
    return device.exporter != first;
  });
  Devices fitting = OfNode(better, row.text(Text::kNode));
  if (fitting.empty()) fitting = OfNode(better, {});
  for (const Text text : {Text::kNode, Text::kGpuId}) {
    if (const auto name = Best(fitting, text); !name.empty()) row.set_text(text, name);
  }
  row.gpu_index = ParseGpuIndex(row.text(Text::kGpuId));
}

template void DeviceNames::Name(models::GpuMetrics&) const;
template void DeviceNames::Name(models::GpuProcess&) const;

}  // namespace gpumon::gpu
