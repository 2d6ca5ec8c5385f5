#include "internal/grpc/watchdog.h"

#include <gtest/gtest.h>

#include "tests/fakes/clock/fake_clock.h"

namespace gpumon::grpc {
namespace {

constexpr Millis kTick{100};

class WatchdogTest : public testing::Test {
 protected:
  bool After(Millis pause, std::uint64_t beats) {
    clock_.Advance(pause);
    return watchdog_.Alive(beats);
  }

  FakeClock clock_;
  Watchdog watchdog_{clock_, Millis(8000)};
};

TEST_F(WatchdogTest, IsContentWhileTheCounterMoves) {
  for (std::uint64_t beats = 0; beats < 1000; ++beats) EXPECT_TRUE(After(kTick, beats));
}

TEST_F(WatchdogTest, BitesWhenTheCounterStoodStillForTheLimitAndLetsGoWhenItMoves) {
  EXPECT_TRUE(watchdog_.Alive(7));
  for (int i = 1; i < 80; ++i) EXPECT_TRUE(After(kTick, 7)) << i;
  EXPECT_FALSE(After(kTick, 7));
  EXPECT_FALSE(After(kTick, 7));
  EXPECT_TRUE(After(kTick, 8));
  for (int i = 1; i < 80; ++i) EXPECT_TRUE(After(kTick, 8)) << i;
  EXPECT_FALSE(After(kTick, 8));
}

TEST_F(WatchdogTest, ASuspendedProcessHasNotHung) {
  EXPECT_TRUE(watchdog_.Alive(7));
  EXPECT_TRUE(After(std::chrono::hours(10), 7)) << "the counter was suspended too";
  EXPECT_TRUE(After(std::chrono::hours(10), 7)) << "and again";
  EXPECT_TRUE(After(kTick, 8));
  EXPECT_TRUE(After(Millis(7900), 8));
}

}  // namespace
}  // namespace gpumon::grpc
