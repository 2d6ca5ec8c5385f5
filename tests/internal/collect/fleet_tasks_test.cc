#include "internal/collect/fleet_tasks.h"

#include <gtest/gtest.h>

#include <set>

namespace gpumon::collect {
namespace {

using models::Quantity;
using models::Text;

class FleetTasksTest : public ::testing::Test {
 protected:
  models::GpuMetrics& Add(const char* node, const char* id, const char* uuid,
                          std::vector<models::Workload> holders = {}) {
    auto& row = gpus_.gpus.emplace_back();
    row.set_text(Text::kNode, node);
    row.set_text(Text::kGpuId, id);
    row.set_text(Text::kGpuName, "H100");
    row.set_text(Text::kUuid, uuid);
    row.gpu_index = std::atoi(id);
    row.first_workload = static_cast<std::uint32_t>(gpus_.workloads.size());
    row.workload_count = static_cast<std::uint32_t>(holders.size());
    for (const auto& holder : holders) gpus_.workloads.push_back(holder);
    return row;
  }
  static void Set(models::GpuMetrics& row, Quantity quantity, double value) {
    row.readings.Set(static_cast<std::size_t>(quantity), value);
  }
  std::vector<store::Snapshot> Take() const {
    return TasksOf(
        {gpus_, &processes_, &pods_, &nodes_, WallTime(Millis(1'772'356'500'000)), "no GPUd"},
        rules_);
  }
  // "task:uuid,uuid task:"
  static std::string Shown(const std::vector<store::Snapshot>& snapshots) {
    std::string text;
    for (const auto& snapshot : snapshots) {
      text += snapshot.task_id + ':';
      for (const auto& gpu : snapshot.gpu_metrics) text += gpu.uuid + ',';
      text += ' ';
    }
    return text;
  }

