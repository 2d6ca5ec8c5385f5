// The synthetic fleet: nodes, GPUs, pods and processes that do not exist, for demonstrations and
// tests. What it shows is a function of the options and the time alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/exporter/curves.h"
#include "internal/exporter/fleet_state.h"
#include "internal/exporter/gpu_model.h"
#include "internal/exporter/schedule.h"

namespace gpumon::exporter {

inline constexpr int kMaxFleetGpus = 100'000;
inline constexpr int kMaxGpusPerNode = 1024;

struct FleetOptions {
  int nodes = 4;
  int gpus_per_node = 8;
  std::uint64_t seed = 1;
};

// What is odd about a GPU. One GPU of the fleet has each trait (a fleet of fewer than 14 GPUs has
// the first ones only: at most half of its GPUs), all others have none.
enum class Trait : std::uint8_t {
  kNone,
  kHot,            // runs at 84 to 93 degrees C and throttles for 3 of every 10 minutes
  kIdleHeld,       // a pod holds it and its memory, and does nothing
  kNoProcesses,    // busy and held by a pod, yet no process is listed
  kNoTemperature,  // its sensor reports nothing: there is no temperature series
  kVanishing,      // falls off the bus for 3 of every 12 minutes: none of its series exist then
  kXid,            // reports an XID error every kXidEverySeconds
  kEcc,            // corrected ECC errors grow, one every 2 minutes
};

// Counted from the fleet's start.
inline constexpr int kXidEverySeconds = 600;

// A pod holds a GPU with this trait all day; jobs never get it.
constexpr bool IsStanding(Trait trait) {
  return trait == Trait::kHot || trait == Trait::kIdleHeld || trait == Trait::kNoProcesses;
}

// A node as it was built; it never changes. `first_gpu` counts over the whole fleet.
struct NodeSpec {
  std::string name;
  std::uint64_t hash = 0;
  const GpuModel* model = nullptr;
  int first_gpu = 0;
  std::vector<Trait> traits;  // by GPU index
  std::vector<int> pool;      // GPU indexes that `schedule` deals out
  NodeSchedule schedule;
};

// Immutable, thread-safe.
class Fleet {
 public:
  // kInvalidParameter for options out of range, naming the flag.
  static Result<Fleet> Make(const FleetOptions& options);

  // The whole fleet at that instant. Instants before 2024 look like the first of 2024. The state
  // refers to this fleet, which must outlive it.
  FleetState At(WallTime time) const;

  const FleetOptions& options() const { return options_; }
  const std::vector<NodeSpec>& nodes() const { return nodes_; }

 private:
  explicit Fleet(const FleetOptions& options);

  FleetOptions options_;
  std::vector<NodeSpec> nodes_;
};

// On while the GPU with Trait::kHot throttles, and while the one with kVanishing is away, in
// seconds since the fleet's start.
Recurring ThrottleEpisode(std::uint64_t seed);
Recurring Absence(std::uint64_t seed);

}  // namespace gpumon::exporter
