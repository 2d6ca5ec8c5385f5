#include "cmd/gpu-demo-peers/hakuriver_host.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/cmd/gpu-demo-peers/asking.h"

namespace gpumon::demo {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class HakuRiverHostTest : public testing::Test {
 protected:
  Answer Ask(const std::string& target, WallTime now = kNoon,
             std::vector<std::pair<std::string, std::string>> query = {},
             const std::string& method = "GET") {
    return demo::Ask(rows_, target, now, std::move(query), method);
  }
  Answer Post(const std::string& target, WallTime now = kNoon) {
    return Ask(target, now, {}, "POST");
  }
  json::Value Json(const std::string& target, WallTime now = kNoon) {
    return JsonOf(Ask(target, now));
  }
  json::Value::Array List(const std::string& target, WallTime now = kNoon) {
    return Json(target, now).elements();
  }
  // The id of a task of that status; "" when there is none.
  std::string Find(const std::string& list, const std::string& status, WallTime now = kNoon) {
    for (const json::Value& task : List(list, now)) {
      if (TextOf(task["status"]) == status) return TextOf(task["task_id"]);
    }
    return "";
  }

  const exporter::Fleet fleet_ = MakeFleet();
  HakuRiverHost host_{fleet_};
  const std::vector<Row> rows_ = host_.Rows();
};

TEST_F(HakuRiverHostTest, ItsNodesAreTheFleetsAndOneThatIsOffline) {
  const json::Value nodes = Json("/api/nodes");
  ASSERT_EQ(nodes.size(), 5U);
  const exporter::FleetState state = fleet_.At(kNoon);
  for (std::size_t n = 0; n < 4; ++n) {
    EXPECT_EQ(TextOf(nodes[n]["hostname"]), fleet_.nodes()[n].name);
    EXPECT_EQ(TextOf(nodes[n]["status"]), "online");
    EXPECT_EQ(*nodes[n]["cores_in_use"].AsInteger() + *nodes[n]["available_cores"].AsInteger(),
              *nodes[n]["total_cores"].AsInteger());
    for (const json::Value& gpu : nodes[n]["gpu_info"].elements()) {
      const auto index = static_cast<std::size_t>(*gpu["gpu_id"].AsInteger());
      const exporter::GpuState& real = state.gpus[n * 8 + index];
      EXPECT_EQ(TextOf(gpu["name"]), real.model->name);
      EXPECT_EQ(gpu["gpu_utilization"].AsInteger(), real.utilization);
      EXPECT_EQ(gpu["memory_used_mib"].AsDouble(), real.memory_used_mib);
    }
  }
  EXPECT_EQ(TextOf(nodes[4]["hostname"]), "demo-offline");
  EXPECT_EQ(TextOf(nodes[4]["status"]), "offline");
  EXPECT_EQ(TextOf(nodes[4]["cores_in_use"]), "N/A");
}

TEST_F(HakuRiverHostTest, WhatABoardDoesNotTellIsMinusOne) {
  std::set<std::int64_t> fans;
  const json::Value nodes = Json("/api/nodes");
  for (const json::Value& gpu : nodes[0]["gpu_info"].elements()) {
    fans.insert(*gpu["fan_speed"].AsInteger());
  }
  EXPECT_EQ(fans, std::set<std::int64_t>{-1});
}

TEST_F(HakuRiverHostTest, HealthIsTheLastMinuteOldestFirst) {
  const json::Value health = Json("/api/health");
  EXPECT_EQ(health["nodes"].size(), 60U);
  EXPECT_EQ(health["aggregate"].size(), 60U);
  EXPECT_LT(TextOf(health["aggregate"][0]["lastUpdated"]),
            TextOf(health["aggregate"][59]["lastUpdated"]));
  EXPECT_EQ(health["aggregate"][59]["totalNodes"].AsInteger(), 5);
  EXPECT_EQ(health["aggregate"][59]["onlineNodes"].AsInteger(), 4);
  const json::Value one = JsonOf(Ask("/api/health", kNoon, {{"hostname", "gpu-node-2"}}));
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(TextOf(one[0]["hostname"]), "gpu-node-2");
  EXPECT_EQ(Ask("/api/health", kNoon, {{"hostname", "n9"}}).status, 404);
}

TEST_F(HakuRiverHostTest, ALargeFleetIsLookedAtLessOften) {
  const exporter::Fleet large = MakeFleet({.nodes = 1250, .gpus_per_node = 8});
  HakuRiverHost host(large);
  EXPECT_EQ(JsonOf(demo::Ask(host.Rows(), "/api/health"))["nodes"].size(), 2U);
}

TEST_F(HakuRiverHostTest, TasksRunWaitAndEndAndAVpsIsPaused) {
  std::set<std::string> statuses;
  std::set<std::string> vps;
  for (int minute = 0; minute < 60; ++minute) {
    const WallTime now = kNoon + std::chrono::minutes(minute);
    for (const json::Value& task : List("/api/tasks", now)) {
      statuses.insert(TextOf(task["status"]));
      EXPECT_EQ(TextOf(task["task_type"]), "command");
      EXPECT_THAT(TextOf(task["name"]), StartsWith("demo-"));
    }
    for (const json::Value& task : List("/api/vps/status", now)) {
      vps.insert(TextOf(task["status"]));
    }
  }
  for (const char* const status : {"pending", "running", "completed", "failed"}) {
    EXPECT_TRUE(statuses.contains(status)) << status;
  }
  EXPECT_EQ(vps, (std::set<std::string>{"paused", "running"}));
}

TEST_F(HakuRiverHostTest, AnEndedTaskStaysKnownAndTheSame) {
  const std::string id = Find("/api/tasks", "completed");
  ASSERT_NE(id, "");
  const json::Value then = Json("/api/status/" + id);
  const json::Value later = Json("/api/status/" + id, kNoon + std::chrono::minutes(20));
  EXPECT_EQ(TextOf(later["completed_at"]), TextOf(then["completed_at"]));
  EXPECT_EQ(later["exit_code"].AsInteger(), 0);
  EXPECT_EQ(later["required_gpus"].size(), then["required_gpus"].size());
  EXPECT_GT(later["required_gpus"].size(), 0U);
  EXPECT_GT(id.size(), 18U) << "ids have 63 bits";
}

TEST_F(HakuRiverHostTest, ARunningTaskEnds) {
  const std::string id = Find("/api/tasks", "running");
  ASSERT_NE(id, "");
  std::string status = "running";
  for (int minute = 1; minute < 30 && status == "running"; ++minute) {
    status = TextOf(Json("/api/status/" + id, kNoon + std::chrono::minutes(minute))["status"]);
  }
  EXPECT_TRUE(status == "completed" || status == "failed" || status == "killed_oom") << status;
}

TEST_F(HakuRiverHostTest, TheListOfTasksIsFilteredAndCut) {
  const auto only = JsonOf(Ask("/api/tasks", kNoon, {{"status", "completed"}}));
  ASSERT_GT(only.size(), 2U);
  for (const json::Value& task : only.elements()) EXPECT_EQ(TextOf(task["status"]), "completed");
  const auto cut =
      JsonOf(Ask("/api/tasks", kNoon, {{"status", "completed"}, {"offset", "1"}, {"limit", "1"}}));
  ASSERT_EQ(cut.size(), 1U);
  EXPECT_EQ(TextOf(cut[0]["task_id"]), TextOf(only[1]["task_id"]));
}

TEST_F(HakuRiverHostTest, LogsGrowWithTheRunAndHaveALastPart) {
  const std::string id = Find("/api/tasks", "running");
  const std::string target = "/api/tasks/" + id + "/stdout";
  const Answer first = Ask(target);
  EXPECT_EQ(first.content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(first.body, StartsWith("demo: made-up output of demo-"));
  const Answer second = Ask(target, kNoon + std::chrono::seconds(4));
  EXPECT_THAT(second.body, StartsWith(first.body));
  EXPECT_GT(second.body.size(), first.body.size());
  const Answer last = Ask(target, kNoon + std::chrono::seconds(4), {{"lines", "1"}});
  EXPECT_EQ(std::count(last.body.begin(), last.body.end(), '\n'), 1);
  EXPECT_THAT(second.body, EndsWith(last.body));
  EXPECT_THAT(Ask("/api/tasks/" + id + "/stderr").body, StartsWith("demo: made-up errors of"));
}

TEST_F(HakuRiverHostTest, AVpsHasNoLogs) {
  const std::string id = TextOf(Json("/api/vps")[0]["task_id"]);
  for (const std::string stream : {"stdout", "stderr"}) {
    const Answer answer = Ask("/api/tasks/" + id + "/" + stream);
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("VPS tasks do not have " + stream));
  }
}

TEST_F(HakuRiverHostTest, WhatIsNoTaskIsRefused) {
  EXPECT_EQ(Ask("/api/status/1").status, 404);
  EXPECT_EQ(Ask("/api/status/none").status, 422);
  EXPECT_EQ(Ask("/api/tasks/1/stdout").status, 404);
}

TEST_F(HakuRiverHostTest, PauseResumeAndKillAreRemembered) {
  const std::string id = Find("/api/tasks", "running");
  const auto status = [&] { return TextOf(Json("/api/status/" + id)["status"]); };
  EXPECT_EQ(Post("/api/command/" + id + "/resume").status, 400);
  EXPECT_EQ(Post("/api/command/" + id + "/pause").status, 200);
  EXPECT_EQ(status(), "paused");
  EXPECT_EQ(Post("/api/command/" + id + "/resume").status, 200);
  EXPECT_EQ(status(), "running");
  EXPECT_EQ(Post("/api/kill/" + id).status, 202);
  EXPECT_EQ(status(), "killed");
  EXPECT_EQ(Post("/api/kill/" + id).status, 409);
}

}  // namespace
}  // namespace gpumon::demo
