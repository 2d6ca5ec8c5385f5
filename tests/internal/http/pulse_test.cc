#include "internal/http/pulse.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/internal/http/serving.h"

namespace gpumon::http {
namespace {

std::uint64_t Beats(Pulse& pulse) {
  pulse.Look();
  return pulse.beats();
}

TEST(PulseTest, BeatsWhileNobodyHangs) {
  Pulse pulse;
  EXPECT_EQ(Beats(pulse), 1U);
  const auto idle = pulse.Add();
  const auto busy = pulse.Add();
  EXPECT_EQ(Beats(pulse), 2U);
  for (std::uint64_t i = 3; i < 10; ++i) {
    // Always in a call when looked at, but never in the same one.
    busy->Enter();
    EXPECT_EQ(Beats(pulse), i);
    busy->Leave();
  }
}

TEST(PulseTest, StopsWhileOneThreadIsInOneCall) {
  Pulse pulse;
  const auto idle = pulse.Add();
  const auto stuck = pulse.Add();
  stuck->Enter();
  EXPECT_EQ(Beats(pulse), 1U) << "it may have just begun";
  EXPECT_EQ(Beats(pulse), 1U);
  {
    const Pulse::Call inner(*stuck);
    EXPECT_EQ(Beats(pulse), 1U);
  }
  EXPECT_EQ(Beats(pulse), 1U) << "the outer call goes on";
  stuck->Leave();
  EXPECT_EQ(Beats(pulse), 2U);
}

// Waits on the server's own counter: it has no event.
bool Moves(Server& server) {
  const std::uint64_t before = server.stats().beats;
  const SteadyTime until = std::chrono::steady_clock::now() + Millis(20'000);
  while (server.stats().beats < before + 3) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(PulseTest, AServerBeatsUntilAHandlerBlocksItsThread) {
  Limits limits;
  limits.write_stall = Millis(100);  // sweeps every 25 ms
  Serving serving(limits, "", 1);
  EXPECT_TRUE(Moves(serving.server())) << "before the first connection";
  RawClient client(serving.port);
  EXPECT_EQ(client.Ask(Get("/hello"))->body, "hello");
  EXPECT_TRUE(Moves(serving.server()));
  client.Send(Get("/block"));
  serving.app.AwaitBlocked();
  // Two sweeps to see that it is the same call, and some to see that it stays so.
  RawClient other(serving.port);
  EXPECT_FALSE(other.Read(false, Millis(100)));
  const std::uint64_t stopped = serving.server().stats().beats;
  EXPECT_FALSE(other.Read(false, Millis(200)));
  EXPECT_EQ(serving.server().stats().beats, stopped);
  serving.app.Unblock();
  EXPECT_EQ(client.Read()->body, "unblocked");
  EXPECT_TRUE(Moves(serving.server()));
}

}  // namespace
}  // namespace gpumon::http
