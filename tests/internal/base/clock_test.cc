#include "internal/base/clock.h"

#include <gtest/gtest.h>

#include "tests/fakes/clock/fake_clock.h"

namespace gpumon {
namespace {

TEST(DeadlineTest, CountsDownToZeroAndNoFurther) {
  FakeClock clock;
  const Deadline deadline = Deadline::After(clock, Millis(100));
  EXPECT_EQ(deadline.Left(clock), Millis(100));
  EXPECT_FALSE(deadline.Passed(clock));
  clock.Advance(Millis(99));
  EXPECT_EQ(deadline.Left(clock), Millis(1));
  clock.Advance(Millis(1));
  EXPECT_TRUE(deadline.Passed(clock));
  clock.Advance(Millis(1000));
  EXPECT_EQ(deadline.Left(clock), Millis(0));
}

TEST(DeadlineTest, ABudgetThatIsSpentHasPassed) {
  FakeClock clock;
  EXPECT_TRUE(Deadline::After(clock, Millis(0)).Passed(clock));
  EXPECT_TRUE(Deadline::After(clock, Millis(-5)).Passed(clock));
}

TEST(DeadlineTest, TheEarlierOfTwoHolds) {
  FakeClock clock;
  const Deadline soon = Deadline::After(clock, Millis(1));
  const Deadline later = Deadline::After(clock, Millis(2));
  EXPECT_EQ(soon.Earlier(later).at(), soon.at());
  EXPECT_EQ(later.Earlier(soon).at(), soon.at());
}

TEST(DeadlineTest, DoesNotNoticeAWallClockThatIsSet) {
  FakeClock clock;
  const Deadline deadline = Deadline::After(clock, Millis(100));
  clock.Set(WallTime(Millis(0)));
  EXPECT_EQ(deadline.Left(clock), Millis(100));
}

TEST(SystemClockTest, GoesForward) {
  const SystemClock clock;
  const SteadyTime before = clock.Steady();
  EXPECT_GE(clock.Steady(), before);
  EXPECT_GT(clock.Wall(), WallTime(Millis(1'700'000'000'000)));
}

}  // namespace
}  // namespace gpumon
