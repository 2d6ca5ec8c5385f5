#include "internal/gpu/alerts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/prom/fake_prom_client.h"
#include "tests/internal/gpu/refresh_rig.h"

namespace gpumon::gpu {
namespace {

using models::Alert;
using models::Part;
using prom::FakeSample;
using prom::Labels;
using Series = std::vector<FakeSample>;

constexpr double kNow = 1700000000;

FakeSample Firing(const std::string& name, Labels labels, const std::string& state = "firing") {
  labels.insert(labels.end(), {{"__name__", "ALERTS"}, {"alertname", name}, {"alertstate", state}});
  return {std::move(labels), 1};
}
FakeSample Pending(const std::string& name, Labels labels) {
  return Firing(name, std::move(labels), "pending");
}
FakeSample Since(const std::string& name, Labels labels, double since) {
  labels.insert(labels.end(), {{"__name__", "ALERTS_FOR_STATE"}, {"alertname", name}});
  return {std::move(labels), since};
}
FakeSample Info(const std::string& node, const std::string& ip) {
  return {{{"__name__", "kube_node_info"}, {"node", node}, {"internal_ip", ip}, {"job", "ksm"}}, 1};
}

class AlertsTest : public ::testing::Test {
 protected:
  void Read(const Series& alerts, const Series& hosts = {}) {
    snapshot_ = models::Snapshot();
    snapshot_.as_of = kNow;
    const auto first = prom::MakeInstantVector(alerts);
    const auto second = prom::MakeInstantVector(hosts);
    ReadAlerts({&first, &second}, schema::Registry::BuiltIn(), snapshot_);
  }
  // Of the only alert, with these labels.
  const Alert& Of(Labels labels, const Series& hosts = {}) {
    Read({Firing("A", std::move(labels))}, hosts);
    return snapshot_.alerts.at(0);
  }
  std::string Names() const {
    std::string names;
    for (const Alert& alert : snapshot_.alerts) {
      names.append(alert.name).append(alert.firing ? "! " : "? ");
    }
    return names;
  }

