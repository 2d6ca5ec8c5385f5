#include "handlers/tasks.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using json::Value;

constexpr char kTasks[] = "/api/v1/gpu/tasks";

class TasksRouteTest : public HandlersTest {
 protected:
  TasksRouteTest() {
    Serve(ThreeGpus());
    Serve(TwoTasks());
  }
  static std::string Text(const Value& value) {
    if (value.is_null()) return "null";
    const auto* const text = value.AsString();
    return text != nullptr ? *text : *value.AsNumberText();
  }
};

TEST_F(TasksRouteTest, APodAndItsJobAreRows) {
  const auto json = Get(kTasks).json();
  ASSERT_EQ(json["data"].size(), 2U);
  const Value& job = json["data"][0];
  const Value& pod = json["data"][1];
  EXPECT_EQ(Text(job["kind"]), "Job");
  EXPECT_EQ(Text(job["name"]), "train");
  EXPECT_EQ(Text(job["pods_active"]), "1");
  EXPECT_EQ(Text(job["gpus_held"]), "1") << "its pod's";
  EXPECT_EQ(*job["node_names"][0].AsString(), "a");
  EXPECT_EQ(Text(pod["kind"]), "Pod");
  EXPECT_EQ(Text(pod["job"]), "train");
  EXPECT_EQ(Text(pod["phase"]), "Running");
  EXPECT_EQ(Text(pod["gpus_requested"]), "2");
  EXPECT_EQ(Text(pod["cores_requested"]), "4.0");
  EXPECT_EQ(Text(pod["gpus_held"]), "1");
  EXPECT_EQ(*pod["gpu_names"][0].AsString(), "NVIDIA Tesla V100");
  EXPECT_EQ(Text(pod["error"]), "OOMKilled");
  EXPECT_EQ(Text(pod["exit_code"]), "137");
  EXPECT_EQ(Text(pod["submitted"]), "2024-01-01T11:58:20Z");
  EXPECT_EQ(Text(pod["owner_kind"]), "CronJob");
  EXPECT_EQ(*json["message"].AsString(), "GPU tasks retrieved successfully");
}

TEST_F(TasksRouteTest, WhatIsNotKnownHasAReasonAndWhatDoesNotApplyHasNone) {
  const auto json = Get(kTasks).json();
  const Value& pod = json["data"][1];
  EXPECT_TRUE(pod["memory_requested_bytes"].is_null());
  EXPECT_EQ(Text(json["meta"]["null_reasons"]["memory_requested_bytes"]), "not_exported");
  for (const char* const field : {"completed", "pods_active", "completions", "reason"}) {
    EXPECT_TRUE(pod[field].is_null()) << field;
    EXPECT_EQ(pod["null_reasons"].Find(field), nullptr) << field;
  }
}

TEST_F(TasksRouteTest, WhatFailedIsNullForThatReason) {
  auto tasks = TwoTasks();
  tasks->partial = true;
  Serve(tasks);
  source_.gpus = Error(Code::kUpstreamTimeout, "too late");
  const auto json = Get(kTasks).json();
  EXPECT_TRUE(*json["meta"]["partial"].AsBool());
  const Value& pod = json["data"][1];
  EXPECT_EQ(Text(pod["null_reasons"]["memory_requested_bytes"]), "query_failed");
  EXPECT_EQ(Text(pod["null_reasons"]["gpus_held"]), "query_failed") << "it runs";
  EXPECT_EQ(Get(std::string(kTasks) + "?partial=abort").status(), 502);
  source_.tasks = Error(Code::kUpstreamTimeout, "too late");
  EXPECT_EQ(Get(kTasks).status(), 504);
}

TEST_F(TasksRouteTest, WhatDoesNotRunHoldsNothing) {
  auto tasks = TwoTasks();
  for (auto& task : tasks->tasks) {
    task.name_space = "other";
    task.phase = task.kind == "Pod" ? models::kPending : models::kRunning;
  }
  Serve(tasks);
  const auto json = Get(kTasks).json();
  EXPECT_EQ(Text(json["data"][1]["gpus_held"]), "0");
  EXPECT_TRUE(json["data"][0]["gpus_held"].is_null()) << "no exporter says which";
}

TEST_F(TasksRouteTest, WhoHoldsAGpuIsNotKnownWhereAQueryForGpusFailed) {
  auto tasks = TwoTasks();
  for (auto& task : tasks->tasks) task.name_space = "other";
  Serve(tasks);
  auto gpus = ThreeGpus();
  gpus->partial = true;
  Serve(gpus);
  const auto json = Get(kTasks).json();
  EXPECT_EQ(Text(json["data"][1]["null_reasons"]["gpus_held"]), "query_failed");
}

TEST_F(TasksRouteTest, OneTaskHasItsGpusAndPods) {
  const auto job = Get(std::string(kTasks) + "/ml/train").json();
  EXPECT_EQ(Text(job["data"]["kind"]), "Job");
  ASSERT_EQ(job["data"]["gpus"].size(), 1U);
  EXPECT_EQ(Text(job["data"]["gpus"][0]["node_name"]), "a");
  EXPECT_EQ(Text(job["data"]["gpus"][0]["utilization"]), "75.5");
  ASSERT_EQ(job["data"]["pods"].size(), 1U);
  EXPECT_EQ(Text(job["data"]["pods"][0]["name"]), "train-0");
  EXPECT_EQ(Text(job["data"]["pods"][0]["exit_code"]), "137");
  const auto pod = Get(std::string(kTasks) + "/ml/train-0").json();
  EXPECT_TRUE(pod["data"]["pods"].is_null());
  EXPECT_EQ(pod["data"]["gpus"].size(), 1U);
  const auto none = Get(std::string(kTasks) + "/ml/none");
  EXPECT_EQ(none.status(), 404);
  // By these gpuctl status tells it from a path that there is not.
  EXPECT_EQ(Text(none.json()["code"]), "not_found");
  EXPECT_NE(Text(none.json()["error"]).find(kTasks), std::string::npos);
  EXPECT_EQ(Get(std::string(kTasks) + "/other/train").status(), 404);
  EXPECT_EQ(Get(std::string(kTasks) + "/ml/tr*").status(), 400);
  EXPECT_NE(Get(std::string(kTasks) + "/m%20l/train").body().find("namespace"), std::string::npos);
}

TEST_F(TasksRouteTest, ListParametersWork) {
  const auto names = [&](const std::string& query) {
    return Get(kTasks + query + "&format=csv&fields=name").body();
  };
  EXPECT_EQ(names("?kind=Pod"), "name\r\ntrain-0\r\n");
  EXPECT_EQ(names("?kind=J*"), "name\r\ntrain\r\n");
  EXPECT_EQ(Get(std::string(kTasks) + "?kind=foo").status(), 400);
  EXPECT_NE(Get(std::string(kTasks) + "?kind=foo").body().find("Pod|Job"), std::string::npos);
  EXPECT_EQ(names("?name=train"), "name\r\ntrain\r\n");
  EXPECT_EQ(names("?namespace=other"), "name\r\n");
  EXPECT_EQ(names("?node=a&model=NVIDIA*&sort=-name&limit=1"), "name\r\ntrain-0\r\n");
  EXPECT_EQ(names("?error=OOM*"), "name\r\ntrain-0\r\n");
  EXPECT_EQ(Get(std::string(kTasks) + "?at=2024-01-01T00:00:00Z").status(), 200);
  EXPECT_TRUE(source_.wants.back().at.has_value());
}

}  // namespace
}  // namespace gpumon::handlers
