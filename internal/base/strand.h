// Tasks one after the other, on the threads of an executor.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "internal/base/executor.h"
#include "internal/base/mutex.h"

namespace gpumon {

// What its tasks alone touch needs no lock. Thread-safe; a task may post. A task that throws is
// logged and ends nothing.
class Strand final : public Executor {
 public:
  explicit Strand(Executor& executor) : state_(std::make_shared<State>(executor)) {}

  // In the order of the calls. False when the executor has stopped: the task will not run, and
  // neither will those that still wait.
  bool Post(std::function<void()> task) override { return State::Post(state_, std::move(task)); }

 private:
  // Outlives the strand while tasks run.
  struct State {
    explicit State(Executor& e) : executor(e) {}
    static bool Post(const std::shared_ptr<State>& state, std::function<void()> task);
    static void RunOne(const std::shared_ptr<State>& state);

    Executor& executor;
    Mutex mutex;
    std::deque<std::function<void()>> tasks GUARDED_BY(mutex);
    bool running GUARDED_BY(mutex) = false;  // RunOne is posted, or runs
  };

  const std::shared_ptr<State> state_;
};

}  // namespace gpumon
