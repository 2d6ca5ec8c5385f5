#include "internal/gpu/device_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/join.h"
#include "internal/schema/registry.h"
#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {
namespace {

using models::GpuProcess;
using models::Text;
using prom::FakeSample;
using prom::Labels;

constexpr char kUuid[] = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";

using Said = std::vector<std::pair<std::string, std::vector<FakeSample>>>;  // exporter, samples

// "node gpu_index name" of the only process.
// `devices`: what each exporter calls its GPUs, when it was asked.
std::string NamesOf(const Said& said, const std::vector<std::vector<FakeSample>>& devices = {}) {
  std::vector<const schema::Exporter*> exporters;
  for (const auto& [name, samples] : said) {
    exporters.push_back(schema::Registry::BuiltIn().Find(name));
  }
  UnitEvidence evidence;
  Join<GpuProcess> join(exporters, evidence, 1000);
  for (std::size_t i = 0; i < said.size(); ++i) {
    join.Add(i, prom::MakeInstantVector(said[i].second), std::nullopt);
  }
  for (std::size_t i = 0; i < devices.size(); ++i) {
    join.AddDevices(i, prom::MakeInstantVector(devices[i]));
  }
  const auto snapshot = join.Finish(CommandStyle::kFull);
  if (snapshot->processes.size() != 1) return "not one process";
  const GpuProcess& row = snapshot->processes[0];
  return std::string(row.text(Text::kNode)) + ' ' + std::to_string(row.gpu_index) + ' ' +
         std::string(row.text(Text::kGpuName));
}

FakeSample Sample(const std::string& name, Labels labels) {
  labels.emplace_back("__name__", name);
  std::sort(labels.begin(), labels.end());
  return {std::move(labels), 1};
}
FakeSample AllSmiInfo(const std::string& node) {
  return Sample(
      "all_smi_gpu_info",
      {{"exported_instance", node}, {"gpu", "H200"}, {"gpu_index", "3"}, {"gpu_uuid", kUuid}});
}
const FakeSample kAllSmiProcess =
    Sample("all_smi_process_memory_used_bytes", {{"device_uuid", kUuid}, {"pid", "7"}});
const FakeSample kSmiProcess =
    Sample("nvidia_smi_compute_app_used_memory_bytes", {{"pid", "7"}, {"uuid", kUuid + 4}});

TEST(DeviceNamesTest, AProcessHasTheNodeIndexAndModelOfItsUuid) {
  EXPECT_EQ(NamesOf({{"all_smi", {kAllSmiProcess, AllSmiInfo("n1")}}}), "n1 3 H200");
  const FakeSample old =
      Sample("all_smi_gpu_info",
             {{"exported_instance", "n1"}, {"gpu", "H200"}, {"index", "3"}, {"uuid", kUuid}});
  EXPECT_EQ(NamesOf({{"all_smi", {kAllSmiProcess, old}}}), "n1 3 H200") << "before 0.21";
}

TEST(DeviceNamesTest, AnotherExporterTellsWhatTheProcessesOwnDoesNot) {
  const FakeSample info =
      Sample("nvidia_smi_gpu_info", {{"index", "2"}, {"name", "H100"}, {"uuid", kUuid + 4}});
  EXPECT_EQ(NamesOf({{"nvidia_smi", {kSmiProcess, info}}}), " 2 H100");
  EXPECT_EQ(NamesOf({{"nvidia_smi", {kSmiProcess, info}}, {"all_smi", {AllSmiInfo("n1")}}}),
            "n1 2 H100")
      << "the first exporter stands first";
}

TEST(DeviceNamesTest, ProcessesThatAreNamedByUuidAndByPlaceMeet) {
  const FakeSample by_place =
      Sample("gpu_process_gpu_memory", {{"gpu_id", "3"}, {"hostname", "n1"}, {"pid", "7"}});
  EXPECT_EQ(NamesOf({{"gpu_metrics", {by_place}}, {"all_smi", {kAllSmiProcess, AllSmiInfo("n1")}}}),
            "n1 3 H200");
}

TEST(DeviceNamesTest, AProcessOnAMigInstanceHasTheIdOfItsGpu) {
  constexpr char kMig[] = "MIG-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";
  Labels at = {{"devicename", "A100 MIG 1g.5gb"}, {"hostname", "n1"}, {"index", "2:1"}};
  at.emplace_back("uuid", kMig);
  const FakeSample device = Sample("gpu_utilization_Percentage", at);
  at.emplace_back("pid", "7");
  EXPECT_EQ(NamesOf({{"nvitop", {Sample("process_gpu_memory_MiB", at), device}}}),
            "n1 2 A100 MIG 1g.5gb");
  const FakeSample process =
      Sample("nvidia_smi_compute_app_used_memory_bytes", {{"pid", "7"}, {"uuid", kMig}});
  EXPECT_EQ(NamesOf({{"nvidia_smi", {process}}, {"nvitop", {}}}, {{}, {device}}),
            "n1 2 A100 MIG 1g.5gb");
}

// nvitop asks the driver for a GPU's processes and for those of each instance.
TEST(DeviceNamesTest, AProcessOfAnInstanceIsNoOtherThanThatOfItsGpu) {
  constexpr char kMig[] = "MIG-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";
  const auto nvitop = [&](const std::string& index, const std::string& uuid) {
    const std::string name = uuid == kMig ? "A100 MIG 1g.5gb" : "A100";
    return Sample(
        "process_gpu_memory_MiB",
        {{"devicename", name}, {"hostname", "n1"}, {"index", index}, {"pid", "7"}, {"uuid", uuid}});
  };
  const std::vector<FakeSample> both = {nvitop("0", kUuid), nvitop("0:1", kMig)};
  EXPECT_EQ(NamesOf({{"nvitop", both}}), "n1 0 A100");
  const FakeSample seed =
      Sample("nvidia_gpu_process_gpu_memory_bytes",
             {{"gpu_id", "0"}, {"hostname", "n1"}, {"pid", "7"}, {"user", "u"}});
  EXPECT_EQ(NamesOf({{"nvidia_gpu", {seed}}, {"nvitop", both}}), "n1 0 A100");
}

// One names the GPU and the instance, one the instance's UUID, one the GPU alone.
TEST(DeviceNamesTest, AProcessOnAnInstanceIsOneWhoeverNamesIt) {
  const auto smi = [](const char* instance) {
    return Sample("nvidia_smi_compute_app_used_memory_bytes", {{"compute_instance_id", "0"},
                                                               {"gpu_instance_id", instance},
                                                               {"node", "n1"},
                                                               {"pid", "7"},
                                                               {"uuid", kUuid + 4}});
  };
  const std::pair<std::string, std::vector<FakeSample>> by_instance = {
      "nvidia_smi",
      {smi("1"), Sample("nvidia_smi_gpu_info",
                        {{"index", "0"}, {"name", "A100"}, {"node", "n1"}, {"uuid", kUuid + 4}})}};
  const std::pair<std::string, std::vector<FakeSample>> by_uuid = {
      "nvitop",
      {Sample("process_gpu_memory_MiB", {{"devicename", "A100 MIG 1g.5gb"},
                                         {"hostname", "n1"},
                                         {"index", "0:0"},
                                         {"pid", "7"},
                                         {"uuid", "MIG-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80"}})}};
  const std::pair<std::string, std::vector<FakeSample>> by_gpu = {
      "nvidia_gpu",
      {Sample("nvidia_gpu_process_gpu_memory_bytes",
              {{"gpu_id", "0"}, {"hostname", "n1"}, {"pid", "7"}, {"user", "u"}})}};
  for (const Said& said : {Said{by_instance, by_uuid, by_gpu}, Said{by_gpu, by_uuid, by_instance},
                           Said{by_uuid, by_gpu, by_instance}, Said{by_uuid, by_instance, by_gpu},
                           Said{by_gpu, by_instance, by_uuid}}) {
    EXPECT_EQ(NamesOf(said).substr(0, 9), "n1 0 A100") << said[0].first << said[1].first;
  }
  // One that is on two instances is two, whoever else tells of either.
  auto both = by_instance;
  both.second.push_back(smi("2"));
  EXPECT_EQ(NamesOf({both, by_gpu}), "not one process");
}

TEST(DeviceNamesTest, AProcessThatNamesItsGpuByPlaceHasTheUuidThatAnotherExporterTells) {
  const std::vector<const schema::Exporter*> exporters = {
      schema::Registry::BuiltIn().Find("dcgm"), schema::Registry::BuiltIn().Find("nvidia_gpu")};
  const auto dcgm = [](const std::string& uuid) {
    return Sample("DCGM_FI_DEV_GPU_TEMP",
                  {{"Hostname", "n1"}, {"UUID", uuid}, {"gpu", "0"}, {"modelName", "H100"}});
  };
  const auto uuid_of = [&](const std::vector<FakeSample>& devices) {
    UnitEvidence evidence;
    Join<GpuProcess> join(exporters, evidence, 1000);
    join.AddDevices(0, prom::MakeInstantVector(devices));
    join.Add(1,
             prom::MakeInstantVector({Sample("nvidia_gpu_process_gpu_memory_bytes",
                                             {{"gpu", "0"}, {"node", "n1"}, {"pid", "7"}})}),
             std::nullopt);
    const auto snapshot = join.Finish(CommandStyle::kFull);
    return std::string(snapshot->processes.at(0).text(Text::kUuid));
  };
  EXPECT_EQ(uuid_of({dcgm(kUuid)}), kUuid);
  EXPECT_EQ(uuid_of({dcgm(kUuid), dcgm("GPU-1")}), "") << "which of them nobody knows";
  EXPECT_EQ(uuid_of({}), "");
}

TEST(DeviceNamesTest, AUuidOfTwoNodesNamesNone) {
  EXPECT_EQ(NamesOf({{"all_smi", {kAllSmiProcess, AllSmiInfo("n1"), AllSmiInfo("n2")}}}), " -1 ");
  FakeSample process = kSmiProcess;
  process.labels.emplace_back("node", "n2");
  std::sort(process.labels.begin(), process.labels.end());
  EXPECT_EQ(NamesOf({{"nvidia_smi", {process}}, {"all_smi", {AllSmiInfo("n1"), AllSmiInfo("n2")}}}),
            "n2 3 H200");
}

TEST(DeviceNamesTest, AProcessIsWhereTheListOfGpusHasItsGpu) {
  const FakeSample process = Sample("process_gpu_memory_MiB", {{"devicename", "H"},
                                                               {"hostname", "10.0.0.9"},
                                                               {"index", "1"},
                                                               {"pid", "7"},
                                                               {"uuid", kUuid}});
  const auto dcgm = [](const std::string& node) {
    return Sample("DCGM_FI_DEV_FB_USED",
                  {{"Hostname", node}, {"UUID", kUuid}, {"gpu", "0"}, {"modelName", "H100"}});
  };
  EXPECT_EQ(NamesOf({{"nvitop", {process}}}), "10.0.0.9 1 H");
  EXPECT_EQ(NamesOf({{"dcgm", {}}, {"nvitop", {process}}}, {{dcgm("n1")}}), "n1 0 H");
  EXPECT_EQ(NamesOf({{"dcgm", {}}, {"nvitop", {process}}}, {{dcgm("n1"), dcgm("10.0.0.9")}}),
            "10.0.0.9 0 H")
      << "its own node first";
  EXPECT_EQ(NamesOf({{"dcgm", {}}, {"nvitop", {process}}}, {{dcgm("n1"), dcgm("n2")}}),
            "10.0.0.9 1 H")
      << "which of them nobody knows";
  EXPECT_EQ(NamesOf({{"nvitop", {process}}, {"dcgm", {}}}, {{}, {dcgm("n1")}}), "10.0.0.9 1 H")
      << "the better exporter's names stand";
}

TEST(DeviceNamesTest, MemoryThatAGpuDoesNotHaveIsNoProcesses) {
  constexpr auto kUsed = static_cast<std::size_t>(models::ProcessQuantity::kGpuMemory);
  models::GpuMetrics gpu;
  gpu.set_text(Text::kUuid, kUuid);
  gpu.readings.Set(static_cast<std::size_t>(models::Quantity::kMemoryTotal), 80e9);
  DeviceNames names;
  names.Add(0, gpu);
  std::vector<GpuProcess> rows(3);
  for (GpuProcess& row : rows) row.set_text(Text::kUuid, kUuid);
  rows[0].readings.Set(kUsed, 83e9);  // of what a driver counts otherwise
  rows[1].readings.Set(kUsed, 500e9);
  rows[2].readings.Set(kUsed, 500e9);
  rows[2].set_text(Text::kUuid, "GPU-another");
  EXPECT_EQ(names.DropBeyond(rows), 1U);
  EXPECT_TRUE(rows[0].readings.Has(kUsed));
  EXPECT_EQ(rows[1].readings.reason(kUsed), models::NullReason::kInvalidValue);
  EXPECT_TRUE(rows[2].readings.Has(kUsed)) << "nobody knows how much that has";
}

TEST(DeviceNamesTest, AGpuWithoutAUuidHasItsMemoryByItsPlace) {
  constexpr auto kUsed = static_cast<std::size_t>(models::ProcessQuantity::kGpuMemory);
  models::GpuMetrics gpu;
  gpu.set_text(Text::kNode, "n1");
  gpu.set_text(Text::kGpuId, "3");
  gpu.readings.Set(static_cast<std::size_t>(models::Quantity::kMemoryTotal), 80e9);
  DeviceNames names;
  names.Add(0, gpu);
  std::vector<GpuProcess> rows(2);
  for (GpuProcess& row : rows) {
    row.set_text(Text::kNode, "n1");
    row.set_text(Text::kGpuId, "3");
    row.readings.Set(kUsed, 500e9);
  }
  rows[1].set_text(Text::kNode, "n2");
  EXPECT_EQ(names.DropBeyond(rows), 1U);
  EXPECT_FALSE(rows[0].readings.Has(kUsed));
  EXPECT_TRUE(rows[1].readings.Has(kUsed));
}

TEST(DeviceNamesTest, TotalsComeAlongWithProcesses) {
  const auto sample = [](const char* name, const char* pid, double value) {
    FakeSample its = Sample(name, {{"uuid", "0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80"}});
    if (*pid != '\0') its.labels.insert(its.labels.begin(), {"pid", pid});
    std::sort(its.labels.begin(), its.labels.end());
    its.value = value;
    return its;
  };
  const schema::Exporter* const exporters[] = {schema::Registry::BuiltIn().Find("nvidia_smi")};
  UnitEvidence evidence;
  Join<GpuProcess> join(exporters, evidence, 1000);
  join.Add(0,
           prom::MakeInstantVector({sample("nvidia_smi_memory_total_bytes", "", 80e9),
                                    sample("nvidia_smi_compute_app_used_memory_bytes", "7", 5e11)}),
           std::nullopt);
  const auto snapshot = join.Finish(CommandStyle::kFull);
  ASSERT_EQ(snapshot->processes.size(), 1U);
  EXPECT_FALSE(snapshot->processes[0].readings.Has(
      static_cast<std::size_t>(models::ProcessQuantity::kGpuMemory)));
  EXPECT_EQ(snapshot->warnings.back(), "1 impossible value dropped");
}

}  // namespace
}  // namespace gpumon::gpu
