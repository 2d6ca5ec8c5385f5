// Asks where in a range something happens to GPUs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/gpu/activity.h"
#include "internal/gpu/activity_books.h"
#include "internal/gpu/activity_plan.h"
#include "internal/gpu/collector.h"

namespace gpumon::gpu {

// One call of Collector::FindActivity; kept alive by what it has under way.
class ActivitySearch : public std::enable_shared_from_this<ActivitySearch> {
 public:
  // What it works with; all of it must outlive the search.
  struct With {
    prom::Client& client;
    const Clock& clock;
    RefreshObserver& observer;
    QueryBudget& budget;
  };

  ActivitySearch(const With& with, const ActivityWant& want, Deadline deadline, ActivityFound done);

  // `subjects` in the order of their priority. Once.
  void Start(std::vector<Subject> subjects);
  // Nobody could tell who is there. Instead of Start.
  void Fail(Status status) { End(gpumon::Error(std::move(status))); }

 private:
  // Targets, by their `instance`, of which it is asked when they were up.
  struct Doubts {
    prom::RangeQuery query;
    bool young = false;
  };

  void AskGone();
  void AnsweredGone(std::size_t query, Result<prom::QueryResult> answer, SteadyTime asked);
  void Ask();
  void Answered(std::size_t query, Result<prom::QueryResult> answer, SteadyTime asked);
  void Choose();
  void AskUp();
  bool Counted(const std::string& name, const Result<prom::QueryResult>& answer, SteadyTime asked);
  // The matrix of an answer; an error is told to who waits.
  std::optional<prom::RangeVector> Take(const std::string& name, Result<prom::QueryResult> answer,
                                        SteadyTime asked);
  void End(Result<Activity> result);

  const With with_;
  const ActivityWant want_;
  const Deadline deadline_;
  std::vector<Subject> subjects_;    // constant after Start
  std::vector<ActivityQuery> gone_;  // likewise
  std::vector<ActivityQuery> plan_;  // constant after Ask

  Mutex mutex_;
  ActivityFound done_ GUARDED_BY(mutex_);  // empty: it has ended
  std::optional<QueryBudget::Turn> turn_ GUARDED_BY(mutex_);
  ActivityBooks books_ GUARDED_BY(mutex_);
  std::size_t left_ GUARDED_BY(mutex_) = 0;
  std::vector<Doubts> doubts_ GUARDED_BY(mutex_);  // that were not asked about yet
};

}  // namespace gpumon::gpu
