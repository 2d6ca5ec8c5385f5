#include "internal/exporter/schedule.h"

#include <gtest/gtest.h>

namespace gpumon::exporter {
namespace {

constexpr double kDay = 86400;

TEST(LoadCurveTest, IntegralIsTheAreaUnderTheCurve) {
  const LoadCurve curve{.level = 0.5, .amplitude = 0.4, .period = 70, .phase = 1};
  double area = 0;
  for (int i = 0; i < 100'000; ++i) area += curve.At((i + 0.5) * 0.002) * 0.002;
  EXPECT_NEAR(curve.Integral(0, 200), area, 1e-6);
}

TEST(RecurringTest, CountsTheSecondsItWasOn) {
  const Recurring state{.period = 10, .begin = 4, .end = 7, .offset = 2};
  double on = 0;
  for (int i = 0; i < 5'000; ++i) {
    const double t = i * 0.01;
    EXPECT_NEAR(state.ActiveSeconds(t) - state.ActiveSeconds(0), on, 0.02) << t;
    if (state.Active(t)) on += 0.01;
  }
  EXPECT_NEAR(on, 15, 0.02);
}

TEST(NodeScheduleTest, ShiftsCoverThePoolInOrder) {
  const NodeSchedule schedule(Mix(7), 13);
  for (std::int64_t round = 0; round < 60; ++round) {
    int next = 0;
    for (const Shift& shift : schedule.Shifts(round)) {
      EXPECT_EQ(shift.first, next);
      EXPECT_GE(shift.count, 1);
      EXPECT_LT(shift.begin, shift.end);
      EXPECT_LE(shift.end, schedule.round_seconds());
      next += shift.count;
    }
    EXPECT_EQ(next, 13);
  }
}

TEST(NodeScheduleTest, ARoundLastsMinutes) {
  for (std::uint64_t hash = 0; hash < 50; ++hash) {
    const NodeSchedule schedule(Mix(hash), 1);
    EXPECT_GE(schedule.round_seconds(), 420);
    EXPECT_LE(schedule.round_seconds(), 900);
    const double t = 400 * kDay + static_cast<double>(hash);
    const std::int64_t round = schedule.RoundAt(t);
    EXPECT_LE(schedule.RoundStart(round), t);
    EXPECT_GT(schedule.RoundStart(round + 1), t);
  }
}

TEST(NodeScheduleTest, JobsDifferFromRoundToRoundEvenWhereTheirLoadsRepeat) {
  const NodeSchedule schedule(Mix(3), 4);
  const auto now = schedule.Shifts(5);
  const auto later = schedule.Shifts(5 + NodeSchedule::kRoundsInCycle);
  ASSERT_EQ(now.size(), later.size());
  for (std::size_t i = 0; i < now.size(); ++i) {
    EXPECT_EQ(now[i].begin, later[i].begin);
    EXPECT_NE(now[i].job, later[i].job);
  }
}

TEST(NodeScheduleTest, LoadSecondsIsTheIntegralOfTheLoad) {
  const NodeSchedule schedule(Mix(9), 3);
  const double from = 10 * kDay;
  const double to = from + 3 * schedule.round_seconds() * NodeSchedule::kRoundsInCycle / 2;
  std::vector<double> area(3);
  constexpr double kStep = 0.5;
  for (double t = from + kStep / 2; t < to; t += kStep) {
    const std::int64_t round = schedule.RoundAt(t);
    const double x = t - schedule.RoundStart(round);
    for (const Shift& shift : schedule.Shifts(round)) {
      for (int p = shift.first; shift.RunsAt(x) && p < shift.first + shift.count; ++p) {
        area[static_cast<std::size_t>(p)] += shift.LoadOf(p).At(x) * kStep;
      }
    }
  }
  const auto before = schedule.LoadSeconds(from);
  const auto after = schedule.LoadSeconds(to);
  for (std::size_t p = 0; p < area.size(); ++p) {
    EXPECT_GT(area[p], 0);
    EXPECT_NEAR(after[p] - before[p], area[p], area[p] * 0.001) << p;
  }
}

TEST(NodeScheduleTest, LoadSecondsNeverFallByARoundingError) {
  const NodeSchedule schedule(Mix(11), 8);
  // Around the ends of shifts and rounds, where one sum takes over from another.
  for (std::int64_t round = 150'000; round < 150'100; ++round) {
    std::vector<double> edges = {schedule.RoundStart(round)};
    for (const Shift& shift : schedule.Shifts(round)) {
      edges.push_back(schedule.RoundStart(round) + shift.begin);
      edges.push_back(schedule.RoundStart(round) + shift.end);
    }
    for (const double edge : edges) {
      auto before = schedule.LoadSeconds(edge - 0.010);
      for (int ms = -9; ms <= 10; ++ms) {
        auto after = schedule.LoadSeconds(edge + ms * 0.001);
        for (std::size_t p = 0; p < after.size(); ++p) ASSERT_GE(after[p], before[p]);
        before = std::move(after);
      }
    }
  }
}

TEST(NodeScheduleTest, AnEmptyPoolHasNoShifts) {
  const NodeSchedule schedule(Mix(1), 0);
  EXPECT_TRUE(schedule.Shifts(4).empty());
  EXPECT_TRUE(schedule.LoadSeconds(1e6).empty());
}

}  // namespace
}  // namespace gpumon::exporter
