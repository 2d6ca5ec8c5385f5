#include "handlers/usage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using models::Quantity;
using models::Text;

class UsageRouteTest : public HandlersTest {
 protected:
  // Three pods: web/x on b alone, ml/a and ml/b on one GPU of a.
  static std::shared_ptr<models::Snapshot> Gpus() {
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->as_of = 1704110400;
    snapshot->sources = {"dcgm"};
    const auto add = [&](const char* node, double used, std::uint32_t first, std::uint32_t count) {
      auto& row = snapshot->gpus.emplace_back();
      row.set_text(Text::kNode, node);
      row.set_text(Text::kGpuId, "0");
      row.set_text(Text::kGpuName, "=H100");
      row.readings.Set(static_cast<std::size_t>(Quantity::kMemoryUsed), used);
      row.newest = row.oldest = 1704110399;
      row.first_workload = first;
      row.workload_count = count;
    };
    snapshot->workloads = {{"ml", "a", "c"}, {"ml", "b", "c"}, {"web", "x", "c"}};
    add("a", 1024, 0, 2);
    add("b", 4096, 2, 1);
    return snapshot;
  }

  // ml/a of the Deployment web runs, as does ml/new of the Job eval, which no exporter names;
  // ml/old has ended. Nothing is told of web/x.
  static std::shared_ptr<models::Snapshot> Told() {
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->part = models::Part::kPods;
    snapshot->sources = {"kube_state_metrics"};
    const auto add = [&](const char* name, std::string_view phase, const char* kind,
                         const char* owner) {
      models::Pod& pod = snapshot->pods.emplace_back();
      pod.name_space = "ml";
      pod.name = name;
      pod.node = "a";
      pod.phase = phase;
      pod.owner_kind = kind;
      pod.owner_name = owner;
      pod.gpus_requested = 2;
    };
    add("a", models::kRunning, "Deployment", "web");
    add("b", models::kRunning, "Deployment", "web");
    add("new", models::kRunning, "Job", "eval");
    add("old", models::kSucceeded, "Job", "eval");
    return snapshot;
  }

  std::string Pods(const std::string& query) {
    std::string pods;
    const auto json = Get("/api/v1/gpu/workloads" + query).json();
    for (const auto& row : json["data"].elements()) {
      const std::string* pod = row["pod"].AsString();
      pods += pod == nullptr ? "-" : *pod;
    }
    return pods;
  }
};

TEST_F(UsageRouteTest, APodIsARowWithReasonsForWhatNobodyMeasures) {
  Serve(Gpus());
  const auto json = Get("/api/v1/gpu/workloads").json();
  ASSERT_EQ(json["data"].size(), 3U);
  const auto& shared = json["data"][0];
  EXPECT_EQ(*shared["namespace"].AsString(), "ml");
  EXPECT_EQ(shared["gpu_share"].AsDouble(), 0.5);
  EXPECT_TRUE(shared["memory_used_bytes"].is_null());
  EXPECT_EQ(*shared["null_reasons"]["memory_used_bytes"].AsString(), "not_exported");
  const auto& alone = json["data"][2];
  EXPECT_EQ(*alone["memory_used_bytes"].AsNumberText(), "4096");
  EXPECT_EQ(*alone["timestamp"].AsString(), "2024-01-01T11:59:59Z");
  EXPECT_EQ(*json["meta"]["null_reasons"]["utilization"].AsString(), "not_exported");
  EXPECT_EQ(alone["null_reasons"].size(), 0U);
  EXPECT_EQ(json["meta"]["total"].AsDouble(), 3);
  EXPECT_EQ(*json["message"].AsString(), "GPU workloads retrieved successfully");
}

TEST_F(UsageRouteTest, FiltersSortsAndPagesLikeEveryList) {
  Serve(Gpus());
  EXPECT_EQ(Pods(""), "abx");
  EXPECT_EQ(Pods("?namespace=m*"), "ab");
  EXPECT_EQ(Pods("?node=b"), "x");
  EXPECT_EQ(Pods("?pod=a&pod=x"), "ax");
  EXPECT_EQ(Pods("?model=nothing"), "");
  EXPECT_EQ(Pods("?min_memory_used_bytes=1"), "x") << "null passes no bound";
  EXPECT_EQ(Pods("?sort=-pod"), "xba");
  EXPECT_EQ(Pods("?sort=memory_used_bytes"), "xab") << "nulls last";
  EXPECT_EQ(Pods("?sort=-memory_used_bytes"), "xab");
  EXPECT_EQ(Pods("?limit=1&offset=1"), "b");
  EXPECT_EQ(Pods("?by=namespace"), "--");
  const auto fields = Get("/api/v1/gpu/workloads?fields=pod,gpus").json();
  EXPECT_EQ(fields["data"][0].members().size(), 2U);
}

