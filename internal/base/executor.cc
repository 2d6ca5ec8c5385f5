#include "internal/base/executor.h"

#include <pthread.h>

#include <exception>
#include <utility>

#include "internal/base/log.h"

namespace gpumon {

ThreadPool::ThreadPool(std::size_t threads, const std::string& name) {
  MutexLock lock(mutex_);
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    ++running_;
    pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
  }
}

ThreadPool::~ThreadPool() {
  Stop();
}

bool ThreadPool::Post(std::function<void()> task) {
  {
    MutexLock lock(mutex_);
    if (stopping_) return false;
    queue_.push_back(std::move(task));
  }
  wake_.NotifyOne();
  return true;
}

void ThreadPool::Stop() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
    // Whoever comes second has nothing to join, but waits as long.
    while (running_ > 0) idle_.Wait(mutex_);
    threads.swap(threads_);
  }
  for (auto& thread : threads) thread.join();
}

void ThreadPool::Run() {
  while (true) {
    std::function<void()> task;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) wake_.Wait(mutex_);
      if (queue_.empty()) {
        // Under the lock: the pool may be gone as soon as it is released.
        if (--running_ == 0) idle_.NotifyAll();
        return;
      }
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      task();
    } catch (const std::exception& e) {
      log::Error("task threw", {{"what", e.what()}});
    } catch (...) {
      log::Error("task threw", {{"what", "not a std::exception"}});
    }
  }
}

}  // namespace gpumon
