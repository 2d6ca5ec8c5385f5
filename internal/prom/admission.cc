#include "internal/prom/admission.h"

#include <algorithm>
#include <utility>

namespace gpumon::prom {

Admission::Admission(std::size_t limit, const Clock& clock)
    : limit_(std::max<std::size_t>(limit, 1)),
      clock_(clock),
      watcher_([this] { WatchDeadlines(); }) {}

Admission::~Admission() {
  Stop();
}

void Admission::Stop() {
  std::list<Waiter> waiters;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    waiters.swap(waiters_);
  }
  changed_.NotifyAll();
  for (Waiter& waiter : waiters) waiter.turn(Error(EndingStatus()));
  if (watcher_.joinable()) watcher_.join();
}

void Admission::Enter(Deadline deadline, Turn turn) {
  bool stopping = false;
  {
    const MutexLock lock(mutex_);
    stopping = stopping_;
    if (!stopping && inside_ >= limit_) {
      waiters_.push_back({deadline, std::move(turn)});
      changed_.NotifyAll();
      return;
    }
    if (!stopping) ++inside_;
  }
  turn(stopping ? Result<void>(Error(EndingStatus())) : Result<void>());
}

void Admission::Leave() {
  Turn next;
  {
    const MutexLock lock(mutex_);
    if (waiters_.empty()) {
      --inside_;
      return;
    }
    next = std::move(waiters_.front().turn);
    waiters_.pop_front();
  }
  next({});
}

std::list<Admission::Waiter> Admission::TakeExpired(SteadyTime& next) {
  std::list<Waiter> expired;
  const SteadyTime now = clock_.Steady();
  next = SteadyTime::max();
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    const auto current = it++;
    if (current->deadline.at() <= now) {
      expired.splice(expired.end(), waiters_, current);
    } else {
      next = std::min(next, current->deadline.at());
    }
  }
  return expired;
}

void Admission::WatchDeadlines() {
  while (true) {
    std::list<Waiter> expired;
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      SteadyTime next;
      expired = TakeExpired(next);
      if (expired.empty() && next == SteadyTime::max()) {
        changed_.Wait(mutex_);
      } else if (expired.empty()) {
        // In real time, however `clock_` counts.
        changed_.WaitUntil(mutex_, std::chrono::steady_clock::now() + (next - clock_.Steady()));
      }
    }
    for (Waiter& waiter : expired) {
      waiter.turn(Error(Code::kUpstreamTimeout,
                        "Prometheus was busy with our other queries until the time was up; raise "
                        "PROMETHEUS_MAX_CONCURRENCY or ask for less"));
    }
  }
}

}  // namespace gpumon::prom
