#include "internal/gpu/usage.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::NullReason;
using models::Quantity;
using models::Text;
using models::Workload;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

GpuMetrics& AddGpu(models::Snapshot& snapshot, std::string_view node, std::string_view id,
                   double utilization, const std::vector<Workload>& workloads) {
  GpuMetrics& row = snapshot.gpus.emplace_back();
  row.set_text(Text::kNode, node);
  row.set_text(Text::kGpuId, id);
  row.readings.Set(static_cast<std::size_t>(Quantity::kUtilization), utilization);
  row.readings.Set(static_cast<std::size_t>(Quantity::kMemoryUsed), 1000);
  row.first_workload = static_cast<std::uint32_t>(snapshot.workloads.size());
  row.workload_count = static_cast<std::uint32_t>(workloads.size());
  snapshot.workloads.insert(snapshot.workloads.end(), workloads.begin(), workloads.end());
  return row;
}

models::GpuProcess& AddProcess(models::Snapshot& snapshot, std::string_view id,
                               std::string_view user, double memory) {
  models::GpuProcess& row = snapshot.processes.emplace_back();
  row.set_text(Text::kNode, "n");
  row.set_text(Text::kGpuId, id);
  row.set_text(Text::kUser, user);
  row.readings.Set(static_cast<std::size_t>(models::ProcessQuantity::kGpuMemory), memory);
  return row;
}

TEST(UsageTest, APodHasTheGpusThatItHoldsAlone) {
  models::Snapshot gpus;
  AddGpu(gpus, "n1", "0", 40, {{"ml", "a", "c"}});
  AddGpu(gpus, "n2", "0", 60, {{"ml", "a", "c"}});
  AddGpu(gpus, "n2", "1", 99, {});
  const auto usages = UsageByPod(gpus, {});
  ASSERT_EQ(usages.size(), 1U);
  EXPECT_EQ(usages[0].gpus, 2U);
  EXPECT_EQ(usages[0].shared_gpus, 0U);
  EXPECT_EQ(usages[0].share, 2);
  EXPECT_EQ(usages[0].utilization.value, 100);
  EXPECT_EQ(usages[0].utilization.known, 2U);
  EXPECT_EQ(usages[0].memory_used.value, 2000);
  EXPECT_EQ(usages[0].nodes.size(), 2U);
}

TEST(UsageTest, SharesOfAGpuAddUpToOneAndNobodysPartIsGuessed) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 80, {{"ml", "a", "c", 30, 400}, {"ml", "b", "c", kNaN, kNaN}});
  const auto usages = UsageByPod(gpus, {});
  ASSERT_EQ(usages.size(), 2U);
  EXPECT_EQ(usages[0].share + usages[1].share, 1);
  EXPECT_EQ(usages[0].shared_gpus, 1U);
  EXPECT_EQ(usages[0].utilization.value, 30);
  EXPECT_EQ(usages[0].memory_used.value, 400);
  EXPECT_EQ(usages[1].utilization.known, 0U);
  EXPECT_EQ(usages[1].utilization.why, NullReason::kNotExported);
  EXPECT_EQ(usages[1].memory_used.why, NullReason::kNotExported);
}

TEST(UsageTest, WhatIsMeasuredOfAPodIsItsPartThoughItHoldsTheGpuAlone) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 72, {{"ml", "a", "c", 35, 400}});
  const auto usages = UsageByPod(gpus, {});
  ASSERT_EQ(usages.size(), 1U);
  EXPECT_EQ(usages[0].utilization.value, 35);
  EXPECT_EQ(usages[0].memory_used.value, 400);
  EXPECT_EQ(usages[0].shared_gpus, 0U);
}

TEST(UsageTest, ANamespaceWhosePodsShareAGpuHasItOnce) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 80, {{"ml", "a", "c"}, {"ml", "b", "c"}});
  AddGpu(gpus, "n", "1", 20, {{"ml", "a", "c"}, {"web", "x", "c"}});
  const auto usages = UsageByNamespace(gpus, {});
  ASSERT_EQ(usages.size(), 2U);
  EXPECT_EQ(usages[0].name_space, "ml");
  EXPECT_EQ(usages[0].pod, "");
  EXPECT_EQ(usages[0].pods.size(), 2U);
  EXPECT_EQ(usages[0].gpus, 2U);
  EXPECT_EQ(usages[0].shared_gpus, 1U);
  EXPECT_EQ(usages[0].share, 1.5);
  EXPECT_EQ(usages[0].utilization.value, 80) << "alone on one; of the other its part is unknown";
  EXPECT_EQ(usages[0].utilization.known, 1U);
  EXPECT_EQ(usages[1].share, 0.5);
}

