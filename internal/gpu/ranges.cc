// Who was there at both ends of a range, before it is walked through.
#include <memory>
#include <optional>
#include <utility>

#include "internal/base/mutex.h"
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

void Collector::Walk(const RangeWant& want, Deadline deadline, EachInstant each, RangeDone done) {
  const auto walk =
      std::make_shared<RangeWalk>(RangeWalk::With{client_, clock_, observer_, budget_, commands_},
                                  want, deadline, std::move(each), std::move(done));
  if (want.exporters) return walk->Start(*want.exporters);
  const DetectedPtr known = detector_.Known();
  const auto both =
      std::make_shared<BothEnds>([walk, known, this](const Result<std::vector<Subject>>& start,
                                                     const Result<std::vector<Subject>>& end) {
        if (!start || !end) return walk->Fail(start ? end.error() : start.error());
        auto subjects = SubjectsOfBoth(detector_.registry().exporters(), *start, *end);
        walk->Start(subjects.empty() ? known->subjects : std::move(subjects));
      });
  const double last = want.At(want.steps - 1);
  const auto look = [&](bool is_end, double time) {
    detector_.WhoWas(time, deadline, [both, is_end](Result<std::vector<Subject>> subjects) {
      both->Hear(is_end, std::move(subjects));
    });
  };
  const bool is_present = !known->assumed && last > upstream_clock_.Now() - kLately;
  if (is_present) both->Hear(true, known->subjects);
  look(false, want.start);
  if (!is_present) look(true, last);
}

}  // namespace gpumon::gpu
