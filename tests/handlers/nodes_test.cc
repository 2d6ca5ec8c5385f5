#include "handlers/nodes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using json::Value;
using models::NodeQuantity;

constexpr char kNodes[] = "/api/v1/gpu/nodes";

class NodesRouteTest : public HandlersTest {
 protected:
  void ServeAll() {
    Serve(ThreeGpus());
    Serve(NoProcesses());
    Serve(OneNode());
  }
  static std::shared_ptr<models::Snapshot> NoProcesses() {
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->part = models::Part::kProcesses;
    return snapshot;
  }
  // A node that Kubernetes knows, beside what OneNode has.
  static models::Node& Add(models::Snapshot& snapshot, const char* name) {
    models::Node& node = snapshot.nodes.emplace_back();
    node.name = name;
    node.in_kubernetes = true;
    return node;
  }
  static std::string Text(const Value& value) {
    if (value.is_null()) return "null";
    if (const auto* text = value.AsString()) return *text;
    if (const auto truth = value.AsBool()) return *truth ? "true" : "false";
    return *value.AsNumberText();
  }
  // "name status" of each row.
  std::string Statuses(const std::string& query = "") {
    std::string text;
    const auto json = Get(kNodes + query).json();
    for (const auto& row : json["data"].elements()) {
      text += Text(row["node_name"]) + ' ' + Text(row["status"]) + "; ";
    }
    return text;
  }
};

TEST_F(NodesRouteTest, ARowHasWhatExportersAndKubernetesSay) {
  ServeAll();
  const auto json = Get(kNodes).json();
  ASSERT_EQ(json["data"].size(), 2U);
  const Value& a = json["data"][0];
  for (const auto& [field, value] :
       {std::pair("node_name", "a"), std::pair("status", "online"), std::pair("gpu_count", "2"),
        std::pair("utilization_max", "75.5"), std::pair("gpus_capacity", "4"),
        std::pair("gpus_allocatable", "3"), std::pair("gpus_requested", "2"),
        std::pair("gpus_free", "1"), std::pair("ready", "true"), std::pair("cores_total", "16.0"),
        std::pair("cores_available", "11.5"), std::pair("cpu", "12.5"), std::pair("load1", "3.0"),
        std::pair("busy", "1"), std::pair("last_seen", "2024-01-01T12:00:00Z")}) {
    EXPECT_EQ(Text(a[field]), value) << field;
  }
  EXPECT_EQ(*a["models"][0].AsString(), "NVIDIA Tesla V100");
  EXPECT_EQ(*a["namespaces"][0].AsString(), "ml");
  EXPECT_EQ(Text(a["disks"][0]["available_bytes"]), "400");
  EXPECT_EQ(Text(a["numa_nodes"][0]["id"]), "0");
  EXPECT_EQ(Text(a["exporters"][0]["state"]), "frozen");
  EXPECT_EQ(Text(a["exporters"][0]["age_seconds"]), "15.0");
  EXPECT_EQ(Text(a["exporters"][1]["exporter"]), "node_exporter");
  EXPECT_TRUE(a["network_rx"].is_null());
  EXPECT_EQ(Text(a["null_reasons"]["network_rx"]), "invalid_value");
  EXPECT_EQ(json["meta"]["sources"].size(), 3U);
  EXPECT_EQ(*json["message"].AsString(), "GPU nodes retrieved successfully");
}

TEST_F(NodesRouteTest, WhatNobodyTellsOfANodeIsNull) {
  ServeAll();
  const auto json = Get(kNodes).json();
  const Value& b = json["data"][1];
  EXPECT_EQ(Text(b["node_name"]), "b");
  EXPECT_EQ(Text(b["gpu_count"]), "1");
  for (const char* const field : {"cpu", "ready", "gpus_capacity", "gpus_free", "disks",
                                  "numa_nodes", "exporters", "cores_available", "cores_total"}) {
    EXPECT_TRUE(b[field].is_null()) << field;
    EXPECT_EQ(Text(b["null_reasons"][field]), "not_exported") << field;
  }
  EXPECT_TRUE(b["status_reason"].is_null());
  EXPECT_EQ(b["null_reasons"].Find("status_reason"), nullptr) << "there is none to know";
}

