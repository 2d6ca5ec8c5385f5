#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/handlers/fixture.h"
#include "tests/internal/fleet/fleet_rows.h"

namespace gpumon::handlers {
namespace {

using models::Text;

constexpr char kMissing[] = "/api/v1/gpu/missing";
constexpr double kAsOf = 1704110400;  // 2024-01-01T12:00:00Z
constexpr WallTime kNow{Millis(1'704'110'400'000)};
// Four instants up to now.
constexpr char kWindow[] = "?window=30s&step=10s";

class MissingRouteTest : public HandlersTest {
 protected:
  void SetUp() override { clock_.Set(kNow); }

  // At 11:59:30, :40, :50 and 12:00:00; the last one is the present.
  void See(std::vector<std::vector<fleet::FakeGpu>> instants) {
    for (const auto& instant : instants) {
      auto rows = fleet::Rows(instant);
      for (auto& row : rows->gpus) row.set_text(Text::kSource, "dcgm");
      walk_.push_back({rows});
    }
    auto present = fleet::Rows(instants.back());
    present->as_of = kAsOf;
    Serve(present);
  }
  // Node n with dcgm in that state.
  void ServeNodes(models::TargetState state) {
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->part = models::Part::kNodes;
    snapshot->as_of = kAsOf;
    snapshot->nodes.emplace_back().name = "n";
    snapshot->nodes[0].parts.targets.count = 1;
    snapshot->targets = {{"dcgm", "gpu", "n:9400", state, true, false, kAsOf}};
    Serve(snapshot);
  }
};

TEST_F(MissingRouteTest, ALostGpuHasItsOwnerAndWhyItIsGone) {
  const fleet::FakeGpu a{.uuid = "GPU-a", .pods = {"p", "q"}, .xid = 79};
  const fleet::FakeGpu b{.uuid = "GPU-b"};
  See({{a, b}, {a, b}, {b}, {b}});
  ServeNodes(models::TargetState::kUp);
  const auto answer = Get(std::string(kMissing) + kWindow);
  ASSERT_EQ(answer.status(), 200) << answer.body();
  const auto json = answer.json();
  EXPECT_EQ(*json["message"].AsString(), "Missing GPUs retrieved successfully");
  ASSERT_EQ(json["data"].size(), 1U);
  const auto& row = json["data"][0];
  EXPECT_EQ(*row["uuid"].AsString(), "GPU-a");
  EXPECT_EQ(*row["what"].AsString(), "gpu_gone");
  EXPECT_NE(row["evidence"].AsString()->find("its last XID was 79"), std::string::npos);
  EXPECT_EQ(*row["last_xid"].AsNumberText(), "79");
  EXPECT_TRUE(row["last_temperature"].is_null());
  EXPECT_EQ(*json["meta"]["null_reasons"]["last_temperature"].AsString(), "not_exported");
  ASSERT_EQ(row["owners"].size(), 2U);
  EXPECT_EQ(*row["owners"][1]["pod"].AsString(), "q");
  EXPECT_EQ(row["pods"].size(), 2U);
  EXPECT_EQ(*json["meta"]["as_of"].AsString(), "2024-01-01T12:00:00Z");
  EXPECT_EQ(*json["meta"]["window"]["start"].AsString(), "2024-01-01T11:59:30Z");
  ASSERT_FALSE(walks_.empty());
  EXPECT_EQ(walks_[0].steps, 4U) << "both ends are instants";
  EXPECT_EQ(walks_[0].At(3), kAsOf);
  EXPECT_EQ(walks_[0].parts.size(), 2U);
}

TEST_F(MissingRouteTest, ACloserLookIsTakenAtTheLatestLoss) {
  See({{{.uuid = "GPU-a"}}, {{.uuid = "GPU-a"}}, {}, {}});
  ServeNodes(models::TargetState::kUp);
  const auto json = Get(std::string(kMissing) + kWindow).json();
  // Each second between; the second of them is the last one that shows it.
  ASSERT_EQ(walks_.size(), 2U);
  EXPECT_EQ(walks_[1].start, kAsOf - 19);
  EXPECT_EQ(walks_[1].steps, 9U);
  EXPECT_EQ(walks_[1].nodes, std::vector<std::string>{"n"});
  const auto& row = json["data"][0];
  EXPECT_EQ(*row["last_seen"].AsString(), "2024-01-01T11:59:42Z");
  EXPECT_EQ(*row["missing_since"].AsString(), "2024-01-01T11:59:43Z");
  // Then that instant is asked for the time of its sample, and for its nodes.
  ASSERT_EQ(source_.wants.size(), 5U);
  EXPECT_EQ(source_.wants[2].part, models::Part::kGpus);
  EXPECT_EQ(source_.wants[2].at, WallTime(Millis(1'704'110'382'000)));
  EXPECT_EQ(source_.wants[3].part, models::Part::kNodes);
  EXPECT_EQ(source_.wants[4].part, models::Part::kProcesses);
}

// Where nothing tells of pods a GPU is whose processes were on it.
TEST_F(MissingRouteTest, TheUsersOfTheProcessesOnItAreToldToo) {
  See({{{.uuid = "GPU-a"}}, {{.uuid = "GPU-a"}}, {}, {}});
  ServeNodes(models::TargetState::kUp);
  auto processes = fleet::Processes("bob", {"GPU-a"});
  processes->processes[0].set_text(Text::kNamespace, "ml");
  processes->processes[0].set_text(Text::kPod, "train");
  for (auto& instant : walk_) instant = {instant[0], processes};
  const auto row = Get(std::string(kMissing) + kWindow).json()["data"][0];
  ASSERT_EQ(row["users"].size(), 1U);
  EXPECT_EQ(*row["users"][0].AsString(), "bob");
  ASSERT_EQ(row["owners"].size(), 1U);
  EXPECT_EQ(*row["owners"][0]["pod"].AsString(), "train");
}

TEST_F(MissingRouteTest, WithoutTimeNoCloserLookIsTaken) {
  See({{{.uuid = "GPU-a"}}, {}});
  ServeNodes(models::TargetState::kUp);
  source_.holding = true;
  auto answer = Begin(RequestOf(std::string(kMissing) + kWindow));
  ASSERT_EQ(source_.held.size(), 2U);
  clock_.Advance(Millis(6000));
  source_.Release();
  const auto json = Answer{answer.get()}.json();
  EXPECT_EQ(walks_.size(), 1U);
  ASSERT_EQ(json["data"].size(), 1U);
  EXPECT_EQ(*json["data"][0]["last_seen"].AsString(), "2024-01-01T11:59:30Z");
  ASSERT_EQ(json["warnings"].size(), 1U);
  EXPECT_NE(json["warnings"][0].AsString()->find("half of the time"), std::string::npos);
}

TEST_F(MissingRouteTest, WhatWasKnownOfNodesBeforeALossSaysNothingOfIt) {
  See({{{.uuid = "GPU-a"}}, {{.uuid = "GPU-a"}}, {{.uuid = "GPU-a"}}, {}});
  auto old = std::make_shared<models::Snapshot>();
  old->part = models::Part::kNodes;
  old->as_of = kAsOf - 9;
  Serve(old);
  const auto json = Get(std::string(kMissing) + kWindow).json();
  EXPECT_EQ(source_.wants.back().part, models::Part::kNodes);
  EXPECT_EQ(source_.wants.back().at, kNow) << "they are asked about anew";
  EXPECT_TRUE(json["data"][0]["what"].is_null()) << "no more is known";
}

// The targets of the two latest losses are known from an instant at which they were shown.
TEST_F(MissingRouteTest, OfOlderLossesTheTargetsAreAskedAllAtOnce) {
  using Up = gpu::ActivityTarget::Up;
  std::vector<fleet::FakeGpu> gpus;
  for (const char* const name : {"a", "b", "c", "d"}) gpus.push_back({.uuid = name, .node = name});
  std::vector<std::vector<fleet::FakeGpu>> instants = {gpus};
  while (!gpus.empty()) {
    gpus.pop_back();
    instants.push_back(gpus);
  }
  See(instants);
  auto nodes = std::make_shared<models::Snapshot>();
  nodes->part = models::Part::kNodes;
  nodes->as_of = kAsOf;
  nodes->silent = {{"gpu", "c:1", true}, {"gpu", "d:1", false}};
  Serve(nodes);
  gpu::Activity activity;
  activity.steps = 3;
  activity.targets = {{"gpu", "c:1", "c", 1, {"uuid c"}, {}, Up::kUp},
                      {"gpu", "d:1", "d", 1, {"uuid d"}, {Up::kUp, Up::kUp, Up::kDown}, Up::kUp}};
  activity_ = activity;
  const auto json = Get(std::string(kMissing) + "?window=40s&step=10s").json();
  ASSERT_EQ(json["data"].size(), 4U);
  EXPECT_EQ(*json["data"][2]["what"].AsString(), "gpu_gone");
  EXPECT_EQ(*json["data"][3]["what"].AsString(), "exporter_down");
  ASSERT_EQ(activity_wants_.size(), 1U);
  EXPECT_TRUE(activity_wants_[0].targets_only);
  EXPECT_EQ(activity_wants_[0].end, kAsOf);
  EXPECT_EQ(activity_wants_[0].start, kAsOf - 40);
}

TEST_F(MissingRouteTest, NobodyIsMissingIsSuccess) {
  See({{{.uuid = "GPU-a"}}, {{.uuid = "GPU-a", .node = "other"}}});
  const auto json = Get(std::string(kMissing) + kWindow).json();
  EXPECT_TRUE(*json["success"].AsBool());
  EXPECT_EQ(json["data"].size(), 0U);
  EXPECT_EQ(walks_.size(), 1U);
}

TEST_F(MissingRouteTest, WhatOnlyThePresentShowsIsNotMissing) {
  See({{{.uuid = "GPU-a"}}, {}});
  auto present = fleet::Rows({{.uuid = "GPU-a"}});
  present->as_of = kAsOf;
  Serve(present);
  EXPECT_EQ(Get(std::string(kMissing) + kWindow).json()["data"].size(), 0U);
}

TEST_F(MissingRouteTest, ThePresentIsThatOfItsSnapshot) {
  See({{{.uuid = "GPU-a"}}});
  clock_.Set(kNow + Millis(600'000));
  EXPECT_EQ(Get(std::string(kMissing) + kWindow).status(), 200);
  EXPECT_EQ(walks_[0].At(walks_[0].steps - 1), kAsOf) << "clocks may differ";
}

TEST_F(MissingRouteTest, FiltersChoose) {
  See({{{.uuid = "GPU-a", .node = "x", .pods = {"p"}}, {.uuid = "GPU-b", .node = "y"}}, {}});
  ServeNodes(models::TargetState::kUp);
  const auto csv = [&](const std::string& query) {
    return Get(std::string(kMissing) + kWindow + query + "&format=csv&fields=uuid").body();
  };
  EXPECT_EQ(csv("&pod=p"), "uuid\r\nGPU-a\r\n");
  EXPECT_EQ(csv("&namespace=other"), "uuid\r\n");
  EXPECT_EQ(csv("&what=node_gone&uuid=GPU-B"), "uuid\r\nGPU-b\r\n");
  walks_.clear();
  EXPECT_EQ(csv("&node=y"), "uuid\r\nGPU-b\r\n");
  EXPECT_EQ(walks_[0].nodes, std::vector<std::string>{"y"});
}

TEST_F(MissingRouteTest, WhatFailsIsSaid) {
  See({{{.uuid = "GPU-a"}}, {}});
  source_.nodes = Error(Code::kUpstreamTimeout, "Prometheus did not answer");
  const auto json = Get(std::string(kMissing) + kWindow).json();
  EXPECT_TRUE(*json["meta"]["partial"].AsBool());
  EXPECT_TRUE(json["data"][0]["what"].is_null());
  EXPECT_EQ(Get(std::string(kMissing) + kWindow + "&partial=abort").status(), 502);
  walk_fails_ = Status{Code::kUpstreamTimeout, "the time for this request ended"};
  EXPECT_EQ(Get(kMissing).status(), 504);
  EXPECT_EQ(Get(std::string(kMissing) + "?step=1s&window=400d").status(), 400);
  EXPECT_EQ(Get(std::string(kMissing) + "?end=1904110400").status(), 400);
  source_.gpus = Error(Code::kUpstreamUnreachable, "Prometheus cannot be reached");
  EXPECT_EQ(Get(kMissing).status(), 502);
}

}  // namespace
}  // namespace gpumon::handlers
