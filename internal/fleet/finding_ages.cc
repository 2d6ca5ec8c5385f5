#include "internal/fleet/finding_ages.h"

#include <chrono>
#include <cmath>
#include <utility>

namespace gpumon::fleet {
namespace {

// Seconds that the findings of a GPU that is not shown are kept for its return.
constexpr double kKeep = 3600;
constexpr std::chrono::minutes kAskAgain{1};

}  // namespace

Began FindingAges::BeganAt(const std::string& gpu, double as_of, bool first) const {
  const bool is_past = std::isinf(gap_);
  if (first) return is_past ? Began{as_of, true} : Began{};
  return {as_of, !there_.contains(gpu)};
}

std::vector<std::vector<Began>> FindingAges::Look(double as_of, std::span<const Found> all) {
  std::vector<std::vector<Began>> ages;
  ages.reserve(all.size());
  const MutexLock lock(mutex_);
  // What began while nobody looked began nobody knows when.
  const bool first = !last_ || as_of - *last_ > gap_;
  const bool newer = first || as_of > *last_;
  if (first) learned_ = false;
  for (const Found& found : all) {
    auto& its = ages.emplace_back();
    for (const HealthFinding& finding : *found.findings) {
      const Key key(found.gpu, std::string(finding.component) + '/' + finding.which,
                    finding.severity);
      auto known = entries_.find(key);
      if (known == entries_.end() && newer) {
        known = entries_.emplace(key, Entry{BeganAt(found.gpu, as_of, first), as_of}).first;
      }
      if (known == entries_.end()) {
        its.emplace_back();
        continue;
      }
      if (newer) known->second.seen = as_of;
      const Began& began = known->second.began;
      its.push_back(began.at && *began.at <= as_of ? began : Began{});
    }
  }
  if (newer) {
    std::set<std::string> there;
    for (const Found& found : all) there.insert(found.gpu);
    std::erase_if(entries_, [&](const auto& entry) {
      const auto& [key, its] = entry;
      return its.seen < as_of && (there.contains(std::get<0>(key)) || its.seen < as_of - kKeep);
    });
    there_ = std::move(there);
    last_ = as_of;
  }
  return ages;
}

bool FindingAges::WantsPast(SteadyTime now) {
  const MutexLock lock(mutex_);
  if (learned_ || !last_ || (asked_ && now - *asked_ < kAskAgain)) return false;
  asked_ = now;
  return true;
}

auto FindingAges::Take() -> std::map<Key, Entry> {
  const MutexLock lock(mutex_);
  return std::exchange(entries_, {});
}

void FindingAges::Learn(FindingAges& past) {
  const std::map<Key, Entry> known = past.Take();
  const MutexLock lock(mutex_);
  learned_ = true;
  for (auto& [key, entry] : entries_) {
    const auto before = known.find(key);
    if (!entry.began.at && before != known.end()) entry.began = before->second.began;
  }
}

}  // namespace gpumon::fleet
