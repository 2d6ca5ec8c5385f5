// Parts of a GPU: GPU instances and their compute instances.
#include "internal/gpu/mig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/join.h"
#include "internal/schema/registry.h"
#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::Quantity;
using models::Text;
using prom::FakeSample;
using prom::Labels;

constexpr char kUuid[] = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";

using Said = std::vector<std::pair<std::string, std::vector<FakeSample>>>;  // exporter, samples

std::shared_ptr<models::Snapshot> Meet(const Said& said) {
  std::vector<const schema::Exporter*> exporters;
  for (const auto& [name, samples] : said) {
    exporters.push_back(schema::Registry::BuiltIn().Find(name));
  }
  UnitEvidence evidence;
  Join<GpuMetrics> join(exporters, evidence, 1000);
  for (std::size_t i = 0; i < said.size(); ++i) {
    join.Add(i, prom::MakeInstantVector(said[i].second), std::nullopt);
  }
  return join.Finish(CommandStyle::kFull);
}

FakeSample Sample(const std::string& name, double value, Labels more) {
  more.emplace_back("__name__", name);
  std::sort(more.begin(), more.end());
  return {std::move(more), value};
}
FakeSample AllSmi(const std::string& name, double value, const std::string& compute) {
  return Sample(name, value,
                {{"compute_instance_id", compute},
                 {"exported_instance", "n1"},
                 {"gpu_index", "0"},
                 {"gpu_instance_id", "7"},
                 {"gpu_uuid", kUuid}});
}
FakeSample Dcgm(const std::string& name, double value) {
  return Sample(name, value,
                {{"GPU_I_ID", "7"}, {"Hostname", "n1"}, {"UUID", kUuid}, {"gpu", "0"}});
}
FakeSample Smi(const std::string& name, double value, Labels more) {
  more.emplace_back("uuid", kUuid + 4);
  return Sample(name, value, std::move(more));
}

// "GPU instance/compute instance used" of each row.
std::string RowsOf(const models::Snapshot& snapshot) {
  std::string text;
  for (const GpuMetrics& row : snapshot.gpus) {
    const auto used = row.readings.Get(static_cast<std::size_t>(Quantity::kMemoryUsed));
    text.append(row.text(Text::kMigGpuInstance)).append("/");
    text.append(row.text(Text::kMigComputeInstance)).append(" ");
    text.append(used ? std::to_string(static_cast<int>(*used)) : "null").append("; ");
  }
  return text;
}

constexpr char kUsed[] = "all_smi_mig_instance_memory_used_bytes";

TEST(MigTest, ComputeInstancesOfOneGpuInstanceAreRowsOfTheirOwn) {
  EXPECT_EQ(RowsOf(*Meet({{"all_smi",
                           {AllSmi(kUsed, 10, "10"), AllSmi(kUsed, 2, "2"),
                            AllSmi("all_smi_mig_instance_utilization_gpu", 50, "2")}}})),
            "7/2 2; 7/10 10; ");
}

