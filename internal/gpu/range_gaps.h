// Times of a range in which a series was not sampled, though an instant query shows what it said
// before.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "internal/prom/value.h"
#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// What tells the times of the samples that say how busy GPUs are, each series by its labels but its
// name; empty: nothing tells. `matchers` as of RangePlanner, any of them; none: all series.
std::string TimesOfUtilization(const schema::Exporter& exporter,
                               const std::vector<std::string>& matchers);

class RangeGaps {
 public:
  struct Gap {  // Unix seconds; its end is no part of it
    double begin = 0;
    double end = std::numeric_limits<double>::infinity();
  };

  // `times`: of each series, at each step, when its newest sample was taken. All of the same labels
  // but `pods` (sorted) are one: whoever held the GPU, it was sampled. A sample counts for as long
  // as those of its target are usually apart (the lower median), or for a step, whichever is
  // longer. Where the next one comes later than half as long again what is behind that is a gap. Of
  // a target that shows no two samples nothing is known, so it has none.
  RangeGaps(const prom::RangeVector& times, double step, std::vector<std::string> pods);

  // Of the series with these labels, in their order; its name and pod do not matter.
  std::span<const Gap> Of(prom::LabelSet labels) const;

 private:
  using Target = std::pair<std::string, std::string>;  // job, instance
  struct Sampled {
    Target target;
    std::vector<double> times;  // when; sorted
    double last = 0;            // step at which the newest one is shown
  };
  std::string KeyOf(prom::LabelSet labels) const;
  std::map<std::string, Sampled> SampledBy(const prom::RangeVector& times) const;

  const std::vector<std::string> pods_;
  std::map<std::string, std::vector<Gap>> gaps_;  // by labels
};

}  // namespace gpumon::gpu
