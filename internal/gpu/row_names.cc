#include "internal/gpu/row_names.h"

#include <algorithm>

#include "internal/gpu/board_places.h"
#include "internal/gpu/process_gpus.h"

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::Text;

template <class RowT>
bool NamesUuidAlone(const RowT& row) {
  return !row.text(Text::kUuid).empty() &&
         (row.text(Text::kNode).empty() || row.text(Text::kGpuId).empty());
}

}  // namespace

template <class RowT>
void RowNames<RowT>::LearnGpus(std::size_t exporter, const ExporterRows<GpuMetrics>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) devices_.Add(exporter, rows.row(i));
}

// Mostly all rows have a UUID, or none.
template <class RowT>
void RowNames<RowT>::LearnIds(Parts parts) {
  bool with = false;
  bool without = false;
  for (const auto& part : parts) {
    for (std::size_t i = 0; i < part->size() && !(with && without); ++i) {
      (part->row(i).text(Text::kUuid).empty() ? without : with) = true;
    }
  }
  if (!with || !without) return;
  for (const auto& part : parts) {
    for (std::size_t i = 0; i < part->size(); ++i) ids_.Add(part->row(i));
  }
}

template <class RowT>
void RowNames<RowT>::LearnInstances(Parts parts) {
  if constexpr (!kIsProcess) {
    bool alone = false;
    for (const auto& part : parts) {
      for (std::size_t i = 0; !alone && i < part->size(); ++i) {
        alone = InstanceUuids::IsAlone(part->row(i));
      }
    }
    for (std::size_t at = 0; alone && at < parts.size(); ++at) {
      for (std::size_t i = 0; i < parts[at]->size(); ++i) instance_uuids_.Add(parts[at]->row(i));
    }
  }
}

template <class RowT>
void RowNames<RowT>::Learn(Parts parts, Devices devices) {
  if constexpr (!kIsProcess) moved_ = PlaceBoards(parts);
  LearnIds(parts);
  for (std::size_t i = 0; i < devices.size(); ++i) LearnGpus(i, *devices[i]);
  if constexpr (!kIsProcess) {
    bool any = false;
    for (const auto& part : parts) {
      if (part->names_compute_instances()) {
        for (std::size_t i = 0; i < part->size(); ++i) compute_instances_.Add(part->row(i));
      }
      const bool asks = parts.size() > 1 || part->has_nodes_of_targets();
      for (std::size_t i = 0; asks && !any && i < part->size(); ++i) {
        any = NamesUuidAlone(part->row(i));
      }
    }
    LearnInstances(parts);
    // Mostly nobody asks.
    for (std::size_t i = 0; any && i < parts.size(); ++i) LearnGpus(i, *parts[i]);
  }
}

template <class RowT>
std::size_t RowNames<RowT>::RankOf(const RowT& row) const {
  std::size_t rank = 0;
  if (row.text(Text::kNode).empty()) rank = 1;
  if (row.text(Text::kUuid).empty()) rank = 2;
  if constexpr (kIsProcess) {
    if (rank == 0 && IsMigUuid(row.text(Text::kUuid))) rank = 1;
  } else if (!compute_instances_.OnlyOneOf(row).empty()) {
    rank += 3;
  }
  return rank;
}

template <class RowT>
void RowNames<RowT>::Complete(RowT& row, std::size_t exporter) const {
  if constexpr (!kIsProcess) instance_uuids_.Name(row);
  if (NamesUuidAlone(row)) devices_.Name(row);
  if constexpr (kIsProcess) {
    devices_.Rename(row, exporter);
  } else {
    const std::string_view only = compute_instances_.OnlyOneOf(row);
    if (!only.empty()) row.set_text(Text::kMigComputeInstance, only);
  }
}

template <class RowT>
std::size_t RowNames<RowT>::NameGpus(std::vector<RowT>& rows) const {
  if constexpr (kIsProcess) {
    gpu::NameGpus(rows);
    devices_.NameByPlace(rows);
    return devices_.DropBeyond(rows);
  }
  return 0;
}

template class RowNames<models::GpuMetrics>;
template class RowNames<models::GpuProcess>;

}  // namespace gpumon::gpu
