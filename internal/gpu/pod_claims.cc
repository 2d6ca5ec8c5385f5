#include "internal/gpu/pod_claims.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpumon::gpu {

std::vector<bool> PodClaims::Hear(const Contest::Ranking& ranking) {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  double of_pods = kNever;
  std::map<std::size_t, double> of_target;
  for (const Contest::Contender* one : ranking) {
    if (one->reading.reason != models::NullReason::kNone) continue;
    if (!one->workload.pod.empty()) of_pods = std::max(of_pods, one->at);
    double& newest = of_target.try_emplace(one->target, kNever).first->second;
    newest = std::max(newest, one->at);
  }
  std::vector<bool> left;
  for (const Contest::Contender* one : ranking) {
    const auto own = of_target.find(one->target);
    const double newest = std::max(of_pods, own == of_target.end() ? kNever : own->second);
    left.push_back(std::isfinite(one->at) && one->at < newest);
    Heard(one->row, one->workload, left.back());
  }
  return left;
}

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
