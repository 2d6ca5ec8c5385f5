#include "handlers/gpu_health.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/handlers/fixture.h"
#include "tests/internal/fleet/fleet_rows.h"

namespace gpumon::handlers {
namespace {

using models::Quantity;
using models::Text;

class GpuHealthRouteTest : public HandlersTest {
 protected:
  // a: one that is well and one too hot; b: a divided one with two instances; c: nothing is known.
  static std::shared_ptr<models::Snapshot> Gpus() {
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->as_of = 1704110400;
    snapshot->sources = {"dcgm"};
    const auto add = [&](const char* node, const char* id, const char* model) -> auto& {
      auto& row = snapshot->gpus.emplace_back();
      row.set_text(Text::kNode, node);
      row.set_text(Text::kGpuId, id);
      row.set_text(Text::kGpuName, model);
      row.newest = row.oldest = 1704110399;
      return row;
    };
    const auto set = [](auto& row, Quantity quantity, double value) {
      row.readings.Set(static_cast<std::size_t>(quantity), value);
    };
    set(add("a", "0", "H100"), Quantity::kTemperature, 60);
    set(add("a", "1", "H100"), Quantity::kTemperature, 90);
    auto& board = add("b", "0", "A100");
    board.divided = true;
    set(board, Quantity::kTemperature, 80);
    for (const char* const instance : {"1", "2"}) {
      auto& part = add("b", "0", "A100");
      part.set_text(Text::kMigGpuInstance, instance);
      set(part, Quantity::kTemperature, 80);
    }
    add("c", "0", "H100");
    return snapshot;
  }

  // "name score level" of each row.
  static std::shared_ptr<models::Snapshot> WithTemperature(double as_of, double temperature) {
    auto gpus = Gpus();
    gpus->as_of = as_of;
    gpus->gpus[1].readings.Set(static_cast<std::size_t>(Quantity::kTemperature), temperature);
    return gpus;
  }

  // GPU 1, and so each walk shows it.
  void ServeHotSinceTenMinutes() {
    for (int i = 0; i <= 60; ++i) {
      walk_.push_back({WithTemperature(1704110400 - 3600 + 60 * i, i < 50 ? 60 : 90)});
    }
    Serve(WithTemperature(1704110400, 90));
  }

