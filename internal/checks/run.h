// Runs checks beside each other: none holds up or ends another.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/checks/check.h"

namespace gpumon::checks {

// What has a thread of its own: a check, or a look that finds out how many rows there are.
struct Task {
  std::string name;  // of its row when it does not end in time
  std::function<std::vector<Done>(const Clock& clock, Deadline deadline)> run;
  // What it comes to when it does not end in time.
  Status overdue = Status::kUnknown;
  std::string overdue_hint = {};
};
// One row. What the probe throws is its outcome.
Task TaskOf(Check check);

// How long a task that keeps to its deadline may take beyond it.
inline constexpr Millis kGrace{250};

// One run of all tasks. A task that has not ended kGrace after the deadline is left to itself: its
// thread goes on, holds what it uses, and what it says is dropped. One thread at a time.
class Round {
 public:
  // Starts a thread for each task; all have `timeout`. `clock` is shared with threads that may
  // outlive the round.
  Round(std::vector<Task> tasks, std::shared_ptr<const Clock> clock, Millis timeout);
  ~Round();
  Round(Round&&) noexcept;
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  // Waits until all tasks have ended, or their time has, or `limit` passed. False for the last.
  bool Await(Millis limit);
  // All rows in the order of the tasks; those of a task that is still running say so.
  std::vector<Done> Take();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The whole of a round.
std::vector<Done> RunAll(std::vector<Task> tasks, std::shared_ptr<const Clock> clock,
                         Millis timeout);

// Threads of tasks that have not ended. While there is one the process must not end by exit(),
// which takes from under it what is static: it ends by _exit.
std::size_t RunningTasks();

}  // namespace gpumon::checks
