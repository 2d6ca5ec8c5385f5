// Finds out which exporters a Prometheus has.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"
#include "internal/gpu/down_targets.h"
#include "internal/gpu/long_query.h"
#include "internal/gpu/plan.h"
#include "internal/gpu/target_memory.h"
#include "internal/prom/client.h"
#include "internal/schema/registry.h"

namespace gpumon::gpu {

// The exporters that are there, the best first, and what to ask them. Immutable.
struct Detected {
  std::vector<Subject> subjects;
  std::vector<const schema::Exporter*> exporters;  // the subjects'
  std::vector<PlannedQuery> gpu_plan;
  std::vector<PlannedQuery> process_plan;
  bool assumed = false;  // nobody has told yet who is there
  std::string_view why;  // assumed: the code of the answer that should have told

  const std::vector<PlannedQuery>& plan(models::Part part) const {
    return part == models::Part::kGpus ? gpu_plan : process_plan;
  }
  // As Subject::AnswersOtherThan.
  bool AsksOtherThan(const Detected& other) const;
};
using DetectedPtr = std::shared_ptr<const Detected>;

struct DetectorOptions {
  // What was found is looked for again after this time, while it is still used; with the next
  // refresh after one without a row, or with fewer.
  Millis refresh{60'000};
  // However often rows are missing.
  Millis soon{10'000};
  // As rarely it is asked whether samples beyond those that each refresh looks at bring time stamps
  // along.
  Millis check_times{600'000};
};

// Thread-safe; every reference must outlive it and what it has under way.
//
// A refresh asks what is known, so looking costs it no time; only the first one, the first one
// after nobody asked for long, and one of a past instant wait to hear what is there, for at most
// half of their own time. Who looked in vain all that time is not waited for again: from then on
// looking has all the time of the refresh beside it.
class Detector {
 public:
  // An error when nobody could tell.
  using Found = std::function<void(Result<DetectedPtr>)>;

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
  // As LookBack, without what is assumed where nobody is found, and with jobs as they were then.
  using Answer = std::function<void(Result<std::vector<Subject>>)>;
  void WhoWas(double time, Deadline deadline, Answer done) {
    Ask(time, Share(deadline), std::move(done));
  }
  // What the last refresh saw: after none at all the next one looks again beside it.
  void Saw(std::size_t gpus);
  // Something is missing that another exporter may show by now: the next refresh looks again beside
  // it, if no other did so for that lately.
  void LookSoon();
  // Exporters (by their place in `detected`) have series of these jobs too, of which looking told
  // nothing: they are asked about from now on, and a refresh of the next seconds looks again.
  void SawJobs(const Detected& detected, const std::vector<std::set<std::string>>& jobs);
  // Samples of these exporters (by their place in `detected`) have time stamps of their own: until
  // a check finds none each series is asked for its time at once.
  void SawTimes(const Detected& detected, const std::vector<std::size_t>& exporters);
  // `detected`, with each series asked for its time.
  static DetectedPtr WithSeriesTimes(const Detected& detected);
  const schema::Registry& registry() const { return registry_; }

 private:
  Deadline Share(Deadline deadline) const;
  void Ask(double time, Deadline deadline, Answer done);
  void AskAgain(double time, Deadline deadline, std::shared_ptr<const prom::InstantVector> found,
                Answer done);
  // Asks whether what the exporters that are known show brings time stamps along, if it is time to.
  void CheckTimes(double time, Deadline deadline);
  void Hurry() REQUIRES(mutex_);
  void SetBringsTimes(const schema::Exporter* exporter, bool brings);
  DetectedPtr Plan(std::vector<Subject> subjects) const REQUIRES(mutex_);
  // What is known already, with what was learnt of it since.
  void PlanAnew() REQUIRES(mutex_);
  void AddJobs(Subject& subject) const REQUIRES(mutex_);
  // What is known from now on.
  Result<DetectedPtr> Keep(Result<std::vector<Subject>> subjects);
  void KeepMissed(std::vector<Subject>& subjects) const REQUIRES(mutex_);

  prom::Client& client_;
  const Clock& clock_;
  const schema::Registry& registry_;
  const TargetMemory* const targets_;
  LongQuery long_query_;
  const DetectorOptions options_;
  const std::string query_;

  mutable Mutex mutex_;
  DetectedPtr known_ GUARDED_BY(mutex_);
  std::set<const schema::Exporter*> brings_times_ GUARDED_BY(mutex_);
  std::map<const schema::Exporter*, std::set<std::string>> seen_jobs_ GUARDED_BY(mutex_);
  SteadyTime look_again_ GUARDED_BY(mutex_);
  SteadyTime looked_ GUARDED_BY(mutex_);
  SteadyTime check_again_ GUARDED_BY(mutex_);
  std::optional<SteadyTime> hurried_ GUARDED_BY(mutex_);  // the last look before its time
  std::size_t saw_ GUARDED_BY(mutex_) = 0;                // GPUs, of the last refresh
  bool saw_nothing_ GUARDED_BY(mutex_) = false;           // no row, since the last look began
  bool found_ GUARDED_BY(mutex_) = false;                 // known_ is more than an assumption
  bool in_vain_ GUARDED_BY(mutex_) = false;               // a first refresh waited for nothing
  bool looking_ GUARDED_BY(mutex_) = false;               // beside a refresh that does not wait
};

}  // namespace gpumon::gpu