TEST(MigTest, ASeriesOfTheGpuInstanceIsItsOnlyComputeInstances) {
  const auto snapshot = Meet({{"dcgm", {Dcgm("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.5)}},
                              {"all_smi", {AllSmi(kUsed, 3, "0")}}});
  EXPECT_EQ(RowsOf(*snapshot), "7/0 3; ");
  EXPECT_EQ(snapshot->gpus[0].readings.Get(0), 50);
  EXPECT_EQ(snapshot->gpus[0].text(Text::kSource), "dcgm");
}

TEST(MigTest, WhatSeveralComputeInstancesShareIsNoOnes) {
  EXPECT_EQ(RowsOf(*Meet({{"dcgm", {Dcgm("DCGM_FI_DEV_FB_FREE", 1)}},
                          {"all_smi", {AllSmi(kUsed, 3, "0"), AllSmi(kUsed, 4, "1")}}})),
            "7/ null; 7/0 3; 7/1 4; ");
}

// The exporter measures GPU instances and names compute instances.
TEST(MigTest, InfoOfComputeInstancesMeetsTheValuesOfTheirGpuInstanceInAnyOrder) {
  const auto info = [](const std::string& compute) {
    return Smi("nvidia_smi_mig_info", 1,
               {{"compute_instance_id", compute},
                {"gpu_instance_id", "7"},
                {"mig_uuid", "MIG-" + compute}});
  };
  const auto used = Smi("nvidia_smi_mig_memory_used_bytes", 5, {{"gpu_instance_id", "7"}});
  const auto free = Smi("nvidia_smi_mig_memory_free_bytes", 6, {{"gpu_instance_id", "7"}});
  std::vector<FakeSample> samples = {used, free, info("0")};
  std::mt19937 random(7);
  for (int i = 0; i < 10; ++i) {
    std::shuffle(samples.begin(), samples.end(), random);
    const auto snapshot = Meet({{"nvidia_smi", samples}});
    ASSERT_EQ(RowsOf(*snapshot), "7/0 5; ");
    EXPECT_EQ(snapshot->gpus[0].text(Text::kMigUuid), "MIG-0");
  }
  samples.push_back(info("1"));
  for (int i = 0; i < 10; ++i) {
    std::shuffle(samples.begin(), samples.end(), random);
    ASSERT_EQ(RowsOf(*Meet({{"nvidia_smi", samples}})), "7/ 5; 7/0 null; 7/1 null; ");
  }
}

// Two machines that were cloned show one UUID.
TEST(MigTest, AGpuWithoutItsUuidIsDividedWhenAnotherShowsItsInstances) {
  const FakeSample instance = Dcgm("DCGM_FI_DEV_FB_USED", 10);
  const FakeSample whole =
      Sample("nvidia_gpu_utilization_percent", 0, {{"gpu", "0"}, {"node", "n1"}});
  const auto snapshot = Meet({{"nvidia_gpu", {whole}}, {"dcgm", {instance}}});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  const GpuMetrics& gpu = snapshot->gpus[0];
  EXPECT_EQ(gpu.text(Text::kUuid), kUuid);
  EXPECT_EQ(gpu.readings.reason(static_cast<std::size_t>(Quantity::kUtilization)),
            models::NullReason::kNotSupported);
}

TEST(MigTest, AGpuWhoseInstancesNobodyShowsCannotTellItsUtilization) {
  const auto of = [](double mode) {
    const auto snapshot = Meet({{"nvidia_smi",
                                 {Smi("nvidia_smi_memory_used_bytes", 10, {}),
                                  Smi("nvidia_smi_utilization_encoder_ratio", 0, {}),
                                  Smi("nvidia_smi_mig_mode_current", mode, {})}}});
    const auto reason = [&](Quantity quantity) {
      return std::string(
          models::NameOf(snapshot->gpus.at(0).readings.reason(static_cast<std::size_t>(quantity))));
    };
    return reason(Quantity::kUtilization) + ' ' + reason(Quantity::kMemoryUtilization) + ' ' +
           reason(Quantity::kEncoderUtilization) + ' ' + reason(Quantity::kMemoryUsed);
  };
  EXPECT_EQ(of(1), "not_supported not_supported not_supported none");
  EXPECT_EQ(of(0), "not_exported not_exported none none");
}

FakeSample Nvitop(const std::string& name, double value, const std::string& uuid) {
  return Sample(name, value,
                {{"devicename", "NVIDIA A100 3g.20gb"},
                 {"hostname", "n1"},
                 {"index", "0:0"},
                 {"uuid", uuid}});
}

// nvitop names an instance by its UUID alone; others say whose it is.
TEST(MigTest, AnInstanceKnownByItsUuidAloneMeetsTheOneThatOthersName) {
  const FakeSample info = Smi("nvidia_smi_mig_info", 1,
                              {{"compute_instance_id", "0"},
                               {"gpu_instance_id", "7"},
                               {"mig_uuid", "MIG-AA11"},
                               {"node", "n1"}});
  const FakeSample used =
      Smi("nvidia_smi_mig_memory_used_bytes", 5,
          {{"compute_instance_id", "0"}, {"gpu_instance_id", "7"}, {"node", "n1"}});
  const FakeSample power = Nvitop("gpu_power_usage_W", 50, "MIG-aa11");
  for (const Said& said : {Said{{"nvidia_smi", {info, used}}, {"nvitop", {power}}},
                           Said{{"nvitop", {power}}, {"nvidia_smi", {used, info}}}}) {
    const auto snapshot = Meet(said);
    EXPECT_EQ(RowsOf(*snapshot), "7/0 5; ");
    EXPECT_EQ(snapshot->gpus[0].readings.Get(static_cast<std::size_t>(Quantity::kPower)), 50);
    EXPECT_EQ(snapshot->gpus[0].text(Text::kUuid), kUuid);
    EXPECT_EQ(snapshot->gpus[0].text(Text::kMigUuid), "MIG-aa11");
  }
  // Of another instance.
  EXPECT_EQ(
      Meet({{"nvidia_smi", {info, used}}, {"nvitop", {Nvitop("gpu_power_usage_W", 50, "MIG-bb")}}})
          ->gpus.size(),
      2U);
  // Two GPUs claim it.
  const FakeSample other = Smi("nvidia_smi_mig_info", 1,
                               {{"compute_instance_id", "1"},
                                {"gpu_instance_id", "7"},
                                {"mig_uuid", "MIG-AA11"},
                                {"node", "n1"}});
  EXPECT_EQ(Meet({{"nvidia_smi", {info, used, other}}, {"nvitop", {power}}})->gpus.size(), 3U);
}

// Nobody tells which instance of dcgm's a MIG UUID is.
TEST(MigTest, InstancesThatMayBeThoseOfAnotherExporterAreNotCountedTwice) {
  const FakeSample named = Dcgm("DCGM_FI_DEV_FB_USED", 10);
  const FakeSample alone = Nvitop("gpu_memory_used_MiB", 9, "MIG-bb");
  for (const Said& said : {Said{{"dcgm", {named}}, {"nvitop", {alone}}},
                           Said{{"nvitop", {alone}}, {"dcgm", {named}}}}) {
    const auto snapshot = Meet(said);
    EXPECT_EQ(RowsOf(*snapshot), "7/ 10485760; ");
    ASSERT_EQ(snapshot->warnings.size(), 1U);
    EXPECT_EQ(snapshot->warnings[0].substr(0, 49),
              "1 MIG instance known by its UUID alone is not sho");
    for (const auto& one : snapshot->coverage) {
      if (one.metric != "gpu_memory_used_MiB") continue;
      EXPECT_EQ(one.rows, 0U);
      EXPECT_EQ(one.losers, 1U);
    }
  }
  // Of another GPU, or of one whose instances nobody else shows.
  FakeSample elsewhere = Nvitop("gpu_memory_used_MiB", 9, "MIG-bb");
  for (auto& [label, value] : elsewhere.labels) {
    if (label == "index") value = "1:0";
  }
  EXPECT_EQ(Meet({{"dcgm", {named}}, {"nvitop", {elsewhere}}})->gpus.size(), 2U);
}

TEST(MigTest, AnInstanceKnownByItsUuidAloneIsOfTheGpuOfItsIndex) {
  const FakeSample board =
      Sample("nvidia_gpu_utilization_percent", 0,
             {{"gpu_id", "0"}, {"hostname", "n1"}, {"uuid", std::string(kUuid)}});
  const auto snapshot =
      Meet({{"nvidia_gpu", {board}}, {"nvitop", {Nvitop("gpu_memory_used_MiB", 9, "MIG-bb")}}});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  for (const GpuMetrics& row : snapshot->gpus) EXPECT_EQ(row.text(Text::kUuid), kUuid);
  EXPECT_EQ(snapshot->gpus[0].readings.reason(static_cast<std::size_t>(Quantity::kUtilization)),
            models::NullReason::kNotSupported);
}

TEST(MigTest, TheOldFormOfAMigUuidNamesGpuAndInstances) {
  const auto snapshot =
      Meet({{"dcgm", {Dcgm("DCGM_FI_DEV_POWER_USAGE", 70)}},
            {"nvitop", {Nvitop("gpu_memory_used_MiB", 9, "MIG-" + std::string(kUuid) + "/7/0")}}});
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  const GpuMetrics& row = snapshot->gpus[0];
  EXPECT_EQ(row.text(Text::kUuid), kUuid);
  EXPECT_EQ(row.text(Text::kMigGpuInstance), "7");
  EXPECT_EQ(row.text(Text::kMigUuid), "MIG-" + std::string(kUuid) + "/7/0");
  EXPECT_EQ(row.text(Text::kMigComputeInstance), "0");
  EXPECT_EQ(row.readings.Get(static_cast<std::size_t>(Quantity::kPower)), 70);
}

TEST(MigTest, AnInstanceOfWhichNobodyTellsItsEnginesCannotTellThem) {
  const auto snapshot = Meet({{"dcgm", {Dcgm("DCGM_FI_DEV_FB_USED", 10)}}});
  EXPECT_EQ(snapshot->gpus.at(0).readings.reason(static_cast<std::size_t>(Quantity::kUtilization)),
            models::NullReason::kNotSupported);
  EXPECT_EQ(snapshot->gpus.at(0).readings.reason(static_cast<std::size_t>(Quantity::kTemperature)),
            models::NullReason::kNotExported);
}

TEST(MigTest, RowsOfTwoNodesDoNotMeet) {
  const auto of_node = [](const std::string& node, Labels more) {
    more.emplace_back("node", node);
    return Smi("nvidia_smi_mig_memory_used_bytes", 5, std::move(more));
  };
  const Labels instance = {{"gpu_instance_id", "7"}};
  const Labels compute = {{"compute_instance_id", "0"}, {"gpu_instance_id", "7"}};
  EXPECT_EQ(RowsOf(*Meet({{"nvidia_smi", {of_node("a", compute), of_node("b", instance)}}})),
            "7/0 5; 7/0 5; ");
}

// "node/id/uuid/instance" of each row.
std::string WholesOf(const std::vector<std::array<const char*, 5>>& rows) {
  std::vector<GpuMetrics> gpus;
  for (const auto& [node, id, uuid, instance, mig_uuid] : rows) {
    GpuMetrics& gpu = gpus.emplace_back();
    gpu.set_text(Text::kNode, node);
    gpu.set_text(Text::kGpuId, id);
    gpu.set_text(Text::kUuid, uuid);
    gpu.set_text(Text::kMigGpuInstance, instance);
    gpu.set_text(Text::kMigUuid, mig_uuid);
  }
  std::string text;
  for (const GpuMetrics* gpu : WholeGpus(gpus)) text += std::to_string(gpu - gpus.data()) + ' ';
  return text;
}

TEST(MigTest, ABoardIsOneGpuWhoeverTellsOfIt) {
  EXPECT_EQ(WholesOf({{"a", "0", "U", "1", ""}, {"a", "0", "U", "2", ""}}), "0 ")
      << "it has no row of its own";
  EXPECT_EQ(WholesOf({{"a", "0", "U", "1", ""}, {"a", "0", "U", "", ""}}), "1 ");
  EXPECT_EQ(WholesOf({{"a", "0", "U", "", ""},
                      {"a", "0", "U", "7", ""},
                      {"a", "0", "", "", "M1"},
                      {"a", "0", "", "", "M2"}}),
            "0 ")
      << "instances of two exporters";
  EXPECT_EQ(WholesOf({{"a", "0", "", "1", ""}, {"a", "1", "", "1", ""}, {"b", "0", "", "1", ""}}),
            "0 1 2 ");
  EXPECT_EQ(WholesOf({{"a", "0", "", "", "M1"}, {"a", "0", "U", "1", ""}}), "1 ")
      << "the one that names its board";
  EXPECT_EQ(WholesOf({{"a", "0", "U", "", ""}, {"b", "0", "U", "", ""}}), "0 1 ")
      << "a cloned machine's";
  EXPECT_EQ(WholesOf({{"", "0", "", "1", ""}, {"", "0", "", "2", ""}}), "0 ")
      << "of which neither node nor UUID is known";
  EXPECT_EQ(WholesOf({{"", "0", "", "1", ""},
                      {"", "0", "", "1", ""},
                      {"", "0", "", "2", ""},
                      {"", "0", "", "2", ""}}),
            "0 1 ")
      << "an instance that comes again is another board's";
}

}  // namespace
}  // namespace gpumon::gpu