TEST(UsageTest, AMissingReadingKeepsItsReason) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 1, {{"ml", "a", "c"}})
      .readings.SetAbsent(static_cast<std::size_t>(Quantity::kMemoryUsed), NullReason::kStale);
  EXPECT_EQ(UsageByPod(gpus, {})[0].memory_used.why, NullReason::kStale);
}

TEST(UsageTest, AProcessOnSeveralGpusIsOne) {
  models::Snapshot gpus;
  models::Snapshot processes;
  processes.part = models::Part::kProcesses;
  for (const std::string_view id : {"0", "1", "2"}) AddProcess(processes, id, "alice", 10).pid = 7;
  AddProcess(processes, "0", "alice", 10).pid = 8;
  AddProcess(processes, "0", "alice", 10).set_text(Text::kPod, "a");  // of its own 7
  processes.processes.back().pid = 7;
  const auto usages = UsageByUser(gpus, processes);
  ASSERT_EQ(usages.size(), 1U);
  EXPECT_EQ(usages[0].processes, 3U);
  EXPECT_EQ(usages[0].memory_used.value, 50);
}

TEST(UsageTest, UsersHaveTheirProcessesAndTheGpusUnderThem) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 50, {});
  AddGpu(gpus, "n", "1", 70, {});
  models::Snapshot processes;
  processes.part = models::Part::kProcesses;
  AddProcess(processes, "0", "alice", 10);
  AddProcess(processes, "0", "alice", 20);
  AddProcess(processes, "1", "alice", 5);
  AddProcess(processes, "1", "bob", 7);
  AddProcess(processes, "1", "", 1);
  const auto usages = UsageByUser(gpus, processes);
  ASSERT_EQ(usages.size(), 3U);
  EXPECT_EQ(usages[0].user, "alice");
  EXPECT_EQ(usages[0].processes, 3U);
  EXPECT_EQ(usages[0].gpus, 2U);
  EXPECT_EQ(usages[0].shared_gpus, 1U);
  EXPECT_NEAR(usages[0].share, 1 + 1.0 / 3, 1e-12);
  EXPECT_EQ(usages[0].utilization.value, 50);
  EXPECT_EQ(usages[0].memory_used.value, 35);
  EXPECT_EQ(usages[1].user, "bob");
  EXPECT_EQ(usages[2].user, "") << "nobody comes last";
}

// Two users on instances, whose part of the board nobody tells, and one on the board as a whole.
TEST(UsageTest, AUsersPartOfADividedBoardIsNeverGuessed) {
  models::Snapshot gpus;
  models::Snapshot processes;
  processes.part = models::Part::kProcesses;
  for (const char* const id : {"0:0", "0:1"}) {
    AddGpu(gpus, "n", id, 50, {});
    gpus.gpus.back().set_text(Text::kMigUuid, id == std::string("0:0") ? "MIG-a" : "MIG-b");
  }
  AddGpu(gpus, "n", "1", 50, {});
  gpus.gpus.back().divided = true;
  gpus.gpus.back().set_text(Text::kUuid, "GPU-1");
  const auto add = [&](std::string_view user, std::string_view uuid) {
    AddProcess(processes, "", user, 1);
    processes.processes.back().set_text(Text::kUuid, uuid);
  };
  add("u0", "MIG-a");
  add("u1", "MIG-b");
  add("u1", "MIG-a");
  add("u2", "GPU-1");
  add("u3", "MIG-unlisted");
  add("u4", "GPU-unlisted");
  const auto usages = UsageByUser(gpus, processes);
  ASSERT_EQ(usages.size(), 5U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(usages[i].gpus, 1U) << usages[i].user;
    EXPECT_TRUE(std::isnan(usages[i].share)) << usages[i].user;
  }
  EXPECT_EQ(usages[1].mig_instances, 2U);
  EXPECT_EQ(usages[1].shared_gpus, 1U);
  EXPECT_EQ(usages[4].share, 1);
}

