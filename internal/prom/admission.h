// At most so many at a time; the rest wait their turn, but not beyond their deadline.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <thread>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"

namespace gpumon::prom {

// What those are told who ask, or wait, while the program ends.
inline Status EndingStatus() {
  return {Code::kDraining, "the server is ending; ask again in a moment", {}, 1};
}

// Thread-safe. First come, first served.
class Admission {
 public:
  // Called once: without an error when its turn has come (each such call is owed one Leave), else
  // with kUpstreamTimeout at its deadline or EndingStatus() when the Admission goes. It runs on
  // whatever thread made it so - inside Enter, inside somebody's Leave, on a thread of Admission's
  // own - and must be short.
  using Turn = std::function<void(Result<void>)>;

  Admission(std::size_t limit, const Clock& clock);
  // Ends all who wait.
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  void Enter(Deadline deadline, Turn turn);
  void Leave();
  // Ends all who wait and all who come; what was let in still leaves. Not from within a Turn.
  void Stop();

 private:
  struct Waiter {
    Deadline deadline;
    Turn turn;
  };

  void WatchDeadlines();
  // Those who can wait no more, at most; and when to look again.
  std::list<Waiter> TakeExpired(SteadyTime& next) REQUIRES(mutex_);

  const std::size_t limit_;
  const Clock& clock_;
  Mutex mutex_;
  CondVar changed_;
  std::size_t inside_ GUARDED_BY(mutex_) = 0;
  std::list<Waiter> waiters_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread watcher_;
};

}  // namespace gpumon::prom
