// Which scrape targets export percent under a name that others use for a ratio.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "internal/base/mutex.h"

namespace gpumon::gpu {

// Thread-safe. A ratio never passes 1, and percent of this kind is whole numbers: a sample of 2 or
// more proves percent, and a fraction below 1 a ratio. What was percent at noon is percent at
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
    // That have both at this instant, in one target or several; or had both within an hour, and a
    // target that proved neither.
    std::size_t mixed_jobs = 0;
  };
  // What targets (Contest::TargetOf) showed within an hour, with their jobs.
  struct Shown {
    std::map<std::size_t, std::string> percent;
    std::map<std::size_t, std::string> fraction;  // in jobs with percent
    std::set<std::size_t> turned;  // of those that showed both: whose fraction came last

    bool operator==(const Shown&) const = default;
  };
  // A target means what it proved itself; else what others of its job proved last, percent where
  // both were proved within an hour; else a ratio. `at` is the instant, in Unix seconds.
  Verdict Judge(std::string_view metric, const std::vector<Target>& targets, double at);
  // What was shown at `at` or since.
  void Remember(std::string_view metric, const Shown& shown, double at);
  // Of any job.
  bool AnyIsPercent(std::string_view metric) const;

 private:
  static constexpr double kNever = -std::numeric_limits<double>::infinity();

  struct Proof {
    bool percent = false;
    double at = 0;
  };
  // When its targets proved which last, in Unix seconds.
  struct OfJob {
    double percent = kNever;
    double ratio = kNever;

    bool IsPercent() const { return percent != kNever && percent >= ratio; }
    bool IsMixed(double at) const;
  };
  struct OfMetric {
    std::unordered_map<std::size_t, Proof> targets;
    std::map<std::string, OfJob, std::less<>> jobs;
  };

  mutable Mutex mutex_;
  std::map<std::string, OfMetric, std::less<>> metrics_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::gpu
