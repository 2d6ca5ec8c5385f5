#include "internal/gpu/target_memory.h"

namespace gpumon::gpu {

void TargetMemory::Learn(const std::set<Shown>& shown) {
  const SteadyTime now = clock_.Steady();
  const MutexLock lock(mutex_);
  // In order: what one target showed stands together.
  const Shown* last = nullptr;
  for (const Shown& one : shown) {
    Entry& entry = entries_[{one.exporter, one.target}];
    const bool same_target =
        last != nullptr && last->exporter == one.exporter && last->target == one.target;
    if (!same_target) entry.memory = {};
    entry.memory.nodes.insert(one.node);
    entry.memory.fields |= one.fields;
    entry.seen = now;
    last = &one;
  }
  std::erase_if(entries_, [&](const auto& entry) { return now - entry.second.seen > kHour; });
}

auto TargetMemory::Recall(std::string_view exporter, std::size_t target) const -> Memory {
  const MutexLock lock(mutex_);
  const auto found = entries_.find({std::string(exporter), target});
  if (found == entries_.end() || clock_.Steady() - found->second.seen > kHour) return {};
  return found->second.memory;
}

bool TargetMemory::Knows(std::string_view exporter) const {
  const SteadyTime now = clock_.Steady();
  const MutexLock lock(mutex_);
  for (auto entry = entries_.lower_bound({std::string(exporter), 0});
       entry != entries_.end() && entry->first.first == exporter; ++entry) {
    if (now - entry->second.seen <= kHour) return true;
  }
  return false;
}

}  // namespace gpumon::gpu
