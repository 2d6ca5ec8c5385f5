#include "internal/fleet/events.h"

#include <algorithm>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "internal/fleet/event_instant.h"
#include "internal/fleet/xid.h"

namespace gpumon::fleet {
namespace {

using models::GpuMetrics;
using models::Quantity;
using models::Text;

Severity SeverityOf(XidClass which) {
  switch (which) {
    case XidClass::kReset:
      return Severity::kCritical;
    case XidClass::kContained:
    case XidClass::kUnknown:
      return Severity::kWarning;
    default:
      return Severity::kInfo;
  }
}

}  // namespace

std::string_view NameOf(EventType type) {
  static constexpr std::array<std::string_view, kEventTypes> kNames = {
      "xid",         "ecc_corrected", "ecc_uncorrected", "throttle",
      "temperature", "gpu_lost",      "gpu_returned",    "exporter_down"};
  return kNames[static_cast<std::size_t>(type)];
}

std::vector<gpu::RangePart> EventParts() {
  gpu::RangePart gpus;
  // By the last three a GPU is there that has nothing of the others.
  for (const Quantity quantity :
       {Quantity::kXidLast, Quantity::kEccCorrectedVolatile, Quantity::kEccUncorrectedVolatile,
        Quantity::kThrottleReasons, Quantity::kTemperature, Quantity::kUtilization,
        Quantity::kMemoryUsed, Quantity::kPower}) {
    gpus.quantities.set(static_cast<std::size_t>(quantity));
  }
  return {gpus, {models::Part::kProcesses}};
}

gpu::ActivityWant EventActivity(double start, double end, const HealthRules& rules) {
  gpu::ActivityWant want;
  want.start = start;
  want.end = end;
  want.temperature = rules.temperature_warning;
  want.throttle_bits = kThrottledBits;
  want.starting = kStarting;
  want.before = kBefore;
  return want;
}

Events::Events(const gpu::Activity& activity, const HealthRules& rules)
    : activity_(activity),
      rules_(rules),
      places_(activity.targets.size()),
      shown_(activity.targets.size(), kNever),
      counts_(activity.targets.size()) {
  for (std::size_t t = 0; t < activity_.targets.size(); ++t) {
    for (const std::string& name : activity_.targets[t].names) {
      targets_by_name_[name].push_back(t);
    }
  }
}

bool Events::IsLookedAt(const Track& track) const {
  const auto& looked = activity_.spans[span_].targets;
  return std::any_of(track.targets.begin(), track.targets.end(), [&](std::size_t target) {
    return std::binary_search(looked.begin(), looked.end(), target);
  });
}

// Of a row whose UUID or node is not as before: the only track that has the rest, and lacks it or
// has it where the row does not.
Events::Track* Events::SameGpu(const GpuMetrics& row) {
  const std::string uuid(row.text(Text::kUuid));
  const std::string node(row.text(Text::kNode));
  const std::string id(row.text(Text::kGpuId));
  std::set<Track*> same;
  const auto of_uuid = by_uuid_.equal_range(uuid);
  for (auto at = of_uuid.first; !uuid.empty() && at != of_uuid.second; ++at) {
    const std::string& other = at->second->of.node;
    if (node.empty() || other.empty() || node == other) same.insert(at->second);
  }
  const auto of_id = by_id_.equal_range({node, id});
  for (auto at = of_id.first; !node.empty() && !id.empty() && at != of_id.second; ++at) {
    const Event& of = at->second->of;
    if (of.gpu_id == id && (uuid.empty() || of.uuid.empty())) same.insert(at->second);
  }
  return same.size() == 1 ? *same.begin() : nullptr;
}

// What it is called may change: ids do when a GPU fell out and the machine was started again.
void Events::Refresh(Track& track, const GpuMetrics& row) {
  const auto take = [&](std::string& text, Text which) {
    if (row.text(which).empty() || text == row.text(which)) return false;
    text = row.text(which);
    return true;
  };
  const bool uuid = take(track.of.uuid, Text::kUuid);
  const bool node = take(track.of.node, Text::kNode);
  const bool id = take(track.of.gpu_id, Text::kGpuId);
  take(track.of.mig_uuid, Text::kMigUuid);
  take(track.of.gpu_name, Text::kGpuName);
  if (uuid) by_uuid_.emplace(track.of.uuid, &track);
  if (node || id) by_id_.emplace(std::pair(track.of.node, track.of.gpu_id), &track);
  if (!uuid && !node && !id) return;
  std::set<std::size_t> targets(track.targets.begin(), track.targets.end());
  for (const std::string& name :
       gpu::ActivityNamesOf(track.of.uuid, track.of.node, track.of.gpu_id)) {
    const auto found = targets_by_name_.find(name);
    if (found != targets_by_name_.end()) targets.insert(found->second.begin(), found->second.end());
  }
  // One that alone shows a GPU is on its node, though it may not say so itself.
  if (targets.size() == 1 && !track.of.node.empty()) {
    places_[*targets.begin()].insert(track.of.node);
  }
  if (targets.size() == track.targets.size()) return;
  track.targets.assign(targets.begin(), targets.end());
  track.xid = {};  // it was of other targets
  track.corrected.last = {};
  track.uncorrected.last = {};
}

Events::Track& Events::TrackOf(const GpuMetrics& row) {
  const std::string uuid(row.text(Text::kUuid));
  const Key key{uuid, std::string(row.text(Text::kNode)),
                uuid.empty() ? std::string(row.text(Text::kGpuId)) : std::string()};
  const auto known = tracks_.find(key);
  Track* track = known == tracks_.end() ? SameGpu(row) : &known->second;
  if (track == nullptr) track = &tracks_[key];
  Refresh(*track, row);
  return *track;
}

double Events::Last::Exchange(UpMask up, double value) {
  const auto [last, is_first] = values_.try_emplace(up, value);
  return std::exchange(last->second, value);
}

// Whether one of a node where it was before, or will be, is up says nothing of what is shown here.
Events::UpMask Events::UpOf(const Track& track, std::size_t i) const {
  constexpr std::size_t kMost = 64;
  UpMask mask = 0;
  for (std::size_t t = 0; t < std::min(track.targets.size(), kMost); ++t) {
    const std::size_t target = track.targets[t];
    const bool up = activity_.targets[target].At(i) == gpu::ActivityTarget::Up::kUp;
    if (up && !IsElsewhere(target, track)) mask |= UpMask{1} << t;
  }
  return mask;
}

// One of its targets could show more of it, and is not there.
bool Events::MayBeHidden(const Track& track, std::size_t i) const {
  return std::any_of(track.targets.begin(), track.targets.end(), [&](std::size_t target) {
    const gpu::ActivityTarget& its = activity_.targets[target];
    return !its.up.empty() && its.At(i) != gpu::ActivityTarget::Up::kUp &&
           !IsElsewhere(target, track);
  });
}

Event Events::Begin(const Track& track, EventType type, Severity severity, double time) const {
  Event event = track.of;
  event.type = type;
  event.severity = severity;
  event.begin = time;
  return event;
}

void Events::Add(std::size_t i, std::span<const models::SnapshotPtr> snapshots) {
  while (i >= activity_.spans[span_].first + activity_.spans[span_].count) ++span_;
  const auto now = std::make_shared<Instant>(i, activity_.At(i), snapshots);
  showing_.assign(activity_.targets.size(), 0);
  // First all of them: they tell where targets are.
  std::vector<Track*> tracks(now->boards.size());
  for (std::size_t row = 0; row < tracks.size(); ++row) {
    if (now->boards[row] == row) tracks[row] = &TrackOf(now->gpus.gpus[row]);
  }
  for (std::size_t row = 0; row < tracks.size(); ++row) {
    if (tracks[row] == nullptr) continue;
    Track& track = *tracks[row];
    // What else comes along was not chosen, so it may not be all.
    if (track.last == i || (!track.targets.empty() && !IsLookedAt(track))) continue;
    See(*now, row, track);
    track.last = i;
    track.board = row;
    // Those of nodes where it was before, or will be, do not show it.
    for (const std::size_t target : track.targets) {
      if (MaySpeakFor(target, track)) ++showing_[target];
    }
  }
  CountShown(i);
  for (auto& [key, track] : tracks_) {
    if (track.last != i && IsLookedAt(track)) Miss(*now, track);
  }
  before_ = now;
  if (events_.size() > 2 * kMostEvents) DropOld(kMostEvents);
}

void Events::See(Instant& now, std::size_t board, Track& track) {
  if (track.lost) Return(track, track, now.time, now.owners.Of(board));
  const bool was_missing = std::exchange(track.missing, false);
  track.moved = false;
  track.unshown.reset();
  if (now.i > activity_.last()) return;  // nothing else was open
  if (was_missing && WasElsewhere(track)) ComeBack(track, now.time);
  SeeXid(now, board, track);
  SeeCount(now, board, track, track.corrected, EventType::kEccCorrected);
  SeeCount(now, board, track, track.uncorrected, EventType::kEccUncorrected);
  SeeThrottle(now, board, track);
  SeeTemperature(now, board, track);
}

// What it showed here before, another node has told meanwhile.
void Events::ComeBack(Track& track, double time) {
  track.xid = {};
  track.corrected.last = track.uncorrected.last = {};
  for (Episode* const episode : {&track.throttle, &track.temperature}) Close(*episode, time);
  track.last = kNever;
}

// A GPU that was seen without a code had none: some exporters show no series before the first one.
void Events::SeeXid(Instant& now, std::size_t board, Track& track) {
  const auto code = now.Of(board, Quantity::kXidLast);
  const UpMask up = UpOf(track, now.i);
  if (!code) {
    const auto why =
        now.gpus.gpus[board].readings.reason(static_cast<std::size_t>(Quantity::kXidLast));
    const bool has_none = why == models::NullReason::kNotExported && !MayBeHidden(track, now.i);
    if (track.last == kNever && has_none) track.xid.Exchange(up, 0);
    return;
  }
  const double before = track.xid.Exchange(up, *code);
  const bool is_event = *code != 0 && before != *code && track.any_xid != *code;
  track.any_xid = *code;
  if (!is_event) return;
  const Xid xid = XidOf(static_cast<int>(*code));
  Event event = Begin(track, EventType::kXid, SeverityOf(xid.which), now.time);
  event.end = now.time;
  event.value = *code;
  event.owners = now.owners.Of(board);
  events_.push_back(std::move(event));
}

void Events::SeeCount(Instant& now, std::size_t board, Track& track, Count& count, EventType type) {
  const bool corrected = type == EventType::kEccCorrected;
  const auto value = now.Of(
      board, corrected ? Quantity::kEccCorrectedVolatile : Quantity::kEccUncorrectedVolatile);
  if (!value) return;
  const double before = count.last.Exchange(UpOf(track, now.i), *value);
  if (*value <= before) return;
  count.last = {};  // others will count it too
  count.last.Exchange(UpOf(track, now.i), *value);
  const bool goes_on = count.growth && count.grew + 1 == now.i;
  if (count.growth && (!goes_on || count.grew == activity_.begin)) Close(count);
  if (!count.growth) {
    const Severity severity = !corrected                    ? Severity::kCritical
                              : rules_.ecc_corrected_counts ? Severity::kWarning
                                                            : Severity::kInfo;
    count.growth = Begin(track, type, severity, now.time);
    count.growth->owners = now.owners.Of(board);
    // What grew before the window is not told in it.
    if (goes_on) count.growth->begin = activity_.At(activity_.begin);
  }
  count.growth->value += *value - before;
  count.growth->end = now.time;
  count.grew = now.i;
}

void Events::SeeThrottle(Instant& now, std::size_t board, Track& track) {
  const auto mask = now.Of(board, Quantity::kThrottleReasons);
  Episode& episode = track.throttle;
  if (!mask) return Gap(episode, now.time);
  const std::int64_t bits = static_cast<std::int64_t>(*mask) & kThrottledBits;
  if (bits == 0) return Close(episode, now.time);
  episode.gap.reset();
  if (!episode.event) {
    episode.event = Begin(track, EventType::kThrottle, Severity::kWarning, now.time);
    episode.event->owners = now.owners.Of(board);
  }
  episode.event->throttle_reasons |= bits;
  if ((bits & kThrottledByHardwareBits) != 0) episode.event->severity = Severity::kCritical;
}

void Events::SeeTemperature(Instant& now, std::size_t board, Track& track) {
  const auto value = now.Of(board, Quantity::kTemperature);
  Episode& episode = track.temperature;
  if (!value) return Gap(episode, now.time);
  if (*value <= rules_.temperature_warning) return Close(episode, now.time);
  episode.gap.reset();
  if (!episode.event) {
    episode.event = Begin(track, EventType::kTemperature, Severity::kWarning, now.time);
    episode.event->owners = now.owners.Of(board);
  }
  episode.event->value = std::max(episode.event->value, *value);
  if (*value > rules_.temperature_critical) episode.event->severity = Severity::kCritical;
}

void Events::Miss(Instant& now, Track& track) {
  if (track.last == kNever) return;
  Gap(track.throttle, now.time);
  Gap(track.temperature, now.time);
  if (!track.missing) {
    track.missing = true;
    const bool seen_before = before_ && track.last + 1 == now.i && before_->i == track.last;
    track.owners = seen_before ? before_->owners.Of(track.board) : Owners();
  }
  Lose(now, track);
}

void Events::Gap(Episode& episode, double time) const {
  if (episode.event && !episode.gap) episode.gap = time;
}

void Events::Close(Episode& episode, double time) {
  if (!episode.event) return;
  episode.event->end = episode.gap.value_or(time);
  events_.push_back(*std::move(episode.event));
  episode = {};
}

void Events::Close(Count& count) {
  if (count.growth) events_.push_back(*std::move(count.growth));
  count.growth.reset();
}

void Events::DropOld(std::size_t most) {
  if (events_.size() <= most) return;
  const auto newer = [](const Event& a, const Event& b) { return a.begin > b.begin; };
  std::nth_element(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(most),
                   events_.end(), newer);
  events_.resize(most);
  dropped_ = true;
}

// What ended before the window is none of it, nor is what began after it.
void Events::TakeWindow() {
  const double begin = activity_.At(activity_.begin);
  const double last = activity_.At(activity_.last());
  std::erase_if(events_, [&](const Event& event) {
    return event.begin > last || (event.end && *event.end <= begin);
  });
  for (Event& event : events_) {
    if (event.end && *event.end > last) event.end.reset();
    if (event.begin > begin) continue;
    event.begin = begin;
    event.open_before = true;
  }
}

std::vector<Event> Events::Finish() {
  for (auto& [key, track] : tracks_) {
    Close(track.corrected);
    Close(track.uncorrected);
    if (track.lost) events_.push_back(*std::move(track.lost));
    for (Episode* const episode : {&track.throttle, &track.temperature}) {
      if (!episode->event) continue;
      episode->event->end = episode->gap;
      events_.push_back(*std::move(episode->event));
    }
  }
  AddOutages();
  TakeWindow();
  DropOld(kMostEvents);
  std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
    if (a.begin != b.begin) return a.begin > b.begin;
    return std::tie(a.node, a.gpu_id, a.uuid, a.type) < std::tie(b.node, b.gpu_id, b.uuid, b.type);
  });
  return std::move(events_);
}

}  // namespace gpumon::fleet