  std::string Rows(const std::string& query, const char* name) {
    std::string rows;
    const auto json = Get("/api/v1/gpu/health" + query).json();
    for (const auto& row : json["data"].elements()) {
      const std::string* const its = row[name].AsString();
      const std::string* const score = row["score"].AsNumberText();
      rows.append(its == nullptr ? "-" : *its).append(" ");
      rows.append(score == nullptr ? "null" : *score).append(" ");
      rows.append(*row["level"].AsString()).append("; ");
    }
    return rows;
  }
};

TEST_F(GpuHealthRouteTest, AGpuIsARowWithItsFindings) {
  Serve(Gpus());
  EXPECT_EQ(Rows("", "node_name"),
            "a 100 healthy; a 50 critical; b 80 healthy; b 80 healthy; b 80 healthy; "
            "c null unknown; ");
  const auto json = Get("/api/v1/gpu/health?gpu=1").json();
  ASSERT_EQ(json["data"].size(), 1U);
  const auto& hot = json["data"][0];
  EXPECT_EQ(*hot["temperature"].AsString(), "critical");
  EXPECT_EQ(*hot["ecc"].AsString(), "unknown");
  EXPECT_EQ(hot["confidence"].AsDouble(), 0.2);
  ASSERT_EQ(hot["findings"].size(), 1U);
  const auto& finding = hot["findings"][0];
  EXPECT_EQ(*finding["severity"].AsString(), "critical");
  EXPECT_EQ(*finding["component"].AsString(), "temperature");
  EXPECT_EQ(*finding["finding"].AsString(), "90 °C, above 85");
  EXPECT_EQ(*finding["action"].AsString(), "HARDWARE_INSPECTION");
  EXPECT_EQ(finding["factor"].AsDouble(), 0.5);
  EXPECT_EQ(*hot["timestamp"].AsString(), "2024-01-01T11:59:59Z");
  EXPECT_EQ(*json["message"].AsString(), "GPU health retrieved successfully");
}

TEST_F(GpuHealthRouteTest, NodesModelsAndTheFleetAreAverages) {
  Serve(Gpus());
  EXPECT_EQ(Rows("?by=node", "node_name"), "a 75 degraded; b 80 healthy; c null unknown; ");
  EXPECT_EQ(Rows("?by=model", "gpu_name"), "A100 80 healthy; H100 75 degraded; ");
  EXPECT_EQ(Rows("?by=fleet", "node_name"), "- 76 degraded; ");
  const auto fleet = Get("/api/v1/gpu/health?by=fleet").json();
  const auto& all = fleet["data"][0];
  EXPECT_EQ(*all["gpus"].AsNumberText(), "4") << "instances are parts of the divided one";
  EXPECT_EQ(*all["healthy"].AsNumberText(), "2");
  EXPECT_EQ(*all["critical"].AsNumberText(), "1");
  EXPECT_EQ(*all["unknown"].AsNumberText(), "1");
  EXPECT_EQ(*all["temperature"].AsString(), "critical");
  EXPECT_EQ(all["findings"].size(), 0U);
}

TEST_F(GpuHealthRouteTest, RowsAreFilteredSortedAndWrittenAsCsv) {
  Serve(Gpus());
  EXPECT_EQ(Rows("?level=critical", "node_name"), "a 50 critical; ");
  EXPECT_EQ(Rows("?sort=score&limit=1", "node_name"), "a 50 critical; ");
  EXPECT_EQ(Rows("?max_score=79", "node_name"), "a 50 critical; ");
  const auto csv = Get("/api/v1/gpu/health?format=csv&fields=gpu_id,score,findings&gpu=1");
  EXPECT_EQ(csv.body(),
            "gpu_id,score,findings\r\n1,50,\"critical temperature: 90 °C, above 85\"\r\n");
  EXPECT_EQ(Get("/api/v1/gpu/health?by=rack").status(), 400);
  EXPECT_EQ(Get("/api/v1/gpu/health?sort=findings").status(), 400);
}

TEST_F(GpuHealthRouteTest, TheMachineIsAComponentAndHasFindingsOfItsOwn) {
  Serve(Gpus());
  auto node = OneNode();
  Serve(node);
  const auto gpus = Get("/api/v1/gpu/health?node=a&node=b").json();
  EXPECT_EQ(*gpus["data"][0]["host"].AsString(), "degraded");
  EXPECT_EQ(*gpus["data"][0]["score"].AsNumberText(), "100") << "the score is the GPU's own";
  EXPECT_EQ(gpus["data"][0]["findings"].size(), 0U);
  EXPECT_EQ(*gpus["data"][2]["host"].AsString(), "unknown");
  const auto nodes = Get("/api/v1/gpu/health?by=node&node=a").json();
  EXPECT_EQ(*nodes["data"][0]["host"].AsString(), "degraded");
  ASSERT_EQ(nodes["data"][0]["findings"].size(), 1U);
  EXPECT_EQ(*nodes["data"][0]["findings"][0]["finding"].AsString(),
            "Kubernetes can give pods 3 of its 4 GPUs");
  EXPECT_TRUE(nodes["data"][0]["findings"][0]["since"].is_null());
  EXPECT_EQ(*Get("/api/v1/gpu/health?by=fleet").json()["data"][0]["host"].AsString(), "degraded");
}

TEST_F(GpuHealthRouteTest, FindingsOfTheMachineHaveAgesToo) {
  for (int i = 0; i <= 60; ++i) {
    const double at = 1704110400 - 3600 + 60 * i;
    auto nodes = OneNode();
    nodes->as_of = at;
    if (i < 50) {
      constexpr auto kSlot = static_cast<std::size_t>(models::NodeQuantity::kGpusAllocatable);
      nodes->nodes[0].readings.Set(kSlot, 4);
    }
    walk_.push_back({WithTemperature(at, 60), nodes});
  }
  Serve(WithTemperature(1704110400, 60));
  Serve(OneNode());
  const auto since = [&](const std::string& query) {
    const auto json = Get("/api/v1/gpu/health?by=node&node=a" + query).json();
    EXPECT_EQ(json["data"][0]["findings"].size(), 1U);
    return json["data"][0]["findings"][0]["since"];
  };
  EXPECT_TRUE(since("").is_null()) << "the first answer waits for no walk";
  EXPECT_EQ(*since("").AsString(), "2024-01-01T11:50:00Z");
  EXPECT_EQ(*since("&at=1704110400").AsString(), "2024-01-01T11:50:00Z");
  // A disk that fills later is a finding of its own.
  auto full = OneNode();
  full->as_of += 20;
  full->disks[0].available = 10;
  Serve(full);
  Serve(WithTemperature(1704110420, 60));
  const auto both = Get("/api/v1/gpu/health?by=node&node=a").json();
  ASSERT_EQ(both["data"][0]["findings"].size(), 2U);
  EXPECT_EQ(*both["data"][0]["findings"][0]["since"].AsString(), "2024-01-01T12:00:20Z");
  EXPECT_EQ(*both["data"][0]["findings"][1]["since"].AsString(), "2024-01-01T11:50:00Z");
}

TEST_F(GpuHealthRouteTest, AnotherXidIsAnotherFinding) {
  const auto with_xid = [](double as_of, double code) {
    auto gpus = WithTemperature(as_of, 60);
    gpus->gpus[1].readings.Set(static_cast<std::size_t>(Quantity::kXidLast), code);
    return gpus;
  };
  const auto since = [&] {
    const auto json = Get("/api/v1/gpu/health?gpu=1").json();
    return json["data"][0]["findings"][0]["since"];
  };
  Serve(WithTemperature(1704110400, 60));
  since();
  Serve(with_xid(1704110410, 48));
  EXPECT_EQ(*since().AsString(), "2024-01-01T12:00:10Z");
  Serve(with_xid(1704110420, 48));
  EXPECT_EQ(*since().AsString(), "2024-01-01T12:00:10Z");
  Serve(with_xid(1704110430, 79));
  EXPECT_EQ(*since().AsString(), "2024-01-01T12:00:30Z") << "as severe as the one before";
}

TEST_F(GpuHealthRouteTest, AMachineWithoutGpusAnyMoreIsARowWithoutAScore) {
  Serve(Gpus());
  auto node = OneNode();
  node->nodes[0].name = "gone";
  node->nodes[0].readings.Set(static_cast<std::size_t>(models::NodeQuantity::kReady), 0);
  Serve(node);
  EXPECT_EQ(Rows("?by=node&node=gone", "node_name"), "gone null unknown; ");
  const auto json = Get("/api/v1/gpu/health?by=node&node=gone").json();
  EXPECT_EQ(*json["data"][0]["host"].AsString(), "critical");
  EXPECT_EQ(*json["data"][0]["gpus"].AsNumberText(), "0");
}

TEST_F(GpuHealthRouteTest, AFindingSaysSinceWhenItHasBeenSeen) {
  const auto since = [&] {
    const auto json = Get("/api/v1/gpu/health?gpu=1").json();
    const std::string* const text = json["data"][0]["findings"][0]["since"].AsString();
    return text == nullptr ? std::string("null") : *text;
  };
  auto cool = Gpus();
  cool->gpus[1].readings.Set(static_cast<std::size_t>(Quantity::kTemperature), 60);
  Serve(cool);
  Get("/api/v1/gpu/health");
  for (const double later : {10, 20}) {
    auto hot = Gpus();
    hot->as_of += later;
    Serve(hot);
    EXPECT_EQ(since(), "2024-01-01T12:00:10Z");
  }
}

TEST_F(GpuHealthRouteTest, OneThatWasThereADayAgoIsLostFromTheFirstAnswer) {
  ServeOneLost(Gpus(), Gpus());
  EXPECT_EQ(Rows("?node=b&gpu=9", "node_name"), "b 0 critical; ");
  ASSERT_EQ(days_.size(), 1U);
  EXPECT_EQ(days_[0].step, 300);
  EXPECT_EQ(days_[0].At(days_[0].steps), 1704110400);
  EXPECT_EQ(Rows("?node=b&gpu=9", "node_name"), "b 0 critical; ");
  EXPECT_EQ(days_.size(), 1U) << "it is walked through once";
  const auto json = Get("/api/v1/gpu/health?node=b&gpu=9").json();
  EXPECT_TRUE(json["data"][0]["findings"][0]["since"].is_null()) << "at some time in that day";
  EXPECT_TRUE(json["data"][0]["timestamp"].is_null());
}

TEST_F(GpuHealthRouteTest, AtAPastInstantTheDayBeforeItTells) {
  ServeOneLost(Gpus(), Gpus());
  clock_.Advance(std::chrono::hours(1));
  const std::string query = "?node=b&gpu=9&at=1704110400";
  EXPECT_EQ(Rows(query, "node_name"), "b 0 critical; ");
  EXPECT_EQ(Rows(query, "node_name"), "b 0 critical; ");
  EXPECT_EQ(days_.size(), 2U) << "each time";
  source_.past = Error(Code::kUpstreamTimeout, "Prometheus did not answer within 10 s");
  EXPECT_EQ(Get("/api/v1/gpu/health" + query).status(), 504);
}

// It was on b an hour before, and on c since: what becomes of b's exporter is nothing to it.
TEST_F(GpuHealthRouteTest, OneThatMovedSinceIsLostFromWhereItWentOrNotAtAll) {
  const auto past = Gpus();
  ServeOneLost(Gpus(), past);
  past->gpus.back().set_text(models::Text::kUuid, "GPU-9");
  clock_.Advance(std::chrono::hours(1));
  const std::string query = "?uuid=GPU-9&at=1704110400&fields=node_name,score,level";
  for (const std::string node : {"b", "c"}) {
    gpu::ActivityTarget& target = activity_->targets.emplace_back();
    target.node = node;
    target.instance = node + ":9400";
    target.names = {"uuid GPU-9"};
    if (node == "c") break;
    EXPECT_EQ(Rows(query, "node_name"), "b 0 critical; ");
    EXPECT_TRUE(walks_.empty()) << "only b has shown it";
  }
  ASSERT_FALSE(activity_wants_.empty());
  EXPECT_EQ(activity_wants_[0].end - activity_wants_[0].start, 3600);
  EXPECT_TRUE(activity_wants_[0].targets_only);

  walk_ = {{fleet::Rows({{.uuid = "GPU-9", .node = "c"}})},
           {fleet::Rows({{.uuid = "GPU-9", .node = "b"}})}};
  EXPECT_EQ(Rows(query, "node_name"), "b 0 critical; ") << "it came back";
  ASSERT_EQ(walks_.size(), 1U);
  EXPECT_EQ(walks_[0].spans[0].instances, (std::vector<std::string>{"b:9400", "c:9400"}));
  EXPECT_EQ(walks_[0].step, 5);
  EXPECT_LT(walks_[0].At(walks_[0].steps - 1), 1704110400);
  std::swap(walk_[0], walk_[1]);
  EXPECT_EQ(Rows(query, "node_name"), "") << "nobody tells of the exporter of c";
  auto nodes = OneNode();
  nodes->nodes[0].name = "c";
  nodes->targets[0].state = models::TargetState::kUp;
  Serve(nodes);
  EXPECT_EQ(Rows(query, "node_name"), "c 0 critical; ");
  nodes->targets[0].started = true;
  EXPECT_EQ(Rows(query, "node_name"), "") << "it may show none yet";

  walk_fails_ = Status{Code::kUpstreamTimeout, "the time for this request ended"};
  EXPECT_EQ(Get("/api/v1/gpu/health" + query).status(), 504);
  activity_ = Error(Code::kUpstreamTimeout, "Prometheus did not answer within 10 s");
  EXPECT_EQ(Get("/api/v1/gpu/health" + query).status(), 504);
}

TEST_F(GpuHealthRouteTest, WhenThePastCannotBeHadThePresentIsAnsweredAndItIsAskedForAgain) {
  ServeOneLost(Gpus(), Gpus());
  const auto past = source_.past;
  source_.past = Error(Code::kUpstreamTimeout, "Prometheus did not answer within 10 s");
  EXPECT_EQ(Rows("?node=b&gpu=9", "node_name"), "");
  source_.past = past;
  clock_.Advance(std::chrono::minutes(2));
  EXPECT_EQ(Rows("?node=b&gpu=9", "node_name"), "b 0 critical; ");
}

TEST_F(GpuHealthRouteTest, WhatBeganBeforeTheFirstLookIsLearnedFromTheHourBeforeIt) {
  ServeHotSinceTenMinutes();
  const auto since = [&] {
    return Get("/api/v1/gpu/health?gpu=1").json()["data"][0]["findings"][0]["since"];
  };
  EXPECT_TRUE(since().is_null()) << "the first answer waits for no walk";
  EXPECT_EQ(*since().AsString(), "2024-01-01T11:50:00Z");
  ASSERT_EQ(walks_.size(), 2U) << "the day, and the hour";
  EXPECT_EQ(walks_[0].steps, 97U);
  EXPECT_EQ(walks_[0].At(96), 1704110400 - 3600);
  EXPECT_EQ(walks_[1].steps, 61U);
  EXPECT_EQ(walks_[1].At(60), 1704110400);
}

TEST_F(GpuHealthRouteTest, OfOneThatIsLostAtAPastInstantTheLastMinuteThatShowedItIsTold) {
  ServeOneLost(Gpus(), Gpus());
  clock_.Advance(std::chrono::hours(1));
  for (int i = 0; i <= 60; ++i) {
    auto gpus = Gpus();
    gpus->as_of = 1704110400 - 3600 + 60 * i;
    if (i < 20) {
      auto& lost = gpus->gpus.emplace_back();
      lost.set_text(models::Text::kNode, "b");
      lost.set_text(models::Text::kGpuId, "9");
    }
    walk_.push_back({gpus});
  }
  const auto json = Get("/api/v1/gpu/health?node=b&gpu=9&at=1704110400").json();
  EXPECT_EQ(*json["data"][0]["findings"][0]["since"].AsString(), "2024-01-01T11:19:00Z");
}

TEST_F(GpuHealthRouteTest, OfAPastInstantTheDayBeforeItTellsSinceWhen) {
  ServeHotSinceTenMinutes();
  source_.past = gpu::Got{WithTemperature(1704110400 - 3600, 60), false, {}, 0};
  const auto finding = [&] {
    return Get("/api/v1/gpu/health?gpu=1&at=1704110400").json()["data"][0]["findings"][0];
  };
  EXPECT_EQ(*finding()["since"].AsString(), "2024-01-01T11:50:00Z");
  for (auto& instant : walk_) instant = {WithTemperature(instant[0]->as_of, 90)};
  EXPECT_EQ(*finding()["since"].AsString(), "2024-01-01T11:00:00Z");
  EXPECT_EQ(finding()["open_before"].AsBool(), true);
  const std::size_t walks = walks_.size();
  Get("/api/v1/gpu/health?at=1704110400&fields=score");
  Get("/api/v1/gpu/health?at=1704110400&by=node");
  EXPECT_EQ(walks_.size(), walks) << "nobody wants to know";
  walk_fails_ = Status{Code::kUpstreamTimeout, "the time for this request ended"};
  EXPECT_TRUE(finding()["since"].is_null()) << "it is answered all the same";
}

TEST_F(GpuHealthRouteTest, WithoutGpusNothingIsKnownOfTheFleet) {
  Serve(std::make_shared<models::Snapshot>());
  EXPECT_EQ(Rows("", "node_name"), "");
  EXPECT_EQ(Rows("?by=fleet", "node_name"), "- null unknown; ");
}

}  // namespace
}  // namespace gpumon::handlers
