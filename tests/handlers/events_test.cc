#include "handlers/events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/handlers/fixture.h"
#include "tests/internal/fleet/fleet_rows.h"

namespace gpumon::handlers {
namespace {

constexpr WallTime kNow{Millis(1'704'110'400'500)};  // 2024-01-01T12:00:00.5Z

class EventsRouteTest : public HandlersTest {
 protected:
  // GPU "a" of pod p has an XID at the second of three instants.
  EventsRouteTest() {
    clock_.Set(kNow);
    gpu::Activity activity;
    activity.start = 1'704'110'400 - 45;
    activity.step = 15;
    activity.steps = 3;
    activity.targets.push_back(
        {"gpu", "t:1", "n", 1, {"uuid a"}, {}, gpu::ActivityTarget::Up::kUp});
    activity.spans = {{0, 3, {0}}};
    activity_ = activity;
    for (const double xid : {0.0, 79.0, 79.0}) {
      walk_.push_back({fleet::Rows({{.uuid = "a", .pods = {"p"}, .xid = xid}}),
                       fleet::Processes("alice", {"a"})});
    }
  }
};

TEST_F(EventsRouteTest, AnEventSaysWhatWhenAndWhose) {
  const auto answer = Get("/api/v1/gpu/events?window=45s");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  const auto json = answer.json();
  ASSERT_EQ(json["data"].elements().size(), 1U);
  const auto& row = json["data"].elements()[0];
  EXPECT_EQ(*row["type"].AsString(), "xid");
  EXPECT_EQ(*row["severity"].AsString(), "critical");
  EXPECT_EQ(*row["time"].AsString(), "2024-01-01T11:59:30Z");
  EXPECT_EQ(*row["xid"].AsNumberText(), "79");
  EXPECT_EQ(*row["xid_class"].AsString(), "reset");
  EXPECT_EQ(*row["pod"].elements()[0].AsString(), "p");
  EXPECT_EQ(*row["namespace"].elements()[0].AsString(), "team");
  EXPECT_EQ(*row["users"].elements()[0].AsString(), "alice");
  EXPECT_EQ(*row["text"].AsString(), "XID 79: GPU has fallen off the bus");
  EXPECT_EQ(*json["meta"]["window"]["step_seconds"].AsNumberText(), "15.0");
  ASSERT_EQ(walks_.size(), 1U);
  EXPECT_EQ(walks_[0].spans[0].instances, std::vector<std::string>{"t:1"});
}

TEST_F(EventsRouteTest, WhatIsAskedForIsTheWindowAndTheRules) {
  settings_.health_rules.temperature_warning = 70;
  Get("/api/v1/gpu/events?window=1h&step=1m&node=n1");
  ASSERT_EQ(activity_wants_.size(), 1U);
  EXPECT_EQ(activity_wants_[0].end - activity_wants_[0].start, 3600);
  EXPECT_EQ(activity_wants_[0].step, 60);
  EXPECT_EQ(activity_wants_[0].temperature, 70);
  EXPECT_EQ(activity_wants_[0].nodes, std::vector<std::string>{"n1"});
  EXPECT_LT(activity_wants_[0].after, 1) << "it has not passed";
  Get("/api/v1/gpu/events?node=n*");
  EXPECT_TRUE(activity_wants_[1].nodes.empty());
}

TEST_F(EventsRouteTest, OfAPastWindowWhatComesAfterItIsLookedAt) {
  const double now = static_cast<double>(clock_.Wall().time_since_epoch().count()) / 1000;
  for (const int ago : {3600, 45}) {
    const auto end = static_cast<std::int64_t>(now - ago);
    Get("/api/v1/gpu/events?window=1h&end=" + std::to_string(end));
    EXPECT_EQ(activity_wants_.back().after, std::min(now - static_cast<double>(end), 120.0));
  }
}

TEST_F(EventsRouteTest, FiltersChooseRows) {
  const auto rows = [&](const std::string& query) {
    return Get("/api/v1/gpu/events?window=45s&" + query).json()["data"].elements().size();
  };
  for (const char* const query : {"type=xid", "severity=critical", "pod=p", "namespace=te*",
                                  "user=alice", "uuid=a", "gpu=a", "type=xid&type=throttle"}) {
    EXPECT_EQ(rows(query), 1U) << query;
  }
  for (const char* const query :
       {"type=throttle", "severity=info", "pod=q", "user=bob", "node=x"}) {
    EXPECT_EQ(rows(query), 0U) << query;
  }
}

TEST_F(EventsRouteTest, AQuietWindowAsksNoMore) {
  activity_->spans.clear();
  const auto answer = Get("/api/v1/gpu/events");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_TRUE(answer.json()["data"].elements().empty());
  EXPECT_TRUE(walks_.empty());
}

TEST_F(EventsRouteTest, ACoarseLookIsAWarning) {
  activity_->scraped_every = 5;
  const auto json = Get("/api/v1/gpu/events?window=45s").json();
  EXPECT_NE(json["warnings"].elements()[0].AsString()->find("every 15s in place of every 5s"),
            std::string::npos);
}

TEST_F(EventsRouteTest, ErrorsAreAnswered) {
  EXPECT_EQ(Get("/api/v1/gpu/events?start=2030-01-01T00:00:00Z").status(), 400);
  EXPECT_EQ(Get("/api/v1/gpu/events?step=0").status(), 400);
  walk_fails_ = Status{Code::kUpstreamTimeout, "late", {}, 0};
  EXPECT_EQ(Get("/api/v1/gpu/events").status(), 504);
  activity_ = Error(Code::kUpstreamUnreachable, "away");
  EXPECT_EQ(Get("/api/v1/gpu/events").status(), 502);
}

}  // namespace
}  // namespace gpumon::handlers