TEST_F(NodesRouteTest, ANodeWithoutAnExporterIsARowOnlyWhereKubernetesGivesItGpus) {
  Serve(ThreeGpus());
  Serve(NoProcesses());
  auto nodes = OneNode();
  Add(*nodes, "cpu");
  models::Node& blind = Add(*nodes, "blind");
  blind.has_gpus = true;
  blind.readings.Set(static_cast<std::size_t>(NodeQuantity::kGpusCapacity), 8);
  Serve(nodes);
  EXPECT_EQ(Statuses(), "a online; b online; blind online; ");
  const auto json = Get(std::string(kNodes) + "/blind").json();
  EXPECT_EQ(Text(json["data"]["gpus_capacity"]), "8");
  EXPECT_TRUE(json["data"]["gpu_count"].is_null()) << "nobody shows one: that is not none";
  EXPECT_TRUE(json["data"]["free"].is_null());
  EXPECT_EQ(Text(json["data"]["level"]), "unknown");
}

TEST_F(NodesRouteTest, ANodeIsOfflineForThreeReasons) {
  Serve(ThreeGpus());
  Serve(NoProcesses());
  auto nodes = OneNode();
  nodes->nodes[0].readings.Set(static_cast<std::size_t>(NodeQuantity::kReady), 0);
  models::Node& gone = Add(*nodes, "gone");
  gone.has_gpus = true;
  gone.vanished = 1704110000;
  models::Node& deaf = Add(*nodes, "deaf");
  deaf.has_gpus = true;
  deaf.parts.targets = {2, 1};
  nodes->targets.push_back(
      {"dcgm", "gpu", "10.0.0.2:9400", models::TargetState::kDown, true, false, 1704110300});
  Serve(nodes);
  EXPECT_EQ(Statuses(), "a offline; b online; deaf offline; gone offline; ");
  EXPECT_EQ(Statuses("?status=online"), "b online; ");
  const auto json = Get(kNodes).json();
  EXPECT_EQ(Text(json["data"][0]["status_reason"]), "not ready in Kubernetes");
  EXPECT_EQ(Text(json["data"][2]["status_reason"]), "its exporters are down");
  EXPECT_EQ(Text(json["data"][2]["last_seen"]), "2024-01-01T11:58:20Z");
  EXPECT_EQ(Text(json["data"][2]["null_reasons"]["gpu_count"]), "exporter_down");
  EXPECT_EQ(Text(json["data"][3]["status_reason"]), "Kubernetes no longer lists it");
  EXPECT_EQ(Text(json["data"][3]["last_seen"]), "2024-01-01T11:53:20Z");
}

TEST_F(NodesRouteTest, AProcessTellsOfAGpuThatNobodyShows) {
  ServeAll();
  Serve(TwoProcesses());
  const auto json = Get(std::string(kNodes) + "/gpu-node-1").json();
  EXPECT_TRUE(json["data"]["gpu_count"].is_null()) << "not 0";
  EXPECT_EQ(Text(json["data"]["null_reasons"]["gpu_count"]), "not_exported");
}

TEST_F(NodesRouteTest, ADomainMakesNoOtherNode) {
  Serve(ThreeGpus());
  Serve(NoProcesses());
  auto nodes = OneNode();
  nodes->nodes[0].name = "a.example.com";
  Serve(nodes);
  EXPECT_EQ(Statuses(), "a online; b online; ");
  EXPECT_EQ(Text(Get(kNodes).json()["data"][0]["cpu"]), "12.5");
  Add(*nodes, "a.example.org");
  EXPECT_TRUE(Get(kNodes).json()["data"][0]["cpu"].is_null()) << "one of two, nobody knows which";
}

TEST_F(NodesRouteTest, ALostGpuCountsInTheScore) {
  ServeOneLost(ThreeGpus(), ThreeGpus());
  const auto json = Get("/api/v1/gpu/nodes?node=b").json();
  ASSERT_EQ(json["data"].size(), 1U);
  const auto& row = json["data"][0];
  EXPECT_EQ(*row["gpu_count"].AsNumberText(), "1");
  EXPECT_EQ(*row["gpus_lost"].AsNumberText(), "1");
  const auto health = Get("/api/v1/gpu/health?by=node&node=b").json();
  EXPECT_EQ(*row["score"].AsNumberText(), *health["data"][0]["score"].AsNumberText());
  EXPECT_EQ(*health["data"][0]["critical"].AsNumberText(), "1");
  EXPECT_EQ(*Get("/api/v1/gpu/nodes/b").json()["data"]["gpus_lost"].AsNumberText(), "1");
}

