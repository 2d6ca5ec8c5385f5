#include "internal/gpu/held_workloads.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "internal/gpu/bounds.h"
#include "internal/gpu/identity.h"

namespace gpumon::gpu {

using models::NullReason;
using models::Quantity;
using models::Workload;

namespace {

// True when they were more. Bytes stay whole.
bool FitParts(std::vector<Workload>& workloads, double Workload::*part, std::optional<double> whole,
              bool bytes) {
  constexpr double kSlack = 1 + 1e-9;
  double sum = 0;
  for (const Workload& workload : workloads) {
    if (!std::isnan(workload.*part)) sum += workload.*part;
  }
  if (!whole || !(sum > *whole * kSlack)) return false;
  for (Workload& workload : workloads) {
    workload.*part *= *whole / sum;
    if (bytes) workload.*part = std::floor(workload.*part);
  }
  return true;
}

}  // namespace

Workload& HeldWorkloads::Hold(std::size_t row, std::string_view name_space, std::string_view pod,
                              std::string_view container) {
  for (std::uint32_t at = first_[row]; at != RowIndex::kNone; at = held_[at].next) {
    Workload& held = held_[at].workload;
    if (held.pod == pod && held.name_space == name_space && held.container == container) {
      return held;
    }
  }
  Workload workload;
  workload.name_space = arena_.Keep(name_space);
  workload.pod = arena_.Keep(pod);
  workload.container = arena_.Keep(container);
  const auto at = static_cast<std::uint32_t>(held_.size());
  held_.push_back({workload, std::exchange(first_[row], at)});
  return held_.back().workload;
}

void HeldWorkloads::Drop(std::size_t row, std::string_view name_space, std::string_view pod,
                         std::string_view container) {
  for (std::uint32_t* at = &first_[row]; *at != RowIndex::kNone; at = &held_[*at].next) {
    const Workload& held = held_[*at].workload;
    if (held.pod == pod && held.name_space == name_space && held.container == container) {
      *at = held_[*at].next;
      return;
    }
  }
}

std::size_t HeldWorkloads::DropImpossible() {
  std::size_t dropped = 0;
  for (Held& held : held_) {
    double& share = held.workload.utilization;
    const auto utilization = static_cast<std::size_t>(models::Quantity::kUtilization);
    if (share != share || IsPossible<models::GpuMetrics>(utilization, share)) continue;
    share = std::numeric_limits<double>::quiet_NaN();
    held.workload.no_utilization = models::NullReason::kInvalidValue;
    ++dropped;
  }
  return dropped;
}

std::vector<Workload> HeldWorkloads::Of(std::size_t row) const {
  std::vector<Workload> workloads;
  for (std::uint32_t at = first_[row]; at != RowIndex::kNone; at = held_[at].next) {
    workloads.push_back(held_[at].workload);
  }
  SortWorkloads(workloads);
  return workloads;
}

void SortWorkloads(std::vector<Workload>& workloads) {
  std::sort(workloads.begin(), workloads.end(), [](const Workload& a, const Workload& b) {
    return std::tie(a.name_space, a.pod, a.container) < std::tie(b.name_space, b.pod, b.container);
  });
}

void MergeWorkloads(std::vector<Workload>& held, const std::vector<Workload>& more) {
  for (const Workload& workload : more) {
    const auto same = std::find_if(held.begin(), held.end(), [&](const Workload& known) {
      return known.name_space == workload.name_space && known.pod == workload.pod &&
             Agree(known.container, workload.container);
    });
    if (same == held.end()) {
      held.push_back(workload);
      continue;
    }
    const auto fill = [&](double Workload::*value, NullReason Workload::*why) {
      Workload& its = *same;
      if (!std::isnan(its.*value)) return;
      its.*value = workload.*value;
      // What an exporter offers and cannot tell says more.
      if (its.*why == NullReason::kNotExported) its.*why = workload.*why;
    };
    fill(&Workload::utilization, &Workload::no_utilization);
    fill(&Workload::memory_used, &Workload::no_memory_used);
    fill(&Workload::memory_limit, &Workload::no_memory_limit);
  }
}

std::size_t DropBeyond(std::span<const models::GpuMetrics> rows,
                       std::vector<std::vector<Workload>>& held) {
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto total = rows[i].readings.Get(static_cast<std::size_t>(Quantity::kMemoryTotal));
    for (Workload& workload : held[i]) {
      if (!total || !(workload.memory_used > *total * kMostOfTotal)) continue;
      workload.memory_used = std::numeric_limits<double>::quiet_NaN();
      workload.no_memory_used = NullReason::kInvalidValue;
      ++dropped;
    }
  }
  return dropped;
}

std::size_t FitWorkloads(std::span<const models::GpuMetrics> rows,
                         std::vector<std::vector<Workload>>& held) {
  constexpr double kWholeGpu = 100;  // percent
  std::size_t scaled = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto get = [&](Quantity quantity) {
      return rows[i].readings.Get(static_cast<std::size_t>(quantity));
    };
    const auto memory = get(Quantity::kMemoryUsed);
    const bool less_used = FitParts(held[i], &Workload::utilization,
                                    get(Quantity::kUtilization).value_or(kWholeGpu), false);
    const bool less_held = FitParts(held[i], &Workload::memory_used,
                                    memory ? memory : get(Quantity::kMemoryTotal), true);
    scaled += less_used || less_held ? 1U : 0U;
  }
  return scaled;
}

}  // namespace gpumon::gpu
