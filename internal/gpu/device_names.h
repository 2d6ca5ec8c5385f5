// What series of GPUs say of those that others name by their UUID alone.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

class DeviceNames {
 public:
  // A row of an exporter, those of the best first. It must outlive this.
  void Add(std::size_t exporter, const models::GpuMetrics& gpu);
  // Fills in the node, id and name that `row` (models::GpuMetrics or models::GpuProcess) lacks;
  // none where several nodes show its UUID and it does not say which of them it is on.
  template <class RowT>
  void Name(RowT& row) const;
  // Rows without a UUID get that of the only GPU at their node and id, and its name, unless they
  // have another name.
  void NameByPlace(std::vector<models::GpuProcess>& rows) const;
  // Memory that the GPU of a process (by its UUID, else its node and id) does not have, where its
  // total is known, is none of it: absent from now on. How many were.
  std::size_t DropBeyond(std::vector<models::GpuProcess>& rows) const;
  // Several nodes of one exporter show the UUID of `row`, which does not say on which of them it
  // is. Two exporters may call one node by two names.
  bool AreSeveral(const models::GpuMetrics& row) const;
  // Node and id as the best exporter that shows its GPU calls them, if that is a better one than
  // `exporter`, whose row this is: as in the list of GPUs.
  void Rename(models::GpuProcess& row, std::size_t exporter) const;

 private:
  struct Device {
    std::size_t exporter;
    const models::GpuMetrics* gpu;
    bool is_part = false;  // a MIG instance that is found by the UUID of its GPU
  };
  using Devices = std::vector<Device>;
  static Devices OfNode(const Devices& devices, std::string_view node);
  static std::string_view Best(const Devices& devices, models::Text text);

  std::unordered_map<std::string_view, Devices> devices_;  // by UUID
  // Memory of whole GPUs, by node and id.
  std::map<std::pair<std::string_view, std::string_view>, double> totals_;
};

extern template void DeviceNames::Name(models::GpuMetrics&) const;
extern template void DeviceNames::Name(models::GpuProcess&) const;

}  // namespace gpumon::gpu
