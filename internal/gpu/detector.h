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
  // without a sample, at once.
  Millis refresh{60'000};
};

// Thread-safe; every reference must outlive it and what it has under way. When Prometheus has no
// known exporter, or does not say, the plan is the requirement's own (nvidia_gpu).
class Detector {
 public:
  using Found = std::function<void(DetectedPtr)>;

  Detector(prom::Client& client, const Clock& clock, const schema::Registry& registry,
           DetectorOptions options = {});

  // For a refresh at `time`: of a past instant (`past`) what was there then, else what was found
  // last. Calls `found` once, now or on a worker thread.
  void Get(double time, bool past, Deadline deadline, Found found);
  // The last refresh had no sample at all: look again before the next.
  void SawNothing();
  // What was found last; null before that.
  DetectedPtr Last() const;
  const schema::Registry& registry() const { return registry_; }

  // The one PromQL query: a sample {exporter="name"} for each exporter that is there.
  static std::string Query(const schema::Registry& registry);

 private:
  void Ask(double time, Deadline deadline, std::function<void(Result<DetectedPtr>)> done);
  DetectedPtr Plan(std::vector<const schema::Exporter*> exporters) const;
  void Keep(const Result<DetectedPtr>& detected);

  prom::Client& client_;
  const Clock& clock_;
  const schema::Registry& registry_;
  const DetectorOptions options_;
  const std::string query_;
  const DetectedPtr fallback_;

  mutable Mutex mutex_;
  DetectedPtr last_ GUARDED_BY(mutex_);
  SteadyTime look_again_ GUARDED_BY(mutex_);
  bool looking_ GUARDED_BY(mutex_) = false;  // beside refreshes that use last_
};

}  // namespace gpumon::gpu
