// GPUs that were lost, moved or came back, among the events.
#include <algorithm>
#include <utility>

#include "internal/fleet/event_instant.h"

namespace gpumon::fleet {

using Up = gpu::ActivityTarget::Up;

// It came up so lately that it may show no GPU yet, and has shown none since.
bool Events::IsStarting(std::size_t target, std::size_t i) const {
  const gpu::ActivityTarget& its = activity_.targets[target];
  if (i < its.young.size() && its.young[i]) return true;
  if (its.up.empty()) return false;
  for (std::size_t j = i; j > 0; --j) {
    if (activity_.At(i) - activity_.At(j) >= kStarting) return false;
    if (shown_[target] != kNever && shown_[target] >= j) return false;
    if (its.up[j - 1] != Up::kUp) return true;
  }
  return false;
}

// One that shows the GPU on another node, to which it moved, does not speak for this one.
bool Events::MaySpeakFor(std::size_t target, const Track& track) const {
  const std::set<std::string>& places = places_[target];
  const std::string& says = activity_.targets[target].node;
  const std::string& node = says.empty() && places.size() == 1 ? *places.begin() : says;
  return node.empty() || track.of.node.empty() || node == track.of.node;
}

// It is of another node for sure: exporters of two kinds may call one node by different names.
bool Events::IsElsewhere(std::size_t target, const Track& track) const {
  if (MaySpeakFor(target, track)) return false;
  const auto& kinds = activity_.targets[target].exporters;
  return std::any_of(track.targets.begin(), track.targets.end(), [&](std::size_t other) {
    return activity_.targets[other].exporters == kinds && MaySpeakFor(other, track);
  });
}

// The track of the same UUID that was seen at this instant, on another node.
const Events::Track* Events::Elsewhere(const Track& track, std::size_t i) const {
  if (track.of.uuid.empty()) return nullptr;
  const auto same = by_uuid_.equal_range(track.of.uuid);
  for (auto at = same.first; at != same.second; ++at) {
    const Track& other = *at->second;
    if (&other != &track && other.last == i && other.of.uuid == track.of.uuid) return &other;
  }
  return nullptr;
}

// Another node has shown it since this one did.
bool Events::WasElsewhere(const Track& track) const {
  if (track.of.uuid.empty() || track.last == kNever) return false;
  const auto same = by_uuid_.equal_range(track.of.uuid);
  return std::any_of(same.first, same.second, [&](const auto& one) {
    const Track& other = *one.second;
    return &other != &track && other.last != kNever && other.last > track.last &&
           other.of.uuid == track.of.uuid;
  });
}

// What was lost is shown at `place`.
void Events::Return(Track& track, const Track& place, double time, Owners owners) {
  track.lost->end = time;
  events_.push_back(*std::move(track.lost));
  track.lost.reset();
  Event event = Begin(place, EventType::kGpuReturned, Severity::kInfo, time);
  event.end = time;
  event.owners = std::move(owners);
  events_.push_back(std::move(event));
}

// Two nodes' exporters are scraped at different times: for a while one that moves is nowhere.
void Events::Move(Instant& now, Track& track, const Track& place) {
  track.moved = true;
  track.unshown.reset();
  if (!track.lost) return;
  if (now.time - track.lost->begin < kStarting) return track.lost.reset();
  Return(track, place, now.time, now.owners.Of(place.board));
}

void Events::Lose(Instant& now, Track& track) {
  if (track.moved) return;
  if (const Track* const place = Elsewhere(track, now.i)) return Move(now, track, *place);
  if (track.lost) return;
  bool up = false;
  bool may_start = true;  // all that are up
  for (const std::size_t target : track.targets) {
    if (activity_.targets[target].At(now.i) != Up::kUp || !MaySpeakFor(target, track)) continue;
    up = true;
    may_start &= showing_[target] == 0 && IsStarting(target, now.i);
  }
  if (!up) return track.unshown.reset();
  if (!track.unshown) track.unshown = now.time;
  if (may_start) return;
  track.lost = Begin(track, EventType::kGpuLost, Severity::kCritical, *track.unshown);
  track.lost->owners = track.owners;
}

}  // namespace gpumon::fleet
