// What rows say of themselves, and what others say of them, before they meet.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "internal/gpu/claimed_ids.h"
#include "internal/gpu/device_names.h"
#include "internal/gpu/exporter_rows.h"
#include "internal/gpu/mig.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// RowT is models::GpuMetrics or models::GpuProcess.
template <class RowT>
class RowNames {
 public:
  static constexpr std::size_t kRanks = 6;

  using Parts = std::span<const std::unique_ptr<ExporterRows<RowT>>>;
  using Devices = std::span<const std::unique_ptr<ExporterRows<models::GpuMetrics>>>;

  // From the settled rows of all exporters, the best first, after PlaceBoards; `devices` are the
  // GPUs that come with processes. Both must outlive this.
  void Learn(Parts parts, Devices devices);
  // Rows that name all of what they are have the lowest: those that lack some of it come later and
  // join them, in whichever order their series came.
  std::size_t RankOf(const RowT& row) const;
  // Fills in what others say of a row of `exporter` that names its GPU, or its MIG instance, by the
  // UUID alone, or of its compute instance; a process has the node and id by which the list of GPUs
  // has its GPU. Afterwards its rank is another.
  void Complete(RowT& row, std::size_t exporter) const;
  // Gives processes that tell their GPU's node and id alone its UUID and name, where others say,
  // and takes memory away that their GPU does not have: of how many.
  std::size_t NameGpus(std::vector<RowT>& rows) const;
  // Two rows are one GPU.
  void Met(const RowT& row, const RowT& more) {
    const auto node = models::Text::kNode;
    if (!kIsProcess && !Agree(row.text(node), more.text(node))) {
      moved_.insert(row.text(models::Text::kUuid));
    }
  }
  // GPUs that two exporters have on two nodes.
  std::size_t moved() const { return moved_.size(); }
  // A row without a UUID that may be either of several GPUs.
  bool IsUnclear(const RowT& row) const { return ids_.AreSeveral(row); }
  // A MIG instance that is known by its UUID alone, where another exporter shows its GPU's without
  // their UUIDs: both would be counted.
  bool MayBeTwice(const RowT& row) const {
    if constexpr (!kIsProcess) return instance_uuids_.MayBeAnother(row);
    return false;
  }
  // The same of a row without a node, whose UUID several nodes show.
  bool IsCloned(const RowT& row) const {
    if constexpr (!kIsProcess) return devices_.AreSeveral(row);
    return false;
  }

 private:
  static constexpr bool kIsProcess = std::is_same_v<RowT, models::GpuProcess>;

  void LearnGpus(std::size_t exporter, const ExporterRows<models::GpuMetrics>& rows);
  void LearnIds(Parts parts);
  void LearnInstances(Parts parts);

  DeviceNames devices_;
  ClaimedIds ids_;
  ComputeInstances compute_instances_;
  InstanceUuids instance_uuids_;
  std::set<std::string_view> moved_;  // their UUIDs
};

extern template class RowNames<models::GpuMetrics>;
extern template class RowNames<models::GpuProcess>;

}  // namespace gpumon::gpu