// Both nodes show one UUID.
TEST(UsageTest, AProcessOnOneOfTwoClonesIsOnItsOwnNodes) {
  models::Snapshot gpus;
  models::Snapshot processes;
  processes.part = models::Part::kProcesses;
  for (const char* const node : {"n", "s2"}) {
    AddGpu(gpus, node, "0", 50, {});
    gpus.gpus.back().set_text(Text::kUuid, "GPU-1");
  }
  AddProcess(processes, "0", "u", 1);
  processes.processes.back().set_text(Text::kUuid, "GPU-1");
  AddProcess(processes, "0", "nodeless", 1);
  processes.processes.back().set_text(Text::kUuid, "GPU-1");
  processes.processes.back().set_text(Text::kNode, "");
  const auto usages = UsageByUser(gpus, processes);
  ASSERT_EQ(usages.size(), 2U);
  EXPECT_TRUE(usages[0].nodes.empty()) << "nobody knows";
  EXPECT_EQ(usages[1].nodes, std::set<std::string_view>{"n"});
}

models::Pod MakePod(std::string_view name_space, std::string_view name, std::string_view phase,
                    double gpus, std::string_view owner = "") {
  models::Pod pod;
  pod.name_space = name_space;
  pod.name = name;
  pod.node = "n9";
  pod.phase = phase;
  pod.gpus_requested = gpus;
  if (!owner.empty()) pod.owner_kind = "Deployment";
  pod.owner_name = owner;
  return pod;
}

TEST(UsageTest, PodsHaveWhatKubeStateMetricsTellsOfThem) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 40, {{"ml", "a", "c"}});
  AddGpu(gpus, "n", "1", 40, {{"ml", "stranger", "c"}});
  models::Snapshot pods;
  pods.pods = {MakePod("ml", "a", "Running", 2, "web"), MakePod("web", "a", "Running", 8)};
  const auto usages = UsageByPod(gpus, pods);
  ASSERT_EQ(usages.size(), 3U);
  EXPECT_EQ(usages[0].phase, "Running");
  EXPECT_EQ(usages[0].owner_kind, "Deployment");
  EXPECT_EQ(usages[0].owner_name, "web");
  EXPECT_EQ(usages[0].requested.value, 2);
  EXPECT_EQ(usages[0].gpus, 1U) << "what it asks for is not what it was seen to hold";
  EXPECT_EQ(usages[1].pod, "stranger");
  EXPECT_EQ(usages[1].owner_name, "");
  EXPECT_EQ(usages[1].requested.why, NullReason::kNotExported);
}

TEST(UsageTest, RunningPodsThatNoExporterNamesHoldGpusToo) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 40, {{"", "nameless", "c"}});
  models::Snapshot pods;
  pods.pods = {MakePod("ml", "done", "Succeeded", 4),   MakePod("ml", "failed", "Failed", 4),
               MakePod("ml", "nameless", "Running", 1), MakePod("ml", "odd", "", 1),
               MakePod("ml", "run", "Running", 2),      MakePod("ml", "unknown", "Running", kNaN),
               MakePod("ml", "waits", "Pending", 4)};
  const auto usages = UsageByPod(gpus, pods);
  ASSERT_EQ(usages.size(), 2U);
  EXPECT_EQ(usages[0].pod, "nameless") << "of the exporter that leaves the namespace out";
  const Usage& unnamed = usages[1];
  EXPECT_EQ(unnamed.pod, "run");
  EXPECT_EQ(unnamed.gpus, 0U);
  EXPECT_EQ(unnamed.requested.value, 2);
  EXPECT_EQ(unnamed.nodes.count("n9"), 1U);
  EXPECT_EQ(unnamed.utilization.why, NullReason::kNotExported);
  EXPECT_EQ(unnamed.memory_used.why, NullReason::kNotExported);
  EXPECT_TRUE(std::isnan(unnamed.newest));
}