  models::Snapshot gpus_;
  models::Snapshot processes_;
  models::Snapshot pods_;
  models::Snapshot nodes_;
  const fleet::HealthRules rules_{};
};

TEST_F(FleetTasksTest, EachGpuIsInASnapshotOfItsPodsOrOfItsNode) {
  Add("n1", "0", "g0", {{"team", "train", "a"}, {"team", "train", "b"}});
  Add("n1", "1", "g1", {{"team", "train", "a"}, {"other", "infer", "c"}});
  Add("n1", "2", "g2");
  Add("", "0", "g3");
  const auto snapshots = Take();
  EXPECT_EQ(Shown(snapshots), "n1:g2, other/infer:g1, team/train:g0,g1, unknown:g3, ");
  std::set<std::string> ids;
  for (const auto& snapshot : snapshots) {
    ids.insert(snapshot.id);
    EXPECT_EQ(snapshot.timestamp, snapshots[0].timestamp);
    EXPECT_FALSE(snapshot.gpud_healthy);
  }
  EXPECT_EQ(ids.size(), snapshots.size());
  EXPECT_EQ(snapshots[2].task_name, "train");
  EXPECT_EQ(snapshots[2].instance_id, "n1");
  EXPECT_EQ(snapshots[2].instance_type, "3x H100");
}

TEST_F(FleetTasksTest, ADividedGpuIsTheNodesAndItsInstancesAreTheirPods) {
  Add("n1", "0", "board").divided = true;
  auto& held = Add("n1", "0", "board", {{"team", "part", ""}});
  held.set_text(Text::kMigGpuInstance, "1");
  held.set_text(Text::kMigUuid, "mig-1");
  held.set_text(Text::kMigProfile, "1g.10gb");
  auto& free = Add("n1", "0", "board");
  free.set_text(Text::kMigGpuInstance, "2");
  free.set_text(Text::kMigUuid, "mig-2");
  const auto snapshots = Take();
  EXPECT_EQ(Shown(snapshots), "n1:board, team/part:mig-1, ");
  EXPECT_EQ(snapshots[1].gpu_metrics[0].name, "H100 MIG 1g.10gb");
}

TEST_F(FleetTasksTest, ARunningPodWhoseGpusNobodyNamesIsThereWithoutThem) {
  models::Pod pod;
  pod.name_space = "team";
  pod.name = "quiet";
  pod.phase = models::kRunning;
  pod.gpus_requested = 2;
  pods_.pods = {pod};
  pod.phase = models::kSucceeded;
  pod.name = "over";
  pods_.pods.push_back(pod);
  const auto snapshots = Take();
  ASSERT_EQ(Shown(snapshots), "team/quiet: ");
  EXPECT_FALSE(snapshots[0].health_score);
  EXPECT_EQ(snapshots[0].health_status, "unknown");
}

TEST_F(FleetTasksTest, TheMachineIsThatOfTheNode) {
  using models::NodeQuantity;
  Add("n1", "0", "g0", {{"team", "train", "a"}});
  Add("n2", "0", "g1");
  const auto add = [&](const char* name, NodeQuantity quantity, double value) -> auto& {
    auto& node = nodes_.nodes.emplace_back();
    node.name = name;
    node.readings.Set(static_cast<std::size_t>(quantity), value);
    return node;
  };
  auto& node = add("n1.dc.example", NodeQuantity::kMemoryTotal, 8.0 * 1024 * 1024 * 1024);
  const auto set = [&](NodeQuantity quantity, double value) {
    node.readings.Set(static_cast<std::size_t>(quantity), value);
  };
  set(NodeQuantity::kMemoryAvailable, 2.0 * 1024 * 1024 * 1024);
  set(NodeQuantity::kCpu, 35);
  set(NodeQuantity::kNetworkRx, 1e6);
  set(NodeQuantity::kLoad1, 3);
  nodes_.disks = {{"/data", "sdb", "xfs", 100, 10}, {"/", "sda", "ext4", 100, 75}};
  node.parts.disks = {0, 2};
  const auto snapshots = Take();
  ASSERT_EQ(Shown(snapshots), "n2:g1, team/train:g0, ");
  EXPECT_FALSE(snapshots[0].system_metrics) << "nobody tells of n2";
  ASSERT_TRUE(snapshots[1].system_metrics);
  const auto& system = *snapshots[1].system_metrics;
  EXPECT_EQ(system.cpu_usage_pct, 35);
  EXPECT_EQ(system.memory_used_gb, 6);
  EXPECT_EQ(system.memory_total_gb, 8);
  EXPECT_EQ(system.disk_usage_pct, 25);
  EXPECT_EQ(system.network_rx_mbps, 8);
  EXPECT_FALSE(system.network_tx_mbps);
  EXPECT_FALSE(system.load_average) << "one of three";
}

TEST_F(FleetTasksTest, ReadingsScoresStatesAndEventsAreThoseOfTheRows) {
  auto& hot = Add("n1", "3", "g3");
  Set(hot, Quantity::kTemperature, 90);
  Set(hot, Quantity::kUtilization, 50);
  Set(hot, Quantity::kMemoryUsed, 1024.0 * 1024 * 512);
  Set(hot, Quantity::kEccCorrectedVolatile, 2);
  Set(hot, Quantity::kEccUncorrectedVolatile, 1);
  Set(hot, Quantity::kXidLast, 79);
  auto& process = processes_.processes.emplace_back();
  process.set_text(Text::kNode, "n1");
  process.set_text(Text::kGpuId, "3");
  process.set_text(Text::kUuid, "g3");
  process.set_text(Text::kProcessName, "python");
  process.pid = 42;
  const auto snapshot = Take().at(0);
  const auto& gpu = snapshot.gpu_metrics.at(0);
  EXPECT_EQ(gpu.temperature_c, 90);
  EXPECT_EQ(gpu.memory_used_mb, 512);
  EXPECT_EQ(gpu.ecc_errors, 3);
  EXPECT_FALSE(gpu.power_draw_w) << "nobody measured it";
  ASSERT_EQ(gpu.xid_events.size(), 1U);
  EXPECT_TRUE(gpu.xid_events[0].starts_with("XID 79"));
  ASSERT_EQ(gpu.processes.size(), 1U);
  EXPECT_EQ(gpu.processes[0].pid, 42);
  EXPECT_EQ(snapshot.health_status, "critical");
  EXPECT_LT(*snapshot.health_score, 0.6);
  std::string states;
  for (const auto& state : snapshot.health_states)
    states += state.component + '=' + state.health + ' ';
  EXPECT_NE(states.find("temperature=unhealthy "), std::string::npos) << states;
  EXPECT_NE(states.find("xid=unhealthy "), std::string::npos) << states;
  EXPECT_EQ(states.find("power="), std::string::npos) << states;
  std::string events;
  for (const auto& event : snapshot.events) events += event.component + '=' + event.level + ' ';
  EXPECT_NE(events.find("xid=error"), std::string::npos) << events;
  EXPECT_EQ(events.find("temperature"), std::string::npos) << "a temperature is, it did not happen";
}

}  // namespace
}  // namespace gpumon::collect
