#include <gtest/gtest.h>

#include "internal/store/snapshot.h"
#include "internal/store/writer.h"
#include "tests/fakes/process/wait.h"
#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

constexpr char kRoute[] = "/api/v1/gpu/health/history";

// The clock stands at 2024-01-01T12:00:00Z.
class HealthHistoryRouteTest : public HandlersTest {
 protected:
  HealthHistoryRouteTest() { settings_.metrics_dir = folder_.path(); }

  void Store(Millis ago, const std::string& task, double score) {
    store::Snapshot snapshot;
    snapshot.id = store::NewId();
    snapshot.task_id = task;
    snapshot.instance_id = "n1";
    snapshot.timestamp = clock_.Wall() - ago;
    snapshot.gpu_metrics.resize(2);
    snapshot.health_score = score;
    ASSERT_TRUE(
        writer_.Append(std::vector{store::Line{snapshot.timestamp, store::EncodeLine(snapshot)}}));
  }

  process::ScratchDirectory folder_;
  store::Writer writer_{folder_.path()};
};

TEST_F(HealthHistoryRouteTest, GivesTheSnapshotsOfTheWindowAndTheirSummary) {
  Store(std::chrono::hours(25), "a/b", 0.1);
  Store(std::chrono::hours(23), "a/b", 0.5);
  Store(std::chrono::hours(1), "a/b", 1);
  Store(std::chrono::hours(1), "c/d", 0.2);
  const Answer answer = Get(std::string(kRoute) + "?task=a/b&hours=24");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  const auto json = answer.json();
  const auto& data = json["data"];
  EXPECT_EQ(*data["task_id"].AsString(), "a/b");
  EXPECT_EQ(data["snapshot_count"].AsInteger(), 2);
  EXPECT_EQ(data["hours"].AsInteger(), 24);
  EXPECT_EQ(data["gpu_count"].AsInteger(), 2);
  EXPECT_EQ(data["unhealthy_periods"].AsInteger(), 1);
  EXPECT_EQ(data["health_score"]["current"].AsDouble(), 1);
  EXPECT_EQ(data["health_score"]["average"].AsDouble(), 0.75);
  ASSERT_EQ(data["snapshots"].size(), 2U);
  EXPECT_EQ(*data["snapshots"][0]["timestamp"].AsString(), "2023-12-31T13:00:00Z");
  EXPECT_EQ(*data["snapshots"][1]["timestamp"].AsString(), "2024-01-01T11:00:00Z");
  EXPECT_EQ(json.Find("warnings"), nullptr);
}

TEST_F(HealthHistoryRouteTest, APastInstantEndsTheWindow) {
  Store(std::chrono::hours(25), "a/b", 0.1);
  Store(std::chrono::hours(1), "a/b", 1);
  const auto json = Get(std::string(kRoute) + "?at=2023-12-31T12:00:00Z&hours=2").json();
  EXPECT_EQ(json["data"]["snapshot_count"].AsInteger(), 1);
  EXPECT_EQ(json["data"]["health_score"]["current"].AsDouble(), 0.1);
  EXPECT_EQ(Get(std::string(kRoute) + "?at=2025-01-01T00:00:00Z").status(), 400);
}

TEST_F(HealthHistoryRouteTest, PagesAreCountedBackFromTheNewest) {
  for (int hour = 1; hour <= 5; ++hour) Store(std::chrono::hours(hour), "a/b", 1);
  const auto json = Get(std::string(kRoute) + "?limit=2&offset=1").json();
  ASSERT_EQ(json["data"]["snapshots"].size(), 2U);
  EXPECT_EQ(*json["data"]["snapshots"][0]["timestamp"].AsString(), "2024-01-01T09:00:00Z");
  EXPECT_EQ(*json["data"]["snapshots"][1]["timestamp"].AsString(), "2024-01-01T10:00:00Z");
  EXPECT_EQ(json["data"]["snapshot_count"].AsInteger(), 5);
}

TEST_F(HealthHistoryRouteTest, WithoutSnapshotsItSaysWhereItLooked) {
  const auto none = Get(std::string(kRoute) + "?task=x").json();
  EXPECT_EQ(none["data"]["snapshots"].size(), 0U);
  EXPECT_TRUE(none["data"]["health_score"]["current"].is_null());
  EXPECT_NE(none["warnings"][0].AsString()->find(folder_.path()), std::string::npos);
  settings_.metrics_dir = folder_.path() + "/missing";
  const Answer missing = Get(kRoute);
  EXPECT_EQ(missing.status(), 200);
  EXPECT_NE(missing.json()["warnings"][0].AsString()->find("/missing"), std::string::npos);
  settings_.metrics_dir.clear();
  EXPECT_NE(Get(kRoute).json()["warnings"][0].AsString()->find("METRICS_DIR"), std::string::npos);
}

TEST_F(HealthHistoryRouteTest, WrongParametersAreNamed) {
  for (const char* const query : {"?hours=0", "?hours=721", "?limit=0", "?limit=1001",
                                  "?task=", "?node=a%20b", "?offset=-1", "?at=yesterday"}) {
    EXPECT_EQ(Get(std::string(kRoute) + query).status(), 400) << query;
  }
}

}  // namespace
}  // namespace gpumon::handlers
