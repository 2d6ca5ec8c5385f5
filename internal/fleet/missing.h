// GPUs that were there in a window and are no longer: which, since when, whose, and why.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "internal/gpu/activity.h"
#include "models/gpu.h"

namespace gpumon::fleet {

struct Owner {
  std::string name_space;
  std::string pod;
  std::string container;
  auto operator<=>(const Owner&) const = default;
};

// A reading's newest value, or why there never was one.
struct LastValue {
  double value = std::numeric_limits<double>::quiet_NaN();
  models::NullReason why = models::NullReason::kNotExported;  // kNone: there is one
};

// A board as it was seen last. Times are Unix seconds.
struct LastSeen {
  static constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

  std::string node;
  std::string gpu_id;
  std::string uuid;
  std::string gpu_name;
  std::string exporter;  // that showed it
  double at = kNever;    // its newest sample, or the instant where samples' times are not told
  std::set<Owner> owners;
  double held_at = kNever;      // when it had these
  std::set<std::string> users;  // of the processes on it when any was seen last
  LastValue xid;
  LastValue temperature;
};

struct LostGpu {
  // Seconds between instants of the closest look: a scrape is hardly more often.
  static constexpr double kFinestStep = 1;

  LastSeen seen;
  double instant = LastSeen::kNever;  // the last one that showed it
  double gone = LastSeen::kNever;     // the first one afterwards that did not
  // Neither of these two shows it: it was seen between them, maybe right after the one or before
  // the other. `seen` has the largest values and no owners.
  bool brief = false;
};

// The latest loss first, then by node and id.
bool IsBefore(const LostGpu& a, const LostGpu& b);

// Which boards were seen over a row of instants. A board is known by its UUID, or by node and id
// where it shows none; MIG instances are parts of theirs. One thread at a time.
class Sightings {
 public:
  // What is asked for.
  static constexpr std::array kQuantities = {
      models::Quantity::kTemperature, models::Quantity::kXidLast,
      models::Quantity::kUtilization};  // of a GPU without a sensor

  // Instants in their order.
  void Add(double time, const models::Snapshot& gpus);
  // After it: what runs on them then.
  void AddProcesses(double time, const models::Snapshot& gpus, const models::Snapshot& processes);
  // After it: the largest values of what was seen since the instant before that one. What neither
  // of the two shows is lost between them.
  void AddBetween(const models::Snapshot& gpus);

  // Those that neither the last instant shows nor `present` does, which is another look at that
  // instant and may be null; in the order of IsBefore. One that moved, to another
  // node or id, is not lost; nor is one that shows a UUID now and did not before, or the other way
  // round; nor one without a UUID whose node is called with or without its domain now.
  std::vector<LostGpu> Lost(const models::Snapshot* present) const;
  // What a closer look at the time between `lost.instant` and `lost.gone` says of it.
  void Refine(LostGpu& lost) const;
  std::size_t boards() const { return boards_.size(); }

 private:
  using Key = std::array<std::string, 3>;  // UUID, or node and id
  struct Board {
    LastSeen seen;
    std::size_t first = 0;    // instant, of those without one in between that did not show it
    std::size_t instant = 0;  // the last one
    bool brief = false;       // it was seen after that, before the next one
  };
  bool IsRenamed(const Board& board) const;
  static Key KeyOf(std::string_view uuid, std::string_view node, std::string_view id);

  std::map<Key, Board> boards_;
  std::vector<double> times_;
};

enum class Loss : std::uint8_t { kUnknown, kExporterDown, kNodeGone, kGpuGone };
std::string_view NameOf(Loss loss);  // "exporter_down"
inline constexpr std::string_view kLossWords = "exporter_down|node_gone|gpu_gone";

// Why nothing shows a GPU any more.
struct Verdict {
  Loss loss = Loss::kUnknown;
  std::string evidence;  // for people
};

// When each exporter showed a GPU of each node last, of those that are lost. NaN: not known.
class ShownLast {
 public:
  void Add(const LostGpu& gpu);
  double Of(const LastSeen& gpu) const;         // its newest sample
  double InstantOf(const LastSeen& gpu) const;  // the last instant

 private:
  using Times = std::map<std::array<std::string, 2>, double>;  // by node and exporter
  Times samples_;
  Times instants_;
};

// What is known around a loss. Snapshots of the part kNodes: at the end of the window, and when the
// GPU was seen last; null: not known.
struct Surroundings {
  const models::Snapshot* now = nullptr;
  const models::Snapshot* then = nullptr;
  const models::Snapshot* gpus = nullptr;  // at the end of the window
  // Who showed GPUs in the window, and was up at its end; null: not known.
  const gpu::Activity* window = nullptr;
  // When its exporter showed a GPU of its node last, Unix seconds: the sample, and the instant.
  double shown = LastSeen::kNever;
  double shown_at = LastSeen::kNever;
  double gone = LastSeen::kNever;  // LostGpu::gone
};
Verdict VerdictOf(const LastSeen& gpu, const Surroundings& around);

}  // namespace gpumon::fleet
