#include "internal/gpu/activity_search.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "internal/gpu/range_plan.h"
#include "internal/gpu/range_replay.h"
#include "internal/gpu/refresh_texts.h"

namespace gpumon::gpu {
namespace {

// Of one answer: about 30 MiB.
constexpr std::size_t kMostPoints = 1'500'000;

}  // namespace

ActivitySearch::ActivitySearch(const With& with, const ActivityWant& want, Deadline deadline,
                               ActivityFound done)
    : with_(with), want_(want), deadline_(deadline), done_(std::move(done)), books_(want) {}

void ActivitySearch::Start(std::vector<Subject> subjects) {
  subjects_ = std::move(subjects);
  {
    const MutexLock lock(mutex_);
    if (JobsAreKnown(subjects_)) books_.KnowJobs();
    plan_ = PlanActivity(subjects_, want_, books_.cell());
    left_ = plan_.size();
  }
  with_.budget.Acquire(plan_.size(), QueryBudget::Of::kPast, deadline_,
                       [self = shared_from_this()](std::optional<QueryBudget::Turn> turn) {
                         if (!turn) return self->End(gpumon::Error(PastInstantsTakeTooLong()));
                         {
                           const MutexLock lock(self->mutex_);
                           self->turn_ = turn;
                         }
                         self->Ask();
                       });
}

void ActivitySearch::Ask() {
  if (plan_.empty()) return Choose();
  double start = 0;
  double end = 0;
  double cell = 0;
  {
    const MutexLock lock(mutex_);
    start = books_.first_end();
    end = books_.last_end();
    cell = books_.cell();
  }
  const SteadyTime asked = with_.clock.Steady();
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    with_.client.QueryRange(
        {plan_[i].promql, start, end, cell}, deadline_,
        [self = shared_from_this(), i, asked](Result<prom::QueryResult> answer) {
          self->Answered(i, std::move(answer), asked);
        });
  }
}

std::optional<prom::RangeVector> ActivitySearch::Take(const std::string& name,
                                                      Result<prom::QueryResult> answer,
                                                      SteadyTime asked) {
  answer = WholeRange(std::move(answer));
  with_.observer.QueryDone(name, answer ? std::string_view("ok") : answer.error().wire_name(),
                           std::chrono::duration<double>(with_.clock.Steady() - asked).count(),
                           answer ? answer->bytes : 0);
  if (answer) return std::get<prom::RangeVector>(std::move(answer->value));
  End(gpumon::Error(answer.error()));
  return std::nullopt;
}

void ActivitySearch::Answered(std::size_t query, Result<prom::QueryResult> answer,
                              SteadyTime asked) {
  using Gives = ActivityQuery::Gives;
  const ActivityQuery& its = plan_[query];
  const auto vector = Take(its.name, std::move(answer), asked);
  if (!vector) return;
  {
    const MutexLock lock(mutex_);
    if (its.gives == Gives::kSamples) {
      const Subject& subject = subjects_[its.exporter];
      books_.AddSamples(*subject.exporter, SaysNode(subject), *vector);
    } else if (its.gives == Gives::kMostScrapes) {
      books_.AddMostScrapes(*vector);
    } else if (its.gives == Gives::kActive) {
      books_.AddActive(*vector);
    } else {
      books_.AddScrapes(*vector, its.gives == Gives::kUpAndWell);
    }
    if (--left_ > 0 || !done_) return;
  }
  Choose();
}

void ActivitySearch::Choose() {
  {
    const MutexLock lock(mutex_);
    books_.Choose();
    doubted_ = books_.Doubted();
  }
  AskUp();
}

// Of so many targets at a time that no answer is larger than a client takes.
void ActivitySearch::AskUp() {
  std::vector<std::string> some;
  double start = 0;
  double step = 0;
  double end = 0;
  std::optional<Activity> found;
  {
    const MutexLock lock(mutex_);
    const Activity& chosen = books_.chosen();
    start = chosen.start;
    step = chosen.step;
    end = chosen.At(chosen.steps - 1);
    const std::size_t most = std::max<std::size_t>(1, kMostPoints / chosen.steps);
    const auto rest = doubted_.end() - static_cast<std::ptrdiff_t>(std::min(most, doubted_.size()));
    some.assign(rest, doubted_.end());
    doubted_.erase(rest, doubted_.end());
    if (some.empty()) found = books_.Take();
  }
  if (found) return End(*std::move(found));
  with_.client.QueryRange(
      {UpOfInstances(some), start, end, step}, deadline_,
      [self = shared_from_this(), asked = with_.clock.Steady()](Result<prom::QueryResult> answer) {
        const auto up = self->Take("activity/up_of_some", std::move(answer), asked);
        if (!up) return;
        {
          const MutexLock lock(self->mutex_);
          self->books_.AddUp(*up);
        }
        self->AskUp();
      });
}

void ActivitySearch::End(Result<Activity> result) {
  ActivityFound done;
  std::optional<QueryBudget::Turn> turn;
  {
    const MutexLock lock(mutex_);
    done = std::move(done_);
    done_ = nullptr;
    turn = turn_;
    turn_.reset();
  }
  if (turn) with_.budget.Release(*turn);
  if (done) done(std::move(result));
}

}  // namespace gpumon::gpu
