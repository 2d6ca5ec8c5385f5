#include "internal/gpu/query_budget.h"

#include <algorithm>
#include <utility>

namespace gpumon::gpu {
namespace {

// Without a set of the present for so long nobody looks at it.
constexpr Millis kUnwatched{60'000};
// So old times of past instants say nothing of the next one.
constexpr Millis kForgotten{10'000};

}  // namespace

bool QueryBudget::Fits(std::size_t queries) const {
  return queries == 0 || under_way_ == 0 || under_way_ + queries <= limit_;
}

bool QueryBudget::PastFits(std::size_t queries) const {
  if (queries == 0) return true;
  // A few that hang of earlier sets hold up no other: it takes no more than one that is alone.
  const std::size_t shared = limit_ - std::min(limit_, Reserve());
  return Fits(queries) && (past_under_way_ <= shared / 2 || past_under_way_ + queries <= shared);
}

std::size_t QueryBudget::Reserve() const {
  const bool watched = present_came_ && clock_.Steady() - *present_came_ < kUnwatched;
  return watched ? largest_present_ : 0;
}

void QueryBudget::SawPresent(std::size_t queries) {
  largest_present_ = std::max(Reserve(), queries);
  present_came_ = clock_.Steady();
}

SteadyTime::duration QueryBudget::PastTakes() const {
  const bool lately = past_ended_ && clock_.Steady() - *past_ended_ < kForgotten;
  return lately ? past_took_ : SteadyTime::duration::zero();
}

bool QueryBudget::IsHopeless(std::size_t queries, Deadline deadline) const {
  std::size_t all = past_under_way_ + queries;
  for (const Waiting& waiting : past_) all += waiting.queries;
  const std::size_t shared = limit_ - std::min(limit_, Reserve());
  const std::size_t at_once = std::max({shared, queries, std::size_t{1}});
  const auto rounds = static_cast<SteadyTime::rep>((all + at_once - 1) / at_once);
  return rounds * PastTakes() > deadline.at() - clock_.Steady();
}

QueryBudget::Called QueryBudget::Begin(Waiting waiting) {
  under_way_ += waiting.queries;
  if (waiting.past) past_under_way_ += waiting.queries;
  return {std::move(waiting.start), Turn{waiting.queries, waiting.past}};
}

std::vector<QueryBudget::Called> QueryBudget::TakeCalled() {
  std::vector<Called> called;
  while (!present_.empty() && Fits(present_.front().queries)) {
    called.push_back(Begin(std::move(present_.front())));
    present_.pop_front();
  }
  const SteadyTime now = clock_.Steady();
  const SteadyTime::duration takes = PastTakes();
  for (auto it = past_.begin(); it != past_.end();) {
    const auto waiting = it++;
    if (!waiting->refusable || now + takes <= waiting->deadline.at()) continue;
    called.push_back({std::move(waiting->start), std::nullopt});
    past_.erase(waiting);
  }
  while (present_.empty() && !past_.empty() && PastFits(past_.front().queries)) {
    called.push_back(Begin(std::move(past_.front())));
    past_.pop_front();
  }
  return called;
}

void QueryBudget::Acquire(std::size_t queries, Of of, Deadline deadline, Start start) {
  std::vector<Called> called;
  {
    MutexLock lock(mutex_);
    // With none before it nothing speaks against it: the next one may take less time.
    const bool first = past_under_way_ == 0 && past_.empty();
    Waiting waiting{queries, of != Of::kPresent, of == Of::kPast && !first, deadline,
                    std::move(start)};
    if (of == Of::kPresent) {
      SawPresent(queries);
      present_.push_back(std::move(waiting));
    } else if (of == Of::kPastToo) {
      past_.push_front(std::move(waiting));
    } else if (waiting.refusable && IsHopeless(queries, deadline)) {
      called.push_back({std::move(waiting.start), std::nullopt});
    } else {
      past_.push_back(std::move(waiting));
    }
    for (Called& one : TakeCalled()) called.push_back(std::move(one));
  }
  for (const Called& one : called) one.start(one.turn);
}

void QueryBudget::Extend(const Turn& turn) {
  const MutexLock lock(mutex_);
  under_way_ += turn.queries;
  if (turn.past) past_under_way_ += turn.queries;
}

void QueryBudget::Release(const Turn& turn) {
  std::vector<Called> called;
  {
    MutexLock lock(mutex_);
    under_way_ -= turn.queries;
    if (turn.past) past_under_way_ -= turn.queries;
    called = TakeCalled();
  }
  for (const Called& one : called) one.start(one.turn);
}

void QueryBudget::SawPast(SteadyTime::duration took) {
  MutexLock lock(mutex_);
  past_took_ = took;
  past_ended_ = clock_.Steady();
}

}  // namespace gpumon::gpu
