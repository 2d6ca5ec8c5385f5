// Who was there at both ends of a range, before it is walked through.
#include <memory>
#include <optional>
#include <utility>

#include "internal/base/mutex.h"
#include "internal/gpu/activity_search.h"
#include "internal/gpu/collector.h"
#include "internal/gpu/range_plan.h"
#include "internal/gpu/range_walk.h"

namespace gpumon::gpu {
namespace {

// What was found so lately is there still.
constexpr double kLately = 120;

// Waits for two answers.
class BothEnds {
 public:
  using Subjects = Result<std::vector<Subject>>;
  using Heard = std::function<void(const Subjects& start, const Subjects& end)>;

  explicit BothEnds(Heard heard) : heard_(std::move(heard)) {}

  void Hear(bool is_end, Subjects subjects) {
    std::optional<Subjects> start;
    std::optional<Subjects> end;
    {
      const MutexLock lock(mutex_);
      (is_end ? end_ : start_) = std::move(subjects);
      if (!start_ || !end_) return;
      start.swap(start_);
      end.swap(end_);
    }
    heard_(*start, *end);
  }

 private:
  const Heard heard_;
  Mutex mutex_;
  std::optional<Subjects> start_ GUARDED_BY(mutex_);
  std::optional<Subjects> end_ GUARDED_BY(mutex_);
};

}  // namespace

void Collector::FindSubjects(double first, double last, Deadline deadline, SubjectsOfRange then) {
  const DetectedPtr known = detector_.Known();
  const auto both = std::make_shared<BothEnds>(
      [known, this, then = std::move(then)](const Result<std::vector<Subject>>& start,
                                            const Result<std::vector<Subject>>& end) {
        if (!start || !end) return then(gpumon::Error(start ? end.error() : start.error()));
        auto subjects = SubjectsOfBoth(detector_.registry().exporters(), *start, *end);
        then(subjects.empty() ? known->subjects : std::move(subjects));
      });
  const auto look = [&](bool is_end, double time) {
    detector_.WhoWas(time, deadline, [both, is_end](Result<std::vector<Subject>> subjects) {
      both->Hear(is_end, std::move(subjects));
    });
  };
  const bool is_present = !known->assumed && last > upstream_clock_.Now() - kLately;
  if (is_present) both->Hear(true, known->subjects);
  look(false, first);
  if (!is_present) look(true, last);
}

void Collector::Walk(const RangeWant& want, Deadline deadline, EachInstant each, RangeDone done) {
  const auto walk =
      std::make_shared<RangeWalk>(RangeWalk::With{client_, clock_, observer_, budget_, commands_},
                                  want, deadline, std::move(each), std::move(done));
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
