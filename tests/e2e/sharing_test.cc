// Many viewers, one Prometheus: refreshes are shared, and a Prometheus that hangs holds up nobody
// who does not need it.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/load.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using process::Scaled;
using process::WaitUntil;

constexpr char kMetrics[] = "/api/v1/gpu/metrics";

// Answers the probe; everything else waits for Release.
fault::Reply HeldFleet(const fault::Request& request) {
  return IsProbe(request) ? FleetReply(request) : FleetReply(request).Held();
}

// Six metrics, and the times of their samples.
constexpr std::size_t kGpuQueries = 7;
// The labels of the targets, and the look for other exporters.
constexpr std::size_t kBeside = 2;

std::size_t Queries(const FaultServer& upstream) {
  const auto requests = upstream.requests();
  return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(),
                                                [](const auto& one) { return !IsProbe(one); }));
}

bool IsWhole(const Answer& answer) {
  return answer.body.find(R"("node_name":"n1","gpu_index":1)") != std::string::npos;
}

TEST(SharingTest, FiveHundredColdRequestsAreOneSetOfQueries) {
  FaultServer upstream(HeldFleet);
  const ApiServer server(upstream.url(), {{"CACHE_TTL", "60s"}});
  // The server's own first refresh is under way and waits: everybody meets that one.
  ASSERT_TRUE(WaitUntil([&] { return GpuRefreshes(upstream) == 1; }, Millis(10'000)));
  std::vector<std::unique_ptr<Connection>> clients;
  const std::string request = RequestText("GET", kMetrics);
  for (int i = 0; i < 500; ++i) {
    clients.push_back(std::make_unique<Connection>(server.port()));
    ASSERT_TRUE(clients.back()->Send(request));
  }
  ASSERT_EQ(server.Get("/livez").status, 200);
  upstream.Release();
  for (auto& client : clients) {
    const Answer answer = client->Read();
    ASSERT_EQ(answer.status, 200) << answer.Text();
    ASSERT_TRUE(IsWhole(answer));
  }
  EXPECT_EQ(GpuRefreshes(upstream), 1U);
  std::set<std::string> asked;
  for (const auto& one : upstream.requests()) {
    if (IsProbe(one)) continue;
    EXPECT_TRUE(asked.insert(one.Param("query")).second) << "twice: " << one.Param("query");
  }
  EXPECT_GE(asked.size(), kGpuQueries);
}

TEST(SharingTest, EveryQueryOfASetIsFiredAtOnceWithOneTime) {
  FaultServer upstream(HeldFleet);
  const ApiServer server(upstream.url());
  ASSERT_TRUE(WaitUntil([&] { return GpuRefreshes(upstream) == 1; }, Millis(10'000)));
  // None has been answered, all are there.
  EXPECT_TRUE(
      WaitUntil([&] { return upstream.peak_in_flight() >= kGpuQueries + kBeside; }, Millis(5000)));
  const std::size_t held = Queries(upstream);
  std::string time;
  for (const auto& request : upstream.requests()) {
    if (IsProbe(request)) continue;
    if (time.empty()) time = request.Param("time");
    EXPECT_EQ(request.Param("time"), time);
  }
  EXPECT_FALSE(time.empty());
  upstream.Release();
  ASSERT_TRUE(server.AwaitReady());
  // The look for exporters goes on once, beside the set.
  EXPECT_LE(Queries(upstream), held + 1) << "more were asked after the first answers";
}

TEST(SharingTest, TwoHundredViewersCauseOneRefreshPerTtl) {
  FaultServer upstream(FleetReply);
  const ApiServer server(upstream.url(), {{"CACHE_TTL", "1s"}, {"LOG_LEVEL", "warn"}});
  ASSERT_TRUE(server.AwaitReady());
  const std::size_t before = GpuRefreshes(upstream);
  const auto started = std::chrono::steady_clock::now();
  Load load({.port = server.port(),
             .clients = 200,
             .target = kMetrics,
             .pause = Millis(50),
             .right = IsWhole});
  ASSERT_TRUE(
      WaitUntil([&] { return GpuRefreshes(upstream) >= before + 3 && load.answered() > 1000; },
                Millis(20'000)));
  LoadReport report = load.Stop();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  EXPECT_EQ(report.dropped + report.wrong + report.refused, 0U) << report.Text();
  EXPECT_EQ(report.answers[200], report.total()) << report.Text();
  EXPECT_LE(static_cast<double>(GpuRefreshes(upstream) - before), seconds + 1) << report.Text();
}

TEST(SharingTest, AClientThatLeavesCancelsNothingForTheOthers) {
  FaultServer upstream(HeldFleet);
  const ApiServer server(upstream.url());
  ASSERT_TRUE(WaitUntil([&] { return GpuRefreshes(upstream) == 1; }, Millis(10'000)));
  Connection leaving(server.port());
  Connection staying(server.port());
  ASSERT_TRUE(leaving.Send(RequestText("GET", kMetrics)));
  ASSERT_TRUE(staying.Send(RequestText("GET", kMetrics)));
  leaving.Reset();
  ASSERT_EQ(server.Get("/livez").status, 200);
  upstream.Release();
  EXPECT_TRUE(IsWhole(staying.Read()));
  EXPECT_EQ(GpuRefreshes(upstream), 1U);
}

// /livez from 200 clients that never pause would measure the queue of this machine; each asks
// often enough to be a busy dashboard's probe.
void ExpectLivelyProbes(const ApiServer& server) {
  Load viewers({.port = server.port(), .clients = 200, .target = kMetrics, .pause = Millis(100)});
  Load health({.port = server.port(), .clients = 1, .target = "/api/healthz", .pause = Millis(5)});
  Load probes({.port = server.port(), .clients = 3, .target = "/livez", .pause = Millis(5)});
  EXPECT_TRUE(WaitUntil([&] { return probes.answered() >= 400 && health.answered() >= 100; },
                        Millis(15'000)));
  LoadReport lively = probes.Stop();
  LoadReport verdicts = health.Stop();
  EXPECT_EQ(lively.answers[200], lively.total()) << lively.Text();
  EXPECT_GE(lively.total(), 300U);
  EXPECT_LT(lively.Percentile(0.99) * 1000, static_cast<double>(Scaled(Millis(50)).count()));
  EXPECT_EQ(verdicts.dropped, 0U) << verdicts.Text();
  EXPECT_LT(verdicts.Percentile(0.99) * 1000, static_cast<double>(Scaled(Millis(50)).count()));
  const LoadReport viewed = viewers.Stop();
  EXPECT_EQ(viewed.dropped, 0U) << viewed.Text();
}

TEST(SharingTest, LivenessAnswersWhileTwoHundredClientsWaitForAFrozenPrometheus) {
  const Exporter exporter({"--nodes", "2", "--gpus-per-node", "7"});
  const auto prometheus = Prometheus::Scraping(exporter.port(), true);
  const ApiServer server(prometheus->url(),
                         {{"LOG_LEVEL", "off"}, {"PROMETHEUS_TIMEOUT", "2s"}, {"MAX_STALE", "0s"}});
  ASSERT_TRUE(server.AwaitReady());
  ASSERT_TRUE(
      WaitUntil([&] { return server.Get(kMetrics).Json()["data"].size() > 0; }, Millis(20'000)));
  prometheus->process().Signal(SIGSTOP);
  ExpectLivelyProbes(server);
  // One shared verdict, soon: nobody's own check.
  EXPECT_TRUE(WaitUntil([&] { return server.Get("/api/healthz").status == 503; }, Millis(6000)));
  prometheus->process().Signal(SIGCONT);
  EXPECT_TRUE(WaitUntil([&] { return server.Get("/api/healthz").status == 200; }, Millis(10'000)));
  EXPECT_TRUE(WaitUntil([&] { return server.Get(kMetrics).status == 200; }, Millis(10'000)));
}

TEST(SharingTest, HealthChecksDoNotAskPrometheusEachTime) {
  FaultServer upstream(FleetReply);
  const ApiServer server(upstream.url());
  ASSERT_TRUE(server.AwaitReady());
  Load checks({.port = server.port(), .clients = 20, .target = "/api/healthz"});
  ASSERT_TRUE(WaitUntil([&] { return checks.answered() >= 2000; }, Millis(20'000)));
  LoadReport report = checks.Stop();
  EXPECT_EQ(report.answers[200], report.total()) << report.Text();
  const auto requests = upstream.requests();
  const auto probes = std::count_if(requests.begin(), requests.end(),
                                    [](const auto& request) { return IsProbe(request); });
  EXPECT_LE(probes, 15);
}

TEST(SharingTest, EarlyClosingClientsNeverSpoilTheAnswersOfOthers) {
  FaultServer upstream(FleetReply);
  const ApiServer server(upstream.url(), {{"LOG_LEVEL", "off"}});
  ASSERT_TRUE(server.AwaitReady());
  Load lists({.port = server.port(), .clients = 8, .target = kMetrics, .right = IsWhole});
  Load probes(
      {.port = server.port(), .clients = 8, .target = "/livez", .right = [](const Answer& a) {
         return a.body == "ok";
       }});
  const std::string lists_request = RequestText("GET", kMetrics);
  // They may well be done before anybody has had an answer: they go on until the others have some.
  for (int i = 0; i < 3000 || lists.answered() < 200 || probes.answered() < 200; ++i) {
    ASSERT_LT(i, 200'000) << "nobody gets answers any more";
    Connection leaving(server.port());
    leaving.Send(i % 3 == 0 ? lists_request + lists_request : lists_request);
    if (i % 2 == 0) leaving.Reset();
  }
  const LoadReport listed = lists.Stop();
  const LoadReport probed = probes.Stop();
  EXPECT_EQ(listed.wrong + listed.dropped, 0U) << listed.Text();
  EXPECT_EQ(probed.wrong + probed.dropped, 0U) << probed.Text();
}

TEST(SharingTest, ThoseWhoAskForThePastDoNotHoldThePresentUp) {
  constexpr char kPast[] = "17041104";
  FaultServer upstream([&](const fault::Request& request) {
    const bool held = request.Param("time").starts_with(kPast);
    return held ? FleetReply(request).Held() : FleetReply(request);
  });
  const ApiServer server(upstream.url(), {{"CACHE_TTL", "0s"}, {"LOG_LEVEL", "off"}});
  ASSERT_TRUE(server.AwaitReady());
  const std::size_t before = GpuRefreshes(upstream);
  std::vector<std::unique_ptr<Connection>> askers;
  for (int i = 10; i < 18; ++i) {
    askers.push_back(std::make_unique<Connection>(server.port()));
    const std::string at = kPast + std::to_string(i);
    ASSERT_TRUE(askers.back()->Send(RequestText("GET", std::string(kMetrics) + "?at=" + at)));
  }
  ASSERT_TRUE(WaitUntil([&] { return GpuRefreshes(upstream) > before; }, Millis(10'000)));
  for (int i = 0; i < 5; ++i) {
    const Answer answer = server.Get(kMetrics);
    ASSERT_EQ(answer.status, 200) << answer.Text();
    EXPECT_EQ(answer.Json()["meta"]["stale"].AsBool(), false) << answer.Text();
  }
  EXPECT_EQ(GpuRefreshes(upstream), before + 6) << "one past set is under way";
  upstream.Release();
  for (auto& asker : askers) EXPECT_EQ(asker->Read().status, 200);
}

}  // namespace
}  // namespace gpumon::e2e
