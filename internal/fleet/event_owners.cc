#include "internal/fleet/event_owners.h"

#include <span>

#include "internal/gpu/gpu_rows.h"

namespace gpumon::fleet {

using models::Text;

void EventOwners::Find() {
  found_ = true;
  for (std::size_t row = 0; row < boards_.size(); ++row) {
    if (boards_[row] != row) rows_[boards_[row]].push_back(row);
  }
  on_.resize(gpus_.gpus.size());
  const gpu::GpuRows rows(gpus_.gpus);
  for (std::size_t p = 0; processes_ != nullptr && p < processes_->processes.size(); ++p) {
    const std::size_t at = rows.Find(processes_->processes[p]);
    if (at != gpu::GpuRows::kNone) on_[at].push_back(p);
  }
}

Owners EventOwners::Of(std::size_t board) {
  if (!found_) Find();
  std::vector<std::size_t> rows = {board};
  if (const auto parts = rows_.find(board); parts != rows_.end()) {
    rows.insert(rows.end(), parts->second.begin(), parts->second.end());
  }
  Owners owners;
  for (const std::size_t row : rows) {
    const models::GpuMetrics& its = gpus_.gpus[row];
    for (const models::Workload& workload :
         std::span(gpus_.workloads).subspan(its.first_workload, its.workload_count)) {
      owners.pods.emplace(workload.name_space, workload.pod);
    }
    for (const std::size_t p : on_[row]) {
      const models::GpuProcess& process = processes_->processes[p];
      const std::string_view user = process.text(Text::kUser);
      if (!user.empty()) owners.users.emplace(user);
      const std::string_view pod = process.text(Text::kPod);
      if (!pod.empty()) owners.pods.emplace(process.text(Text::kNamespace), pod);
    }
  }
  return owners;
}

}  // namespace gpumon::fleet
