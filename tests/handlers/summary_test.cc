#include "handlers/summary.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using models::Quantity;
using models::Text;

class SummaryRouteTest : public HandlersTest {
 protected:
  using Readings = std::vector<std::pair<Quantity, double>>;

  static models::GpuMetrics& Add(models::Snapshot& snapshot, const char* node, const char* id,
                                 const Readings& readings) {
    auto& row = snapshot.gpus.emplace_back();
    row.set_text(Text::kNode, node);
    row.set_text(Text::kGpuId, id);
    row.set_text(Text::kGpuName, node[0] == 'a' ? "H100" : "A100");
    row.newest = row.oldest = 1704110399;
    for (const auto& [quantity, value] : readings) {
      row.readings.Set(static_cast<std::size_t>(quantity), value);
    }
    return row;
  }

  // a: busy, held by a pod, held by a process, free, unhealthy, unknown; b: divided, one part busy.
  static std::shared_ptr<models::Snapshot> Gpus() {
    const std::pair idle{Quantity::kUtilization, 0.0};
    const std::pair empty{Quantity::kMemoryUsedPercent, 0.0};
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->as_of = 1704110400;
    snapshot->sources = {"dcgm"};
    snapshot->workloads = {{"ml", "train", "c"}};
    Add(*snapshot, "a", "0",
        {{Quantity::kUtilization, 90},
         {Quantity::kPower, 300},
         {Quantity::kTemperature, 70},
         {Quantity::kMemoryUsed, 40},
         {Quantity::kMemoryTotal, 80}});
    Add(*snapshot, "a", "1", {idle, empty, {Quantity::kTemperature, 30}}).workload_count = 1;
    Add(*snapshot, "a", "2", {idle, empty, {Quantity::kMemoryUsed, 1}});
    Add(*snapshot, "a", "3", {idle, empty});
    Add(*snapshot, "a", "4", {{Quantity::kUtilization, 90}, {Quantity::kXidLast, 79}});
    Add(*snapshot, "a", "5", {});
    Add(*snapshot, "b", "0", {{Quantity::kPower, 200}}).divided = true;
    Add(*snapshot, "b", "0", {idle, empty}).set_text(Text::kMigGpuInstance, "1");
    Add(*snapshot, "b", "0", {{Quantity::kUtilization, 50}}).set_text(Text::kMigGpuInstance, "2");
    return snapshot;
  }
  static std::shared_ptr<models::Snapshot> Processes() {
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->part = models::Part::kProcesses;
    snapshot->sources = {"nvidia_smi"};
    for (const char* const user : {"ann", "ann", "bob"}) {
      auto& row = snapshot->processes.emplace_back();
      row.set_text(Text::kNode, "a");
      row.set_text(Text::kGpuId, "2");
      row.set_text(Text::kUser, user);
    }
    return snapshot;
  }
  static std::shared_ptr<models::Snapshot> Pods() {
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->part = models::Part::kPods;
    snapshot->sources = {"kube_state_metrics"};
    const auto add = [&](const char* node, std::string_view phase, double gpus) {
      models::Pod& pod = snapshot->pods.emplace_back();
      pod.name_space = "nlp";
      pod.node = node;
      pod.phase = phase;
      pod.gpus_requested = gpus;
    };
    add("a", models::kRunning, 2);
    add("b", models::kRunning, 1);
    add("", models::kPending, 8);
    add("a", models::kSucceeded, 4);
    return snapshot;
  }

  void ServeAll() {
    Serve(Gpus());
    Serve(Processes());
    Serve(Pods());
  }

  // "gpus = busy+idle_held+free+unhealthy+unknown" of each row.
  std::string States(const std::string& query) {
    std::string text;
    const auto json = Get("/api/v1/gpu/summary" + query).json();
    for (const auto& row : json["data"].elements()) {
      text += *row["gpus"].AsNumberText() + " =";
      for (const char* const state : {"busy", "idle_held", "free", "unhealthy", "unknown"}) {
        text += ' ' + *row[state].AsNumberText();
      }
      text += "; ";
    }
    return text;
  }
};

TEST_F(SummaryRouteTest, StatesAddUpToTheGpus) {
  ServeAll();
  EXPECT_EQ(States(""), "7 = 2 2 1 1 1; ");
  EXPECT_EQ(States("?by=node"), "0 = 0 0 0 0 0; 6 = 1 2 1 1 1; 1 = 1 0 0 0 0; ")
      << "a pod waits on no node";
  EXPECT_EQ(States("?by=model"), "1 = 1 0 0 0 0; 6 = 1 2 1 1 1; ") << "A100 before H100";
}

