// Which scrape targets export percent under a name that others use for a ratio.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "internal/base/mutex.h"

namespace gpumon::gpu {

// Thread-safe. A ratio never passes 1, so one sample above it proves percent; percent of this kind
// is whole numbers, so a fraction below 1 proves a ratio. What was percent at noon is percent at
// night, when all GPUs are idle: proofs stay until a later one says otherwise, a target's for a
// day.
class UnitEvidence {
 public:
  // What the samples of one scrape target at one instant say.
  struct Target {
    std::size_t key = 0;  // Contest::TargetOf
    std::string job;
    bool above_one = false;
    bool fraction = false;
  };
  struct Verdict {
    std::unordered_map<std::size_t, bool> percent;  // by target; false: a ratio
    std::size_t mixed_jobs = 0;                     // that have both at this instant
  };
  // A target means what it proved itself; else what others of its job prove, percent before ratio;
  // else a ratio. `at` is the instant, in Unix seconds.
  Verdict Judge(std::string_view metric, const std::vector<Target>& targets, double at);
  // `percent`: targets that exported it at `at` or before, with their jobs.
  void Remember(std::string_view metric, const std::map<std::size_t, std::string>& percent,
                double at);
  // Of any job.
  bool AnyIsPercent(std::string_view metric) const;

 private:
  struct Proof {
    bool percent = false;
    double at = 0;
  };
  struct OfMetric {
    std::unordered_map<std::size_t, Proof> targets;
    std::map<std::string, Proof, std::less<>> jobs;
  };

  mutable Mutex mutex_;
  std::map<std::string, OfMetric, std::less<>> metrics_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::gpu
