#include "internal/gpu/query_budget.h"

#include <vector>

namespace gpumon::gpu {

void QueryBudget::Acquire(std::size_t queries, std::function<void()> start) {
  {
    MutexLock lock(mutex_);
    if (!waiting_.empty() || !Fits(queries)) {
      waiting_.emplace_back(queries, std::move(start));
      return;
    }
    under_way_ += queries;
  }
  start();
}

void QueryBudget::Release(std::size_t queries) {
  std::vector<std::function<void()>> starting;
  {
    MutexLock lock(mutex_);
    under_way_ -= queries;
    while (!waiting_.empty() && Fits(waiting_.front().first)) {
      under_way_ += waiting_.front().first;
      starting.push_back(std::move(waiting_.front().second));
      waiting_.pop_front();
    }
  }
  for (const auto& start : starting) start();
}

}  // namespace gpumon::gpu
