#include "internal/checks/run.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>

#include "tests/fakes/process/wait.h"

namespace gpumon::checks {
namespace {

const std::shared_ptr<const Clock> kClock = std::make_shared<SystemClock>();

Task Says(const std::string& name, Status status) {
  return TaskOf({name, [status](const Clock&, Deadline) {
                   Outcome outcome;
                   outcome.status = status;
                   return outcome;
                 }});
}

// Hangs until the gate opens, whatever its deadline.
class Gate {
 public:
  ~Gate() {
    Open();
    EXPECT_TRUE(process::WaitUntil([] { return RunningTasks() == 0; }, Millis(10'000)));
  }
  void Open() {
    if (!std::exchange(open_, true)) opened_.set_value();
  }
  Task Behind(const std::string& name) const {
    return TaskOf({name, [future = future_](const Clock&, Deadline) {
                     future.wait();
                     return Outcome{};
                   }});
  }

 private:
  bool open_ = false;
  std::promise<void> opened_;
  std::shared_future<void> future_ = opened_.get_future().share();
};

TEST(RunTest, RowsAreInTheOrderOfTheTasksWhoeverEndsFirst) {
  Gate gate;
  std::vector<Task> tasks = {gate.Behind("first"), Says("second", Status::kHealthy)};
  Round round(std::move(tasks), kClock, Millis(10'000));
  EXPECT_FALSE(round.Await(Millis(1)));
  gate.Open();
  EXPECT_TRUE(round.Await(Millis(10'000)));
  const std::vector<Done> done = round.Take();
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[0].name, "first");
  EXPECT_EQ(done[1].name, "second");
  EXPECT_EQ(done[1].outcome.status, Status::kHealthy);
}

TEST(RunTest, AllRunAtOnce) {
  constexpr int kTasks = 20;
  std::atomic<int> there{0};
  std::promise<void> all;
  std::shared_future<void> all_there = all.get_future().share();
  std::vector<Task> tasks;
  for (int i = 0; i < kTasks; ++i) {
    tasks.push_back(TaskOf({"x", [&, all_there](const Clock&, Deadline) {
                              if (++there == kTasks) all.set_value();
                              Outcome outcome;
                              outcome.status = all_there.wait_for(std::chrono::seconds(10)) ==
                                                       std::future_status::ready
                                                   ? Status::kHealthy
                                                   : Status::kUnhealthy;
                              return outcome;
                            }}));
  }
  for (const Done& done : RunAll(std::move(tasks), kClock, Millis(20'000))) {
    EXPECT_EQ(done.outcome.status, Status::kHealthy);
  }
}

TEST(RunTest, OneThatIgnoresItsDeadlineIsReportedAndLeft) {
  Gate gate;
  const SteadyTime begun = kClock->Steady();
  const std::vector<Done> done =
      RunAll({gate.Behind("stuck"), Says("well", Status::kHealthy)}, kClock, Millis(1000));
  const auto took = kClock->Steady() - begun;
  EXPECT_LT(took, process::Scaled(Millis(1500)));
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[0].name, "stuck");
  EXPECT_EQ(done[0].outcome.status, Status::kUnknown);
  EXPECT_EQ(done[0].outcome.details, "No answer within 1 s");
  EXPECT_EQ(done[1].outcome.status, Status::kHealthy);
  EXPECT_EQ(RunningTasks(), 1U);
}

TEST(RunTest, ATaskSaysWhatItComesToWhenItIsLeft) {
  Gate gate;
  Task stuck = gate.Behind("driver");
  stuck.overdue = Status::kUnhealthy;
  stuck.overdue_hint = "reboot";
  Round round({stuck}, kClock, Millis(1));
  EXPECT_TRUE(round.Await(Millis(10'000)));
  const Outcome outcome = round.Take()[0].outcome;
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.hint, "reboot");
  EXPECT_EQ(outcome.steps, std::vector<std::string>{"it has not ended: No answer within 1 ms"});
}

TEST(RunTest, WhatALeftOneSaysLaterIsDropped) {
  Gate gate;
  Round round({gate.Behind("stuck")}, kClock, Millis(1));
  EXPECT_TRUE(round.Await(Millis(10'000)));
  EXPECT_EQ(round.Take()[0].outcome.details, "No answer within 1 ms");
  { const Round gone = std::move(round); }
  gate.Open();
  EXPECT_TRUE(process::WaitUntil([] { return RunningTasks() == 0; }, Millis(10'000)));
}

TEST(RunTest, AProbeThatThrowsIsAnOutcome) {
  const std::vector<Done> done = RunAll(
      {TaskOf(
           {"a",
            [](const Clock&, Deadline) -> Outcome { throw std::runtime_error("no such thing"); }}),
       TaskOf({"b", [](const Clock&, Deadline) -> Outcome { throw 1; }}),
       Task{"c",
            [](const Clock&, Deadline) -> std::vector<Done> {
              throw std::runtime_error("no rows");
            }},
       Says("d", Status::kHealthy)},
      kClock, Millis(10'000));
  ASSERT_EQ(done.size(), 4U);
  EXPECT_EQ(done[0].outcome.error, "the check failed: no such thing");
  EXPECT_EQ(done[1].outcome.status, Status::kUnknown);
  EXPECT_EQ(done[2].name, "c");
  EXPECT_EQ(done[2].outcome.error, "the check failed: no rows");
  EXPECT_EQ(done[3].outcome.status, Status::kHealthy);
}

TEST(RunTest, ATaskMayHaveManyRowsOrNone) {
  const Task gpus{"GPUs", [](const Clock&, Deadline) {
                    std::vector<Done> rows(3);
                    rows[2].name = "GPU 2";
                    return rows;
                  }};
  const Task none{"none", [](const Clock&, Deadline) { return std::vector<Done>(); }};
  const std::vector<Done> done =
      RunAll({none, gpus, Says("last", Status::kHealthy)}, kClock, Millis(10'000));
  ASSERT_EQ(done.size(), 4U);
  EXPECT_EQ(done[2].name, "GPU 2");
  EXPECT_EQ(done[3].name, "last");
}

TEST(RunTest, NothingToDoEndsAtOnce) {
  EXPECT_TRUE(RunAll({}, kClock, Millis(100'000)).empty());
}

TEST(RunTest, EveryTaskHasTheSameDeadline) {
  Millis left{0};
  RunAll({TaskOf({"x",
                  [&](const Clock& clock, Deadline deadline) {
                    left = deadline.Left(clock);
                    return Outcome{};
                  }})},
         kClock, Millis(60'000));
  EXPECT_GT(left, Millis(50'000));
  EXPECT_LE(left, Millis(60'000));
}

}  // namespace
}  // namespace gpumon::checks
