// From the start of the program to its end.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/grpc_health.h"
#include "tests/e2e/load.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using process::Scaled;
using process::WaitUntil;
using Steady = std::chrono::steady_clock;

constexpr char kMetrics[] = "/api/v1/gpu/metrics";

// Answers the probe; everything else waits for Release.
fault::Reply HeldFleet(const fault::Request& request) {
  return IsProbe(request) ? FleetReply(request) : FleetReply(request).Held();
}

double MillisSince(Steady::time_point start) {
  return std::chrono::duration<double, std::milli>(Steady::now() - start).count();
}

double Ms(Millis limit) {
  return static_cast<double>(Scaled(limit).count());
}

// The server with its gRPC health service on a port that nobody else has.
struct ServerWithGrpc {
  explicit ServerWithGrpc(const std::string& url, Environment variables = {})
      : port(FreePort()), server(url, With(std::move(variables), port)) {}

  static Environment With(Environment variables, std::uint16_t port) {
    variables["GRPC_HEALTH_PORT"] = std::to_string(port);
    return variables;
  }
  const std::uint16_t port;
  ApiServer server;
};

TEST(LifeTest, ProbesFollowTheFirstRefresh) {
  FaultServer upstream(HeldFleet);
  const ServerWithGrpc both(upstream.url());
  const ApiServer& server = both.server;
  GrpcHealth health(both.port);
  EXPECT_EQ(server.Get("/livez").body, "ok");
  EXPECT_EQ(server.Get("/startupz").status, 503);
  const Answer early = server.Get("/readyz");
  EXPECT_EQ(early.status, 503);
  EXPECT_EQ(early.Header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_NE(early.body.find("first refresh"), std::string::npos) << early.body;
  EXPECT_EQ(health.Check(""), Serving::kNotServing);
  EXPECT_EQ(health.Check("readiness"), Serving::kNotServing);
  EXPECT_EQ(health.Check("liveness"), Serving::kServing);
  EXPECT_EQ(health.Check("database"), Serving::kNone) << "NOT_FOUND";
  health.Watch("readiness");
  EXPECT_EQ(health.Next(), Serving::kNotServing);

  upstream.Release();
  EXPECT_EQ(health.Next(), Serving::kServing);
  EXPECT_EQ(health.Check(""), Serving::kServing);
  EXPECT_EQ(server.Get("/startupz").body, "ok");
  EXPECT_EQ(server.Get("/readyz").body, "ok");
  const Answer verbose = server.Get("/readyz?verbose");
  EXPECT_EQ(verbose.status, 200);
  EXPECT_NE(verbose.body.find("[+]first-refresh ok\n"), std::string::npos) << verbose.body;
}

TEST(LifeTest, ReadinessFollowsPrometheusOnlyWhereItIsToldTo) {
  FaultServer upstream(FleetReply);
  const ApiServer strict(upstream.url(), {{"READY_REQUIRES_PROMETHEUS", "true"}});
  const ApiServer usual(upstream.url());
  ASSERT_TRUE(strict.AwaitReady());
  ASSERT_TRUE(usual.AwaitReady());
  upstream.SetReply(fault::HttpStatus(500));
  EXPECT_TRUE(WaitUntil([&] { return strict.Get("/readyz").status == 503; }, Millis(8000)));
  EXPECT_NE(strict.Get("/readyz").body.find("Prometheus"), std::string::npos);
  EXPECT_EQ(strict.Get("/livez").status, 200);
  EXPECT_EQ(usual.Get("/readyz").status, 200);
  upstream.SetScript(FleetReply);
  EXPECT_TRUE(WaitUntil([&] { return strict.Get("/readyz").status == 200; }, Millis(8000)));
}

TEST(LifeTest, SigtermFailsReadinessFirstAndServesOnForTheDelay) {
  FaultServer upstream(FleetReply);
  ServerWithGrpc both(upstream.url(), {{"DRAIN_DELAY", "1s"}});
  ApiServer& server = both.server;
  ASSERT_TRUE(server.AwaitReady());
  GrpcHealth health(both.port);
  health.Watch("readiness");
  while (health.Next() != Serving::kServing) {
  }
  const auto start = Steady::now();
  server.process().Signal(SIGTERM);
  EXPECT_EQ(health.Next(), Serving::kNotServing);
  EXPECT_LT(MillisSince(start), Ms(Millis(200)));
  EXPECT_EQ(server.Get("/readyz").status, 503);
  EXPECT_EQ(server.Get("/livez").status, 200);
  EXPECT_EQ(server.Get(kMetrics).status, 200) << "load balancers still look here";
  const auto ended = server.process().Wait(Millis(10'000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 0) << server.log();
  EXPECT_GE(MillisSince(start), 950);
  EXPECT_EQ(server.Get("/livez").status, 0) << "nobody listens any more";
}

TEST(LifeTest, AnIdleConnectionIsServedForTheWholeDelay) {
  FaultServer upstream(FleetReply);
  ApiServer server(upstream.url(), {{"DRAIN_DELAY", "60s"}});
  ASSERT_TRUE(server.AwaitReady());
  Connection served(server.port());
  ASSERT_TRUE(served.Send(RequestText("GET", kMetrics)));
  ASSERT_EQ(served.Read().status, 200);
  Connection silent(server.port());
  server.process().Signal(SIGTERM);
  ASSERT_TRUE(server.process().AwaitErrors("msg=draining", Millis(5000))) << server.log();
  // Longer than an idle connection is left when the listener has closed.
  EXPECT_FALSE(served.AwaitClose(Millis(1500)));
  for (Connection* const connection : {&served, &silent, &served}) {
    ASSERT_TRUE(connection->Send(RequestText("GET", kMetrics)));
    const Answer answer = connection->Read();
    EXPECT_EQ(answer.status, 200) << answer.Text();
    EXPECT_NE(answer.Header("Connection"), "close");
  }
}

TEST(LifeTest, RequestsInFlightAreFinishedBeforeTheEnd) {
  FaultServer upstream(HeldFleet);
  ApiServer server(upstream.url());
  std::vector<std::unique_ptr<Connection>> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(std::make_unique<Connection>(server.port()));
    ASSERT_TRUE(waiting.back()->Send(RequestText("GET", kMetrics)));
  }
  Connection idle(server.port());
  ASSERT_TRUE(idle.Send(RequestText("GET", "/livez")));
  ASSERT_EQ(idle.Read().status, 200);
  ASSERT_TRUE(WaitUntil([&] { return GpuRefreshes(upstream) == 1; }, Millis(10'000)));

  server.process().Signal(SIGTERM);
  EXPECT_TRUE(idle.AwaitClose(Millis(5000)));
  EXPECT_TRUE(server.process().Running()) << "it waits for the others";
  upstream.Release();
  for (auto& connection : waiting) {
    const Answer answer = connection->Read();
    EXPECT_EQ(answer.status, 200) << answer.Text();
    EXPECT_EQ(answer.Header("Connection"), "close");
  }
  const auto ended = server.process().Wait(Millis(10'000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 0) << server.log();
}

TEST(LifeTest, TheEndFollowsTheLastAnswer) {
  FaultServer upstream(HeldFleet);
  ServerWithGrpc both(upstream.url());
  ApiServer& server = both.server;
  Connection keeps(server.port());
  ASSERT_TRUE(keeps.Send(RequestText("GET", kMetrics)));
  ASSERT_TRUE(WaitUntil([&] { return GpuRefreshes(upstream) == 1; }, Millis(10'000)));
  server.process().Signal(SIGTERM);
  ASSERT_TRUE(server.process().AwaitErrors("msg=draining", Millis(5000))) << server.log();
  upstream.Release();
  EXPECT_EQ(keeps.Read().Header("Connection"), "close");
  const auto start = Steady::now();
  const auto ended = server.process().Wait(Millis(10'000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 0) << server.log();
  EXPECT_LT(MillisSince(start), Ms(Millis(700)));
}

TEST(LifeTest, AHangingPrometheusDelaysTheEndByItsTimeOnly) {
  FaultServer upstream;
  upstream.SetReply(fault::Broken(fault::Reply::Fault::kHang));
  ApiServer server(upstream.url(), {{"PROMETHEUS_TIMEOUT", "1s"}});
  Connection waiting(server.port());
  ASSERT_TRUE(waiting.Send(RequestText("GET", kMetrics)));
  ASSERT_TRUE(WaitUntil([&] { return GpuRefreshes(upstream) == 1; }, Millis(10'000)));
  server.process().Signal(SIGTERM);
  EXPECT_EQ(waiting.Read().status, 504);
  const auto ended = server.process().Wait(Millis(5000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 0) << server.log();
}

enum class Balancer { kLooksAway, kLooksOn };

// As in a cluster: readiness fails, the load balancer sends new connections elsewhere, kept ones
// go on until they are told to close. Or it does not look, and connects until it is refused.
void EndUnderLoad(int run, Balancer balancer) {
  SCOPED_TRACE("run " + std::to_string(run));
  FaultServer upstream([](const fault::Request& request) {
    constexpr int kSlowMs = 40;
    poll(nullptr, 0, kSlowMs);
    return FleetReply(request);
  });
  ApiServer server(upstream.url(), {{"CACHE_TTL", "0s"}, {"DRAIN_DELAY", "200ms"}});
  ASSERT_TRUE(server.AwaitReady());
  Load load({.port = server.port(), .clients = 30, .target = kMetrics});
  ASSERT_TRUE(WaitUntil([&] { return load.answered() >= 60; }, Millis(10'000)));
  server.process().Signal(SIGTERM);
  EXPECT_TRUE(WaitUntil([&] { return server.Get("/readyz").status == 503; }, Millis(5000)));
  if (balancer == Balancer::kLooksAway) load.StopConnecting();
  const auto ended = server.process().Wait(Millis(15'000));
  const LoadReport report = load.Stop();
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 0) << server.log();
  EXPECT_EQ(report.dropped, 0U) << report.Text();
  if (balancer == Balancer::kLooksAway) {
    EXPECT_EQ(report.refused, 0U) << report.Text();
  }
  EXPECT_EQ(report.answers.size(), 1U) << report.Text();
  EXPECT_EQ(report.answers.count(200), 1U) << report.Text();
}

// The sets that wait for their turn get it, and are refused, when the one before them is ended.
TEST(LifeTest, SetsThatWaitForAHangingPrometheusEndWithTheServer) {
  FaultServer upstream(FleetReply);
  ApiServer server(
      upstream.url(),
      {{"CACHE_TTL", "0s"}, {"DRAIN_DELAY", "0s"}, {"PROMETHEUS_MAX_CONCURRENCY", "1"}});
  ASSERT_TRUE(server.AwaitReady());
  const std::array lists = {std::string(kMetrics), std::string("/api/v1/gpu/processes")};
  for (const std::string& list : lists) ASSERT_EQ(server.Get(list).status, 200);
  upstream.SetReply(fault::Broken(fault::Reply::Fault::kHang));
  for (const std::string& list : lists) {
    const Answer stale = server.Get(list);
    ASSERT_EQ(stale.status, 200) << stale.Text();
    EXPECT_TRUE(*stale.Json()["meta"]["stale"].AsBool());
  }
  server.process().Signal(SIGTERM);
  const auto ended = server.process().Wait(Millis(15'000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 0) << server.log();
}

TEST(LifeTest, SigtermUnderLoadDropsNoRequest) {
  for (int run = 1; run <= 10 && !HasFailure(); ++run) EndUnderLoad(run, Balancer::kLooksAway);
}

TEST(LifeTest, SigtermDropsNoRequestOfThoseWhoGoOnConnecting) {
  for (int run = 1; run <= 10 && !HasFailure(); ++run) EndUnderLoad(run, Balancer::kLooksOn);
}

TEST(LifeTest, ASecondSigtermEndsAtOnce) {
  FaultServer upstream(FleetReply);
  ApiServer server(upstream.url(), {{"DRAIN_DELAY", "60s"}});
  server.process().Signal(SIGTERM);
  ASSERT_TRUE(server.process().AwaitErrors("msg=draining", Millis(5000))) << server.log();
  ASSERT_TRUE(server.process().Running());
  const auto start = Steady::now();
  server.process().Signal(SIGTERM);
  const auto ended = server.process().Wait(Millis(2000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_LT(MillisSince(start), Ms(Millis(1000)));
  EXPECT_EQ(ended->exit_code, 1);
}

TEST(LifeTest, ASecondSignalEndsTheWaitForRequestsToo) {
  FaultServer upstream(HeldFleet);
  ApiServer server(upstream.url());
  Connection waiting(server.port());
  ASSERT_TRUE(waiting.Send(RequestText("GET", kMetrics)));
  ASSERT_TRUE(WaitUntil([&] { return GpuRefreshes(upstream) == 1; }, Millis(10'000)));
  server.process().Signal(SIGTERM);
  ASSERT_TRUE(server.process().AwaitErrors("msg=draining", Millis(5000))) << server.log();
  server.process().Signal(SIGINT);
  const auto ended = server.process().Wait(Millis(2000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 1);
}

TEST(LifeTest, SigintSkipsTheDelay) {
  FaultServer upstream(FleetReply);
  ApiServer server(upstream.url(), {{"DRAIN_DELAY", "60s"}});
  server.process().Signal(SIGINT);
  const auto ended = server.process().Wait(Millis(5000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->exit_code, 0) << server.log();
}

process::Finished RunApi(std::vector<std::string> arguments, Environment variables = {}) {
  variables.try_emplace("GRPC_HEALTH_PORT", "0");
  variables.try_emplace("LISTEN_ADDR", "127.0.0.1");
  return process::Run(ApiProgram(), arguments, variables, Millis(10'000));
}

std::ptrdiff_t Lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

TEST(LifeTest, APortInUseIsOneLineAndExitCode1) {
  const ApiServer first(fault::RefusingUrl());
  const std::string port = std::to_string(first.port());
  const auto http = RunApi({}, {{"PORT", port}});
  EXPECT_EQ(http.exit_code, 1);
  EXPECT_EQ(Lines(http.errors), 1) << http.errors;
  EXPECT_NE(http.errors.find(port), std::string::npos) << http.errors;
  EXPECT_NE(http.errors.find("in use"), std::string::npos) << http.errors;
  const auto grpc = RunApi({}, {{"PORT", "0"}, {"GRPC_HEALTH_PORT", port}});
  EXPECT_EQ(grpc.exit_code, 1);
  EXPECT_EQ(Lines(grpc.errors), 1) << grpc.errors;
  EXPECT_NE(grpc.errors.find(port), std::string::npos) << grpc.errors;
}

TEST(LifeTest, AWrongOptionIsOneLineThatNamesItAndExitCode2) {
  struct Row {
    std::vector<std::string> arguments;
    Environment variables;
    std::string names;
  };
  const std::vector<Row> rows = {
      {{}, {{"PORT", "http"}}, "PORT"},
      {{}, {{"PORT", "70000"}}, "PORT"},
      {{}, {{"PORT", "080"}}, "leading zero"},
      {{}, {{"PORT", " 80"}}, "PORT"},
      {{}, {{"HEALTH_RULES", "ecc_factor=2"}}, "HEALTH_RULES"},
      {{}, {{"LISTEN_ADDR", "127.0.0.1:080"}}, "LISTEN_ADDR"},
      {{"--port", "-1"}, {}, "--port"},
      {{}, {{"CACHE_TTL", "2"}}, "CACHE_TTL"},
      {{}, {{"LOG_LEVEL", "loud"}}, "LOG_LEVEL"},
      {{}, {{"PROMETHEUS_URL", "ftp://me:hidden-word@host"}}, "PROMETHEUS_URL"},
      {{}, {{"PROMETHEUS_URL", "http://me:hidden-word@2852039166"}}, "link-local"},
      {{"--colour"}, {}, "--colour"},
      {{}, {{"LISTEN_ADDR", "127.0.0.1:1"}, {"PORT", "2"}}, "LISTEN_ADDR"},
      {{}, {{"PROMETHEUS_TIMEOUT", "20s"}}, "PROMETHEUS_TIMEOUT"},
      {{}, {{"API_BEARER_TOKEN_FILE", "/nowhere/token"}}, "API_BEARER_TOKEN_FILE"},
      {{}, {{"BASE_PATH", "no-slash"}}, "BASE_PATH"},
      {{}, {{"CORS_ALLOWED_ORIGINS", "example.com"}}, "CORS_ALLOWED_ORIGINS"},
      {{}, {{"CONFIG_FILE", "/nowhere/config.yaml"}}, "CONFIG_FILE"},
      {{"--api-bearer-token-file="}, {{"API_BEARER_TOKEN_FILE", "/dev/null"}}, "is empty"},
      {{"--allowed-hosts", ""}, {{"ALLOWED_HOSTS", "a"}}, "is empty"},
      {{"--config", "/dev/zero"}, {}, "--config"},
  };
  for (const Row& row : rows) {
    const auto ended = RunApi(row.arguments, row.variables);
    EXPECT_EQ(ended.exit_code, 2) << row.names << ": " << ended.errors;
    EXPECT_EQ(Lines(ended.errors), 1) << ended.errors;
    EXPECT_NE(ended.errors.find(row.names), std::string::npos) << row.names << ": " << ended.errors;
    EXPECT_EQ(ended.errors.find("hidden-word"), std::string::npos) << ended.errors;
    EXPECT_EQ(ended.output, "");
  }
}

TEST(LifeTest, AContainersHealthCheckKnowsNoOtherFailureThanOne) {
  for (const auto& [arguments, variables] :
       std::vector<std::pair<std::vector<std::string>, Environment>>{
           {{"--healthcheck", "readyz"}, {}},
           {{"--healthcheck", ""}, {}},
           {{"--healthcheck"}, {{"PORT", "http"}}},
           {{"--healthcheck=/livez", "--colour"}, {}}}) {
    const auto ended = RunApi(arguments, variables);
    EXPECT_EQ(ended.exit_code, 1) << ended.errors;
    EXPECT_EQ(Lines(ended.errors), 1) << ended.errors;
  }
}

TEST(LifeTest, ACaFileThatCannotBeUsedIsNamedWithTheReason) {
  const ScratchDirectory directory;
  const std::string junk = directory.Write("junk.pem", "hidden-word\n");
  for (const auto& [file, reason] : std::vector<std::pair<std::string, std::string>>{
           {"/nowhere/ca.pem", "No such file"}, {"/", "directory"}, {junk, "is not PEM"}}) {
    const auto ended = RunApi({}, {{"PORT", "0"}, {"PROMETHEUS_CA_FILE", file}});
    EXPECT_EQ(ended.exit_code, 2) << ended.errors;
    EXPECT_EQ(Lines(ended.errors), 1) << ended.errors;
    for (const std::string& part : {std::string("--prometheus-ca-file"), file, reason}) {
      EXPECT_NE(ended.errors.find(part), std::string::npos) << part << ": " << ended.errors;
    }
    EXPECT_EQ(ended.errors.find("hidden-word"), std::string::npos) << ended.errors;
  }
}

// `NAME=<(echo x)` of a shell: what is read again when it changes cannot be read once.
TEST(LifeTest, APipeForAFileIsOneLineThatSaysSoAndExitCode2) {
  const ScratchDirectory directory;
  const std::string pipe = directory.path() + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string flag :
       {"--api-bearer-token-file", "--prometheus-bearer-token-file", "--prometheus-basic-auth-file",
        "--prometheus-ca-file", "--prometheus-headers-file", "--schema-file"}) {
    const auto ended = RunApi({flag, pipe}, {{"PORT", "0"}});
    EXPECT_EQ(ended.exit_code, 2) << flag << ended.errors;
    EXPECT_EQ(ended.errors, "gpu-monitoring-api: " + flag + ": " + pipe +
                                " must be a regular file or a link to one, not a pipe\n");
  }
}

TEST(LifeTest, HealthcheckTellsTheContainerRuntime) {
  FaultServer upstream(HeldFleet);
  const ApiServer server(upstream.url(), {{"BASE_PATH", "/gpu"}});
  const Environment same = {{"PORT", std::to_string(server.port())}, {"BASE_PATH", "/gpu"}};
  EXPECT_EQ(RunApi({"--healthcheck"}, same).exit_code, 0);
  EXPECT_EQ(RunApi({"--healthcheck", "/livez"}, same).exit_code, 0);
  const auto early = RunApi({"--healthcheck", "/readyz"}, same);
  EXPECT_EQ(early.exit_code, 1);
  EXPECT_EQ(Lines(early.errors), 1) << early.errors;
  EXPECT_NE(early.errors.find("503"), std::string::npos) << early.errors;
  upstream.Release();
  ASSERT_TRUE(WaitUntil([&] { return server.Get("/gpu/readyz").status == 200; }, Millis(10'000)));
  EXPECT_EQ(RunApi({"--healthcheck=/readyz"}, same).exit_code, 0);
  EXPECT_EQ(RunApi({"--healthcheck", "/nothing"}, same).exit_code, 1);
  EXPECT_EQ(RunApi({"--healthcheck"}, {{"PORT", std::to_string(FreePort())}}).exit_code, 1);
}

TEST(LifeTest, AWrongSchemaFileStopsTheStartAndNamesThePlace) {
  const process::ScratchDirectory directory;
  const std::string file = directory.path() + "/schemas.json";
  std::ofstream(file) << R"({
    "name": "acme", "title": "Acme board exporter", "vendor": "Acme", "priority": 5,
    "detect": ["acme_load"], "labels": {"node": ["machine"], "gpu_id": ["board"]},
    "gpu": [{"field": "utilisation", "metric": "acme_load", "unit": "ratio"}]
  })";
  const auto ended = RunApi({}, {{"SCHEMA_FILE", file}});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_EQ(std::count(ended.errors.begin(), ended.errors.end(), '\n'), 1) << ended.errors;
  for (const std::string& part : {file, std::string("utilisation"), std::string("utilization")}) {
    EXPECT_NE(ended.errors.find(part), std::string::npos) << ended.errors;
  }
  const auto missing = RunApi({}, {{"SCHEMA_FILE", directory.path() + "/none"}});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_NE(missing.errors.find("--schema-file"), std::string::npos) << missing.errors;
}

TEST(LifeTest, CheckConfigRefusesWhatAStartWouldAndServesNothing) {
  const process::ScratchDirectory directory;
  const auto good = RunApi({"--check-config"});
  EXPECT_EQ(good.exit_code, 0) << good.errors;
  EXPECT_EQ(good.output, "the configuration is good\n");
  for (const auto& [name, value] :
       {std::pair("LOG_LEVEL", std::string("loud")), std::pair("GPU_PRICES", std::string("H100")),
        std::pair("SCHEMA_FILE", directory.path() + "/none"),
        std::pair("API_BEARER_TOKEN_FILE", directory.path() + "/none")}) {
    const auto bad = RunApi({"--check-config"}, {{name, value}});
    EXPECT_EQ(bad.exit_code, 2) << name;
    EXPECT_EQ(bad.output, "") << name;
    EXPECT_NE(bad.errors.find(name), std::string::npos) << bad.errors;
    EXPECT_EQ(std::count(bad.errors.begin(), bad.errors.end(), '\n'), 1) << bad.errors;
  }
  const std::string port_file = directory.path() + "/port";
  EXPECT_EQ(RunApi({"--check-config", "--port-file", port_file}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(port_file));
}

TEST(LifeTest, HelpAndVersionGoToStandardOutput) {
  const auto help = RunApi({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.output.find("PROMETHEUS_URL"), std::string::npos);
  EXPECT_EQ(help.errors, "");
  const auto version = RunApi({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.output.rfind("gpu-monitoring-api ", 0), 0U) << version.output;
}

TEST(LifeTest, WhatCannotBeWrittenIsNoSuccess) {
  for (const auto& [program, code] :
       {std::pair(ApiProgram(), 1), std::pair(ExporterProgram(), 1), std::pair(CtlProgram(), 4)}) {
    for (const std::string away : {">/dev/full", ">&-"}) {
      const auto lost = process::Run("/bin/sh", {"-c", "exec \"$0\" --help " + away, program});
      EXPECT_EQ(lost.exit_code, code) << program << away;
      EXPECT_EQ(Lines(lost.errors), 1) << lost.errors;
      EXPECT_NE(lost.errors.find("output"), std::string::npos) << lost.errors;
    }
  }
}

TEST(LifeTest, WithTooFewFilesItDoesNotStartAndSaysHowManyItNeeds) {
  for (const std::string files : {"8", "16", "64", "151"}) {
    const auto ended =
        process::Run("/bin/sh", {"-c", "ulimit -n " + files + "; exec \"$0\"", ApiProgram()},
                     {{"PORT", "0"}, {"GRPC_HEALTH_PORT", "0"}});
    EXPECT_EQ(ended.exit_code, 1) << ended.errors;
    EXPECT_EQ(ended.errors.find("gpu-monitoring-api: the limit of open files is " + files +
                                ", and this server needs 152 or more"),
              0U)
        << ended.errors;
    EXPECT_EQ(Lines(ended.errors), 1) << ended.errors;
  }
}

// Where a flood holds the last descriptor UBSan takes each object for a bad one, and can open no
// file to say so (cmake/compile_options.cmake).
process::Environment ReportsToStandardError() {
  if (std::getenv("UBSAN_OPTIONS") == nullptr) return {};
  return {{"UBSAN_OPTIONS", "symbolize=0"}, {"ASAN_OPTIONS", "symbolize=0"}};
}

TEST(LifeTest, WithJustEnoughFilesItAnswersBesideIdleConnections) {
  const ScratchDirectory directory;
  const std::string file = directory.path() + "/port";
  FaultServer upstream(FleetReply);
  process::Environment environment = ReportsToStandardError();
  environment.insert({{"PORT", "0"},
                      {"GRPC_HEALTH_PORT", "0"},
                      {"LISTEN_ADDR", "127.0.0.1"},
                      {"PROMETHEUS_URL", upstream.url()}});
  process::ChildProcess server(
      "/bin/sh", {"-c", "ulimit -n 152; exec \"$0\" --port-file \"$1\"", ApiProgram(), file},
      environment);
  ASSERT_TRUE(WaitUntil([&] { return std::filesystem::exists(file); }, Millis(10'000)))
      << server.Errors();
  std::uint16_t port = 0;
  std::ifstream(file) >> port;
  std::vector<std::unique_ptr<Connection>> idle;
  for (int i = 0; i < 100; ++i) idle.push_back(std::make_unique<Connection>(port));
  // While so many come at once newcomers are told 503; each of these is one more.
  for (const char* const path : {"/livez", kMetrics}) {
    ASSERT_TRUE(WaitUntil([&] { return Fetch(port, path).status == 200; }, Millis(10'000)))
        << path << '\n'
        << server.Errors();
  }
}

TEST(LifeTest, APortFileThatCannotBeWrittenIsOneLineAndExitCode2) {
  const ScratchDirectory directory;
  const std::vector<std::pair<std::string, std::string>> rows = {{"/nowhere/port", "No such file"},
                                                                 {directory.path(), "is a folder"}};
  for (const auto& [file, reason] : rows) {
    const auto api = RunApi({"--port-file", file}, {{"PORT", "0"}});
    const auto checked = RunApi({"--check-config", "--port-file", file});
    const auto exporter =
        process::Run(ExporterProgram(),
                     {"--demo", "--listen-addr", "127.0.0.1", "--port", "0", "--port-file", file},
                     {}, Millis(10'000));
    EXPECT_EQ(checked.errors, api.errors);
    for (const auto& ended : {api, checked, exporter}) {
      EXPECT_EQ(ended.exit_code, 2) << ended.errors;
      EXPECT_EQ(Lines(ended.errors), 1) << ended.errors;
      for (const std::string& part : {std::string("--port-file"), file, reason}) {
        EXPECT_NE(ended.errors.find(part), std::string::npos) << part << ": " << ended.errors;
      }
    }
  }
}

TEST(LifeTest, PrometheusMayComeAndGo) {
  const Exporter exporter({"--nodes", "1", "--gpus-per-node", "4"});
  auto prometheus = Prometheus::Scraping(exporter.port(), true);
  const ApiServer server(prometheus->url(), {{"CACHE_TTL", "100ms"}, {"MAX_STALE", "0s"}});
  const auto has_rows = [&] { return server.Get(kMetrics).Json()["data"].size() == 4; };
  ASSERT_TRUE(WaitUntil(has_rows, Millis(20'000)));
  prometheus->Restart([&] {
    EXPECT_TRUE(WaitUntil([&] { return server.Get(kMetrics).status == 502; }, Millis(10'000)));
    EXPECT_EQ(server.Get("/livez").status, 200);
  });
  EXPECT_TRUE(WaitUntil(has_rows, Millis(20'000)));
}

}  // namespace
}  // namespace gpumon::e2e
