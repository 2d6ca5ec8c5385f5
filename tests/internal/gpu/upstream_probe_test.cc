#include "internal/gpu/upstream_probe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "internal/base/log.h"
#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {
namespace {

using prom::FakePromClient;

constexpr double kNow = 1704110400;

class UpstreamProbeTest : public testing::Test {
 protected:
  static Deadline Soon(Millis budget = Millis(20'000)) {
    return Deadline(std::chrono::steady_clock::now() + budget);
  }
  void AnswerWithDate(double server_time) {
    client_.SetFunction([server_time](const FakePromClient::Call&) {
      prom::QueryResult result;
      result.server_time = server_time;
      return FakePromClient::Answer(result);
    });
  }
  // One check that began after this call has ended.
  void AwaitOneMore() {
    client_.ForgetCalls();
    // The third call comes when the second has been answered, and the second began by now.
    ASSERT_TRUE(client_.WaitForCalls(3));
  }

  FakeClock clock_;
  UpstreamClock upstream_clock_{clock_};
  FakePromClient client_;
};

TEST_F(UpstreamProbeTest, KnowsNothingBeforeTheFirstCheck) {
  UpstreamProbe probe(client_, clock_, upstream_clock_);
  EXPECT_FALSE(probe.Last().checked);
  EXPECT_EQ(client_.call_count(), 0U);
}

TEST_F(UpstreamProbeTest, ChecksOnceAtItsStart) {
  UpstreamProbe probe(client_, clock_, upstream_clock_, std::chrono::hours(1));
  probe.Start();
  probe.AwaitFirst(Soon());
  const Reachability last = probe.Last();
  EXPECT_TRUE(last.checked);
  EXPECT_TRUE(last.reachable);
  EXPECT_EQ(last.checked_at, clock_.Wall());
  EXPECT_GE(last.latency_ms, 0);
  ASSERT_EQ(client_.call_count(), 1U);
  EXPECT_EQ(client_.calls()[0].promql, "vector(1)");
}

TEST_F(UpstreamProbeTest, ACheckHasItsTimeoutSoTheAgeIsBounded) {
  UpstreamProbe probe(client_, clock_, upstream_clock_, std::chrono::hours(1), Millis(1500));
  probe.Start();
  probe.AwaitFirst(Soon());
  EXPECT_EQ(client_.calls().at(0).deadline.at(), clock_.Steady() + Millis(1500));
}

TEST_F(UpstreamProbeTest, FollowsTheUpstreamDownAndUp) {
  UpstreamProbe probe(client_, clock_, upstream_clock_, Millis(1));
  probe.Start();
  probe.AwaitFirst(Soon());
  for (int i = 0; i < 3; ++i) {
    client_.FailAll(Code::kUpstreamUnreachable);
    AwaitOneMore();
    EXPECT_FALSE(probe.Last().reachable);
    EXPECT_EQ(probe.Last().why.code, Code::kUpstreamUnreachable);
    client_.FailAll(Code::kOk);
    AwaitOneMore();
    EXPECT_TRUE(probe.Last().reachable);
  }
}

TEST_F(UpstreamProbeTest, AHangingCheckIsNotDoubled) {
  client_.Hold();
  UpstreamProbe probe(client_, clock_, upstream_clock_, Millis(1));
  probe.Start();
  ASSERT_TRUE(client_.WaitForCalls(1));
  probe.AwaitFirst(Soon(Millis(50)));  // fifty intervals
  EXPECT_EQ(client_.call_count(), 1U);
  EXPECT_FALSE(probe.Last().checked);
  client_.TimeOutHeld();
  ASSERT_TRUE(client_.WaitForCalls(2));
  EXPECT_TRUE(probe.Last().checked);
  EXPECT_FALSE(probe.Last().reachable);
  EXPECT_EQ(probe.Last().why.code, Code::kUpstreamTimeout);
}

TEST_F(UpstreamProbeTest, AnAnswerAfterItsEndIsHarmless) {
  client_.Hold();
  {
    UpstreamProbe probe(client_, clock_, upstream_clock_, Millis(1));
    probe.Start();
    ASSERT_TRUE(client_.WaitForCalls(1));
  }
  AnswerWithDate(kNow + 3600);
  client_.Release();
}

TEST_F(UpstreamProbeTest, AwaitFirstGivesUpAtItsDeadline) {
  client_.Hold();
  UpstreamProbe probe(client_, clock_, upstream_clock_);
  probe.Start();
  probe.AwaitFirst(Soon(Millis(5)));
  EXPECT_FALSE(probe.Last().checked);
}

TEST_F(UpstreamProbeTest, LearnsAClockThatIsAnHourOff) {
  for (const double skew : {3600.0, -3600.0}) {
    AnswerWithDate(kNow + skew);
    UpstreamProbe probe(client_, clock_, upstream_clock_, std::chrono::hours(1));
    probe.Start();
    probe.AwaitFirst(Soon());
    EXPECT_NEAR(upstream_clock_.Now(), kNow + skew, 1);
  }
}

TEST_F(UpstreamProbeTest, TheLogTellsOnceThatTheClocksAreApart) {
  UpstreamProbe probe(client_, clock_, upstream_clock_, Millis(1));
  probe.Start();
  const auto logged = [&](double skew) {
    testing::internal::CaptureStderr();
    AnswerWithDate(kNow + skew);
    AwaitOneMore();
    AwaitOneMore();
    log::Flush(Millis(10'000));
    return testing::internal::GetCapturedStderr();
  };
  const auto is_one_line = [](const std::string& text, const std::string& what) {
    return std::count(text.begin(), text.end(), '\n') == 1 && text.find(what) != std::string::npos;
  };
  const std::string apart = logged(3600);
  EXPECT_TRUE(is_one_line(apart, "level=warn msg=\"Prometheus's clock is not ours")) << apart;
  EXPECT_NE(apart.find("ahead_s=3601\n"), std::string::npos) << apart;
  EXPECT_EQ(logged(3600), "");
  EXPECT_EQ(logged(3630), "") << "a clock that drifts is no news";
  EXPECT_TRUE(is_one_line(logged(-120), "ahead_s=-120\n"));
  EXPECT_TRUE(is_one_line(logged(0), "level=info msg=\"Prometheus's clock is ours again"));
  EXPECT_EQ(logged(59), "");
}

TEST_F(UpstreamProbeTest, AnAnswerWithoutADateTeachesNothing) {
  upstream_clock_.Learn(kNow + 3600);
  UpstreamProbe probe(client_, clock_, upstream_clock_, std::chrono::hours(1));
  probe.Start();
  probe.AwaitFirst(Soon());
  EXPECT_NEAR(upstream_clock_.offset_seconds(), 3600, 1);
}

TEST(UpstreamClockTest, IgnoresWhatADateHeaderCannotTell) {
  FakeClock clock;
  UpstreamClock upstream(clock);
  for (const double skew : {-3.0, -2.0, -1.0, 0.0, 1.0, 2.0}) {
    upstream.Learn(kNow + skew);
    EXPECT_EQ(upstream.offset_seconds(), 0) << skew;
    EXPECT_EQ(upstream.Now(), kNow);
  }
}

TEST(UpstreamClockTest, ForgetsASkewThatWasMended) {
  FakeClock clock;
  UpstreamClock upstream(clock);
  upstream.Learn(kNow + 60);
  EXPECT_NEAR(upstream.offset_seconds(), 60, 1);
  upstream.Learn(kNow);
  EXPECT_EQ(upstream.offset_seconds(), 0);
}

TEST(UpstreamClockTest, DoesNotSwayWithTheSecondsAHeaderCutsOff) {
  FakeClock clock;
  UpstreamClock upstream(clock);
  upstream.Learn(kNow + 3600);
  const double offset = upstream.offset_seconds();
  double before = upstream.Now();
  for (int i = 0; i < 100; ++i) {
    clock.Advance(Millis(70));
    // What a server 3600.0 s ahead writes.
    upstream.Learn(std::floor(kNow + 3600 + 0.07 * (i + 1)));
    EXPECT_GT(upstream.Now(), before);
    before = upstream.Now();
  }
  EXPECT_EQ(upstream.offset_seconds(), offset);
}

TEST(UpstreamClockTest, FollowsOurOwnClock) {
  FakeClock clock;
  UpstreamClock upstream(clock);
  clock.Advance(Millis(1500));
  EXPECT_DOUBLE_EQ(upstream.Now(), kNow + 1.5);
}

}  // namespace
}  // namespace gpumon::gpu
