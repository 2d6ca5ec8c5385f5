#include "internal/gpu/range_subjects.h"

#include <set>
#include <utility>
#include <variant>

#include "internal/gpu/look.h"
#include "internal/gpu/range_plan.h"
#include "internal/gpu/range_series.h"

namespace gpumon::gpu {

RangeSubjects::RangeSubjects(prom::Client& client, Detector& detector, double first, double last,
                             Deadline deadline, Heard heard)
    : client_(client),
      detector_(detector),
      first_(first),
      last_(last),
      deadline_(deadline),
      heard_(std::move(heard)) {}

void RangeSubjects::Start(const std::vector<Subject>* at_end) {
  if (at_end != nullptr) Hear(*at_end);
  LookAt(first_);
  if (at_end == nullptr) LookAt(last_);
}

void RangeSubjects::LookAt(double time) {
  detector_.WhoWas(time, deadline_, [self = shared_from_this()](Subjects subjects) {
    self->Hear(std::move(subjects));
  });
}

void RangeSubjects::Hear(Subjects subjects) {
  bool asked = false;
  Subjects all;
  {
    const MutexLock lock(mutex_);
    if (subjects) {
      found_ = SubjectsOfBoth(detector_.registry().exporters(), found_, *subjects);
    } else if (!failed_) {
      failed_ = subjects.error();
    }
    if (--left_ > 0) return;
    asked = std::exchange(asked_between_, true);
    all = failed_ ? Subjects(gpumon::Error(*failed_)) : Subjects(found_);
  }
  // What is shorter than an instant looks back the ends have seen.
  if (!all || asked || last_ - first_ < kLookBack) return heard_(std::move(all));
  AskBetween();
}

void RangeSubjects::AskBetween() {
  std::string promql;
  {
    const MutexLock lock(mutex_);
    promql = LastSeenQuery(detector_.registry(), found_, last_ - first_);
  }
  if (promql.empty()) return HearTimes(prom::QueryResult());
  client_.Query({promql, last_}, deadline_,
                [self = shared_from_this()](Result<prom::QueryResult> answer) {
                  self->HearTimes(std::move(answer));
                });
}

void RangeSubjects::HearTimes(Result<prom::QueryResult> answer) {
  if (!answer) return heard_(gpumon::Error(std::move(answer.error())));
  std::set<double> times;
  if (const auto* const seen = std::get_if<prom::InstantVector>(&answer->value)) {
    for (std::size_t i = 0; i < seen->size(); ++i) times.insert(seen->point(i).value);
  }
  Subjects all;
  {
    const MutexLock lock(mutex_);
    left_ = times.size();
    all = found_;
  }
  if (times.empty()) return heard_(std::move(all));
  for (const double time : times) LookAt(time);
}

}  // namespace gpumon::gpu
