#include "internal/base/strand.h"

#include <exception>
#include <utility>

#include "internal/base/log.h"

namespace gpumon {

bool Strand::State::Post(const std::shared_ptr<State>& state, std::function<void()> task) {
  {
    MutexLock lock(state->mutex);
    state->tasks.push_back(std::move(task));
    if (state->running) return true;
    state->running = true;
  }
  if (state->executor.Post([state] { RunOne(state); })) return true;
  std::deque<std::function<void()>> dropped;  // destroyed after the lock
  MutexLock lock(state->mutex);
  dropped.swap(state->tasks);
  state->running = false;
  return false;
}

void Strand::State::RunOne(const std::shared_ptr<State>& state) {
  std::function<void()> task;
  {
    MutexLock lock(state->mutex);
    if (state->tasks.empty()) {
      state->running = false;
      return;
    }
    task = std::move(state->tasks.front());
    state->tasks.pop_front();
  }
  try {
    task();
  } catch (const std::exception& e) {
    log::Error("a task threw", {{"what", e.what()}});
  } catch (...) {
    log::Error("a task threw", {{"what", "not a std::exception"}});
  }
  task = nullptr;
  // Others of the executor come in between.
  if (state->executor.Post([state] { RunOne(state); })) return;
  std::deque<std::function<void()>> dropped;
  MutexLock lock(state->mutex);
  dropped.swap(state->tasks);
  state->running = false;
}

}  // namespace gpumon
