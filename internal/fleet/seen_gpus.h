// Which GPUs were there and are no longer, as far as this process has seen or was told.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/gpu/activity.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// Thread-safe. Of whole GPUs that name a node; one that moved to another node, or that its node
// shows under another name, is not gone, and one for which another has come was replaced: one GPU
// replaces one, once.
class SeenGpus {
 public:
  struct Gone {
    std::string node;
    std::string gpu_id;
    std::string gpu_name;
    std::string uuid;
    double seen = 0;    // Unix seconds of the last look, or of the past, that it was in
    double missed = 0;  // of the first one that it was not in
    // Unix seconds of its newest sample, where no more than a minute, or a step of the past that
    // was told, lies between these two.
    std::optional<double> since;
    // Who showed it in the day before is up, and has been for two minutes: is asked where nothing
    // of its node is shown any more.
    bool exporter_up = false;
  };

  // All GPUs of a present instant, whole. A look at an earlier one than the last changes nothing.
  // Those that are no longer shown, whyever: by node, the longest gone first.
  std::vector<Gone> Look(const models::Snapshot& gpus);

  // True once, and once a minute until Learn: nobody has told what was there before the first look.
  bool WantsPast(SteadyTime now);
  // What was there before it, an hour ago for example.
  void Learn(const models::Snapshot& past);
  // The same, of instants `step` seconds apart, which come one after the other; and after the last
  // of those that were asked for.
  void LearnStep(const models::Snapshot& past, double step);
  void LearnedSteps();
  // Who showed GPUs in the day before a present look, so that it need not be found for each answer.
  void LearnTargets(std::shared_ptr<const gpu::Activity> shown, SteadyTime now);
  // The same, where it was found within the last quarter of a minute; else null.
  std::shared_ptr<const gpu::Activity> Targets(SteadyTime now);
  // Where these GPUs, which are gone, were shown since, at `time`.
  void Follow(const std::set<std::string, std::less<>>& uuids, double time,
              const models::Snapshot& gpus);

 private:
  using Key = std::pair<std::string, std::string>;  // node; UUID, or else `#` and the id
  struct Entry {
    std::string gpu_id;
    std::string gpu_name;
    std::string uuid;
    double first = 0;
    bool came = false;      // seen to: a look before it did not have it
    bool replaced = false;  // another one, which is forgotten
    double seen = 0;
    double newest = 0;
    double missed = 0;
    bool stepped = false;  // LearnStep's instants have it
    bool near = false;     // Gone::since is known
  };

  static Key KeyOf(const models::GpuMetrics& row);
  Entry& Note(const models::GpuMetrics& row, double as_of) REQUIRES(mutex_);
  void Miss() REQUIRES(mutex_);
  void Forget() REQUIRES(mutex_);
  void ForgetReplaced() REQUIRES(mutex_);

  Mutex mutex_;
  std::map<Key, Entry> entries_ GUARDED_BY(mutex_);
  double last_ GUARDED_BY(mutex_) = 0;      // look; 0: there was none
  bool looked_ GUARDED_BY(mutex_) = false;  // a look has ended
  bool learned_ GUARDED_BY(mutex_) = false;
  bool unsettled_ GUARDED_BY(mutex_) = false;  // more is noted than Miss has judged
  std::optional<SteadyTime> asked_ GUARDED_BY(mutex_);
  std::shared_ptr<const gpu::Activity> shown_ GUARDED_BY(mutex_);
  SteadyTime shown_at_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::fleet