TEST_F(NodesRouteTest, ANodeWhoseGpusAreAllLostHasAScore) {
  const auto without_b = [](double later) {
    auto gpus = ThreeGpus();
    gpus->as_of += later;
    std::erase_if(gpus->gpus, [](const auto& row) { return row.text(models::Text::kNode) == "b"; });
    return gpus;
  };
  ServeOneLost(without_b(0), without_b(0));
  Get("/api/v1/gpu/nodes");
  Serve(without_b(600));
  auto nodes = OneNode();
  nodes->as_of += 600;
  nodes->nodes[0].name = "b";
  nodes->targets[0].state = models::TargetState::kUp;
  Serve(nodes);
  const auto json = Get("/api/v1/gpu/nodes?node=b").json();
  ASSERT_EQ(json["data"].size(), 1U);
  EXPECT_EQ(*json["data"][0]["gpu_count"].AsNumberText(), "0");
  EXPECT_EQ(*json["data"][0]["gpus_lost"].AsNumberText(), "1");
  EXPECT_EQ(*json["data"][0]["level"].AsString(), "critical");
  EXPECT_TRUE(json["data"][0]["utilization"].is_null());
}

TEST_F(NodesRouteTest, WhenNodesCannotBeHadTheRestIsPartial) {
  ServeAll();
  source_.nodes = Error(Code::kUpstreamTimeout, "too late");
  const auto json = Get(kNodes).json();
  EXPECT_TRUE(*json["meta"]["partial"].AsBool());
  EXPECT_EQ(Text(json["data"][0]["gpu_count"]), "2");
  EXPECT_EQ(Text(json["data"][0]["null_reasons"]["cpu"]), "query_failed");
  EXPECT_EQ(Text(json["warnings"][0]), "nodes: query failed (upstream_timeout)");
  EXPECT_EQ(Get(std::string(kNodes) + "?partial=abort").status(), 502);
  EXPECT_EQ(Get(std::string(kNodes) + "/blind").status(), 504) << "it may be there";
}

TEST_F(NodesRouteTest, OneNodeIsAnObjectAndAnUnknownOneIs404) {
  ServeAll();
  const auto json = Get(std::string(kNodes) + "/a").json();
  EXPECT_EQ(Text(json["data"]["node_name"]), "a");
  EXPECT_EQ(Text(json["data"]["null_reasons"]["network_rx"]), "invalid_value");
  EXPECT_EQ(Text(json["meta"]["total"]), "1");
  EXPECT_EQ(Get(std::string(kNodes) + "/%61").status(), 200) << "the same name";
  const auto fields = Get(std::string(kNodes) + "/a?fields=cpu,status").json();
  EXPECT_EQ(fields["data"].members().size(), 2U);
  const Answer unknown = Get(std::string(kNodes) + "/zz");
  EXPECT_EQ(unknown.status(), 404);
  EXPECT_EQ(Text(unknown.json()["code"]), "not_found");
  for (const char* const bad : {"/a*", "/a%20b", "/%C3%A4", "/a%22b"}) {
    const Answer refused = Get(kNodes + std::string(bad));
    EXPECT_EQ(refused.status(), 400) << bad;
    EXPECT_EQ(Text(refused.json()["code"]), "invalid_parameter");
  }
  EXPECT_EQ(Get(std::string(kNodes) + "/a?limit=1").status(), 400) << "it is one";
}

TEST_F(NodesRouteTest, ListParametersWork) {
  ServeAll();
  EXPECT_EQ(Statuses("?node=b*"), "b online; ");
  EXPECT_EQ(Statuses("?model=NVIDIA*&namespace=ml"), "a online; ");
  EXPECT_EQ(Statuses("?sort=-gpu_count&limit=1"), "a online; ");
  EXPECT_EQ(Statuses("?min_cpu=10"), "a online; ") << "what is null passes no bound";
  EXPECT_EQ(Get(std::string(kNodes) + "?format=csv&fields=node_name,ready,disks,exporters").body(),
            "node_name,ready,disks,exporters\r\n"
            "a,true,mountpoint=/ device=/dev/sda1 type=ext4 size_bytes=1000 available_bytes=400,"
            "exporter=dcgm job=gpu instance=10.0.0.1:9400 state=frozen age_seconds=15; "
            "exporter=node_exporter job=node instance=10.0.0.1:9100 state=up age_seconds=5\r\n"
            "b,,,\r\n");
  EXPECT_EQ(Get(std::string(kNodes) + "?sort=disks").status(), 400);
}

}  // namespace
}  // namespace gpumon::handlers
