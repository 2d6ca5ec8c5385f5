// Which of the pods that series name hold a GPU still.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <vector>

#include "internal/gpu/contest.h"
#include "internal/gpu/held_workloads.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. A pod has left that is named by series alone of which there are newer ones,
// of the same target or naming pods: another replica, or another job of the same exporter, was
// scraped since. Targets that name no pods say nothing of any.
class PodClaims {
 public:
  // Series of one value. By their places: the pod that it names has left, as far as these tell.
  std::vector<bool> Hear(const Contest::Ranking& ranking);
  // A series of `row` names the pod of `workload`, whose texts must outlive this. `old`: there is a
  // newer one of the same value.
  void Heard(std::uint32_t row, const models::Workload& workload, bool old);
  // Takes those that have left out of `workloads`.
  void Settle(HeldWorkloads& workloads);

 private:
  using Claim = std::tuple<std::uint32_t, std::string_view, std::string_view, std::string_view>;

  std::map<Claim, bool> left_;
};

}  // namespace gpumon::gpu