TEST_F(UsageRouteTest, RefusesWhatItDoesNotKnow) {
  Serve(Gpus());
  for (const std::string bad : {"?sort=gpuss", "?sort=node_names", "?fields=pod,pod", "?by=user",
                                "?limit=0", "?color=red", "?at=2100-01-01T00:00:00Z"}) {
    EXPECT_EQ(Get("/api/v1/gpu/workloads" + bad).status(), 400) << bad;
  }
  const auto answer = Get("/api/v1/gpu/workloads?sort=gpuss");
  EXPECT_NE(answer.json()["error"].AsString()->find("did you mean 'gpus'?"), std::string::npos);
}

TEST_F(UsageRouteTest, CsvSaysInAHeaderWhatTheEnvelopeWouldSay) {
  auto gpus = Gpus();
  gpus->partial = true;
  source_.gpus = gpu::Got{gpus, true, {Code::kUpstreamTimeout, "late"}, 5};
  const auto answer =
      Get("/api/v1/gpu/workloads?format=csv&fields=pod,gpu_names,memory_used_bytes");
  EXPECT_EQ(answer.body(),
            "pod,gpu_names,memory_used_bytes\r\na,'=H100,\r\nb,'=H100,\r\nx,'=H100,4096\r\n");
  EXPECT_NE(answer.header("Warning").find("110 - \"stale"), std::string::npos);
  EXPECT_NE(metrics_.Text().find("stale_served_total 1"), std::string::npos);
  const auto json = Get("/api/v1/gpu/workloads").json();
  EXPECT_TRUE(*json["meta"]["stale"].AsBool());
  EXPECT_TRUE(*json["meta"]["partial"].AsBool());
  EXPECT_EQ(Get("/api/v1/gpu/workloads?partial=abort").status(), 502);
}

TEST_F(UsageRouteTest, KubeStateMetricsTellsOwnersPhasesAndRequests) {
  Serve(Gpus());
  Serve(Told());
  const auto json = Get("/api/v1/gpu/workloads").json();
  ASSERT_EQ(json["data"].size(), 4U);
  const auto& named = json["data"][0];
  EXPECT_EQ(*named["phase"].AsString(), "Running");
  EXPECT_EQ(*named["owner_kind"].AsString(), "Deployment");
  EXPECT_EQ(*named["owner_name"].AsString(), "web");
  EXPECT_EQ(*named["gpus_requested"].AsNumberText(), "2");
  const auto& unnamed = json["data"][2];
  EXPECT_EQ(*unnamed["pod"].AsString(), "new");
  EXPECT_EQ(*unnamed["gpus_requested"].AsNumberText(), "2");
  EXPECT_EQ(*unnamed["node_names"][0].AsString(), "a");
  for (const char* const field :
       {"gpus", "gpus_shared", "gpu_share", "memory_used_bytes", "timestamp"}) {
    EXPECT_TRUE(unnamed[field].is_null()) << field;
    EXPECT_EQ(*unnamed["null_reasons"][field].AsString(), "not_exported") << field;
  }
  const auto& untold = json["data"][3];
  for (const char* const field : {"phase", "owner_kind", "owner_name", "gpus_requested"}) {
    EXPECT_TRUE(untold[field].is_null()) << field;
    EXPECT_EQ(*untold["null_reasons"][field].AsString(), "not_exported") << field;
  }
  ASSERT_EQ(json["meta"]["sources"].size(), 2U);
  EXPECT_EQ(*json["meta"]["sources"][1].AsString(), "kube_state_metrics");
  EXPECT_FALSE(*json["meta"]["partial"].AsBool());
}

TEST_F(UsageRouteTest, WhatKubeStateMetricsTellsFiltersSortsAndGroups) {
  Serve(Gpus());
  Serve(Told());
  EXPECT_EQ(Pods("?owner=web"), "ab");
  EXPECT_EQ(Pods("?owner_kind=J*"), "new");
  EXPECT_EQ(Pods("?phase=Running&node=a"), "abnew");
  EXPECT_EQ(Pods("?min_gpus_requested=2"), "abnew");
  EXPECT_EQ(Pods("?sort=-owner_name"), "abnewx");
  const auto owners = Get("/api/v1/gpu/workloads?by=owner").json();
  ASSERT_EQ(owners["data"].size(), 3U);
  const auto& web = owners["data"][0];
  EXPECT_EQ(*web["owner_name"].AsString(), "web");
  EXPECT_TRUE(web["pod"].is_null());
  EXPECT_EQ(*web["pods"].AsNumberText(), "2");
  EXPECT_EQ(*web["gpus"].AsNumberText(), "1") << "one that both hold";
  EXPECT_EQ(*web["gpus_requested"].AsNumberText(), "4");
  const auto csv =
      Get("/api/v1/gpu/workloads?by=owner&format=csv&fields=owner_name,gpus_requested");
  EXPECT_EQ(csv.body(), "owner_name,gpus_requested\r\nweb,4\r\neval,2\r\n,\r\n");
}

