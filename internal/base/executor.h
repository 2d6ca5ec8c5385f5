// Where work runs that must not block a server or I/O thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "internal/base/mutex.h"

namespace gpumon {

// Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `task` once, later, on another thread. False when the executor has stopped: the task
  // will not run.
  virtual bool Post(std::function<void()> task) = 0;
};

// A fixed number of threads over one queue. A task that throws ends nothing: it is logged.
// The destructor (and Stop) runs what was posted before, then joins; a task must not call them.
class ThreadPool final : public Executor {
 public:
  ThreadPool(std::size_t threads, const std::string& name);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  bool Post(std::function<void()> task) override;
  void Stop();

 private:
  void Run();

  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::size_t running_ GUARDED_BY(mutex_) = 0;  // threads that have not left Run
  CondVar idle_;                                // running_ became 0
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace gpumon
