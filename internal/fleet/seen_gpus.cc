#include "internal/fleet/seen_gpus.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "internal/gpu/mig.h"

namespace gpumon::fleet {
namespace {

using models::GpuMetrics;
using models::Text;

// Seconds after which nobody waits for a GPU any more; /api/v1/gpu/missing looks further back.
constexpr double kKeep = 24 * 3600;
constexpr std::chrono::minutes kAskAgain{1};
constexpr double kNear = 60;  // seconds between looks that tell when it was

}  // namespace

auto SeenGpus::KeyOf(const GpuMetrics& row) -> Key {
  const std::string_view uuid = row.text(Text::kUuid);
  std::string device = uuid.empty() ? "#" + std::string(row.text(Text::kGpuId)) : std::string(uuid);
  return {std::string(row.text(Text::kNode)), std::move(device)};
}

auto SeenGpus::Note(const GpuMetrics& row, double as_of) -> Entry& {
  const auto [at, is_new] = entries_.try_emplace(KeyOf(row));
  Entry& entry = at->second;
  if (is_new) entry.came = looked_;
  entry.first = is_new ? as_of : std::min(entry.first, as_of);
  if (entry.seen >= as_of) return entry;
  entry.seen = as_of;
  entry.newest = std::isnan(row.newest) ? as_of : row.newest;
  entry.gpu_id = row.text(Text::kGpuId);
  entry.gpu_name = row.text(Text::kGpuName);
  entry.uuid = row.text(Text::kUuid);
  return entry;
}

// What is there, only elsewhere or under another name, and what nobody waits for any more.
void SeenGpus::Forget() {
  std::map<std::string, double> newest;  // by UUID: when it was seen last
  using Place = std::pair<std::string_view, std::string_view>;
  std::set<Place> ids;    // node and id, by another name
  std::set<Place> plain;  // of those without a UUID
  for (const auto& [key, entry] : entries_) {
    if (!entry.uuid.empty()) {
      double& seen = newest[entry.uuid];
      seen = std::max(seen, entry.seen);
    }
    if (entry.seen < last_) continue;
    ids.emplace(key.first, entry.gpu_id);
    if (entry.uuid.empty()) plain.emplace(key.first, entry.gpu_id);
  }
  const double last = last_;
  std::erase_if(entries_, [&](const auto& one) {
    const Entry& entry = one.second;
    if (entry.seen >= last) return false;
    if (entry.seen < last - kKeep) return true;
    if (!entry.uuid.empty() && newest.at(entry.uuid) > entry.seen) return true;
    const Place place{one.first.first, entry.gpu_id};
    return entry.uuid.empty() ? ids.contains(place) : plain.contains(place);
  });
}

// A node shows GPUs that came after others went: of so many the longest gone were replaced. One
// that was not seen to come may have been away for a while only: it replaced none but its id's.
void SeenGpus::ForgetReplaced() {
  for (auto at = entries_.begin(); at != entries_.end();) {
    const std::string& node = at->first.first;
    std::vector<std::map<Key, Entry>::iterator> gone;
    std::vector<Entry*> came;
    auto end = at;
    for (; end != entries_.end() && end->first.first == node; ++end) {
      if (end->second.seen < last_)
        gone.push_back(end);
      else if (!end->second.replaced)
        came.push_back(&end->second);
    }
    at = end;
    const auto order = [](const auto& a, const auto& b) { return a->second.seen < b->second.seen; };
    std::sort(gone.begin(), gone.end(), order);
    std::sort(came.begin(), came.end(), [](auto* a, auto* b) { return a->first < b->first; });
    for (const auto& one : gone) {
      const auto other = std::find_if(came.begin(), came.end(), [&](const Entry* its) {
        return its->first > one->second.seen && !its->replaced &&
               (its->came || its->gpu_id == one->second.gpu_id);
      });
      if (other == came.end()) continue;
      (*other)->replaced = true;
      entries_.erase(one);
    }
  }
}

void SeenGpus::Miss() {
  Forget();
  ForgetReplaced();
  for (auto& [key, entry] : entries_) {
    if (entry.seen >= last_ || entry.missed > entry.seen) continue;
    entry.missed = last_;
    entry.near = last_ - entry.seen <= kNear;
  }
}

std::vector<SeenGpus::Gone> SeenGpus::Look(const models::Snapshot& gpus) {
  std::vector<Gone> all;
  const MutexLock lock(mutex_);
  if (gpus.as_of > last_) {
    last_ = gpus.as_of;
    for (const GpuMetrics* row : gpu::WholeGpus(gpus.gpus)) {
      if (!row->text(Text::kNode).empty()) Note(*row, last_);
    }
    looked_ = true;
    unsettled_ = true;
  }
  if (std::exchange(unsettled_, false)) Miss();
  for (const auto& [key, entry] : entries_) {
    if (entry.seen >= std::min(last_, gpus.as_of)) continue;
    const auto since = entry.near ? std::optional(entry.newest) : std::nullopt;
    all.push_back(
        {key.first, entry.gpu_id, entry.gpu_name, entry.uuid, entry.seen, entry.missed, since});
  }
  std::stable_sort(all.begin(), all.end(), [](const Gone& a, const Gone& b) {
    return std::tie(a.node, a.seen) < std::tie(b.node, b.seen);
  });
  return all;
}

bool SeenGpus::WantsPast(SteadyTime now) {
  const MutexLock lock(mutex_);
  if (learned_ || (asked_ && now - *asked_ < kAskAgain)) return false;
  asked_ = now;
  return true;
}

void SeenGpus::Learn(const models::Snapshot& past) {
  const MutexLock lock(mutex_);
  learned_ = true;
  for (const GpuMetrics* row : gpu::WholeGpus(past.gpus)) {
    if (!row->text(Text::kNode).empty()) Note(*row, past.as_of);
  }
  Miss();
}

void SeenGpus::LearnStep(const models::Snapshot& past, double step) {
  const MutexLock lock(mutex_);
  for (const GpuMetrics* row : gpu::WholeGpus(past.gpus)) {
    if (!row->text(Text::kNode).empty()) Note(*row, past.as_of).stepped = true;
  }
  for (auto& [key, entry] : entries_) {
    if (!entry.stepped || entry.seen >= past.as_of) continue;
    if (entry.missed > entry.seen && entry.missed <= past.as_of) continue;
    entry.missed = past.as_of;
    entry.near = past.as_of - entry.seen <= std::max(kNear, step);
  }
  unsettled_ = true;
}

void SeenGpus::LearnedSteps() {
  const MutexLock lock(mutex_);
  learned_ = true;
}

void SeenGpus::Follow(const std::set<std::string, std::less<>>& uuids, double time,
                      const models::Snapshot& gpus) {
  const MutexLock lock(mutex_);
  for (const GpuMetrics* row : gpu::WholeGpus(gpus.gpus)) {
    const bool named = !row->text(Text::kNode).empty();
    if (named && uuids.contains(row->text(Text::kUuid))) Note(*row, time);
  }
  unsettled_ = true;
}

void SeenGpus::LearnTargets(std::shared_ptr<const gpu::Activity> shown, SteadyTime now) {
  const MutexLock lock(mutex_);
  shown_ = std::move(shown);
  shown_at_ = now;
}

std::shared_ptr<const gpu::Activity> SeenGpus::Targets(SteadyTime now) {
  constexpr std::chrono::seconds kLately(15);
  const MutexLock lock(mutex_);
  return now - shown_at_ < kLately ? shown_ : nullptr;
}

}  // namespace gpumon::fleet