TEST(UsageTest, WhichGpusAPodHasIsLostWithWhoNamedThem) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 80, {}).texts_gone = 1U << static_cast<unsigned>(Text::kPod);
  models::Snapshot pods;
  for (const char* const node : {"n", "other"}) {
    models::Pod& pod = pods.pods.emplace_back();
    pod.name_space = "ml";
    pod.name = pod.node = node;
    pod.phase = models::kRunning;
    pod.gpus_requested = 1;
  }
  const auto usages = UsageByPod(gpus, pods);
  ASSERT_EQ(usages.size(), 2U);
  EXPECT_EQ(usages[0].utilization.why, NullReason::kExporterDown);
  EXPECT_EQ(usages[0].unnamed, NullReason::kExporterDown);
  EXPECT_EQ(usages[1].unnamed, NullReason::kNotExported);
}

TEST(UsageTest, ProcessesOnInstancesWithoutRowsAreOnOneBoard) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 80, {}).set_text(Text::kUuid, "GPU-1");
  models::Snapshot processes;
  processes.part = models::Part::kProcesses;
  AddProcess(processes, "0:0", "carol", 1).set_text(Text::kUuid, "MIG-1");
  AddProcess(processes, "0:1", "carol", 1).set_text(Text::kUuid, "MIG-2");
  const auto usages = UsageByUser(gpus, processes);
  ASSERT_EQ(usages.size(), 1U);
  EXPECT_EQ(usages[0].gpus, 1U);
  EXPECT_TRUE(std::isnan(usages[0].share)) << "nobody says how large they are";
}

TEST(UsageTest, WhatEndedAsksForNothingThoughAnExporterStillNamesIt) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 40, {{"ml", "a", "c"}});
  models::Snapshot pods;
  pods.pods = {MakePod("ml", "a", "Succeeded", 2)};
  const auto usages = UsageByPod(gpus, pods);
  ASSERT_EQ(usages.size(), 1U);
  EXPECT_EQ(usages[0].phase, "Succeeded");
  EXPECT_EQ(usages[0].requested.known, 0U);
  EXPECT_EQ(usages[0].requested.why, NullReason::kNotExported);
}

TEST(UsageTest, OwnersHaveTheirPodsTogetherAndTheirGpusOnce) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 40, {{"ml", "w1", "c"}, {"ml", "w2", "c"}});
  AddGpu(gpus, "n", "1", 40, {{"ml", "x", "c"}});
  AddGpu(gpus, "n", "2", 40, {{"ml", "y", "c"}});
  models::Snapshot pods;
  pods.pods = {MakePod("ml", "w1", "Running", 1, "web"), MakePod("ml", "w2", "Running", 1, "web"),
               MakePod("ml", "w3", "Running", 1, "web"),
               MakePod("other", "w", "Running", 1, "web")};
  const auto usages = UsageByOwner(gpus, pods);
  ASSERT_EQ(usages.size(), 3U);
  EXPECT_EQ(usages[0].owner_name, "") << "x and y, of whose owners nobody tells";
  EXPECT_EQ(usages[0].pods.size(), 2U);
  EXPECT_EQ(usages[0].requested.why, NullReason::kNotExported);
  EXPECT_EQ(usages[1].owner_name, "web");
  EXPECT_EQ(usages[1].pod, "");
  EXPECT_EQ(usages[1].phase, "");
  EXPECT_EQ(usages[1].pods.size(), 3U);
  EXPECT_EQ(usages[1].gpus, 1U);
  EXPECT_EQ(usages[1].share, 1);
  EXPECT_EQ(usages[1].requested.value, 3);
  EXPECT_EQ(usages[2].name_space, "other") << "another Deployment of that name";
}

TEST(UsageTest, ANamespaceAsksForWhatItsPodsAskFor) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 40, {{"ml", "a", "c"}});
  models::Snapshot pods;
  pods.pods = {MakePod("ml", "a", "Running", 1, "web"), MakePod("ml", "b", "Running", 2, "web"),
               MakePod("ml", "gone", "Failed", 4), MakePod("ml", "waits", "Pending", 4)};
  auto usages = UsageByNamespace(gpus, pods);
  ASSERT_EQ(usages.size(), 1U);
  EXPECT_EQ(usages[0].requested.value, 3);
  EXPECT_EQ(usages[0].pods.size(), 2U);
  EXPECT_EQ(usages[0].owner_kind, "");
  AddGpu(gpus, "n", "1", 40, {{"ml", "stranger", "c"}});
  usages = UsageByNamespace(gpus, pods);
  EXPECT_EQ(usages[0].requested.why, NullReason::kNotExported) << "the rest is not the whole";
}

