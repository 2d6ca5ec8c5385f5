#include "internal/fleet/events.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "internal/fleet/event_owners.h"
#include "internal/fleet/xid.h"
#include "internal/gpu/mig.h"

namespace gpumon::fleet {
namespace {

using models::GpuMetrics;
using models::Quantity;
using models::Text;

std::optional<double> Get(const GpuMetrics& row, Quantity quantity) {
  return row.readings.Get(static_cast<std::size_t>(quantity));
}

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
  for (const Quantity quantity :
       {Quantity::kXidLast, Quantity::kEccCorrectedVolatile, Quantity::kEccUncorrectedVolatile,
        Quantity::kThrottleReasons, Quantity::kTemperature}) {
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
  return want;
}

// One instant, and what is worked out of it when somebody needs it.
struct Events::Instant {
  std::size_t i;
  double time;
  std::vector<std::size_t> boards;  // by row
  EventOwners owners;
  const models::Snapshot& gpus;

  // Of its own row, or of its first instance that has it.
  std::optional<double> Of(std::size_t board, Quantity quantity) const {
    for (std::size_t row = board; row < boards.size() && boards[row] == board; ++row) {
      if (const auto value = Get(gpus.gpus[row], quantity)) return value;
    }
    return std::nullopt;
  }
};

Events::Events(const gpu::Activity& activity, const HealthRules& rules)
    : activity_(activity), rules_(rules) {
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

Events::Track& Events::TrackOf(const GpuMetrics& row) {
  const auto text = [&](Text which) { return std::string(row.text(which)); };
  const std::string uuid = text(Text::kUuid);
  const auto [at, is_new] = tracks_.try_emplace(
      Key{uuid, text(Text::kNode), uuid.empty() ? text(Text::kGpuId) : std::string()});
  Track& track = at->second;
  if (!is_new) return track;
  track.of.node = text(Text::kNode);
  track.of.gpu_id = text(Text::kGpuId);
  track.of.uuid = uuid;
  track.of.mig_uuid = text(Text::kMigUuid);
  track.of.gpu_name = text(Text::kGpuName);
  std::set<std::size_t> targets;
  for (const std::string& name :
       gpu::ActivityNamesOf(track.of.uuid, track.of.node, track.of.gpu_id)) {
    const auto found = targets_by_name_.find(name);
    if (found != targets_by_name_.end()) targets.insert(found->second.begin(), found->second.end());
  }
  track.targets.assign(targets.begin(), targets.end());
  return track;
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
  const models::Snapshot& gpus = *snapshots[0];
  Instant now{i, activity_.At(i), gpu::BoardsOf(gpus.gpus), EventOwners(gpus, snapshots[1].get()),
              gpus};
  for (std::size_t row = 0; row < gpus.gpus.size(); ++row) {
    if (now.boards[row] != row) continue;
    Track& track = TrackOf(gpus.gpus[row]);
    // What else comes along was not chosen, so it may not be all.
    if (track.last == i || (!track.targets.empty() && !IsLookedAt(track))) continue;
    See(now, row, track);
    track.last = i;
  }
  for (auto& [key, track] : tracks_) {
    if (track.last != i && IsLookedAt(track)) Miss(now, track);
  }
  before_ = {snapshots[0], snapshots[1]};
}

void Events::See(Instant& now, std::size_t board, Track& track) {
  if (track.lost) {
    track.lost->end = now.time;
    events_.push_back(*std::move(track.lost));
    track.lost.reset();
    Event event = Begin(track, EventType::kGpuReturned, Severity::kInfo, now.time);
    event.owners = now.owners.Of(now.boards, board);
    events_.push_back(std::move(event));
  }
  track.missing = false;
  SeeXid(now, board, track);
  SeeCount(now, board, track, track.corrected, EventType::kEccCorrected);
  SeeCount(now, board, track, track.uncorrected, EventType::kEccUncorrected);
  SeeThrottle(now, board, track);
  SeeTemperature(now, board, track);
}

// A GPU that was seen without a code had none: some exporters show no series before the first one.
void Events::SeeXid(Instant& now, std::size_t board, Track& track) {
  const auto code = now.Of(board, Quantity::kXidLast);
  if (!code) {
    const bool may_be_hidden =
        std::any_of(track.targets.begin(), track.targets.end(), [&](std::size_t target) {
          return activity_.targets[target].At(now.i) == gpu::ActivityTarget::Up::kDown;
        });
    const auto why =
        now.gpus.gpus[board].readings.reason(static_cast<std::size_t>(Quantity::kXidLast));
    const bool has_none = why == models::NullReason::kNotExported && !may_be_hidden;
    if (track.last == kNever && has_none) track.xid = 0;
    return;
  }
  const bool is_event = *code != 0 && track.xid && *track.xid != *code;
  track.xid = code;
  if (!is_event) return;
  const Xid xid = XidOf(static_cast<int>(*code));
  Event event = Begin(track, EventType::kXid, SeverityOf(xid.which), now.time);
  event.end = now.time;
  event.value = *code;
  event.owners = now.owners.Of(now.boards, board);
  events_.push_back(std::move(event));
}

void Events::SeeCount(Instant& now, std::size_t board, Track& track, Count& count, EventType type) {
  const bool corrected = type == EventType::kEccCorrected;
  const auto value = now.Of(
      board, corrected ? Quantity::kEccCorrectedVolatile : Quantity::kEccUncorrectedVolatile);
  if (!value) return;
  const double before = std::exchange(count.last, value).value_or(*value);
  if (*value <= before) return;
  if (count.growth && count.grew + 1 != now.i) Close(count);
  if (!count.growth) {
    const Severity severity = !corrected                    ? Severity::kCritical
                              : rules_.ecc_corrected_counts ? Severity::kWarning
                                                            : Severity::kInfo;
    count.growth = Begin(track, type, severity, now.time);
    count.growth->owners = now.owners.Of(now.boards, board);
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
    episode.event->open_before = now.i == 0;
    episode.event->owners = now.owners.Of(now.boards, board);
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
    episode.event->open_before = now.i == 0;
    episode.event->owners = now.owners.Of(now.boards, board);
  }
  episode.event->value = std::max(episode.event->value, *value);
  if (*value > rules_.temperature_critical) episode.event->severity = Severity::kCritical;
}

void Events::Miss(const Instant& now, Track& track) {
  using Up = gpu::ActivityTarget::Up;
  if (track.last == kNever) return;
  Gap(track.throttle, now.time);
  Gap(track.temperature, now.time);
  if (!track.missing) {
    track.missing = true;
    track.owners = {};
    if (before_[0] && track.last + 1 == now.i) {
      track.owners = EventOwners(*before_[0], before_[1].get())
                         .OfGpu(track.of.node, track.of.uuid, track.of.gpu_id);
    }
  }
  if (track.lost) return;
  const bool is_up = std::any_of(
      track.targets.begin(), track.targets.end(),
      [&](std::size_t target) { return activity_.targets[target].At(now.i) == Up::kUp; });
  if (!is_up) return;
  track.lost = Begin(track, EventType::kGpuLost, Severity::kCritical, now.time);
  track.lost->owners = track.owners;
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

void Events::AddOutages() {
  using Up = gpu::ActivityTarget::Up;
  for (const gpu::ActivityTarget& target : activity_.targets) {
    Episode episode;
    for (std::size_t i = 0; i < target.up.size(); ++i) {
      const double time = activity_.At(i);
      if (target.up[i] == Up::kUnknown) {
        Gap(episode, time);
      } else if (target.up[i] == Up::kUp) {
        Close(episode, time);
      } else {
        episode.gap.reset();
        if (episode.event) continue;
        Event& event = episode.event.emplace();
        event.type = EventType::kExporterDown;
        event.severity = Severity::kWarning;
        event.begin = time;
        event.open_before = i == 0;
        event.node = target.node;
        event.target = "job " + target.job + ", " + target.instance;
        event.value = static_cast<double>(target.gpus);
      }
    }
    if (!episode.event) continue;
    episode.event->end = episode.gap;
    events_.push_back(*std::move(episode.event));
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
  std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
    if (a.begin != b.begin) return a.begin > b.begin;
    return std::tie(a.node, a.gpu_id, a.uuid, a.type) < std::tie(b.node, b.gpu_id, b.uuid, b.type);
  });
  return std::move(events_);
}

}  // namespace gpumon::fleet
