#include "internal/checks/run.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "internal/base/log.h"
#include "internal/base/mutex.h"
#include "internal/checks/failure.h"

namespace gpumon::checks {
namespace {

std::atomic<std::size_t> running_tasks{0};

class RunningTask {
 public:
  RunningTask() { ++running_tasks; }
  ~RunningTask() { --running_tasks; }
  RunningTask(const RunningTask&) = delete;
  RunningTask& operator=(const RunningTask&) = delete;
};

Outcome UnknownBecause(std::string details, std::string error) {
  Outcome outcome;
  outcome.details = std::move(details);
  outcome.error = std::move(error);
  return outcome;
}

Outcome OutcomeOf(const Probe& probe, const Clock& clock, Deadline deadline) {
  try {
    return probe(clock, deadline);
  } catch (const std::exception& e) {
    return UnknownBecause("The check itself failed", std::string("the check failed: ") + e.what());
  } catch (...) {
    return UnknownBecause("The check itself failed", "the check failed");
  }
}

Done DoneOf(std::string name, Outcome outcome, const Clock& clock, SteadyTime begun) {
  return {std::move(name), std::move(outcome),
          std::chrono::duration_cast<Millis>(clock.Steady() - begun), clock.Wall()};
}

void LogSteps(const std::vector<Done>& rows) {
  for (const Done& done : rows) {
    for (const std::string& step : done.outcome.steps) log::Debug(step, {{"check", done.name}});
    log::Debug("checked", {{"check", done.name},
                           {"status", NameOf(done.outcome.status)},
                           {"ms", done.took.count()},
                           {"details", done.outcome.details}});
  }
}

}  // namespace

Task TaskOf(Check check) {
  return {check.name, [check](const Clock& clock, Deadline deadline) {
            const SteadyTime begun = clock.Steady();
            Outcome outcome = OutcomeOf(check.probe, clock, deadline);
            std::vector<Done> rows;
            rows.push_back(DoneOf(check.name, std::move(outcome), clock, begun));
            return rows;
          }};
}

struct Round::State {
  State(std::shared_ptr<const Clock> the_clock, Millis the_timeout, std::size_t count)
      : clock(std::move(the_clock)),
        timeout(the_timeout),
        begun(clock->Steady()),
        overdue(count),
        rows(count),
        left(count) {}

  void Start(const std::shared_ptr<State>& self, std::size_t i, Task task) {
    try {
      std::thread([self, i, task = std::move(task)] {
        const RunningTask running;
        self->End(i, self->RowsOf(task));
      }).detach();
    } catch (const std::system_error&) {
      End(i, {DoneOf(overdue[i].name,
                     UnknownBecause("The check could not be started",
                                    "no thread could be started; see the limits of this process"),
                     *clock, clock->Steady())});
    }
  }

  std::vector<Done> RowsOf(const Task& task) const {
    const SteadyTime from = clock->Steady();
    try {
      return task.run(*clock, Deadline(begun + timeout));
    } catch (const std::exception& e) {
      return {DoneOf(
          task.name,
          UnknownBecause("The check itself failed", std::string("the check failed: ") + e.what()),
          *clock, from)};
    } catch (...) {
      return {DoneOf(task.name, UnknownBecause("The check itself failed", "the check failed"),
                     *clock, from)};
    }
  }

  void End(std::size_t i, std::vector<Done> done) EXCLUDES(mutex) {
    LogSteps(done);
    const MutexLock lock(mutex);
    rows[i] = std::move(done);
    if (--left == 0) changed.NotifyAll();
  }

  const std::shared_ptr<const Clock> clock;
  const Millis timeout;
  const SteadyTime begun;
  std::vector<Done> overdue;  // set before a thread starts

  Mutex mutex;
  CondVar changed;
  std::vector<std::optional<std::vector<Done>>> rows GUARDED_BY(mutex);
  std::size_t left GUARDED_BY(mutex);
};

Round::Round(std::vector<Task> tasks, std::shared_ptr<const Clock> clock, Millis timeout)
    : state_(std::make_shared<State>(std::move(clock), timeout, tasks.size())) {
  const std::string none = NoAnswerWithin(timeout);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Done& row = state_->overdue[i];
    row.name = tasks[i].name;
    row.outcome = UnknownBecause(none, none);
    row.outcome.status = tasks[i].overdue;
    row.outcome.hint = tasks[i].overdue_hint;
    row.outcome.steps = {"it has not ended: " + none};
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) state_->Start(state_, i, std::move(tasks[i]));
}

Round::~Round() = default;
Round::Round(Round&&) noexcept = default;

bool Round::Await(Millis limit) {
  State& state = *state_;
  const SteadyTime end = state.begun + state.timeout + kGrace;
  const SteadyTime until = std::min(end, state.clock->Steady() + limit);
  const MutexLock lock(state.mutex);
  while (state.left > 0) {
    if (state.changed.WaitUntil(state.mutex, until)) continue;
    return state.left == 0 || state.clock->Steady() >= end;
  }
  return true;
}

std::vector<Done> Round::Take() {
  State& state = *state_;
  std::vector<Done> all;
  const MutexLock lock(state.mutex);
  for (std::size_t i = 0; i < state.rows.size(); ++i) {
    if (state.rows[i]) {
      std::move(state.rows[i]->begin(), state.rows[i]->end(), std::back_inserter(all));
      continue;
    }
    const Done& row = state.overdue[i];
    all.push_back(DoneOf(row.name, row.outcome, *state.clock, state.begun));
  }
  return all;
}

std::vector<Done> RunAll(std::vector<Task> tasks, std::shared_ptr<const Clock> clock,
                         Millis timeout) {
  Round round(std::move(tasks), std::move(clock), timeout);
  while (!round.Await(timeout)) {
  }
  return round.Take();
}

std::size_t RunningTasks() {
  return running_tasks;
}

}  // namespace gpumon::checks
