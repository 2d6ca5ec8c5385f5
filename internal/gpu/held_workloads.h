// The pods that hold a GPU, while its row is put together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "internal/gpu/row_index.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. Texts are kept in `arena`, which must outlive it.
class HeldWorkloads {
 public:
  explicit HeldWorkloads(models::Arena& arena) : arena_(arena) {}

  // One more row, which nobody holds yet.
  void AddRow() { first_.push_back(RowIndex::kNone); }
  bool IsHeld(std::size_t row) const { return first_[row] != RowIndex::kNone; }
  bool AnyIsHeld() const {
    return std::any_of(first_.begin(), first_.end(),
                       [](std::uint32_t first) { return first != RowIndex::kNone; });
  }
  // The workload of these texts that holds `row`, from now on if not before. Good until the next
  // call.
  models::Workload& Hold(std::size_t row, std::string_view name_space, std::string_view pod,
                         std::string_view container);
  // It no longer holds `row`.
  void Drop(std::size_t row, std::string_view name_space, std::string_view pod,
            std::string_view container);
  // A share above the whole GPU is none: absent from now on. Returns how many were.
  std::size_t DropImpossible();
  // In the order of their texts.
  std::vector<models::Workload> Of(std::size_t row) const;

 private:
  struct Held {
    models::Workload workload;
    std::uint32_t next;  // of the same row, or RowIndex::kNone
  };

  models::Arena& arena_;
  std::vector<Held> held_;
  std::vector<std::uint32_t> first_;  // by row
};

// By namespace, pod, container.
void SortWorkloads(std::vector<models::Workload>& workloads);

// Adds those of another exporter to those that hold a GPU: what is known of one already stays.
void MergeWorkloads(std::vector<models::Workload>& held, const std::vector<models::Workload>& more);

// Memory that a GPU does not have is no pod's: absent from now on. How many were. `held` by row.
std::size_t DropBeyond(std::span<const models::GpuMetrics> rows,
                       std::vector<std::vector<models::Workload>>& held);

// Parts of one GPU are measured apart from it and from each other: together they are no more than
// the GPU's own value, or where nobody knows that than the whole GPU. `held` by row; how many GPUs
// had more, and were scaled down.
std::size_t FitWorkloads(std::span<const models::GpuMetrics> rows,
                         std::vector<std::vector<models::Workload>>& held);

}  // namespace gpumon::gpu
