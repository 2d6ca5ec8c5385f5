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
  gone_ = PlanGone(subjects_, want_);
  std::size_t most = 0;
  {
    const MutexLock lock(mutex_);
    if (JobsAreKnown(subjects_)) books_.KnowJobs();
    most = std::max(gone_.size(), PlanActivity(subjects_, want_, books_.cell()).size());
    left_ = gone_.size();
  }
  with_.budget.Acquire(most, QueryBudget::Of::kPast, deadline_,
                       [self = shared_from_this()](std::optional<QueryBudget::Turn> turn) {
                         if (!turn) return self->End(gpumon::Error(PastInstantsTakeTooLong()));
                         {
                           const MutexLock lock(self->mutex_);
                           self->turn_ = turn;
                         }
                         self->AskGone();
                       });
}

void ActivitySearch::AskGone() {
  if (gone_.empty()) return Ask();
  const SteadyTime asked = with_.clock.Steady();
  for (std::size_t i = 0; i < gone_.size(); ++i) {
    with_.client.Query({gone_[i].promql, GoneAt(want_)}, deadline_,
                       [self = shared_from_this(), i, asked](Result<prom::QueryResult> answer) {
                         self->AnsweredGone(i, std::move(answer), asked);
                       });
  }
}

void ActivitySearch::AnsweredGone(std::size_t query, Result<prom::QueryResult> answer,
                                  SteadyTime asked) {
  if (answer && !std::holds_alternative<prom::InstantVector>(answer->value)) {
    answer = gpumon::Error(Code::kUpstreamInvalid,
                           "Prometheus answered a query for an instant with another type");
  }
  if (!Counted(gone_[query].name, answer, asked)) return;
  {
    const MutexLock lock(mutex_);
    books_.AddGone(std::get<prom::InstantVector>(answer->value));
    if (--left_ > 0 || !done_) return;
  }
  Ask();
}

void ActivitySearch::Ask() {
  double start = 0;
  double within = 0;
  double end = 0;
  double cell = 0;
  {
    const MutexLock lock(mutex_);
    start = books_.first_end();
    within = books_.first_end_within();
    end = books_.last_end();
    cell = books_.cell();
    plan_ = PlanActivity(subjects_, want_, cell);
    left_ = plan_.size();
  }
  if (plan_.empty()) return Choose();
  const SteadyTime asked = with_.clock.Steady();
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    // Of what was there before the range no more is asked than whether it was.
    const bool any_time = plan_[i].gives != ActivityQuery::Gives::kActive;
    with_.client.QueryRange(
        {plan_[i].promql, any_time ? start : within, end, cell}, deadline_,
        [self = shared_from_this(), i, asked](Result<prom::QueryResult> answer) {
          self->Answered(i, std::move(answer), asked);
        });
  }
}

bool ActivitySearch::Counted(const std::string& name, const Result<prom::QueryResult>& answer,
                             SteadyTime asked) {
  with_.observer.QueryDone(name, answer ? std::string_view("ok") : answer.error().wire_name(),
                           std::chrono::duration<double>(with_.clock.Steady() - asked).count(),
                           answer ? answer->bytes : 0);
  if (!answer) End(gpumon::Error(answer.error()));
  return answer.has_value();
}

std::optional<prom::RangeVector> ActivitySearch::Take(const std::string& name,
                                                      Result<prom::QueryResult> answer,
                                                      SteadyTime asked) {
  answer = WholeRange(std::move(answer));
  if (!Counted(name, answer, asked)) return std::nullopt;
  return std::get<prom::RangeVector>(std::move(answer->value));
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
    } else if (its.gives == Gives::kMostScrapes || its.gives == Gives::kMostInMinute) {
      books_.AddMostScrapes(*vector, its.gives == Gives::kMostInMinute);
    } else if (its.gives == Gives::kActive) {
      books_.AddActive(*vector);
    } else {
      books_.AddScrapes(*vector, its.gives == Gives::kUpAndWell);
    }
    if (--left_ > 0 || !done_) return;
  }
  Choose();
}

// Of so many targets at a time that no answer is larger than a client takes.
void ActivitySearch::Choose() {
  {
    const MutexLock lock(mutex_);
    books_.Choose();
    const Activity& chosen = books_.chosen();
    const std::vector<std::string> doubted = books_.Doubted();
    for (const ActivityGrid& grid : chosen.Grids()) {
      const std::size_t most = std::max<std::size_t>(1, kMostPoints / grid.count);
      prom::RangeQuery query{"", chosen.At(grid.first), chosen.At(grid.first + grid.count - 1),
                             chosen.step};
      for (std::size_t first = 0; first < doubted.size(); first += most) {
        const auto from = doubted.begin() + static_cast<std::ptrdiff_t>(first);
        const std::size_t count = std::min(most, doubted.size() - first);
        const std::vector<std::string> some(from, from + static_cast<std::ptrdiff_t>(count));
        query.promql = UpOfInstances(some);
        doubts_.push_back({query, false});
        if (want_.starting <= 0) continue;
        query.promql = YoungOfInstances(some, want_.starting);
        doubts_.push_back({query, true});
      }
    }
  }
  AskUp();
}

void ActivitySearch::AskUp() {
  Doubts doubts;
  std::optional<Activity> found;
  {
    const MutexLock lock(mutex_);
    if (doubts_.empty()) {
      found = books_.Take();
    } else {
      doubts = std::move(doubts_.back());
      doubts_.pop_back();
    }
  }
  if (found) return End(*std::move(found));
  with_.client.QueryRange(
      doubts.query, deadline_,
      [self = shared_from_this(), young = doubts.young,
       asked = with_.clock.Steady()](Result<prom::QueryResult> answer) {
        const auto targets = self->Take(young ? "activity/started" : "activity/up_of_some",
                                        std::move(answer), asked);
        if (!targets) return;
        {
          const MutexLock lock(self->mutex_);
          young ? self->books_.AddYoung(*targets) : self->books_.AddUp(*targets);
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
