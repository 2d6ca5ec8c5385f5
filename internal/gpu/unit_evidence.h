// Which jobs export percent under a name that others use for a ratio.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "internal/base/mutex.h"

namespace gpumon::gpu {

// Thread-safe. A ratio never passes 1, so one sample above it settles the matter for its job, for
// good: what was percent at noon is percent at night, when all GPUs are idle.
class UnitEvidence {
 public:
  void SawAboveOne(std::string_view metric, std::string_view job) {
    const MutexLock lock(mutex_);
    percent_.emplace(Key(metric, job), true);
  }
  bool IsPercent(std::string_view metric, std::string_view job) const {
    const MutexLock lock(mutex_);
    return percent_.count(Key(metric, job)) > 0;
  }
  // Of any job.
  bool AnyIsPercent(std::string_view metric) const {
    const MutexLock lock(mutex_);
    const std::string key = Key(metric, {});
    const auto found = percent_.lower_bound(key);
    return found != percent_.end() && found->first.starts_with(key);
  }

 private:
  static std::string Key(std::string_view metric, std::string_view job) {
    return std::string(metric).append(1, '\0').append(job);
  }

  mutable Mutex mutex_;
  std::map<std::string, bool> percent_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::gpu