TEST_F(UsageRouteTest, WithoutAnAnswerAboutPodsExportersStillTell) {
  Serve(Gpus());
  source_.pods = Error(Code::kUpstreamTimeout, "late");
  const auto json = Get("/api/v1/gpu/workloads").json();
  ASSERT_EQ(json["data"].size(), 3U);
  EXPECT_EQ(*json["data"][2]["gpus"].AsNumberText(), "1");
  EXPECT_TRUE(*json["meta"]["partial"].AsBool());
  EXPECT_EQ(*json["warnings"][0].AsString(), "pods: query failed (upstream_timeout)");
  for (const char* const field : {"phase", "owner_kind", "owner_name", "gpus_requested"}) {
    EXPECT_EQ(*json["data"][2]["null_reasons"][field].AsString(), "query_failed") << field;
  }
  EXPECT_EQ(Get("/api/v1/gpu/workloads?partial=abort").status(), 502);
  Serve(Told());
  source_.gpus = Error(Code::kUpstreamTimeout, "late");
  EXPECT_EQ(Get("/api/v1/gpu/workloads").status(), 504) << "pods alone are no answer";
}

TEST_F(UsageRouteTest, OnlyWorkloadsAskForPodsAndForTheSameInstant) {
  Serve(Gpus());
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  Serve(processes);
  for (const char* const other : {"/api/v1/gpu/metrics", "/api/v1/gpu/processes",
                                  "/api/v1/gpu/users", "/api/v1/gpu/schema"}) {
    EXPECT_EQ(Get(other).status(), 200) << other;
  }
  for (const auto& want : source_.wants) EXPECT_NE(want.part, models::Part::kPods);
  source_.wants.clear();
  EXPECT_EQ(Get("/api/v1/gpu/workloads?at=1704110400&stale=never").status(), 200);
  ASSERT_EQ(source_.wants.size(), 2U);
  for (const auto& want : source_.wants) {
    EXPECT_TRUE(want.at.has_value());
    EXPECT_FALSE(want.allow_stale);
  }
}

TEST_F(UsageRouteTest, UsersComeFromBothLists) {
  Serve(Gpus());
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  processes->warnings = {"a warning"};
  auto& process = processes->processes.emplace_back();
  process.set_text(Text::kNode, "b");
  process.set_text(Text::kGpuId, "0");
  process.set_text(Text::kUser, "alice");
  Serve(processes);
  const auto json = Get("/api/v1/gpu/users").json();
  ASSERT_EQ(json["data"].size(), 1U);
  EXPECT_EQ(*json["data"][0]["user"].AsString(), "alice");
  EXPECT_EQ(json["data"][0]["gpus"].AsDouble(), 1);
  EXPECT_EQ(*json["data"][0]["gpu_names"][0].AsString(), "=H100");
  EXPECT_EQ(*json["warnings"][0].AsString(), "processes: a warning");
  source_.processes = Error(Code::kUpstreamTimeout, "late");
  EXPECT_EQ(Get("/api/v1/gpu/users").status(), 504);
}

TEST_F(UsageRouteTest, PodsOfAUserAreNullWhereNobodyTellsWhoseTheProcessIs) {
  Serve(Gpus());
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  for (const char* const user : {"alice", "bob", "carol"}) {
    auto& process = processes->processes.emplace_back();
    process.set_text(Text::kNode, "b");
    process.set_text(Text::kGpuId, "0");
    process.set_text(Text::kUser, user);
  }
  processes->processes[0].pod_untold = models::NullReason::kQueryFailed;
  Serve(processes);
  EXPECT_EQ(*Get("/api/v1/gpu/users").json()["data"][1]["null_reasons"]["pods"].AsString(),
            "not_exported")
      << "nobody tells of any";
  processes = std::make_shared<models::Snapshot>(std::move(*processes));
  processes->processes[2].set_text(Text::kPod, "train-0");
  Serve(processes);
  const auto json = Get("/api/v1/gpu/users").json();
  ASSERT_EQ(json["data"].size(), 3U);
  EXPECT_TRUE(json["data"][0]["pods"].is_null());
  EXPECT_EQ(*json["data"][0]["null_reasons"]["pods"].AsString(), "query_failed");
  EXPECT_EQ(json["data"][1]["pods"].size(), 0U) << "in no pod";
  EXPECT_TRUE(json["data"][1]["pods"].is_array());
}

TEST_F(UsageRouteTest, AnUnchangedAnswerIsNotSentAgain) {
  Serve(Gpus());
  const std::string etag = Get("/api/v1/gpu/workloads").header("ETag");
  ASSERT_FALSE(etag.empty());
  EXPECT_EQ(Get("/api/v1/gpu/workloads", {{"If-None-Match", etag}}).status(), 304);
}

TEST_F(UsageRouteTest, SchemaAnswersFromBothSnapshots) {
  Serve(Gpus());
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  Serve(processes);
  const auto json = Get("/api/v1/gpu/schema").json();
  EXPECT_EQ(*json["data"]["as_of"].AsString(), "2024-01-01T12:00:00Z");
  EXPECT_GT(json["data"]["fields"].size(), 50U);
}

}  // namespace
}  // namespace gpumon::handlers