  models::Snapshot snapshot_;
};

TEST_F(AlertsTest, FiringComesFirstThenTheSevereInAnyOrderOfTheSeries) {
  Series series = {
      Firing("Odd", {{"severity", "purple"}}),
      Firing("Watchdog", {{"severity", "none"}}),
      Firing("Bare", {}),
      Firing("Warm", {{"severity", "Warning"}}),
      Pending("Soon", {{"severity", "page"}}),
      Firing("Hot", {{"severity", "critical"}}),
      Firing("Bad", {{"severity", "critical"}}),
      Firing("Hot", {{"severity", "critical"}, {"x", "2"}}),
  };
  std::mt19937 random(5);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(series.begin(), series.end(), random);
    Read(series);
    EXPECT_EQ(Names(), "Bad! Hot! Hot! Warm! Odd! Watchdog! Bare! Soon? ");
    EXPECT_EQ(snapshot_.alerts[2].label_count, 3U);
    EXPECT_EQ(snapshot_.alert_labels[snapshot_.alerts[2].first_label + 2], "x=2");
  }
}

TEST_F(AlertsTest, SinceIsThatOfTheSameLabels) {
  Read({Firing("A", {{"node", "n1"}}), Since("A", {{"node", "n1"}}, kNow - 300),
        Since("A", {{"node", "n2"}}, kNow - 600), Firing("B", {}), Since("B", {}, 0),
        Firing("C", {}), Since("C", {}, kNow + 3600)});
  EXPECT_EQ(Names(), "A! B! C! ");
  EXPECT_EQ(snapshot_.alerts[0].since, kNow - 300);
  EXPECT_TRUE(std::isnan(snapshot_.alerts[1].since));
  EXPECT_TRUE(std::isnan(snapshot_.alerts[2].since)) << "in the future";
}

TEST_F(AlertsTest, OneThatIsFiringAndPendingIsFiringAndOneThatIsZeroHasEnded) {
  FakeSample ended = Firing("B", {});
  ended.value = 0;
  Read({Pending("A", {{"node", "n"}}), Firing("A", {{"node", "n"}}), ended});
  EXPECT_EQ(Names(), "A! ");
}

TEST_F(AlertsTest, NodesAreCalledAsTheirRowsAre) {
  const Series hosts = {Info("gpu-1", "10.0.0.1"),
                        {{{"__name__", "node_uname_info"},
                          {"nodename", "gpu-2.example.com"},
                          {"job", "node"},
                          {"instance", "web:9100"}},
                         1}};
  EXPECT_EQ(Of({{"Hostname", "gpu-1.example.com"}}, hosts).node, "gpu-1");
  EXPECT_EQ(Of({{"exported_node", "gpu-1"}, {"node", "ksm-host"}}, hosts).node, "gpu-1");
  EXPECT_EQ(Of({{"instance", "10.0.0.1:9400"}}, hosts).node, "gpu-1");
  EXPECT_EQ(Of({{"job", "node"}, {"instance", "web:9100"}}, hosts).node, "gpu-2.example.com");
  EXPECT_EQ(Of({{"job", "blackbox"}, {"instance", "shop:80"}}, hosts).node, "")
      << "a target that is no machine";
  EXPECT_EQ(Of({{"node", "gpu-9"}}).node, "gpu-9") << "nobody else tells";
}

TEST_F(AlertsTest, AGpuIsWhatItsExporterCallsOne) {
  const auto is = [&](Labels labels) {
    const Alert& alert = Of(std::move(labels));
    return std::string(alert.gpu_id) + " " + std::string(alert.uuid);
  };
  EXPECT_EQ(is({{"gpu", "3"}, {"UUID", "gpu-AB"}, {"modelName", "H100"}}), "3 GPU-ab");
  EXPECT_EQ(is({{"gpu", "3"}}), "3 ");
  EXPECT_EQ(is({{"gpu_index", "1"}, {"gpu_uuid", "GPU-c"}, {"gpu", "NVIDIA H100"}}), "1 GPU-c");
  EXPECT_EQ(is({{"device_index", "4"}, {"device_uuid", "GPU-d"}}), "4 GPU-d");
  EXPECT_EQ(is({{"uuid", "GPU-e"}, {"index", "2"}}), "2 GPU-e");
  EXPECT_EQ(is({{"index", "2"}, {"name", "disk"}}), " ") << "of anything";
  EXPECT_EQ(is({{"uuid", "0af3"}}), " ") << "of anything";
  EXPECT_EQ(is({{"device", "/dev/sda1"}}), " ");
}

TEST_F(AlertsTest, APodIsTheOneThatKeptItsLabels) {
  const Alert& moved = Of({{"pod", "dcgm-x"},
                           {"namespace", "gpu-operator"},
                           {"exported_pod", "train-0"},
                           {"exported_namespace", "ml"}});
  EXPECT_EQ(moved.pod, "train-0");
  EXPECT_EQ(moved.name_space, "ml");
  EXPECT_EQ(Of({{"namespace", "shop"}, {"pod", "web"}}).pod, "web");
}

TEST(AlertsRefreshTest, NoRulesAreNoErrorAndNamesMayFailButNotTheAlerts) {
  RefreshRig rig;
  rig.client().SetAnswer(std::string(PromqlOf(AlertQuery::kAlerts)), Series{});
  rig.client().SetAnswer(std::string(PromqlOf(AlertQuery::kHosts)), Series{});
  const auto none = rig.Collect(Part::kAlerts, kNow);
  ASSERT_TRUE(none);
  EXPECT_EQ((*none)->rows(), 0U);
  EXPECT_TRUE((*none)->warnings.empty());
  EXPECT_FALSE((*none)->partial);
  EXPECT_EQ(rig.client().call_count(), kAlertQueries);

  rig.client().SetAnswer(std::string(PromqlOf(AlertQuery::kAlerts)), {Firing("A", {})});
  rig.client().SetError(std::string(PromqlOf(AlertQuery::kHosts)), Code::kUpstreamTimeout);
  const auto partial = rig.Collect(Part::kAlerts, kNow);
  ASSERT_TRUE(partial);
  EXPECT_TRUE((*partial)->partial);
  EXPECT_EQ((*partial)->rows(), 1U);

  rig.client().SetError(std::string(PromqlOf(AlertQuery::kAlerts)), Code::kUpstreamTimeout);
  rig.client().SetAnswer(std::string(PromqlOf(AlertQuery::kHosts)), Series{});
  const auto failed = rig.Collect(Part::kAlerts, kNow);
  ASSERT_FALSE(failed) << "no alerts is not the same as not knowing";
  EXPECT_EQ(failed.error().code, Code::kUpstreamTimeout);
}

}  // namespace
}  // namespace gpumon::gpu
