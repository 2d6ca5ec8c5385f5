// Finds out which exporters a Prometheus has.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"
#include "internal/gpu/down_targets.h"
#include "internal/gpu/plan.h"
#include "internal/gpu/target_memory.h"
#include "internal/prom/client.h"
#include "internal/schema/registry.h"

namespace gpumon::gpu {

// The exporters that are there, the best first, and what to ask them. Immutable.
struct Detected {
  std::vector<const schema::Exporter*> exporters;
  std::vector<Subject> subjects;              // the same, and how each is asked
  std::vector<std::set<std::size_t>> frozen;  // by exporter: targets (Contest::TargetOf)
  std::vector<DownTargets::Nodes> down;       // by exporter
  std::vector<PlannedQuery> gpu_plan;
  std::vector<PlannedQuery> process_plan;

  const std::vector<PlannedQuery>& plan(models::Part part) const {
    return part == models::Part::kGpus ? gpu_plan : process_plan;
  }
  // An answer to what is asked here would differ. What only saves Prometheus work does not count:
  // which jobs an exporter has.
  bool AsksOtherThan(const Detected& other) const;
};
using DetectedPtr = std::shared_ptr<const Detected>;

struct DetectorOptions {
  // What was found is looked for again after this time, while it is still used; after a refresh
  // without a row, with the next one.
  Millis refresh{60'000};
};

// Thread-safe; every reference must outlive it and what it has under way.
//
// A refresh asks what is known, so looking costs it no time; only the first one and one of a past
// instant wait to hear what is there, for at most a quarter of their own time. Who looked in vain
// is not waited for again: from then on looking has all the time of the refresh beside it.
class Detector {
 public:
  // Null when nobody could tell.
  using Found = std::function<void(DetectedPtr)>;

  // An exporter that is no longer found is asked on while `targets` (may be null) remembers it:
  // its targets may be down.
  Detector(prom::Client& client, const Clock& clock, const schema::Registry& registry,
           const TargetMemory* targets = nullptr, DetectorOptions options = {});

  // What was found last; before that, and where Prometheus has no known exporter, the
  // requirement's own (nvidia_gpu). Never null.
  DetectedPtr Known() const;
  // For a refresh of the present that starts now, at `time`: looks again when it is time to.
  // True: `found` will be called, once, on a worker thread, and is worth waiting for.
  bool LookBeside(double time, Deadline deadline, Found found);
  // What was there at a past instant. Calls `found` once, on a worker thread.
  void LookBack(double time, Deadline deadline, Found found);
  // The last refresh had no row at all: look again beside the next.
  void SawNothing();
  // Samples of these exporters (by their place in `detected`) have time stamps of their own: from
  // now on each series is asked for its time. What to ask then instead of `detected`.
  DetectedPtr SawTimes(const Detected& detected, const std::vector<std::size_t>& exporters);
  // `detected`, with each series asked for its time.
  static DetectedPtr WithSeriesTimes(const Detected& detected);
  const schema::Registry& registry() const { return registry_; }

  // The one PromQL query. Samples: {exporter="name",job} for each exporter that is there; with
  // is="without_node" where series of it name no node; with is="frozen" and `instance` for targets
  // as StuckQuery finds them; with is="down", `instance` and the labels that name nodes for targets
  // that are down and showed it ten minutes or an hour ago.
  static std::string Query(const schema::Registry& registry);

 private:
  Deadline Share(Deadline deadline) const;
  void Ask(double time, Deadline deadline, std::function<void(Result<Detected>)> done);
  // Without plans.
  Detected Read(const prom::InstantVector* found) const;
  DetectedPtr Plan(Detected detected) const REQUIRES(mutex_);
  // What is known from now on; null when nobody could tell.
  DetectedPtr Keep(Result<Detected> detected);
  void KeepMissed(Detected& detected) const REQUIRES(mutex_);

  prom::Client& client_;
  const Clock& clock_;
  const schema::Registry& registry_;
  const TargetMemory* const targets_;
  const DetectorOptions options_;
  const std::string query_;

  mutable Mutex mutex_;
  DetectedPtr known_ GUARDED_BY(mutex_);
  std::set<const schema::Exporter*> brings_times_ GUARDED_BY(mutex_);
  SteadyTime look_again_ GUARDED_BY(mutex_);
  bool found_ GUARDED_BY(mutex_) = false;    // known_ is more than an assumption
  bool in_vain_ GUARDED_BY(mutex_) = false;  // a first refresh waited for nothing
  bool looking_ GUARDED_BY(mutex_) = false;  // beside a refresh that does not wait
};

}  // namespace gpumon::gpu
