// How many queries may be under way at Prometheus, counted in whole sets.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"

namespace gpumon::gpu {

// Thread-safe. A set gives its room back query by query. It starts when it fits beside those under
// way, or alone when it is larger than the budget: it is never split, so that its answers belong
// together. First come, first served, but sets of the present before those of past instants. While
// sets of the present come, those of past instants leave room for the largest of these, or one is
// under way at a time, beside a few queries that are left of others.
class QueryBudget {
 public:
  enum class Of {
    kPresent,
    kPast,     // refused when it cannot be expected to end by its deadline
    kPastToo,  // belongs to a set that had its turn: before others, and not refused
  };
  // What a set that has started owes to Release.
  struct Turn {
    std::size_t queries = 0;
    bool past = false;
  };
  // Nothing: refused, since past sets take too long for this one to end by its deadline.
  using Start = std::function<void(std::optional<Turn>)>;

  // `clock` must outlive it.
  QueryBudget(std::size_t queries, const Clock& clock) : limit_(queries), clock_(clock) {}

  // Calls `start` once, now or from inside a later call. A set of 0 queries waits its turn but
  // takes no room.
  void Acquire(std::size_t queries, Of of, Deadline deadline, Start start);
  // A set that has started asks so many queries more: it is not kept waiting for room.
  void Extend(const Turn& turn);
  // Gives back what a started set took, or a part of it.
  void Release(const Turn& turn);
  // How long a past instant was asked for, from its turn on: what is expected of the next ones.
  void SawPast(SteadyTime::duration took);

 private:
  struct Waiting {
    std::size_t queries;
    bool past;
    bool refusable;
    Deadline deadline;
    Start start;
  };
  struct Called {
    Start start;
    std::optional<Turn> turn;
  };

  bool Fits(std::size_t queries) const REQUIRES(mutex_);
  bool PastFits(std::size_t queries) const REQUIRES(mutex_);
  // What a past instant is expected to take: what one took long ago says nothing.
  SteadyTime::duration PastTakes() const REQUIRES(mutex_);
  bool IsHopeless(std::size_t queries, Deadline deadline) const REQUIRES(mutex_);
  // What past sets leave to the present.
  std::size_t Reserve() const REQUIRES(mutex_);
  void SawPresent(std::size_t queries) REQUIRES(mutex_);
  Called Begin(Waiting waiting) REQUIRES(mutex_);
  // Those whose turn it is, and those for whom it comes too late.
  std::vector<Called> TakeCalled() REQUIRES(mutex_);

  const std::size_t limit_;
  const Clock& clock_;
  Mutex mutex_;
  std::size_t under_way_ GUARDED_BY(mutex_) = 0;
  std::size_t past_under_way_ GUARDED_BY(mutex_) = 0;  // of these
  std::list<Waiting> present_ GUARDED_BY(mutex_);
  std::list<Waiting> past_ GUARDED_BY(mutex_);
  std::size_t largest_present_ GUARDED_BY(mutex_) = 0;
  std::optional<SteadyTime> present_came_ GUARDED_BY(mutex_);
  SteadyTime::duration past_took_ GUARDED_BY(mutex_){};  // lately
  std::optional<SteadyTime> past_ended_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::gpu
