#include "handlers/hakuriver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "handlers/hakuriver_host.h"
#include "internal/fetch/client.h"
#include "internal/hakuriver/client.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/hakuriver/fake_host.h"
#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using hakuriver::FakeHost;
using hakuriver::Generation;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string TextOf(const json::Value& value) {
  const std::string* const text = value.AsString();
  return text == nullptr ? "" : *text;
}

// Over real HTTP, asked with the real clock; what is kept is kept by the fake one.
class HakuRiverTest : public HandlersTest {
 protected:
  ~HakuRiverTest() override {
    pool_.Stop();
    fetch_.reset();
  }

  void Use(const std::string& url, HakuRiverOptions options = {}) {
    fetch_ = *fetch::MakeClient({}, real_);
    client_ = std::make_unique<hakuriver::Client>(
        *fetch_, real_,
        hakuriver::ClientOptions{
            .base_url = url, .name = std::string(kHakuRiverName), .executor = &pool_});
    // Deadlines are of the clock that the fetch client reads.
    host_ = std::make_unique<HakuRiverHost>(*client_, real_, options);
    services_.hakuriver = host_.get();
  }
  static HakuRiverOptions KeepLong() {
    HakuRiverOptions options;
    options.sharing.ttl = std::chrono::hours(1);
    return options;
  }
  static HakuRiverOptions KeepNothing() {
    HakuRiverOptions options;
    options.sharing.ttl = Millis(0);
    return options;
  }
  json::Value Data(const std::string& target) {
    const Answer answer = Get(target);
    EXPECT_EQ(answer.status(), 200) << answer.body();
    return answer.json()["data"];
  }

  const SystemClock real_{};
  std::unique_ptr<fetch::Client> fetch_;
  std::unique_ptr<hakuriver::Client> client_;
  std::unique_ptr<HakuRiverHost> host_;
};

const std::vector<std::string> kPaths = {"nodes",   "health",         "tasks",         "vps",
                                         "tasks/1", "tasks/1/stdout", "tasks/1/stderr"};

TEST_F(HakuRiverTest, WithoutAUrlEveryRouteSaysWhichVariableToSet) {
  services_.hakuriver = nullptr;
  for (const std::string& path : kPaths) {
    const Answer answer = Get("/api/v1/hakuriver/" + path);
    EXPECT_EQ(answer.status(), 404) << path;
    EXPECT_EQ(TextOf(answer.json()["code"]), "not_found");
    EXPECT_THAT(TextOf(answer.json()["error"]), HasSubstr("HAKURIVER_URL is not set"));
  }
}

class HakuRiverGenerationTest : public HakuRiverTest,
                                public testing::WithParamInterface<Generation> {
 protected:
  HakuRiverGenerationTest() { Use(fake_.url()); }
  FakeHost fake_{GetParam()};
};

TEST_P(HakuRiverGenerationTest, NodesAreAListInTheEnvelope) {
  const Answer answer = Get("/api/v1/hakuriver/nodes");
  EXPECT_EQ(answer.status(), 200) << answer.body();
  const json::Value json = answer.json();
  EXPECT_EQ(TextOf(json["message"]), "HakuRiver nodes retrieved successfully");
  EXPECT_EQ(TextOf(json["meta"]["sources"][0]), "hakuriver");
  ASSERT_EQ(json["data"].size(), 2U);
  const json::Value& online = json["data"][0];
  EXPECT_EQ(TextOf(online["hostname"]), "gn01");
  EXPECT_EQ(TextOf(online["status"]), "online");
  EXPECT_EQ(online["total_cores"].AsInteger(), 32);
  EXPECT_EQ(online["cores_in_use"].AsInteger(), 8);
  EXPECT_THAT(TextOf(online["last_heartbeat"]), StartsWith("2026-03-01T09:15:"));
  EXPECT_TRUE(online["time_zone"].is_null()) << "its own local time";
  EXPECT_EQ(online["numa_topology"].size(), 2U);
  EXPECT_EQ(online["numa_topology"][0]["cores"].AsInteger(), 4);
  EXPECT_TRUE(online["numa_topology"][1]["memory_bytes"].is_null());
  const json::Value& gpu = online["gpu_info"][0];
  EXPECT_EQ(TextOf(gpu["name"]), "NVIDIA L40S");
  EXPECT_EQ(gpu["power"].AsDouble(), 231.45);
  EXPECT_TRUE(gpu["fan_speed"].is_null()) << "-1 is unknown";
  const json::Value& offline = json["data"][1];
  EXPECT_EQ(TextOf(offline["status"]), "offline");
  EXPECT_TRUE(offline["cores_in_use"].is_null()) << "N/A is unknown";
  EXPECT_TRUE(offline["numa_topology"].is_null());
}

