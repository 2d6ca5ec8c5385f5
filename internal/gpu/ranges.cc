// Ranges: who was there, then the walk through them.
#include <memory>
#include <utility>

#include "internal/gpu/activity_search.h"
#include "internal/gpu/collector.h"
#include "internal/gpu/range_subjects.h"
#include "internal/gpu/range_walk.h"

namespace gpumon::gpu {
namespace {

// What was found so lately is there still.
constexpr double kLately = 120;

}  // namespace

void Collector::FindSubjects(double first, double last, Deadline deadline, SubjectsOfRange then) {
  const DetectedPtr known = detector_.Known();
  const auto search = std::make_shared<RangeSubjects>(
      client_, detector_, first, last, deadline,
      [known, then = std::move(then)](Result<std::vector<Subject>> subjects) {
        if (subjects && subjects->empty()) subjects = known->subjects;
        then(std::move(subjects));
      });
  const bool is_present = !known->assumed && last > upstream_clock_.Now() - kLately;
  search->Start(is_present ? &known->subjects : nullptr);
}

void Collector::Walk(const RangeWant& want, Deadline deadline, EachInstant each, RangeDone done) {
  const auto walk =
      std::make_shared<RangeWalk>(RangeWalk::With{client_, clock_, observer_, budget_}, want,
                                  deadline, std::move(each), std::move(done));
  if (want.exporters) return walk->Start(*want.exporters);
  FindSubjects(want.start, want.At(want.steps - 1), deadline,
               [walk](Result<std::vector<Subject>> subjects) {
                 if (!subjects) return walk->Fail(subjects.error());
                 walk->Start(*std::move(subjects));
               });
}

void Collector::FindActivity(const ActivityWant& want, Deadline deadline, ActivityFound done) {
  const auto search = std::make_shared<ActivitySearch>(
      ActivitySearch::With{client_, clock_, observer_, budget_}, want, deadline, std::move(done));
  FindSubjects(want.start, want.end, deadline, [search](Result<std::vector<Subject>> subjects) {
    if (!subjects) return search->Fail(subjects.error());
    search->Start(*std::move(subjects));
  });
}

}  // namespace gpumon::gpu
