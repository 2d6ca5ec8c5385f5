#include "internal/fleet/event_owners.h"

#include <span>

#include "internal/gpu/gpu_rows.h"
#include "internal/gpu/mig.h"

namespace gpumon::fleet {

using models::Text;

Owners EventOwners::Of(const std::vector<std::size_t>& boards, std::size_t board) {
  if (!on_) {
    on_.emplace(gpus_.gpus.size());
    const gpu::GpuRows rows(gpus_.gpus);
    for (std::size_t p = 0; processes_ != nullptr && p < processes_->processes.size(); ++p) {
      const std::size_t at = rows.Find(processes_->processes[p]);
      if (at != gpu::GpuRows::kNone) (*on_)[at].push_back(p);
    }
  }
  Owners owners;
  for (std::size_t row = board; row < boards.size(); ++row) {
    if (boards[row] != board) continue;
    const models::GpuMetrics& its = gpus_.gpus[row];
    for (const models::Workload& workload :
         std::span(gpus_.workloads).subspan(its.first_workload, its.workload_count)) {
      owners.pods.emplace(workload.name_space, workload.pod);
    }
    for (const std::size_t p : (*on_)[row]) {
      const std::string_view user = processes_->processes[p].text(Text::kUser);
      if (!user.empty()) owners.users.emplace(user);
    }
  }
  return owners;
}

Owners EventOwners::OfGpu(std::string_view node, std::string_view uuid, std::string_view gpu_id) {
  const std::vector<std::size_t> boards = gpu::BoardsOf(gpus_.gpus);
  for (std::size_t row = 0; row < boards.size(); ++row) {
    const models::GpuMetrics& its = gpus_.gpus[row];
    const bool is_it = boards[row] == row && its.text(Text::kNode) == node &&
                       its.text(Text::kUuid) == uuid &&
                       (!uuid.empty() || its.text(Text::kGpuId) == gpu_id);
    if (is_it) return Of(boards, row);
  }
  return {};
}

}  // namespace gpumon::fleet