TEST(UsageTest, InstancesOfOneBoardAreOneGpuAndTheirSlicesOfIt) {
  models::Snapshot gpus;
  models::Snapshot processes;
  processes.part = models::Part::kProcesses;
  for (const auto* const instance : {"7", "9"}) {
    GpuMetrics& gpu = AddGpu(gpus, "n", "0", *instance == '7' ? 50 : 70, {});
    models::GpuProcess& process = AddProcess(processes, "0", "alice", 10);
    gpu.set_text(Text::kGpuName, "NVIDIA H100 80GB HBM3");
    gpu.set_text(Text::kMigProfile, "2g.20gb");
    gpu.set_text(Text::kMigGpuInstance, instance);
    process.set_text(Text::kMigGpuInstance, instance);
  }
  const auto usages = UsageByUser(gpus, processes);
  ASSERT_EQ(usages.size(), 1U);
  EXPECT_EQ(usages[0].gpus, 1U);
  EXPECT_EQ(usages[0].mig_instances, 2U);
  EXPECT_NEAR(usages[0].share, 4.0 / 7, 1e-12);
  EXPECT_EQ(usages[0].utilization.value, 120);
}

TEST(UsageTest, WhatPartOfItsBoardAnInstanceIsIsNeverGuessed) {
  const auto share = [](std::string_view board, std::string_view profile) {
    models::Snapshot gpus;
    GpuMetrics& gpu = AddGpu(gpus, "n", "0", 50, {{"ml", "a", "c"}});
    gpu.set_text(Text::kGpuName, board);
    gpu.set_text(Text::kMigProfile, profile);
    gpu.set_text(Text::kMigGpuInstance, "7");
    return UsageByPod(gpus, {}).at(0).share;
  };
  EXPECT_EQ(share("NVIDIA A100-SXM4-40GB", "7g.40gb"), 1);
  EXPECT_EQ(share("NVIDIA A30", "2g.12gb"), 0.5);
  EXPECT_EQ(share("NVIDIA RTX PRO 6000 Blackwell Server Edition", "4g.96gb"), 1);
  EXPECT_EQ(share("NVIDIA A100-SXM4-40GB", "1c.3g.20gb"), 1.0 / 7);
  EXPECT_TRUE(std::isnan(share("NVIDIA Z900", "1g.10gb")));
  EXPECT_TRUE(std::isnan(share("NVIDIA A100-SXM4-40GB", "")));
}

TEST(UsageTest, APodNamedWithoutItsNamespaceIsOneOfThatNameAlone) {
  models::Snapshot gpus;
  AddGpu(gpus, "n", "0", 40, {{"", "web-0", "c"}});
  models::Snapshot pods;
  pods.pods = {MakePod("ml", "web-0", "Running", 1, "web")};
  EXPECT_EQ(UsageByPod(gpus, pods).size(), 1U) << "it is meant";
  pods.pods.push_back(MakePod("shop", "web-0", "Running", 1, "web"));
  EXPECT_EQ(UsageByPod(gpus, pods).size(), 3U) << "which of them nobody knows; none vanishes";
}

TEST(UsageTest, ComputeInstancesAreGpusOfTheirOwn) {
  models::Snapshot gpus;
  models::Snapshot processes;
  processes.part = models::Part::kProcesses;
  for (const auto* const compute : {"0", "1"}) {
    const bool first = *compute == '0';
    GpuMetrics& gpu = AddGpu(gpus, "n", "0", first ? 50 : 70, {});
    models::GpuProcess& process = AddProcess(processes, "0", first ? "alice" : "bob", 10);
    gpu.set_text(Text::kMigGpuInstance, "7");
    gpu.set_text(Text::kMigComputeInstance, compute);
    process.set_text(Text::kMigGpuInstance, "7");
    process.set_text(Text::kMigComputeInstance, compute);
  }
  const auto usages = UsageByUser(gpus, processes);
  ASSERT_EQ(usages.size(), 2U);
  EXPECT_EQ(usages[0].utilization.value, 50);
  EXPECT_EQ(usages[1].utilization.value, 70);
  EXPECT_EQ(usages[1].gpus, 1U);
  EXPECT_TRUE(std::isnan(usages[1].share)) << "no profile tells its part";
}

}  // namespace
}  // namespace gpumon::gpu
