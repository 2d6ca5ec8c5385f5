// Times of a range in which a series was not sampled, though an instant query shows what it said
// before.
#pragma once

#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/passing.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// What tells the times of the samples that say how busy GPUs are and, with `and_faults`, of what
// makes them unhealthy: each series by its labels, with them its name as `__series__`, without them
// no name, so that gaps are nobody's; empty: nothing tells. `matchers` as of RangePlanner, any of
// them; none: all series.
std::string SampleTimesQuery(const schema::Exporter& exporter,
                             const std::vector<std::string>& matchers, bool and_faults);

class RangeGaps {
 public:
  struct Span {  // Unix seconds; its end is no part of it
    double begin = 0;
    double end = std::numeric_limits<double>::infinity();
  };
  using Spans = std::span<const Span>;
  struct Sampled {
    bool is_known = false;  // when series of these very labels were
    Spans gaps;             // nothing of its group was; in order
    Spans older;            // another one of its group was later; likewise
  };

  // `times`: the answer to SampleTimesQuery at each step. All series of a name and the same labels
  // but `passing` are a group: whoever held the GPU, it was sampled. A sample counts for as long as
  // those of its target are usually apart (the lower median), or for a step, whichever is longer.
  // Where the group's next one comes later than half as long again what is behind that is a gap. A
  // target that shows no two samples has the longest of the intervals of its job's others; where
  // there are none, a minute, which is Prometheus's own default.
  RangeGaps(const prom::RangeVector& times, double step, Passing passing);

  // Of the series with these labels. Gaps are those of its name. Which of its group is older is the
  // same for all names: pods come and go with all that they hold.
  Sampled Of(prom::LabelSet labels) const;

 private:
  using Target = std::pair<std::string, std::string>;  // job, instance
  struct Group {
    Target target;
    std::vector<std::size_t> series;  // of `times`
    std::vector<double> times;        // when it was sampled; sorted
    double last = 0;                  // step at which the newest one is shown
  };
  using Groups = std::map<std::string, Group>;

  Groups GroupsOf(const prom::RangeVector& times) const;
  // Of targets; of jobs where `instance` is empty.
  static std::map<Target, double> LastingOf(const Groups& groups, double step);
  static std::vector<Span> GapsOf(const Group& group, double lasts);
  void FindOlder(const prom::RangeVector& times, const Group& group);

  const Passing passing_;
  std::map<std::string, std::vector<Span>> gaps_;   // by name and what does not pass
  std::map<std::string, std::vector<Span>> older_;  // by all labels but the name, of each series
};

}  // namespace gpumon::gpu
