#include "internal/gpu/pod_parts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <tuple>
#include <utility>

namespace gpumon::gpu {
namespace {

using models::NullReason;
using models::Workload;
using Part = PodParts::Part;

// Whose share it is a part of.
auto ShareOf(const Part& part) {
  return std::tuple(part.row, part.of->share, part.workload.name_space, part.workload.pod,
                    part.workload.container);
}

bool IsKnown(const Part& part) {
  return part.reading.reason == NullReason::kNone;
}

// Series of one part, the winner first: another one of its time has another value.
bool IsContradicted(std::span<const Part> series) {
  const Part& best = series.front();
  return std::any_of(series.begin() + 1, series.end(), [&](const Part& one) {
    return IsKnown(one) && std::isfinite(one.at) && one.at == best.at &&
           one.reading.value != best.reading.value;
  });
}

// The winners of a share's parts, added up; why not where one is not known.
Reading SumOf(std::span<const Part> parts, JoinCounts& counts) {
  Reading sum{0, NullReason::kNotSupported};
  NullReason unknown = NullReason::kNone;
  while (!parts.empty()) {
    const auto end = std::find_if(parts.begin(), parts.end(),
                                  [&](const Part& one) { return one.part != parts.front().part; });
    const auto series = parts.first(static_cast<std::size_t>(end - parts.begin()));
    parts = parts.subspan(series.size());
    counts.duplicates += series.size() - 1;
    const Part& best = series.front();
    if (best.reading.reason == NullReason::kNotSupported) continue;
    const bool contradicted = IsKnown(best) && IsContradicted(series);
    counts.conflicts += contradicted ? 1U : 0U;
    if (unknown == NullReason::kNone) {
      unknown = contradicted ? NullReason::kConflict : best.reading.reason;
    }
    sum = {sum.value + best.reading.value, NullReason::kNone};
  }
  return unknown == NullReason::kNone ? sum : Reading{0, unknown};
}

// Of one metric of one row: when its newest series was taken.
class NewestOfMetrics {
 public:
  explicit NewestOfMetrics(std::span<const Part> parts) {
    for (const Part& part : parts) {
      if (!IsKnown(part) || !std::isfinite(part.at)) continue;
      double& newest = newest_.try_emplace({part.row, part.family}, part.at).first->second;
      newest = std::max(newest, part.at);
    }
  }
  bool IsOld(const Part& part) const {
    const auto newest = newest_.find({part.row, part.family});
    return newest != newest_.end() && std::isfinite(part.at) && part.at < newest->second;
  }

 private:
  std::map<std::pair<std::uint32_t, std::size_t>, double> newest_;
};

void Put(const Reading& reading, schema::Share share, Workload& workload) {
  const bool known = reading.reason == NullReason::kNone;
  const double value = known ? reading.value : std::numeric_limits<double>::quiet_NaN();
  if (share == schema::Share::kMemoryLimit) {
    workload.memory_limit = value;
    workload.no_memory_limit = reading.reason;
  } else if (share == schema::Share::kUtilization) {
    workload.utilization = value;
    workload.no_utilization = reading.reason;
  } else {
    workload.memory_used = value;
    workload.no_memory_used = reading.reason;
  }
}

}  // namespace

void PodParts::Settle(const RowTimes& row_times,
                      const std::unordered_map<std::size_t, double>& times,
                      HeldWorkloads& workloads, PodClaims& claims, JoinCounts& counts) {
  for (Part& part : parts_) {
    const auto own = times.find(part.series);
    part.at = own != times.end() ? own->second : row_times.NewestOf(part.row, part.target);
  }
  std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
    if (const auto x = ShareOf(a), y = ShareOf(b); x != y) return x < y;
    const bool a_unknown = !IsKnown(a);
    const bool b_unknown = !IsKnown(b);
    return std::tie(a.part, a_unknown, b.at, a.series, a.reading.value) <
           std::tie(b.part, b_unknown, a.at, b.series, b.reading.value);
  });
  const NewestOfMetrics newest(parts_);
  std::span<const Part> left = parts_;
  while (!left.empty()) {
    const Part& first = left.front();
    const auto end = std::find_if(left.begin(), left.end(),
                                  [&](const Part& one) { return ShareOf(one) != ShareOf(first); });
    const auto share = left.first(static_cast<std::size_t>(end - left.begin()));
    left = left.subspan(share.size());
    const bool old =
        std::all_of(share.begin(), share.end(), [&](const Part& one) { return newest.IsOld(one); });
    claims.Heard(first.row, first.workload, old);
    if (old) {
      counts.duplicates += share.size();
      continue;
    }
    Workload& held = workloads.Hold(first.row, first.workload.name_space, first.workload.pod,
                                    first.workload.container);
    Put(SumOf(share, counts), first.of->share, held);
  }
  parts_.clear();
}

void SharePods(const Contest::Ranking& ranking, const std::vector<bool>& left, std::size_t slot,
               HeldWorkloads& workloads) {
  for (std::size_t place = ranking.size(); place-- > 0;) {
    const Contest::Contender& one = *ranking[place];
    const bool beside = one.target == ranking.front()->target && one.at == ranking.front()->at;
    if (one.workload.pod.empty() || left[place] || !beside) continue;
    models::Workload& workload =
        workloads.Hold(one.row, one.workload.name_space, one.workload.pod, one.workload.container);
    const bool used = slot == static_cast<std::size_t>(models::Quantity::kMemoryUsed);
    if (!used && slot != static_cast<std::size_t>(models::Quantity::kUtilization)) continue;
    const bool told = !std::isnan(used ? workload.memory_used : workload.utilization);
    if (told && one.reading.reason != models::NullReason::kNone) continue;
    Put(one.reading, used ? schema::Share::kMemoryUsed : schema::Share::kUtilization, workload);
  }
}

}  // namespace gpumon::gpu