TEST_P(HakuRiverGenerationTest, WhatAnOfflineNodeMeasuredLastIsStale) {
  fake_.server().SetScript([](const fault::Request&) {
    return fault::Json(
        R"([{"hostname":"a","status":"offline","cpu_percent":97.0,"memory_total_bytes":9,)"
        R"("gpu_info":[{"gpu_id":0,"name":"NVIDIA L40S","temperature":88}]}])");
  });
  const json::Value row = Data("/api/v1/hakuriver/nodes")[0];
  EXPECT_TRUE(row["cpu_percent"].is_null());
  EXPECT_EQ(TextOf(row["null_reasons"]["cpu_percent"]), "stale");
  EXPECT_EQ(TextOf(row["null_reasons"]["memory_percent"]), "");
  EXPECT_EQ(row["memory_total_bytes"].AsInteger(), 9);
  const json::Value& gpu = row["gpu_info"][0];
  EXPECT_EQ(TextOf(gpu["name"]), "NVIDIA L40S");
  EXPECT_TRUE(gpu["temperature"].is_null());
}

TEST_P(HakuRiverGenerationTest, HealthIsTheNewestSampleOfEachNodeAndItsLastMinute) {
  fake_.Tick();
  fake_.Tick();
  const json::Value data = Data("/api/v1/hakuriver/health");
  ASSERT_EQ(data.size(), 2U);
  EXPECT_EQ(TextOf(data[0]["hostname"]), "gn01");
  EXPECT_EQ(data[0]["cpu_percent"].AsDouble(), 23.5);
  EXPECT_EQ(data[0]["fresh"].AsBool(), true);
  EXPECT_GT(data[0]["cpu_percent_history"].size(), 0U);
  EXPECT_EQ(data[0]["gpu_info"].size(), 2U);
  EXPECT_EQ(TextOf(data[1]["status"]), "offline");
  EXPECT_EQ(data[1]["fresh"].AsBool(), false) << "the last values of a node that is gone";
  EXPECT_EQ(Data("/api/v1/hakuriver/health?node=gn02").size(), 1U);
}

TEST_P(HakuRiverGenerationTest, TasksCanBeFilteredSortedAndCut) {
  const json::Value all = Data("/api/v1/hakuriver/tasks");
  ASSERT_GT(all.size(), 2U);
  const json::Value some =
      Data("/api/v1/hakuriver/tasks?status=completed&fields=task_id,status,exit_code");
  ASSERT_EQ(some.size(), 1U);
  EXPECT_EQ(TextOf(some[0]["task_id"]), hakuriver::kCompletedTask);
  EXPECT_EQ(TextOf(some[0]["status"]), "completed");
  EXPECT_EQ(some[0].size(), 3U);
  EXPECT_EQ(Data("/api/v1/hakuriver/tasks?limit=1&offset=1&sort=-task_id").size(), 1U);
  EXPECT_EQ(Data("/api/v1/hakuriver/tasks?node=gn01&gpu=0").size(), 1U);
  const Answer csv = Get("/api/v1/hakuriver/tasks?format=csv&fields=task_id,status");
  EXPECT_THAT(csv.body(), StartsWith("task_id,status\r\n"));
  EXPECT_THAT(csv.body(), HasSubstr(hakuriver::kRunningTask));
}

TEST_P(HakuRiverGenerationTest, OneTaskOfEitherKindKeepsAllDigitsOfItsId) {
  const json::Value task = Data("/api/v1/hakuriver/tasks/" + std::string(hakuriver::kRunningTask));
  EXPECT_EQ(TextOf(task["task_id"]), hakuriver::kRunningTask);
  EXPECT_EQ(TextOf(task["status"]), "running");
  EXPECT_EQ(TextOf(task["assigned_node"]), "gn01");
  EXPECT_EQ(TextOf(task["required_gpus"][0]), "0");
  EXPECT_THAT(TextOf(task["command"]), StartsWith("python"));
  EXPECT_TRUE(task["completed_at"].is_null());
  const json::Value vps = Data("/api/v1/hakuriver/tasks/" + std::string(hakuriver::kRunningVps));
  EXPECT_EQ(vps["ssh_port"].AsInteger(), 40022);
}

