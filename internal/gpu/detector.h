// Finds out which exporters a Prometheus has.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"
#include "internal/gpu/plan.h"
#include "internal/prom/client.h"
#include "internal/schema/registry.h"

namespace gpumon::gpu {

// The exporters that are there, the best first, and what to ask them. Immutable.
struct Detected {
  std::vector<const schema::Exporter*> exporters;
  std::vector<PlannedQuery> gpu_plan;
  std::vector<PlannedQuery> process_plan;

  const std::vector<PlannedQuery>& plan(models::Part part) const {
    return part == models::Part::kGpus ? gpu_plan : process_plan;
  }
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

  Detector(prom::Client& client, const Clock& clock, const schema::Registry& registry,
           DetectorOptions options = {});

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
  const schema::Registry& registry() const { return registry_; }

  // The one PromQL query: a sample {exporter="name"} for each exporter that is there.
  static std::string Query(const schema::Registry& registry);

 private:
  Deadline Share(Deadline deadline) const;
  void Ask(double time, Deadline deadline, std::function<void(Result<DetectedPtr>)> done);
  DetectedPtr Plan(std::vector<const schema::Exporter*> exporters) const;
  void Keep(const Result<DetectedPtr>& detected);

  prom::Client& client_;
  const Clock& clock_;
  const schema::Registry& registry_;
  const DetectorOptions options_;
  const std::string query_;

  mutable Mutex mutex_;
  DetectedPtr known_ GUARDED_BY(mutex_);
  SteadyTime look_again_ GUARDED_BY(mutex_);
  bool found_ GUARDED_BY(mutex_) = false;    // known_ is more than an assumption
  bool in_vain_ GUARDED_BY(mutex_) = false;  // a first refresh waited for nothing
  bool looking_ GUARDED_BY(mutex_) = false;  // beside a refresh that does not wait
};

}  // namespace gpumon::gpu
