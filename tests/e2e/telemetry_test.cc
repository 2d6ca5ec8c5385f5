// What the server tells of itself: debug routes, its log, its metrics.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using json::Value;
using process::WaitUntil;

TEST(TelemetryTest, DebugRoutesAreNotThereUnlessAskedFor) {
  const Subject subject;
  for (const char* path : {"/debug/vars", "/debug/pprof/", "/debug/pprof/profile?seconds=1",
                           "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/pprof/symbol"}) {
    ExpectEnvelope(subject.server.Get(path), 404, "not_found");
  }
  EXPECT_FALSE(Holds(subject.server.Get("/api").body, "/debug"));
  EXPECT_FALSE(Holds(subject.server.Get("/api/openapi.json").body, "/debug"));
  EXPECT_EQ(Fetch(subject.server.port(), "/debug/vars", {}, "POST").status, 404);
  const auto allow = [&](const char* path) {
    return Fetch(subject.server.port(), path, {}, "OPTIONS").Header("Allow");
  };
  EXPECT_EQ(allow("/debug/vars"), allow("/nothing"));
}

TEST(TelemetryTest, DebugRoutesTellOfTheProcess) {
  const Subject subject(
      Environment{{"DEBUG_ENDPOINTS", "true"}, {"TCMALLOC_SAMPLE_PARAMETER", "524288"}});
  const ApiServer& server = subject.server;
  const Value vars = server.Get("/debug/vars").Json();
  EXPECT_GE(vars["cmdline"].size(), 1U);
  EXPECT_GT(vars["memstats"]["resident_bytes"].AsDouble().value_or(0), 1e6);
  EXPECT_GT(vars["uptime_seconds"].AsDouble().value_or(0), 0);
  EXPECT_GT(vars["counters"].size(), 10U);
  EXPECT_EQ(server.Get("/debug/pprof/cmdline").body.rfind(ApiProgram(), 0), 0U);
  EXPECT_TRUE(Holds(server.Get("/debug/pprof/symbol").body, "num_symbols: "));
  EXPECT_EQ(server.Get("/debug/pprof/profile?seconds=0").status, 400);
  EXPECT_EQ(server.Get("/debug/pprof/profile?seconds=301").status, 400);
#ifndef GPUMON_SANITIZED
  EXPECT_TRUE(Holds(server.Get("/debug/pprof/heap").body, "heap profile:"));
  // One at a time: who comes while one runs is told so. Which of two is first is the server's
  // choice.
  const auto begin = [&](const std::string& seconds) {
    std::unique_ptr<Connection> first;
    EXPECT_TRUE(WaitUntil(
        [&] {
          first = std::make_unique<Connection>(server.port());
          first->Send(RequestText("GET", "/debug/pprof/profile?seconds=" + seconds));
          return server.Get("/debug/pprof/profile?seconds=1").status == 429;
        },
        Millis(15'000)));
    return first;
  };
  const Answer profile = begin("2")->Read();
  EXPECT_EQ(profile.status, 200);
  EXPECT_EQ(profile.Header("Content-Type"), "application/octet-stream");
  EXPECT_GT(profile.body.size(), 100U);
  // A client that closes its half may have gone. What it gets is no profile that looks whole.
  const auto half_closed = begin("300");
  half_closed->ShutDownSending();
  const Answer cut = half_closed->Read();
  ExpectEnvelope(cut, 400, "bad_request");
  EXPECT_TRUE(Holds(cut.body, "ended early")) << cut.body;
  // Ctrl-C ends a profile that nobody waits for.
  begin("300").reset();
  EXPECT_TRUE(WaitUntil([&] { return server.Get("/debug/pprof/profile?seconds=1").status == 200; },
                        Millis(10'000)));
#endif
}

TEST(TelemetryTest, AFailedRequestFindsItsCauseByItsId) {
  fault::FaultServer upstream;
  upstream.SetReply(fault::HttpStatus(500, "the disk is on fire", "text/plain"));
  const ApiServer server(upstream.url());
  const Answer answer = server.Get(kMetrics, {{"X-Request-Id", "mine-7"}});
  EXPECT_EQ(answer.status, 502);
  EXPECT_FALSE(Holds(answer.body, "disk"));
  EXPECT_TRUE(WaitUntil(
      [&] {
        std::istringstream lines(server.log());
        for (std::string line; std::getline(lines, line);) {
          if (Holds(line, "mine-7") && Holds(line, "disk is on fire")) return true;
        }
        return false;
      },
      Millis(10'000)))
      << server.log();
}

TEST(TelemetryTest, DebugRoutesStayOpenToThisMachineAlone) {
  const Subject subject(Environment{{"DEBUG_ENDPOINTS", "true"}, {"REQUEST_TIMEOUT", "1s"}});
  // A profile outlasts REQUEST_TIMEOUT, and is given.
#ifndef GPUMON_SANITIZED
  EXPECT_EQ(subject.server.Get("/debug/pprof/profile?seconds=2").status, 200);
#endif
  EXPECT_EQ(subject.server.Get("/debug/vars").status, 200);
}

std::vector<std::string> LinesWith(const std::string& text, const std::string& part) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (Holds(line, part)) lines.push_back(line);
    at = end + 1;
  }
  return lines;
}

TEST(TelemetryTest, EachRequestIsOneLineOfTheLog) {
  const Subject subject;
  const ApiServer& server = subject.server;
  server.Get(std::string(kMetrics) + "?node=hidden-word",
             {{"X-Request-Id", "one-1"}, {"Authorization", "Bearer hidden-token"}});
  server.Get("/nothing", {{"X-Request-Id", "two-2"}});
  server.Get("/livez", {{"X-Request-Id", "three-3"}});
  EXPECT_EQ(Fetch(server.port(), "/livez", {{"X-Request-Id", "four-4"}}, "FOO").status, 501);
  ASSERT_TRUE(WaitUntil(
      [&] {
        const std::string log = server.log();
        return Holds(log, "=one-1") && Holds(log, "=two-2") && Holds(log, "=three-3") &&
               Holds(log, "=four-4");
      },
      Millis(5000)));
  const auto listed = LinesWith(server.log(), "request_id=one-1");
  ASSERT_EQ(listed.size(), 1U) << server.log();
  for (const char* part : {"level=info", "msg=request", "method=GET", "path=/api/v1/gpu/metrics ",
                           "status=200", "bytes=", "ms=", "peer=127.0.0.1"}) {
    EXPECT_TRUE(Holds(listed[0], part)) << part << " in " << listed[0];
  }
  const auto missing = LinesWith(server.log(), "request_id=two-2");
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_TRUE(Holds(missing[0], "level=warn ")) << missing[0];
  EXPECT_TRUE(Holds(missing[0], "status=404")) << missing[0];
  const auto unknown = LinesWith(server.log(), "request_id=four-4");
  ASSERT_EQ(unknown.size(), 1U);
  EXPECT_TRUE(Holds(unknown[0], "level=warn ")) << unknown[0];
  EXPECT_FALSE(Holds(server.log(), "hidden-word"));
  EXPECT_FALSE(Holds(server.log(), "hidden-token"));
}

TEST(TelemetryTest, LogLevelDebugTellsOfEveryQueryAndRefresh) {
  const ScratchDirectory directory;
  const std::string token = directory.Write("token", "hidden-token");
  Subject subject(Environment{{"LOG_LEVEL", "debug"}, {"PROMETHEUS_BEARER_TOKEN_FILE", token}});
  subject.server.Get(kMetrics);
  EXPECT_TRUE(subject.server.process().AwaitErrors("path=" + std::string(kMetrics), Millis(5000)));
  const auto queries = LinesWith(subject.server.log(), "msg=query ");
  ASSERT_FALSE(queries.empty()) << subject.server.log();
  for (const char* part : {"level=debug ", " query=", " result=ok ", " ms=", " bytes="}) {
    EXPECT_TRUE(Holds(queries[0], part)) << part << " in " << queries[0];
  }
  const auto refreshes = LinesWith(subject.server.log(), "msg=refresh ");
  ASSERT_FALSE(refreshes.empty()) << subject.server.log();
  for (const char* part : {"level=debug ", " part=gpus ", " result=ok ", " rows=4 ", " ms="}) {
    EXPECT_TRUE(Holds(refreshes[0], part)) << part << " in " << refreshes[0];
  }
  EXPECT_FALSE(Holds(subject.server.log(), "hidden-token"));
}

TEST(TelemetryTest, WithoutItEachQueryIsNoLine) {
  Subject subject;
  subject.server.Get(kMetrics);
  EXPECT_TRUE(subject.server.process().AwaitErrors("path=" + std::string(kMetrics), Millis(5000)));
  EXPECT_FALSE(Holds(subject.server.log(), "level=debug")) << subject.server.log();
}

TEST(TelemetryTest, LogLevelOffSaysNothing) {
  const Subject subject(Environment{{"LOG_LEVEL", "off"}});
  subject.server.Get(kMetrics);
  subject.server.Get("/nothing");
  EXPECT_EQ(subject.server.log(), "");
}

std::string Complaints(const std::string& page) {
  const ScratchDirectory directory;
  const std::string file = directory.Write("page", page);
  const auto checked = process::Run(
      "/bin/sh", {"-c", '"' + PrometheusProgram("promtool") + "\" check metrics < " + file});
  return checked.exit_code == 0 ? "" : checked.output + checked.errors + " (promtool)";
}

TEST(TelemetryTest, PromtoolAcceptsTheMetricsOfBothPrograms) {
  const Subject subject;
  subject.server.Get(kMetrics);
  subject.server.Get("/nothing");
  const Answer own = subject.server.Get("/metrics");
  EXPECT_TRUE(Holds(own.body, "gpu_monitoring_")) << own.Text();
  EXPECT_EQ(Complaints(own.body), "");

  const Exporter exporter({"--nodes", "2", "--gpus-per-node", "8"});
  std::string page = Fetch(exporter.port(), "/metrics").body;
  EXPECT_TRUE(Holds(page, "nvidia_gpu_utilization_percent{"));
  // node-exporter's own names, which promtool would like to be spelt otherwise.
  const std::vector<std::pair<std::string, std::string>> spelt = {{"numa_MemTotal", "numa_size"},
                                                                  {"numa_MemFree", "numa_free"},
                                                                  {"MemTotal", "total"},
                                                                  {"MemAvailable", "available"}};
  for (const auto& [name, other] : spelt) {
    for (std::size_t at = 0; (at = page.find(name, at)) != std::string::npos;) {
      page.replace(at, name.size(), other);
    }
  }
  EXPECT_EQ(Complaints(page), "");
}

TEST(TelemetryTest, MetricsCountWhatHappened) {
  const Subject subject;
  for (int i = 0; i < 3; ++i) subject.server.Get("/nothing");
  for (int i = 0; i < 5; ++i) subject.server.Get(kMetrics);
  const auto counted = [&](const std::string& part, const std::string& value) {
    const auto lines = LinesWith(subject.server.Get("/metrics").body, part);
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line[0] != '#' && Holds(line, "requests_total") && line.ends_with(" " + value);
    });
  };
  EXPECT_TRUE(
      WaitUntil([&] { return counted("route=\"/api/v1/gpu/metrics\"", "5"); }, Millis(5000)))
      << subject.server.Get("/metrics").body;
  EXPECT_TRUE(counted("404", "3"));
}

}  // namespace
}  // namespace gpumon::e2e
