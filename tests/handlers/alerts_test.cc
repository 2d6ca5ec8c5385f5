#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/handlers/fixture.h"
#include "tests/internal/fleet/fleet_rows.h"

namespace gpumon::handlers {
namespace {

constexpr char kAlerts[] = "/api/v1/gpu/alerts";
constexpr double kAsOf = 1704110400;  // 2024-01-01T12:00:00Z

models::Alert AlertOf(std::string_view name, std::string_view severity, bool firing) {
  models::Alert alert;
  alert.name = name;
  alert.severity = severity;
  alert.firing = firing;
  return alert;
}

class AlertsRouteTest : public HandlersTest {
 protected:
  // A GPU that labels name by its UUID, one by its place, and a rule about no GPU.
  void SetUp() override {
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->part = models::Part::kAlerts;
    snapshot->as_of = kAsOf;
    models::Alert hot = AlertOf("GpuHot", "critical", true);
    hot.since = kAsOf - 90;
    hot.node = "ksm-host";
    hot.uuid = "GPU-a";
    hot.label_count = 2;
    models::Alert slow = AlertOf("GpuSlow", "warning", true);
    slow.node = "n";
    slow.gpu_id = "GPU-b";
    slow.name_space = "ml";
    slow.pod = "train";
    snapshot->alerts = {hot, slow, AlertOf("Watchdog", "", false)};
    snapshot->alert_labels = {"alertname=GpuHot", "team=hpc"};
    Serve(snapshot);
    Serve(fleet::Rows({{.uuid = "GPU-a", .pods = {"p", "q"}}, {.uuid = "GPU-b"}}));
  }
  std::string Csv(const std::string& query) {
    return Get(kAlerts + query + "&format=csv&fields=alertname").body();
  }
};

TEST_F(AlertsRouteTest, AnAlertHasItsGpuAndWhoHoldsIt) {
  const auto answer = Get(kAlerts);
  ASSERT_EQ(answer.status(), 200) << answer.body();
  const auto json = answer.json();
  EXPECT_EQ(*json["message"].AsString(), "Alerts retrieved successfully");
  ASSERT_EQ(json["data"].size(), 3U);
  const auto& hot = json["data"][0];
  EXPECT_EQ(*hot["state"].AsString(), "firing");
  EXPECT_EQ(*hot["since"].AsString(), "2024-01-01T11:58:30Z");
  EXPECT_EQ(hot["age_seconds"].AsDouble(), 90);
  EXPECT_EQ(*hot["node_name"].AsString(), "n") << "where the GPU is";
  EXPECT_EQ(*hot["gpu_id"].AsString(), "GPU-a");
  EXPECT_EQ(*hot["gpu_name"].AsString(), "H100");
  ASSERT_EQ(hot["held_by"].size(), 2U);
  EXPECT_EQ(*hot["held_by"][0].AsString(), "team/p");
  EXPECT_EQ(*hot["labels"][1].AsString(), "team=hpc");
  const auto& slow = json["data"][1];
  EXPECT_EQ(*slow["uuid"].AsString(), "GPU-b");
  EXPECT_TRUE(slow["since"].is_null());
  EXPECT_EQ(slow["held_by"].size(), 0U);
  const auto& watchdog = json["data"][2];
  EXPECT_EQ(*watchdog["state"].AsString(), "pending");
  EXPECT_TRUE(watchdog["severity"].is_null());
  EXPECT_TRUE(watchdog["node_name"].is_null());
}

TEST_F(AlertsRouteTest, ANodeMayBeCalledWithItsDomain) {
  auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->part = models::Part::kAlerts;
  snapshot->as_of = kAsOf;
  models::Alert slow = AlertOf("GpuSlow", "warning", true);
  slow.node = "n.dc.example";
  slow.gpu_id = "GPU-b";
  snapshot->alerts = {slow};
  Serve(snapshot);
  EXPECT_EQ(*Get(kAlerts).json()["data"][0]["uuid"].AsString(), "GPU-b");
}

TEST_F(AlertsRouteTest, FiltersChoose) {
  EXPECT_EQ(Csv("?state=firing"), "alertname\r\nGpuHot\r\nGpuSlow\r\n");
  EXPECT_EQ(Csv("?severity=critical&severity=page"), "alertname\r\nGpuHot\r\n");
  EXPECT_EQ(Csv("?alertname=Gpu*&node=n&namespace=ml"), "alertname\r\nGpuSlow\r\n");
  EXPECT_EQ(Csv("?label=team%3Dhpc"), "alertname\r\nGpuHot\r\n");
  EXPECT_EQ(Csv("?min_age_seconds=91"), "alertname\r\n");
  EXPECT_EQ(Csv("?held_by=team/*"), "alertname\r\nGpuHot\r\n");
  EXPECT_EQ(Csv("?label=*hpc"), "alertname\r\nGpuHot\r\n");
  EXPECT_EQ(Get(std::string(kAlerts) + "?team=hpc").status(), 400);
  for (const std::string none : {"team", "=hpc", "=", "=*", "team="}) {
    const Answer answer = Get(std::string(kAlerts) + "?label=" + none);
    EXPECT_EQ(answer.status(), 400) << "no label is like that: " << none;
    EXPECT_NE(answer.body().find("label=NAME=VALUE"), std::string::npos);
  }
  for (const std::string some : {"team=*", "*=hpc", "*=", "team=a=", "team==a"}) {
    EXPECT_EQ(Get(std::string(kAlerts) + "?label=" + some).status(), 200) << some;
  }
}

TEST_F(AlertsRouteTest, NoAlertsIsSuccessAndNoAnswerIsAnError) {
  auto none = std::make_shared<models::Snapshot>();
  none->part = models::Part::kAlerts;
  Serve(none);
  const auto json = Get(kAlerts).json();
  EXPECT_TRUE(*json["success"].AsBool());
  EXPECT_EQ(json["data"].size(), 0U);
  source_.alerts = Error(Code::kUpstreamTimeout, "Prometheus did not answer");
  EXPECT_EQ(Get(kAlerts).status(), 504);
}

TEST_F(AlertsRouteTest, WithoutGpusTheyAreShownAsPartial) {
  source_.gpus = Error(Code::kUpstreamTimeout, "Prometheus did not answer");
  const auto json = Get(kAlerts).json();
  EXPECT_TRUE(*json["meta"]["partial"].AsBool());
  ASSERT_EQ(json["data"].size(), 3U);
  EXPECT_EQ(*json["data"][0]["uuid"].AsString(), "GPU-a");
  EXPECT_EQ(Get(std::string(kAlerts) + "?partial=abort").status(), 502);
}

TEST_F(AlertsRouteTest, APastInstantIsAskedFor) {
  EXPECT_EQ(Get(std::string(kAlerts) + "?at=2024-01-01T00:00:00Z").status(), 200);
  ASSERT_EQ(source_.wants.size(), 2U);
  EXPECT_EQ(source_.wants[0].part, models::Part::kAlerts);
  EXPECT_TRUE(source_.wants[0].at.has_value());
}

}  // namespace
}  // namespace gpumon::handlers