// "gpus lost score level: healthy degraded critical unknown" of each row.
TEST_F(SummaryRouteTest, LevelsAreOfTheGpusAndOfThoseLost) {
  ServeOneLost(Gpus(), Gpus());
  const auto levels = [&](const std::string& query) {
    std::string text;
    const auto json = Get("/api/v1/gpu/summary" + query).json();
    for (const auto& row : json["data"].elements()) {
      text += *row["gpus"].AsNumberText() + ' ' + *row["gpus_lost"].AsNumberText() + " =";
      for (const char* const level : {"healthy", "degraded", "critical", "unknown"}) {
        text += ' ' + *row[std::string("level_") + level].AsNumberText();
      }
      text += "; ";
    }
    return text;
  };
  EXPECT_EQ(levels(""), "7 1 = 4 0 2 2; ");
  EXPECT_EQ(levels("?by=node"), "6 0 = 4 0 1 1; 1 1 = 0 0 1 1; ");
  EXPECT_EQ(levels("?by=model"), "1 0 = 0 0 0 1; 6 0 = 4 0 1 1; 0 1 = 0 0 1 0; ");
  EXPECT_EQ(States(""), "7 = 2 1 2 1 1; ") << "what it did nobody knows";
  for (const char* const by : {"fleet", "node"}) {
    const std::string query = std::string("?sort=node_name&by=") + by;
    const auto summary = Get("/api/v1/gpu/summary" + query).json();
    const auto health = Get("/api/v1/gpu/health" + query).json();
    ASSERT_EQ(summary["data"].size(), health["data"].size());
    for (std::size_t i = 0; i < summary["data"].size(); ++i) {
      const auto& row = summary["data"][i];
      EXPECT_EQ(*row["score"].AsNumberText(), *health["data"][i]["score"].AsNumberText()) << by;
      EXPECT_EQ(*row["level"].AsString(), *health["data"][i]["level"].AsString()) << by;
    }
  }
}

TEST_F(SummaryRouteTest, WhatABoardDoesNotTellItsInstancesDo) {
  auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->as_of = 1704110400;
  Add(*snapshot, "b", "0", {{Quantity::kTemperature, 61}}).divided = true;
  for (const char* const instance : {"1", "2"}) {
    Add(*snapshot, "b", "0",
        {{Quantity::kPower, 200}, {Quantity::kMemoryUsed, 5}, {Quantity::kMemoryTotal, 10}})
        .set_text(Text::kMigGpuInstance, instance);
  }
  Serve(snapshot);
  const auto json = Get("/api/v1/gpu/summary").json();
  const auto& fleet = json["data"][0];
  EXPECT_EQ(*fleet["memory_used_bytes"].AsNumberText(), "10");
  EXPECT_EQ(*fleet["memory_total_bytes"].AsNumberText(), "20");
  EXPECT_EQ(*fleet["memory_gpus"].AsNumberText(), "1");
  EXPECT_EQ(fleet["power"].AsDouble(), 200);
  EXPECT_EQ(fleet["temperature"].AsDouble(), 61);
}

TEST_F(SummaryRouteTest, TotalsSayHowManyGpusTheyAreOf) {
  ServeAll();
  const auto json = Get("/api/v1/gpu/summary").json();
  const auto& fleet = json["data"][0];
  EXPECT_EQ(fleet["power"].AsDouble(), 500);
  EXPECT_EQ(*fleet["power_gpus"].AsNumberText(), "2");
  EXPECT_EQ(*fleet["memory_used_bytes"].AsNumberText(), "40") << "of whose total nobody tells";
  EXPECT_EQ(*fleet["memory_total_bytes"].AsNumberText(), "80");
  EXPECT_EQ(*fleet["memory_gpus"].AsNumberText(), "1");
  EXPECT_EQ(fleet["temperature"].AsDouble(), 50);
  EXPECT_EQ(fleet["temperature_max"].AsDouble(), 70);
  EXPECT_EQ(fleet["utilization"].AsDouble(), 36);
  EXPECT_EQ(*fleet["utilization_gpus"].AsNumberText(), "5");
  EXPECT_EQ(*fleet["mig_instances"].AsNumberText(), "2");
  EXPECT_EQ(*fleet["processes"].AsNumberText(), "3");
  EXPECT_EQ(*fleet["users"].AsNumberText(), "2");
  EXPECT_EQ(*fleet["namespaces"].AsNumberText(), "2");
  EXPECT_EQ(*fleet["pods_running"].AsNumberText(), "2");
  EXPECT_EQ(*fleet["pods_pending"].AsNumberText(), "1");
  EXPECT_EQ(*fleet["pods_succeeded"].AsNumberText(), "1");
  EXPECT_EQ(*fleet["pods_failed"].AsNumberText(), "0");
  EXPECT_EQ(*fleet["pods_unknown"].AsNumberText(), "0");
  EXPECT_EQ(*fleet["gpus_requested"].AsNumberText(), "3");
  EXPECT_EQ(*fleet["gpus_pending"].AsNumberText(), "8");
  EXPECT_EQ(*json["message"].AsString(), "GPU summary retrieved successfully");
  EXPECT_TRUE(fleet["node_name"].is_null());
}

