// Who follows the stream holds what the list shows.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/e2e/stream_client.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using process::WaitUntil;

// Of a row that did not change the client has the times of when it was sent.
const std::vector<std::string> kTimes = {"timestamp", "sample_age_seconds"};

// A live fleet, scraped each second.
struct Fleet {
  explicit Fleet(std::vector<std::string> arguments = {"--nodes", "2"})
      : exporter(std::move(arguments)), prometheus(Prometheus::Scraping(exporter.port(), true)) {
    EXPECT_TRUE(WaitUntil(
        [&] { return prometheus->Query("count(nvidia_gpu_utilization_percent)", "").size() == 1; },
        Millis(20'000)));
  }

  Exporter exporter;
  std::unique_ptr<Prometheus> prometheus;
};

std::vector<std::string> RowsOf(const json::Value& list) {
  std::vector<std::string> rows;
  for (const auto& row : list["data"].elements()) rows.push_back(events::TextOf(row, kTimes));
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Reads on until the client and the list speak of one instant, and compares them there. How often
// the instants differ depends on the machine.
void ExpectWhatTheListShows(const ApiServer& server, StreamClient& client,
                            const std::string& query = "") {
  for (int i = 0; i < 50; ++i) {
    const json::Value list = server.Get(kMetrics + query).Json();
    const std::string as_of = TextOf(list["meta"]["as_of"]);
    ASSERT_TRUE(client.Await([&] { return client.follower().as_of() >= as_of; }));
    if (client.follower().as_of() != as_of) continue;
    EXPECT_EQ(client.Rows(kTimes), RowsOf(list));
    return;
  }
  FAIL() << "the stream and the list never met";
}

double CpuSeconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) rest >> skipped;
  double user = 0;
  double system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::size_t PeakResidentKiB(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; file >> word;) {
    std::size_t kib = 0;
    if (word == "VmHWM:" && file >> kib) return kib;
  }
  return 0;
}

TEST(StreamTest, ChangesLeadToWhatTheListShows) {
  const Fleet fleet;
  const ApiServer server(fleet.prometheus->url(), {{"CACHE_TTL", "500ms"}});
  StreamClient client(server.port());
  ASSERT_TRUE(client.Await([&] { return client.names().size() == 1; }));
  EXPECT_EQ(client.names().front(), "snapshot");
  EXPECT_EQ(client.head().Header("Content-Type"), "text/event-stream");
  // The demo's fleet loses a GPU now and then.
  EXPECT_GE(client.follower().rows().size(), 14U);
  for (std::size_t changes = 1; changes <= 5; ++changes) {
    ASSERT_TRUE(client.Await([&] { return client.follower().count("changes") >= changes; }));
    ExpectWhatTheListShows(server, client);
  }
  EXPECT_EQ(client.follower().count("snapshot"), 1U);
  EXPECT_FALSE(client.follower().stale());
  EXPECT_TRUE(client.well_formed());
}

TEST(StreamTest, SoDoTheyUnderAFilter) {
  const Fleet fleet;
  const ApiServer server(fleet.prometheus->url(), {{"CACHE_TTL", "500ms"}});
  const std::string query = "?node=gpu-node-1&min_utilization=1&fields=gpu_id,utilization,power";
  StreamClient client(server.port(), kStream + query);
  ASSERT_TRUE(client.Await([&] { return client.follower().count("changes") >= 3; }));
  ExpectWhatTheListShows(server, client, query);
}

TEST(StreamTest, WhoComesBackIsGivenWhatHeMissed) {
  const Fleet fleet;
  const ApiServer server(fleet.prometheus->url(), {{"CACHE_TTL", "500ms"}});
  auto client = std::make_unique<StreamClient>(server.port());
  ASSERT_TRUE(client->Await([&] { return client->follower().count("changes") >= 1; }));
  for (int i = 0; i < 3; ++i) {
    auto next = std::make_unique<StreamClient>(server.port(), kStream,
                                               Headers{{"Last-Event-ID", client->last_id()}});
    next->GoOn(*client);
    client.reset();  // not before the next one is there, nor always after
    ASSERT_TRUE(next->Await([&] { return !next->names().empty(); }));
    EXPECT_EQ(next->names().front(), "changes");
    ExpectWhatTheListShows(server, *next);
    client = std::move(next);
  }
  EXPECT_EQ(client->follower().count("snapshot"), 1U);
  StreamClient stranger(server.port(), kStream, {{"Last-Event-ID", "0123-1-7"}});
  ASSERT_TRUE(stranger.Await([&] { return !stranger.names().empty(); }));
  EXPECT_EQ(stranger.names().front(), "snapshot");
}

TEST(StreamTest, PrometheusAwayAndBackIsTold) {
  const Fleet fleet;
  const ApiServer server(fleet.prometheus->url(), {{"CACHE_TTL", "500ms"}, {"MAX_STALE", "2s"}});
  StreamClient client(server.port());
  ASSERT_TRUE(client.Await([&] { return client.follower().count("snapshot") == 1; }));
  EXPECT_FALSE(client.follower().stale());
  fleet.prometheus->Restart([&] {
    EXPECT_TRUE(client.Await([&] { return client.follower().stale(); }));
    EXPECT_EQ(client.follower().code(), "upstream_unreachable");
    EXPECT_TRUE(client.Await([&] { return client.follower().expired(); }));
    EXPECT_EQ(server.Get(kMetrics).status, 502);
    EXPECT_GE(client.follower().rows().size(), 14U);
    // Who comes now is told too.
    StreamClient late(server.port());
    EXPECT_TRUE(late.Await([&] { return late.follower().expired(); }));
    EXPECT_EQ(late.follower().rows().size(), 0U);
  });
  EXPECT_TRUE(client.Await([&] { return !client.follower().stale(); }));
  EXPECT_TRUE(client.Await([&] { return !client.follower().expired(); }));
  ExpectWhatTheListShows(server, client);
}

TEST(StreamTest, PrometheusIsAskedOnlyWhileSomebodyFollows) {
  FaultServer upstream(FleetReply);
  const ApiServer server(upstream.url(), {{"CACHE_TTL", "200ms"}});
  ASSERT_TRUE(server.AwaitReady());
  {
    const std::size_t before = GpuRefreshes(upstream);
    std::vector<std::unique_ptr<StreamClient>> clients;
    for (int i = 0; i < 20; ++i) clients.push_back(std::make_unique<StreamClient>(server.port()));
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(WaitUntil([&] { return GpuRefreshes(upstream) >= before + 4; }, Millis(20'000)));
    // However many follow, once in a TTL.
    EXPECT_GE(std::chrono::steady_clock::now() - start, Millis(500));
  }
  ASSERT_TRUE(WaitUntil(
      [&] { return Holds(server.Get("/metrics").body, "gpu_monitoring_stream_clients 0\n"); },
      Millis(20'000)));
  // One may still be under way; then the probe's checks go on alone.
  const std::size_t asked = GpuRefreshes(upstream) + 1;
  const auto probes = [&] {
    const auto requests = upstream.requests();
    return std::count_if(requests.begin(), requests.end(), IsProbe);
  };
  const auto seen = probes();
  ASSERT_TRUE(WaitUntil([&] { return probes() > seen + 1; }, Millis(20'000)));
  EXPECT_LE(GpuRefreshes(upstream), asked);
}

TEST(StreamTest, NoMoreThanMayFollowUntilOneLeaves) {
  const Subject subject(Environment{{"STREAM_MAX_CLIENTS", "2"}});
  auto first = std::make_unique<StreamClient>(subject.server.port());
  StreamClient second(subject.server.port());
  for (StreamClient* client : {first.get(), &second}) {
    ASSERT_TRUE(client->Await([&] { return client->names().size() == 1; }));
  }
  const Answer refused = subject.server.Get(kStream);
  ExpectEnvelope(refused, 503, "overloaded");
  EXPECT_NE(refused.Header("Retry-After"), "");
  EXPECT_EQ(subject.server.Get(kMetrics).status, 200);
  first.reset();
  EXPECT_TRUE(WaitUntil(
      [&] {
        StreamClient next(subject.server.port());
        next.Await([&] { return next.status() != 0; });
        return next.status() == 200;
      },
      Millis(20'000)));
}

TEST(StreamTest, TheServersEndIsToldAndClean) {
  Subject subject;
  StreamClient client(subject.server.port());
  ASSERT_TRUE(client.Await([&] { return client.names().size() == 1; }));
  subject.server.process().Signal(SIGTERM);
  EXPECT_TRUE(client.AwaitEnd());
  EXPECT_EQ(client.names(), (std::vector<std::string>{"snapshot", "end"}));
  EXPECT_TRUE(client.whole());
  const auto ended = subject.server.process().Wait(Millis(20'000));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, 0);
}

TEST(StreamTest, AnOldConnectionEndsAndTheClientGoesOnWithAnother) {
  const Subject subject(Environment{{"CONNECTION_MAX_AGE", "1s"}});
  StreamClient client(subject.server.port());
  ASSERT_TRUE(client.AwaitEnd());
  EXPECT_TRUE(client.whole());
  EXPECT_EQ(client.names().front(), "snapshot");
  StreamClient next(subject.server.port(), kStream, {{"Last-Event-ID", client.last_id()}});
  ASSERT_TRUE(next.Await([&] { return !next.names().empty(); }));
  EXPECT_EQ(next.names().front(), "changes");
}

TEST(StreamTest, OneWhoDoesNotReadIsToldThatHeLags) {
  const Fleet fleet({"--nodes", "125", "--surroundings", "none"});
  const ApiServer server(fleet.prometheus->url(), {{"CACHE_TTL", "200ms"}});
  StreamClient slow(server.port(), kStream, {}, 64 * 1024);
  // It reads nothing until the server has let it go.
  ASSERT_TRUE(WaitUntil(
      [&] { return Holds(server.Get("/metrics").body, "stream_events_total{event=\"lag\"} 1\n"); },
      Millis(40'000)));
  EXPECT_TRUE(slow.Await([&] { return slow.whole(); }));
  EXPECT_EQ(slow.names().front(), "snapshot");
  EXPECT_EQ(slow.names().back(), "lag");
  EXPECT_TRUE(slow.well_formed());
}

TEST(StreamTest, FiveHundredClientsOfAThousandGpusCostLittle) {
  const Fleet fleet({"--nodes", "125", "--surroundings", "none"});
  ApiServer server(fleet.prometheus->url(), {{"LOG_LEVEL", "warn"}});
  const pid_t pid = server.process().pid();
  {
    StreamClient first(server.port());
    ASSERT_TRUE(first.Await([&] { return first.follower().count("changes") == 2; }));
    ASSERT_GE(first.follower().rows().size(), 990U);
  }
  const std::size_t before = PeakResidentKiB(pid);
  StreamCrowd crowd(server.port(), 500);
  EXPECT_GT(crowd.Read(Millis(4'000)), 500U * 500'000U);
  [[maybe_unused]] const double cpu = CpuSeconds(pid);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_GT(crowd.Read(Millis(6'000)), 500U * 500'000U) << "two updates at least";
  [[maybe_unused]] const std::chrono::duration<double> time =
      std::chrono::steady_clock::now() - start;
#ifndef GPUMON_SANITIZED
  EXPECT_LT((CpuSeconds(pid) - cpu) / time.count(), 0.1);
  EXPECT_LT(PeakResidentKiB(pid), before + 64 * 1024);
#endif
  EXPECT_GT(before, 0U);
  EXPECT_TRUE(Holds(server.Get("/metrics").body, "gpu_monitoring_stream_clients 500\n"));
}

TEST(StreamTest, FiveHundredClientsThatReadNothingCostLittleMore) {
  const Fleet fleet({"--nodes", "125", "--surroundings", "none"});
  ApiServer server(fleet.prometheus->url(), {{"CACHE_TTL", "500ms"}, {"LOG_LEVEL", "warn"}});
  const pid_t pid = server.process().pid();
  StreamClient reader(server.port());
  ASSERT_TRUE(reader.Await([&] { return reader.follower().count("changes") == 2; }));
  const std::size_t before = PeakResidentKiB(pid);
  const StreamCrowd crowd(server.port(), 500);
  // All of them are let go, while the one who reads goes on.
  ASSERT_TRUE(reader.Await(
      [&] { return Holds(server.Get("/metrics").body, "gpu_monitoring_stream_clients 1\n"); },
      Millis(60'000)));
  EXPECT_EQ(crowd.size(), 500U);
  ExpectWhatTheListShows(server, reader);
#ifndef GPUMON_SANITIZED
  EXPECT_LT(PeakResidentKiB(pid), before + 64 * 1024);
#endif
  EXPECT_GT(before, 0U);
}

}  // namespace
}  // namespace gpumon::e2e
