// What happened to GPUs in a window, rebuilt from their readings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/fleet/health.h"
#include "internal/fleet/health_rules.h"
#include "internal/gpu/activity.h"
#include "internal/gpu/range.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// Seconds that an exporter that was just started may show no GPU: dcgm-exporter reads them every
// 30.
inline constexpr double kStarting = 120;

// Seconds before a window in which a GPU that is gone at its begin may have been shown.
inline constexpr double kBefore = 86'400;

enum class EventType : std::uint8_t {
  kXid,             // another code than before
  kEccCorrected,    // the count since the driver was loaded grew
  kEccUncorrected,  // likewise
  kThrottle,        // slowed down against its will
  kTemperature,     // above HealthRules::temperature_warning
  kGpuLost,         // its exporter is there, and no longer shows it
  kGpuReturned,     // it shows it again
  kExporterDown     // the scrape target is down: one event, whatever GPUs it has
};
inline constexpr std::size_t kEventTypes = 8;
std::string_view NameOf(EventType type);             // "ecc_corrected"
inline constexpr std::string_view kEventTypeWords =  // all names
    "xid|ecc_corrected|ecc_uncorrected|throttle|temperature|gpu_lost|gpu_returned|exporter_down";

// Who holds a GPU.
struct Owners {
  std::set<std::pair<std::string, std::string>> pods;  // namespace, name
  std::set<std::string> users;                         // of processes on it

  bool operator==(const Owners&) const = default;
};

struct Event {
  EventType type = EventType::kXid;
  Severity severity = Severity::kInfo;
  double begin = 0;           // Unix seconds
  bool open_before = false;   // it lasted already when the window began: `begin` is that time
  std::optional<double> end;  // nothing: it lasts, or is gone, at the window's end
  std::string node;
  std::string gpu_id;
  std::string uuid;
  std::string mig_uuid;
  std::string gpu_name;
  std::string target;  // "job gpu, 10.0.0.1:9400"; kExporterDown
  Owners owners;       // when it began; of a GPU that is gone, before
  // The code; by how much the count grew; the highest temperature; how many GPUs the target showed
  // before.
  double value = 0;
  std::int64_t throttle_reasons = 0;  // bits; all that there were
};

// What is asked for. Of GPUs, then of processes.
std::vector<gpu::RangePart> EventParts();
gpu::ActivityWant EventActivity(double start, double end, const HealthRules& rules);

// One thread at a time.
//
// Nothing is made up where nobody looked or nobody measured. What lasts (throttling, temperature, a
// target that is down) goes on over a gap when it is there on both sides of it; else it ended where
// the gap begins. A code or a count is compared with the last one that is known while the same of
// the GPU's targets were up (another exporter may count otherwise), and the first one with nothing.
// A GPU is lost when it was seen, a target that showed it is up, and it is not seen any more; not
// when that target is down, or is gone, or came up just now (kStarting) and shows no GPU at all;
// nor when another node shows it. What is not decided at the window's end is by what comes after
// it, of which else nothing is told.
//
// One GPU may be shown with a UUID or a node, and then without: that is the same one.
//
// A divided GPU is one GPU: its own row or else its first instance's, and all who hold any part.
class Events {
 public:
  // Both must outlive it.
  Events(const gpu::Activity& activity, const HealthRules& rules);

  // The instant `i` of a span of the activity; in order, none twice. `snapshots` of EventParts.
  void Add(std::size_t i, std::span<const models::SnapshotPtr> snapshots);
  // The newest first, at most kMostEvents. Once, last.
  std::vector<Event> Finish();
  // Older ones were left out.
  bool dropped() const { return dropped_; }

  static constexpr std::size_t kMostEvents = 20'000;

 private:
  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);
  using Key = std::array<std::string, 3>;
  using UpMask = std::uint64_t;  // which of a track's targets are up

  struct Episode {
    std::optional<Event> event;  // that lasts, or ended when `gap` began
    std::optional<double> gap;
  };
  // A reading as it was last, by who was up then.
  class Last {
   public:
    // The one before under the same, or, where there is none, `value`.
    double Exchange(UpMask up, double value);

   private:
    std::map<UpMask, double> values_;
  };
  struct Count {
    Last last;
    std::optional<Event> growth;
    std::size_t grew = 0;  // instant
  };
  struct Track {
    Event of;  // whose events they are
    std::vector<std::size_t> targets;
    std::size_t last = kNever;  // instant at which it was seen
    std::size_t board = 0;      // its row then
    Last xid;
    double any_xid = 0;  // the last one, whoever was up
    Count corrected;
    Count uncorrected;
    Episode throttle;
    Episode temperature;
    bool missing = false;
    bool moved = false;             // missing, and shown on another node since
    std::optional<double> unshown;  // missing while a target is up: since when
    std::optional<Event> lost;
    Owners owners;  // while it is missing: before
  };
  struct Instant;  // event_instant.h

  bool IsLookedAt(const Track& track) const;
  Track& TrackOf(const models::GpuMetrics& row);
  Track* SameGpu(const models::GpuMetrics& row);
  void Refresh(Track& track, const models::GpuMetrics& row);
  UpMask UpOf(const Track& track, std::size_t i) const;
  bool MayBeHidden(const Track& track, std::size_t i) const;
  Event Begin(const Track& track, EventType type, Severity severity, double time) const;
  void See(Instant& now, std::size_t board, Track& track);
  void ComeBack(Track& track, double time);
  void SeeXid(Instant& now, std::size_t board, Track& track);
  void SeeCount(Instant& now, std::size_t board, Track& track, Count& count, EventType type);
  void SeeThrottle(Instant& now, std::size_t board, Track& track);
  void SeeTemperature(Instant& now, std::size_t board, Track& track);
  void Miss(Instant& now, Track& track);
  void Lose(Instant& now, Track& track);
  void Move(Instant& now, Track& track, const Track& place);
  void Return(Track& track, const Track& place, double time, Owners owners);
  bool MaySpeakFor(std::size_t target, const Track& track) const;
  bool IsElsewhere(std::size_t target, const Track& track) const;
  bool IsStarting(std::size_t target, std::size_t i) const;
  const Track* Elsewhere(const Track& track, std::size_t i) const;
  bool WasElsewhere(const Track& track) const;
  void CountShown(std::size_t i);
  double ShownBefore(std::size_t target, std::size_t i) const;
  // Nobody measured; or it is over.
  void Gap(Episode& episode, double time) const;
  void Close(Episode& episode, double time);
  void Close(Count& count);
  void AddOutages();
  void TakeWindow();
  std::string NodeOf(std::size_t target) const;
  void DropOld(std::size_t most);

  const gpu::Activity& activity_;
  const HealthRules& rules_;
  std::map<std::string_view, std::vector<std::size_t>> targets_by_name_;
  std::map<Key, Track> tracks_;
  std::multimap<std::string, Track*> by_uuid_;
  std::multimap<std::pair<std::string, std::string>, Track*> by_id_;  // node and id
  // By target: nodes of the GPUs that no other one shows.
  std::vector<std::set<std::string>> places_;
  std::size_t span_ = 0;
  std::shared_ptr<Instant> before_;
  std::vector<std::size_t> showing_;  // by target: how many GPUs, at the present instant
  std::vector<std::size_t> shown_;    // by target: the last instant at which it showed any
  // By target: since which instants it showed how many, when it showed any.
  std::vector<std::map<std::size_t, std::size_t>> counts_;
  std::vector<Event> events_;
  bool dropped_ = false;
};

}  // namespace gpumon::fleet
