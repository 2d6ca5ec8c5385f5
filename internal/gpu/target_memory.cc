#include "internal/gpu/target_memory.h"

#include <cstddef>
#include <utility>

namespace gpumon::gpu {

void AddDerived(const schema::Exporter& exporter, TargetMemory::Fields& fields,
                TargetMemory::Metrics& metrics) {
  for (const schema::Derived& derived : exporter.derive) {
    std::uint64_t needed = 0;
    for (const models::Quantity part : derived.sum) {
      needed |= std::uint64_t{1} << static_cast<std::size_t>(part);
    }
    const auto target = static_cast<std::size_t>(derived.target);
    bool any = false;
    for (std::uint64_t* const bits : {&fields.of_gpus, &fields.of_instances}) {
      if (needed == 0 || (*bits & needed) != needed) continue;
      *bits |= std::uint64_t{1} << target;
      any = true;
    }
    if (!any) continue;
    const auto first = static_cast<std::size_t>(derived.sum.front());
    if (metrics.size() <= target) metrics.resize(target + 1);
    if (metrics[target].empty() && first < metrics.size()) metrics[target] = metrics[first];
  }
}

auto TargetMemory::Fields::operator|=(const Fields& more) -> Fields& {
  of_gpus |= more.of_gpus;
  of_instances |= more.of_instances;
  lacking_of_gpus |= more.lacking_of_gpus;
  lacking_of_instances |= more.lacking_of_instances;
  return *this;
}

void TargetMemory::Learn(models::Part part, const Shown& shown) {
  const SteadyTime now = clock_.Steady();
  const MutexLock lock(mutex_);
  for (const auto& [target, what] : shown) {
    Entry& entry = entries_[{target, part}];
    std::string hidden_in = what.hidden_in.empty() ? entry.what.hidden_in : what.hidden_in;
    entry = {{what.nodes, std::move(hidden_in), what.has_lost, what.metrics}, now};
  }
  std::erase_if(entries_, [&](const auto& entry) { return now - entry.second.seen > kDay; });
}

auto TargetMemory::Recall(models::Part part, const Target& target, Millis age) const -> Nodes {
  const MutexLock lock(mutex_);
  const auto found = entries_.find({target, part});
  if (found == entries_.end() || clock_.Steady() - found->second.seen > age) return {};
  return found->second.what.nodes;
}

auto TargetMemory::RecallMetrics(models::Part part, const Target& target) const -> Metrics {
  const MutexLock lock(mutex_);
  const auto found = entries_.find({target, part});
  return found == entries_.end() ? Metrics() : found->second.what.metrics;
}

bool TargetMemory::HasLost(models::Part part, const Target& target) const {
  const MutexLock lock(mutex_);
  const auto found = entries_.find({target, part});
  return found != entries_.end() && clock_.Steady() - found->second.seen <= kHour &&
         found->second.what.has_lost;
}

bool TargetMemory::Knows(std::string_view exporter) const {
  const SteadyTime now = clock_.Steady();
  const MutexLock lock(mutex_);
  for (auto entry = entries_.lower_bound({{std::string(exporter), 0}, models::Part{}});
       entry != entries_.end() && entry->first.first.exporter == exporter; ++entry) {
    if (now - entry->second.seen <= kHour) return true;
  }
  return false;
}

auto TargetMemory::RecallOthers(models::Part part, const std::string& exporter, const Shown& now,
                                Millis age) const -> Shown {
  Shown others;
  const SteadyTime present = clock_.Steady();
  // Both are in the order of targets.
  auto its = now.lower_bound({exporter, 0});
  const MutexLock lock(mutex_);
  for (auto at = entries_.lower_bound({{exporter, 0}, models::Part{}});
       at != entries_.end() && at->first.first.exporter == exporter; ++at) {
    const auto& [key, entry] = *at;
    while (its != now.end() && its->first < key.first) ++its;
    const bool shown = its != now.end() && its->first == key.first;
    if (!shown && key.second == part && present - entry.seen <= age) {
      others.emplace(key.first, entry.what);
    }
  }
  return others;
}

auto TargetMemory::RecallHidden(models::Part part, const std::string& exporter,
                                const std::string& job) const -> Shown {
  Shown hidden;
  const SteadyTime now = clock_.Steady();
  const MutexLock lock(mutex_);
  for (auto at = entries_.lower_bound({{exporter, 0}, models::Part{}});
       at != entries_.end() && at->first.first.exporter == exporter; ++at) {
    const auto& [key, entry] = *at;
    if (key.second == part && entry.what.hidden_in == job && now - entry.seen <= kHour) {
      hidden.emplace(key.first, entry.what);
    }
  }
  return hidden;
}

}  // namespace gpumon::gpu
