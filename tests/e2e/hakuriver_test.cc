// /api/v1/hakuriver/ of the real server, with no Prometheus anywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/hakuriver/fake_host.h"

namespace gpumon::e2e {
namespace {

using hakuriver::FakeHost;
using hakuriver::Generation;

constexpr char kNowhere[] = "http://127.0.0.1:1";

TEST(HakuRiverTest, AHostOfEachGenerationIsFoundOutAndToldOf) {
  for (const Generation generation : {Generation::kA, Generation::kB, Generation::kC}) {
    FakeHost host(generation);
    ApiServer server(kNowhere, {{"HAKURIVER_URL", host.url() + "/"}});
    const Answer nodes = server.Get("/api/v1/hakuriver/nodes");
    EXPECT_EQ(nodes.status, 200) << nodes.body;
    EXPECT_EQ(nodes.Json()["data"].size(), 2U);
    const Answer task =
        server.Get("/api/v1/hakuriver/tasks/" + std::string(hakuriver::kRunningTask));
    EXPECT_EQ(TextOf(task.Json()["data"]["task_id"]), hakuriver::kRunningTask) << task.body;
    const Answer log = server.Get("/api/v1/hakuriver/tasks/" +
                                  std::string(hakuriver::kRunningTask) + "/stdout?format=text");
    EXPECT_EQ(log.status, 200);
    EXPECT_EQ(log.Header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(server.Get("/api/healthz").status, 503) << "there is no Prometheus";
    EXPECT_EQ(server.Stop(), 0);
  }
}

TEST(HakuRiverTest, ManyViewersAtOnceAreOneQuestion) {
  FakeHost host(Generation::kC);
  ApiServer server(kNowhere, {{"HAKURIVER_URL", host.url()}, {"CACHE_TTL", "1m"}});
  std::vector<std::thread> viewers;
  for (int i = 0; i < 16; ++i) {
    viewers.emplace_back([&] { EXPECT_EQ(server.Get("/api/v1/hakuriver/health").status, 200); });
  }
  for (std::thread& viewer : viewers) viewer.join();
  std::size_t asked = 0;
  for (const fault::Request& request : host.server().requests()) {
    asked += request.target.find("/health") != std::string::npos ? 1U : 0U;
  }
  EXPECT_EQ(asked, 1U);
}

TEST(HakuRiverTest, ATokenIsSentFromItsFileAndWithoutItTheHostRefuses) {
  FakeHost host(Generation::kC);
  host.SetToken("hunter2");
  const ScratchDirectory folder;
  const std::string file = folder.Write("token", "hunter2\n");
  ApiServer with(kNowhere, {{"HAKURIVER_URL", host.url()}, {"HAKURIVER_TOKEN_FILE", file}});
  EXPECT_EQ(with.Get("/api/v1/hakuriver/tasks").status, 200);
  ApiServer without(kNowhere, {{"HAKURIVER_URL", host.url()}});
  const Answer refused = without.Get("/api/v1/hakuriver/tasks");
  EXPECT_EQ(refused.status, 502) << refused.body;
  EXPECT_EQ(TextOf(refused.Json()["code"]), "upstream_auth");
}

TEST(HakuRiverTest, WithoutAUrlTheRoutesSayWhichVariableToSet) {
  ApiServer server(kNowhere);
  const Answer answer = server.Get("/api/v1/hakuriver/vps");
  EXPECT_EQ(answer.status, 404);
  EXPECT_TRUE(Holds(answer.body, "HAKURIVER_URL is not set")) << answer.body;
}

TEST(HakuRiverTest, AHostThatHangsHoldsUpNeitherOthersNorTheEnd) {
  fault::FaultServer host;
  host.SetReply(fault::Broken(fault::Reply::Fault::kHang));
  ApiServer server(kNowhere, {{"HAKURIVER_URL", host.url()}, {"REQUEST_TIMEOUT", "1s"}});
  const Answer slow = server.Get("/api/v1/hakuriver/nodes");
  EXPECT_EQ(slow.status, 504) << slow.body;
  Connection waits(server.port());
  waits.Send(RequestText("GET", "/api/v1/hakuriver/vps"));
  EXPECT_TRUE(host.WaitForRequests(2));
  EXPECT_EQ(server.Get("/livez").status, 200);
  EXPECT_EQ(server.Stop(), 0);
}

TEST(HakuRiverTest, WhatCannotBeAUrlOrATokenFileStopsTheStart) {
  const ScratchDirectory folder;
  const std::string token = folder.Write("token", "x");
  struct Case {
    Environment variables;
    std::string names;
  };
  for (const Case& wrong : std::vector<Case>{
           {{{"HAKURIVER_URL", "user:hunter2@host"}}, "--hakuriver-url"},
           {{{"HAKURIVER_URL", "ftp://host"}}, "--hakuriver-url"},
           {{{"HAKURIVER_TOKEN_FILE", token}}, "--hakuriver-token-file"},
           {{{"HAKURIVER_URL", "http://u:hunter2@host"}, {"HAKURIVER_TOKEN_FILE", token}},
            "--hakuriver-token-file"},
           {{{"HAKURIVER_URL", "http://host"}, {"HAKURIVER_TOKEN_FILE", token + ".none"}},
            "--hakuriver-token-file"}}) {
    const auto checked = process::Run(ApiProgram(), {"--check-config"}, wrong.variables);
    EXPECT_EQ(checked.exit_code, 2) << wrong.names;
    EXPECT_TRUE(Holds(checked.errors, wrong.names)) << checked.errors;
    EXPECT_FALSE(Holds(checked.errors, "hunter2")) << checked.errors;
    EXPECT_EQ(std::count(checked.errors.begin(), checked.errors.end(), '\n'), 1) << checked.errors;
  }
}

}  // namespace
}  // namespace gpumon::e2e