TEST_F(SummaryRouteTest, WhereNoTotalIsKnownTheUsedMemoryIs) {
  auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->as_of = 1704110400;
  for (const char* const id : {"0", "1"}) {
    auto& row = Add(*snapshot, "a", id, {{Quantity::kMemoryUsed, 5}});
    row.readings.SetAbsent(static_cast<std::size_t>(Quantity::kMemoryTotal),
                           models::NullReason::kNotSupported);
    row.readings.SetAbsent(static_cast<std::size_t>(Quantity::kPower), models::NullReason::kStale);
  }
  Serve(snapshot);
  const auto json = Get("/api/v1/gpu/summary").json();
  const auto& fleet = json["data"][0];
  EXPECT_EQ(*fleet["memory_used_bytes"].AsNumberText(), "10");
  EXPECT_EQ(*fleet["memory_gpus"].AsNumberText(), "2");
  EXPECT_TRUE(fleet["memory_total_bytes"].is_null());
  EXPECT_EQ(*fleet["null_reasons"]["memory_total_bytes"].AsString(), "not_supported");
  EXPECT_EQ(*fleet["null_reasons"]["power"].AsString(), "stale") << "as of the rows";
}

TEST_F(SummaryRouteTest, WhatNobodyTellsIsNull) {
  Serve(std::make_shared<models::Snapshot>());
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  Serve(processes);
  auto pods = std::make_shared<models::Snapshot>();
  pods->part = models::Part::kPods;
  Serve(pods);
  const auto json = Get("/api/v1/gpu/summary").json();
  ASSERT_EQ(json["data"].size(), 1U);
  const auto& fleet = json["data"][0];
  EXPECT_EQ(*fleet["gpus"].AsNumberText(), "0");
  EXPECT_EQ(*fleet["level"].AsString(), "unknown");
  for (const char* const field :
       {"score", "utilization", "power", "temperature_max", "users", "pods_running"}) {
    EXPECT_TRUE(fleet[field].is_null()) << field;
  }
  EXPECT_EQ(States("?by=node"), "");
}

TEST_F(SummaryRouteTest, WithoutPhasesNobodyKnowsWhatRuns) {
  ServeAll();
  auto pods = Pods();
  for (auto& pod : pods->pods) {
    if (pod.node == "b") pod.phase = {};
  }
  Serve(pods);
  const auto nodes = Get("/api/v1/gpu/summary?by=node&node=b").json();
  ASSERT_EQ(nodes["data"].size(), 1U);
  for (const char* const field :
       {"pods_running", "pods_pending", "pods_failed", "gpus_requested", "gpus_pending"}) {
    EXPECT_TRUE(nodes["data"][0][field].is_null()) << field;
  }
  EXPECT_EQ(*nodes["data"][0]["pods_unknown"].AsNumberText(), "1");
  const auto fleet = Get("/api/v1/gpu/summary").json();
  EXPECT_EQ(*fleet["data"][0]["pods_running"].AsNumberText(), "1") << "of others they are known";
}

TEST_F(SummaryRouteTest, NamespacesAreUnknownWhereNobodyTellsWhoHolds) {
  auto gpus = Gpus();
  gpus->workloads.clear();
  for (auto& gpu : gpus->gpus) {
    gpu.workload_count = 0;
    gpu.pod_untold = models::NullReason::kQueryFailed;
  }
  Serve(gpus);
  Serve(Processes());
  auto pods = std::make_shared<models::Snapshot>();
  pods->part = models::Part::kPods;
  Serve(pods);
  const auto fleet = Get("/api/v1/gpu/summary").json();
  EXPECT_TRUE(fleet["data"][0]["namespaces"].is_null());
  EXPECT_EQ(*fleet["data"][0]["null_reasons"]["namespaces"].AsString(), "query_failed");
}

TEST_F(SummaryRouteTest, ABoardThatOnlyItsInstancesTellOfIsOneGpu) {
  auto gpus = std::make_shared<models::Snapshot>();
  gpus->as_of = 1704110400;
  gpus->sources = {"dcgm"};
  for (const char* const instance : {"1", "2"}) {
    Add(*gpus, "b", "0",
        {{Quantity::kPower, 171.2},
         {Quantity::kTemperature, 50},
         {Quantity::kUtilization, 90},
         {Quantity::kMemoryUsed, 10},
         {Quantity::kMemoryTotal, 40}})
        .set_text(Text::kMigGpuInstance, instance);
  }
  Serve(gpus);
  Serve(Processes());
  Serve(Pods());
  const auto json = Get("/api/v1/gpu/summary").json();
  const auto& fleet = json["data"][0];
  EXPECT_EQ(*fleet["gpus"].AsNumberText(), "1");
  EXPECT_EQ(*fleet["mig_instances"].AsNumberText(), "2");
  EXPECT_EQ(*fleet["busy"].AsNumberText(), "1");
  EXPECT_EQ(fleet["power"].AsDouble(), 171.2);
  EXPECT_EQ(*fleet["power_gpus"].AsNumberText(), "1");
  EXPECT_EQ(*fleet["memory_used_bytes"].AsNumberText(), "20");
  EXPECT_EQ(*fleet["memory_total_bytes"].AsNumberText(), "80");
  EXPECT_EQ(*fleet["memory_gpus"].AsNumberText(), "1");
  EXPECT_EQ(*fleet["utilization_gpus"].AsNumberText(), "0") << "a divided GPU has none of its own";
}

}  // namespace
}  // namespace gpumon::handlers
