// What is no node's name, and who has one then.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "internal/gpu/join.h"
#include "internal/schema/registry.h"
#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::Text;
using prom::FakeSample;
using prom::Labels;

FakeSample Sample(const std::string& name, Labels labels) {
  labels.emplace_back("__name__", name);
  std::sort(labels.begin(), labels.end());
  return {std::move(labels), 1};
}

// The nodes of the rows that `samples` make beside `targets` (`up`) and kube-state-metrics'
// `infos`.
std::string NodesOf(const std::string& exporter, const std::vector<FakeSample>& samples,
                    const std::vector<FakeSample>& infos = {},
                    const std::vector<FakeSample>& targets = {}) {
  const std::array exporters = {schema::Registry::BuiltIn().Find(exporter)};
  UnitEvidence evidence;
  Join<GpuMetrics> join(exporters, evidence, 1000);
  join.AddTargets(prom::MakeInstantVector(targets));
  join.AddAddresses(prom::MakeInstantVector(infos));
  join.Add(0, prom::MakeInstantVector(samples), std::nullopt);
  const auto snapshot = join.Finish(CommandStyle::kFull);
  std::string nodes;
  for (const GpuMetrics& row : snapshot->gpus) nodes.append(row.text(Text::kNode)).append(";");
  return nodes;
}

FakeSample Dcgm(Labels more) {
  more.emplace_back("UUID", "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80");
  more.emplace_back("gpu", "0");
  return Sample("DCGM_FI_DEV_FB_USED", std::move(more));
}

TEST(NodeNamesTest, ANameThatManyMachinesHaveIsNoNodesAndTheNextLabelIsAsked) {
  for (const std::string loopback :
       {"localhost", "LOCALHOST", "localhost:9400", "localhost.localdomain", "ip6-localhost",
        "127.0.0.1", "::1", "0.0.0.0"}) {
    EXPECT_EQ(NodesOf("dcgm", {Dcgm({{"Hostname", loopback}, {"kubernetes_node", "n1"}})}), "n1;");
    EXPECT_EQ(NodesOf("dcgm", {Dcgm({{"Hostname", loopback}, {"instance", "10.0.0.1:9400"}})},
                      {Sample("kube_node_info", {{"node", "nA"}, {"internal_ip", "10.0.0.1"}})}),
              "nA;");
    EXPECT_EQ(NodesOf("dcgm", {Dcgm({{"Hostname", loopback}})}), ";");
  }
}

TEST(NodeNamesTest, ATargetAtANodesNameIsOnThatNode) {
  const std::vector<FakeSample> infos = {
      Sample("kube_node_info", {{"node", "gpuX"}, {"internal_ip", "10.0.0.9"}})};
  EXPECT_EQ(NodesOf("dcgm", {Dcgm({{"instance", "gpuX:9400"}})}, infos), "gpuX;");
  EXPECT_EQ(NodesOf("dcgm", {Dcgm({{"instance", "gpuX"}})}, infos), "gpuX;");
  EXPECT_EQ(NodesOf("dcgm", {Dcgm({{"instance", "gpuY:9400"}})}, infos), ";");
}

TEST(NodeNamesTest, TheExportersOwnPodIsNoNode) {
  const std::vector<FakeSample> targets = {Sample(
      "up", {{"instance", "10.1.0.1:9400"}, {"job", "d"}, {"namespace", "m"}, {"pod", "exp-abc"}})};
  const FakeSample sample =
      Dcgm({{"Hostname", "exp-abc"}, {"instance", "10.1.0.1:9400"}, {"job", "d"}});
  EXPECT_EQ(NodesOf("dcgm", {sample},
                    {Sample("kube_pod_info", {{"node", "nB"}, {"pod_ip", "10.1.0.1"}})}, targets),
            "nB;");
  EXPECT_EQ(NodesOf("dcgm", {sample}, {}, targets), ";");
  EXPECT_EQ(NodesOf("dcgm", {sample}), "exp-abc;") << "nobody can tell";
}

TEST(NodeNamesTest, AllSmiCallsItsNodeInstanceUnlessThatIsAnAddress) {
  const auto of = [](const std::string& instance) {
    return NodesOf("all_smi", {Sample("all_smi_gpu_memory_used_bytes",
                                      {{"gpu_index", "0"}, {"instance", instance}})});
  };
  EXPECT_EQ(of("gpu-f01"), "gpu-f01;");
  EXPECT_EQ(of("gpu-f01:9090"), ";");
  EXPECT_EQ(of("10.0.0.1"), ";");
  EXPECT_EQ(of("[fd00::1]:9090"), ";");
}

TEST(NodeNamesTest, TwoExportersMayCallOneNodeByTwoNames) {
  const std::array exporters = {schema::Registry::BuiltIn().Find("dcgm"),
                                schema::Registry::BuiltIn().Find("gpud"),
                                schema::Registry::BuiltIn().Find("nvitop")};
  UnitEvidence evidence;
  Join<GpuMetrics> join(exporters, evidence, 1000);
  const std::string uuid = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";
  join.Add(0, prom::MakeInstantVector({Dcgm({{"Hostname", "a"}})}), std::nullopt);
  join.Add(1,
           prom::MakeInstantVector({Sample("accelerator_nvidia_temperature_current_celsius",
                                           {{"gpud_component", "x"}, {"uuid", uuid}})}),
           std::nullopt);
  join.Add(
      2,
      prom::MakeInstantVector({Sample(
          "gpu_power_usage_W",
          {{"devicename", "H100"}, {"hostname", "10.0.0.5"}, {"index", "0"}, {"uuid", uuid}})}),
      std::nullopt);
  EXPECT_EQ(join.Finish(CommandStyle::kFull)->gpus.size(), 1U);
}

// Two nodes show one UUID; a third exporter names it without a node.
TEST(NodeNamesTest, WhatIsSaidOfAUuidThatTwoNodesShowIsNeithers) {
  const std::array exporters = {schema::Registry::BuiltIn().Find("gpud"),
                                schema::Registry::BuiltIn().Find("dcgm")};
  UnitEvidence evidence;
  Join<GpuMetrics> join(exporters, evidence, 1000);
  const std::string uuid = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";
  join.Add(0,
           prom::MakeInstantVector({Sample("accelerator_nvidia_temperature_current_celsius",
                                           {{"gpud_component", "x"}, {"uuid", uuid}})}),
           std::nullopt);
  join.Add(1, prom::MakeInstantVector({Dcgm({{"Hostname", "z"}}), Dcgm({{"Hostname", "a"}})}),
           std::nullopt);
  const auto snapshot = join.Finish(CommandStyle::kFull);
  ASSERT_EQ(snapshot->gpus.size(), 3U);
  const auto temperature = static_cast<std::size_t>(models::Quantity::kTemperature);
  EXPECT_EQ(snapshot->gpus[0].text(Text::kNode), "a");
  EXPECT_FALSE(snapshot->gpus[0].readings.Has(temperature));
  EXPECT_FALSE(snapshot->gpus[1].readings.Has(temperature));
  EXPECT_EQ(snapshot->gpus[2].text(Text::kNode), "");
  EXPECT_TRUE(snapshot->gpus[2].readings.Has(temperature));
}

}  // namespace
}  // namespace gpumon::gpu
