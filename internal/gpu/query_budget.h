// How many queries may be under way at Prometheus, counted in whole sets.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "internal/base/mutex.h"

namespace gpumon::gpu {

// Thread-safe. A set starts when it fits beside those under way, or alone when it is larger than
// the budget: it is never split, so that its answers belong together. First come, first served.
class QueryBudget {
 public:
  explicit QueryBudget(std::size_t queries) : limit_(queries) {}

  // Calls `start` once, now or from inside a later Release.
  void Acquire(std::size_t queries, std::function<void()> start);
  // Gives back what one started set took.
  void Release(std::size_t queries);

 private:
  bool Fits(std::size_t queries) const REQUIRES(mutex_) {
    return under_way_ == 0 || under_way_ + queries <= limit_;
  }

  const std::size_t limit_;
  Mutex mutex_;
  std::size_t under_way_ GUARDED_BY(mutex_) = 0;
  std::deque<std::pair<std::size_t, std::function<void()>>> waiting_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::gpu
