#include "internal/gpu/pod_claims.h"

namespace gpumon::gpu {

void PodClaims::Heard(std::uint32_t row, const models::Workload& workload, bool old) {
  if (workload.pod.empty()) return;
  const auto [claim, is_new] =
      left_.try_emplace({row, workload.name_space, workload.pod, workload.container}, old);
  if (!is_new) claim->second &= old;
}

void PodClaims::Settle(HeldWorkloads& workloads) {
  for (const auto& [claim, left] : left_) {
    const auto& [row, name_space, pod, container] = claim;
    if (left) workloads.Drop(row, name_space, pod, container);
  }
  left_.clear();
}

}  // namespace gpumon::gpu
