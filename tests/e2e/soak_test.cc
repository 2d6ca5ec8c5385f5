// The server for long under load: neither memory nor descriptors nor threads become more.
//   GPUMON_SOAK_SECONDS=1800 e2e_test --gtest_filter='SoakTest.*'
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/generations.h"
#include "tests/e2e/load.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/stream_client.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using process::WaitUntil;
using Steady = std::chrono::steady_clock;

constexpr double kTenMinutes = 600;
constexpr double kMostPerTenMinutesKiB = 1024;
// A minute cannot tell a leak from a start: an allocator takes pages while more and more is asked
// for at once. It tells one that is large.
constexpr double kLargeKiB = 16 * 1024;
#ifdef GPUMON_SANITIZED
constexpr bool kKeepsWhatIsFreed = true;
#else
constexpr bool kKeepsWhatIsFreed = false;
#endif

std::chrono::seconds Length() {
  const char* const text = std::getenv("GPUMON_SOAK_SECONDS");
  return std::chrono::seconds(text == nullptr ? 60 : std::strtol(text, nullptr, 10));
}

struct Held {
  double seconds = 0;  // since the start
  double resident_kib = 0;
  std::size_t descriptors = 0;
  std::size_t threads = 0;
};

Held HeldBy(pid_t pid, double seconds) {
  const std::string folder = "/proc/" + std::to_string(pid);
  Held held;
  held.seconds = seconds;
  std::ifstream status(folder + "/status");
  std::string word;
  while (status >> word) {
    if (word == "VmRSS:") status >> held.resident_kib;
    if (word == "Threads:") status >> held.threads;
  }
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator(folder + "/fd")) {
    ++held.descriptors;
  }
  return held;
}

// Of a straight line through them.
double KibPerSecond(const std::vector<Held>& held) {
  double x = 0;
  double y = 0;
  for (const Held& one : held) {
    x += one.seconds / static_cast<double>(held.size());
    y += one.resident_kib / static_cast<double>(held.size());
  }
  double above = 0;
  double below = 0;
  for (const Held& one : held) {
    above += (one.seconds - x) * (one.resident_kib - y);
    below += (one.seconds - x) * (one.seconds - x);
  }
  return above / below;
}

// What is asked for on a connection of its own each time, in turn.
constexpr const char* kInTurn[] = {"/api/v1/gpu/health",
                                   "/api/v1/gpu/nodes",
                                   "/api/v1/gpu/summary",
                                   "/api/v1/gpu/workloads",
                                   "/api/v1/gpu/users",
                                   "/api/v1/gpu/metrics?format=csv",
                                   "/api/v1/gpu/metrics?node=n1&sort=-utilization&fields=uuid",
                                   "/api/v1/gpu/processes?user=u1",
                                   "/api/v1/gpu/schema",
                                   "/api/v1/gpu/metrics?nope=1",
                                   "/nowhere",
                                   "/metrics"};

// Until `stopping`; nothing of it is without an answer.
void AskInTurn(const ApiServer& server, const std::atomic<bool>& stopping) {
  std::int64_t at = 1'704'110'400;
  while (!stopping) {
    for (const char* const target : kInTurn) EXPECT_NE(server.Get(target).status, 0) << target;
    at += 15;
    EXPECT_NE(server.Get("/api/v1/gpu/metrics?at=" + std::to_string(at)).status, 0);
    StreamClient stream(server.port());
    EXPECT_TRUE(stream.Await([&] { return stream.status() == 200; }));
  }
}

TEST(SoakTest, NothingIsHeldLongerThanItIsNeeded) {
  const std::chrono::seconds length = Length();
  FaultServer upstream([](const fault::Request& request) { return GenerationReply(request); });
  ApiServer server(upstream.url(), {{"CACHE_TTL", "200ms"}, {"LOG_LEVEL", "off"}});
  ASSERT_TRUE(server.AwaitReady());
  std::vector<std::unique_ptr<Load>> loads;
  for (const char* const target : {"/api/v1/gpu/metrics", "/api/v1/gpu/processes"}) {
    loads.push_back(std::make_unique<Load>(
        LoadOptions{.port = server.port(), .clients = 8, .target = target, .pause = Millis(20)}));
  }
  std::atomic<bool> stopping{false};
  std::thread others([&] { AskInTurn(server, stopping); });

  std::vector<Held> held;
  const auto begin = Steady::now();
  while (Steady::now() - begin < length) {
    WaitUntil([] { return false; }, Millis(200));
    const std::chrono::duration<double> since = Steady::now() - begin;
    held.push_back(HeldBy(server.process().pid(), since.count()));
  }
  stopping = true;
  others.join();
  for (const auto& load : loads) {
    const LoadReport report = load->Stop();
    EXPECT_EQ(report.dropped + report.refused, 0U) << report.Text();
    EXPECT_GT(report.total(), 0U);
  }

  // What a start brings with it is over then.
  held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(held.size() / 3));
  ASSERT_GT(held.size(), 10U);
  const auto most = [&](std::size_t first, std::size_t end, auto member) {
    std::size_t highest = 0;
    for (std::size_t i = first; i < end; ++i) highest = std::max(highest, held[i].*member);
    return highest;
  };
  const std::size_t half = held.size() / 2;
  EXPECT_LE(most(half, held.size(), &Held::descriptors), most(0, half, &Held::descriptors) + 4);
  EXPECT_LE(most(half, held.size(), &Held::threads), most(0, half, &Held::threads));
  const double slope = KibPerSecond(held);
  const double seconds = held.back().seconds - held.front().seconds;
  std::printf("VmRSS %.0f KiB at the end, %+.0f KiB in ten minutes; %zu descriptors, %zu threads\n",
              held.back().resident_kib, slope * kTenMinutes, held.back().descriptors,
              held.back().threads);
  if (!kKeepsWhatIsFreed) {
    if (seconds < kTenMinutes) {
      EXPECT_LT(slope * seconds, kLargeKiB);
    } else {
      EXPECT_LT(slope * kTenMinutes, kMostPerTenMinutesKiB);
    }
  }
}

}  // namespace
}  // namespace gpumon::e2e