TEST_P(HakuRiverGenerationTest, ATaskThatIsNoneIs404AndAnIdThatIsNoneIs400) {
  const Answer none = Get("/api/v1/hakuriver/tasks/" + std::string(hakuriver::kUnknownTask));
  EXPECT_EQ(none.status(), 404) << none.body();
  EXPECT_THAT(TextOf(none.json()["error"]), HasSubstr(hakuriver::kUnknownTask));
  EXPECT_EQ(Get("/api/v1/hakuriver/tasks/abc").status(), 400);
  EXPECT_EQ(Get("/api/v1/hakuriver/tasks/abc/stdout").status(), 400);
}

TEST_P(HakuRiverGenerationTest, VpsAreTheActiveOnesUnlessAllAreAskedFor) {
  const json::Value active = Data("/api/v1/hakuriver/vps");
  ASSERT_EQ(active.size(), 1U);
  EXPECT_EQ(TextOf(active[0]["task_id"]), hakuriver::kRunningVps);
  EXPECT_EQ(active[0]["ssh_port"].AsInteger(), 40022);
  EXPECT_EQ(Data("/api/v1/hakuriver/vps?all").size(), 2U);
}

TEST_P(HakuRiverGenerationTest, LogsAreAnObjectOrTextOrWhyThereAreNone) {
  const std::string logs =
      "/api/v1/hakuriver/tasks/" + std::string(hakuriver::kRunningTask) + "/stdout";
  const json::Value log = Data(logs);
  EXPECT_EQ(TextOf(log["task_id"]), hakuriver::kRunningTask);
  EXPECT_EQ(TextOf(log["stream"]), "stdout");
  EXPECT_EQ(log["truncated"].AsBool(), false);
  const std::string text = TextOf(log["text"]);
  EXPECT_EQ(log["bytes"].AsInteger(), static_cast<std::int64_t>(text.size()));
  const Answer plain = Get(logs + "?format=text");
  EXPECT_EQ(plain.header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(plain.body(), text);
  const std::string last = TextOf(Data(logs + "?tail=1")["text"]);
  EXPECT_LT(last.size(), text.size());
  EXPECT_THAT(text, testing::EndsWith(last));
  EXPECT_EQ(TextOf(Data("/api/v1/hakuriver/tasks/" + std::string(hakuriver::kRunningTask) +
                        "/stderr")["stream"]),
            "stderr");

  const json::Value none =
      Data("/api/v1/hakuriver/tasks/" + std::string(hakuriver::kPendingTask) + "/stdout");
  EXPECT_TRUE(none["text"].is_null());
  const Answer vps =
      Get("/api/v1/hakuriver/tasks/" + std::string(hakuriver::kRunningVps) + "/stdout");
  EXPECT_EQ(vps.status(), 400);
  EXPECT_THAT(TextOf(vps.json()["error"]), HasSubstr("is a VPS"));
}

TEST_P(HakuRiverGenerationTest, ALongLogIsCutAndSaysSo) {
  std::string out;
  while (out.size() < 3 * HakuRiverHost::kMostLogBytes) out += std::string(99, 'x') + '\n';
  fake_.AddTask({.id = "5", .out = out, .err = ""});
  const Answer answer = Get("/api/v1/hakuriver/tasks/5/stdout");
  const json::Value json = answer.json();
  EXPECT_EQ(json["data"]["truncated"].AsBool(), true);
  EXPECT_LE(*json["data"]["bytes"].AsInteger(),
            static_cast<std::int64_t>(HakuRiverHost::kMostLogBytes));
  EXPECT_THAT(TextOf(json["warnings"][0]), StartsWith("only the last "));
  EXPECT_THAT(Get("/api/v1/hakuriver/tasks/5/stdout?format=text").header("Warning"),
              StartsWith("199 - \"only the last "));
}

INSTANTIATE_TEST_SUITE_P(Generations, HakuRiverGenerationTest,
                         testing::Values(Generation::kA, Generation::kB, Generation::kC),
                         [](const auto& each) {
                           return std::string(1, hakuriver::LetterOf(each.param));
                         });

TEST_F(HakuRiverTest, CommandsAreShownAsProcessCommandsSaysAndTheEnvironmentByNames) {
  fault::FaultServer server;
  server.SetScript([](const fault::Request& request) {
    if (request.target == "/api/auth/status") return fault::Json(R"({"auth_enabled":false})");
    return fault::Json(R"([{"task_id":"7","task_type":"command","command":"python",)"
                       R"("arguments":["train.py","--password","hunter2"],"status":"failed",)"
                       R"("error_message":"docker run -e API_TOKEN=hunter2 failed",)"
                       R"("env_vars":{"API_TOKEN":"hunter2"}}])");
  });
  for (const auto style : {gpu::CommandStyle::kRedacted, gpu::CommandStyle::kFull,
                           gpu::CommandStyle::kName, gpu::CommandStyle::kHidden}) {
    HakuRiverOptions options;
    options.commands = style;
    Use(server.url(), options);
    const Answer answer = Get("/api/v1/hakuriver/tasks");
    const json::Value task = answer.json()["data"][0];
    EXPECT_EQ(TextOf(task["env_vars"][0]), "API_TOKEN");
    if (style == gpu::CommandStyle::kFull) {
      EXPECT_EQ(TextOf(task["command"]), "python train.py --password hunter2");
      continue;
    }
    EXPECT_THAT(answer.body(), Not(HasSubstr("hunter2")));
    const std::string shown = style == gpu::CommandStyle::kRedacted
                                  ? "python train.py --password ***"
                              : style == gpu::CommandStyle::kName ? "python"
                                                                  : "";
    EXPECT_EQ(TextOf(task["command"]), shown);
  }
}

TEST_F(HakuRiverTest, ManyViewersAreOneQuestion) {
  FakeHost fake(Generation::kC);
  Use(fake.url(), KeepLong());
  EXPECT_EQ(Data("/api/v1/hakuriver/nodes").size(), 2U);
  const std::size_t asked = fake.server().request_count();
  for (int i = 0; i < 20; ++i) Data("/api/v1/hakuriver/nodes?node=gn0" + std::to_string(i % 3));
  EXPECT_EQ(fake.server().request_count(), asked);
}

TEST_F(HakuRiverTest, OneStatusIsLookedForByTheHost) {
  FakeHost fake(Generation::kC);
  Use(fake.url());
  Data("/api/v1/hakuriver/tasks?status=running");
  EXPECT_THAT(fake.server().requests().back().target, HasSubstr("status=running"));
  // Patterns are no business of the host's.
  Data("/api/v1/hakuriver/tasks?status=run*");
  EXPECT_THAT(fake.server().requests().back().target, Not(HasSubstr("status=run")));
}

TEST_F(HakuRiverTest, WhatTheHostDoesWrongHasItsStatus) {
  struct Case {
    fault::Reply reply;
    int status;
    std::string code;
  };
  const std::vector<Case> cases = {
      {fault::Broken(fault::Reply::Fault::kReset), 502, "upstream_unreachable"},
      {fault::Broken(fault::Reply::Fault::kTruncated, "[{}]"), 502, "upstream_unreachable"},
      {fault::Json("not json"), 502, "upstream_invalid"},
      {fault::HttpStatus(200, "<html>hello</html>", "text/html"), 502, "upstream_invalid"},
      {fault::HttpStatus(401), 502, "upstream_auth"},
      {fault::HttpStatus(403), 502, "upstream_auth"},
      {fault::HttpStatus(404), 502, "upstream_invalid"},
      {fault::HttpStatus(404, R"({"detail":"Not found."})", "application/json"), 502,
       "upstream_invalid"},
      {fault::HttpStatus(429), 503, "upstream_throttled"},
      {fault::HttpStatus(500), 502, "upstream_error"},
      {fault::HttpStatus(503), 503, "upstream_not_ready"},
      {fault::Redirect(302, "http://elsewhere/"), 502, "upstream_invalid"},
  };
  for (const Case& each : cases) {
    fault::FaultServer server;
    server.SetReply(each.reply);
    Use(server.url(), KeepNothing());
    const Answer answer = Get("/api/v1/hakuriver/nodes");
    EXPECT_EQ(answer.status(), each.status) << answer.body();
    EXPECT_EQ(TextOf(answer.json()["code"]), each.code) << answer.body();
    EXPECT_THAT(TextOf(answer.json()["error"]), HasSubstr("the HakuRiver host"));
    EXPECT_THAT(answer.body(), Not(HasSubstr("127.0.0.1"))) << "where it is is nobody's business";
    if (each.status == 503) {
      EXPECT_NE(answer.header("Retry-After"), "");
    }
    pool_.Post([] {});
  }
}

TEST_F(HakuRiverTest, AHostThatSaysNothingIs504InTime) {
  fault::FaultServer server;
  server.SetReply(fault::Broken(fault::Reply::Fault::kHang));
  HakuRiverOptions options;
  options.sharing.timeout = Millis(200);
  Use(server.url(), options);
  const Answer answer = Get("/api/v1/hakuriver/vps");
  EXPECT_EQ(answer.status(), 504);
  EXPECT_EQ(TextOf(answer.json()["code"]), "upstream_timeout");
}

TEST_F(HakuRiverTest, WhileTheHostFailsTheLastGoodAnswerIsMarkedStale) {
  FakeHost fake(Generation::kC);
  Use(fake.url(), KeepNothing());
  EXPECT_EQ(Data("/api/v1/hakuriver/nodes").size(), 2U);
  fake.server().SetReply(fault::HttpStatus(500));
  const json::Value stale = Get("/api/v1/hakuriver/nodes").json();
  EXPECT_EQ(stale["meta"]["stale"].AsBool(), true);
  EXPECT_EQ(TextOf(stale["warnings"][0]),
            "stale: the HakuRiver host gave nothing newer (upstream_error); this is the last good "
            "snapshot");
  EXPECT_EQ(stale["data"].size(), 2U);
  EXPECT_EQ(Get("/api/v1/hakuriver/nodes?stale=never").status(), 502);
  EXPECT_THAT(Get("/api/v1/hakuriver/nodes?format=csv").header("Warning"),
              HasSubstr("the HakuRiver host gave nothing newer"));
}

TEST_F(HakuRiverTest, AHostThatSamplesNoLongerIsAWarning) {
  FakeHost fake(Generation::kA);
  Use(fake.url(), KeepNothing());
  fake.StopSampling();
  for (int i = 0; i < 60; ++i) fake.Tick();
  const json::Value json = Get("/api/v1/hakuriver/health").json();
  ASSERT_EQ(json["warnings"].size(), 1U);
  EXPECT_THAT(TextOf(json["warnings"][0]), HasSubstr("takes samples no longer"));
  EXPECT_EQ(json["data"][0]["fresh"].AsBool(), false);
}

TEST_F(HakuRiverTest, NodesThatAreListedAndNeverSampledAreRowsAndAWarning) {
  FakeHost fake(Generation::kA);
  Use(fake.url(), KeepNothing());
  fake.NeverSample();
  const json::Value json = Get("/api/v1/hakuriver/health").json();
  ASSERT_EQ(json["warnings"].size(), 1U);
  EXPECT_EQ(TextOf(json["warnings"][0]),
            "the HakuRiver host has no samples of nodes that it lists: gn01, gn02");
  ASSERT_EQ(json["data"].size(), 2U);
  EXPECT_EQ(TextOf(json["data"][0]["hostname"]), "gn01");
  EXPECT_EQ(TextOf(json["data"][0]["status"]), "online");
  EXPECT_EQ(json["data"][0]["fresh"].AsBool(), false);
  EXPECT_TRUE(json["data"][0]["cpu_percent"].is_null());
}

TEST_F(HakuRiverTest, AnAnswerThatTheClientHasIs304AndATokenIsAskedFor) {
  FakeHost fake(Generation::kB);
  Use(fake.url(), KeepLong());
  const std::string tag = Get("/api/v1/hakuriver/nodes").header("ETag");
  EXPECT_EQ(Get("/api/v1/hakuriver/nodes", {{"If-None-Match", tag}}).status(), 304);
  token_ = "secret";
  for (const std::string& path : kPaths) {
    EXPECT_EQ(Get("/api/v1/hakuriver/" + path).status(), 401) << path;
  }
}

TEST_F(HakuRiverTest, ParametersThatItCannotHaveAreRefused) {
  FakeHost fake(Generation::kB);
  Use(fake.url());
  for (const std::string target :
       {"nodes?at=1", "nodes?partial=abort", "tasks?sort=colour", "vps?all=maybe",
        "tasks/1?limit=1", "tasks/1/stdout?tail=0", "tasks/1/stdout?format=csv"}) {
    EXPECT_EQ(Get("/api/v1/hakuriver/" + target).status(), 400) << target;
  }
}

}  // namespace
}  // namespace gpumon::handlers
