// A divided GPU and its instances, by exporters that call its node differently or not at all.
#include "internal/gpu/board_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/join.h"
#include "internal/gpu/mig.h"
#include "internal/schema/registry.h"
#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::Text;
using prom::FakeSample;
using prom::Labels;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kUuid[] = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";
constexpr char kMoved[] =
    "1 GPU whose node has different names by different exporters is shown under the best one's";

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

// "node/id/instance;" of each row, and how many boards they are.
std::string RowsOf(const models::Snapshot& snapshot) {
  std::string text;
  for (const GpuMetrics& row : snapshot.gpus) {
    text.append(row.text(Text::kNode)).append("/").append(row.text(Text::kGpuId)).append("/");
    text.append(row.text(Text::kMigGpuInstance)).append(";");
  }
  return text + std::to_string(WholeGpus(snapshot.gpus).size());
}

FakeSample Sample(const std::string& name, Labels more) {
  more.emplace_back("__name__", name);
  std::sort(more.begin(), more.end());
  return {std::move(more), 100};
}
FakeSample Dcgm(const std::string& node, const std::string& instance = "7") {
  return Sample("DCGM_FI_DEV_POWER_USAGE",
                {{"GPU_I_ID", instance}, {"Hostname", node}, {"UUID", kUuid}, {"gpu", "3"}});
}
FakeSample Nvitop(const std::string& index, const std::string& uuid) {
  return Sample("gpu_power_usage_W", {{"hostname", "10.0.0.7"}, {"index", index}, {"uuid", uuid}});
}
FakeSample Gpud(Labels more = {}) {
  more.emplace_back("uuid", kUuid);
  return Sample("accelerator_nvidia_temperature_current_celsius", std::move(more));
}
FakeSample Smi(const std::string& node) {
  return Sample("nvidia_smi_power_draw_watts", {{"node", node}, {"uuid", kUuid + 4}});
}

TEST(BoardPlacesTest, ADividedGpuIsOneUnderWhicheverNamesItsNodeHas) {
  const auto nvitop = Meet({{"dcgm", {Dcgm("n1")}}, {"nvitop", {Nvitop("0", kUuid)}}});
  EXPECT_EQ(RowsOf(*nvitop), "n1/3/;n1/3/7;1");
  EXPECT_THAT(nvitop->warnings, ElementsAre(kMoved));
  const auto smi = Meet({{"dcgm", {Dcgm("n1")}}, {"nvidia_smi", {Smi("10.0.0.7")}}});
  EXPECT_EQ(RowsOf(*smi), "n1/3/;n1/3/7;1");
  EXPECT_THAT(smi->warnings, ElementsAre(kMoved));
  // The best exporter's name it is, though it shows no instance.
  EXPECT_EQ(RowsOf(*Meet({{"nvidia_smi", {Smi("b")}}, {"dcgm", {Dcgm("n1")}}})), "b/3/;b/3/7;1");
  EXPECT_EQ(RowsOf(*Meet({{"dcgm", {Dcgm("n1"), Dcgm("n1", "8")}},
                          {"nvidia_smi", {Smi("b")}},
                          {"nvitop", {Nvitop("0", kUuid)}}})),
            "n1/3/;n1/3/7;n1/3/8;1");
}

TEST(BoardPlacesTest, AGpuWithoutANodeIsWhereItsInstancesAre) {
  const auto snapshot = Meet({{"dcgm", {Dcgm("n1")}}, {"gpud", {Gpud()}}});
  EXPECT_EQ(RowsOf(*snapshot), "n1/3/;n1/3/7;1");
  EXPECT_EQ(snapshot->gpus.at(0).gpu_index, 3);
  EXPECT_THAT(snapshot->warnings, IsEmpty());
  // As where kube-state-metrics tells the node of its address.
  EXPECT_EQ(RowsOf(*Meet({{"dcgm", {Dcgm("n1")}}, {"gpud", {Gpud({{"node", "n1"}})}}})),
            "n1/3/;n1/3/7;1");
  EXPECT_EQ(
      RowsOf(*Meet({{"gpud", {Gpud()}}, {"dcgm", {Dcgm("n1")}}, {"nvitop", {Nvitop("0", kUuid)}}})),
      "n1/3/;n1/3/7;1")
      << "whose others contradict each other";
}

TEST(BoardPlacesTest, AnInstanceThatNamesNoGpuIsWhereItsOwnExportersGpuIs) {
  const auto snapshot =
      Meet({{"dcgm", {Dcgm("n1")}}, {"nvitop", {Nvitop("0", kUuid), Nvitop("0:0", "MIG-a")}}});
  EXPECT_EQ(RowsOf(*snapshot), "n1/3/;n1/3/7;1") << "it may be the other exporter's instance";
}

TEST(BoardPlacesTest, AnExporterThatShowsAUuidOnTwoNodesTellsOfClonedMachines) {
  const auto snapshot = Meet({{"dcgm", {Dcgm("n1"), Dcgm("n2")}}, {"nvidia_smi", {Smi("n2")}}});
  EXPECT_EQ(RowsOf(*snapshot), "n1/3/7;n2/3/;n2/3/7;2");
  EXPECT_THAT(snapshot->warnings, IsEmpty());
}

TEST(BoardPlacesTest, NamesOfANodeThatContradictEachOtherAreAWarning) {
  const FakeSample whole =
      Sample("DCGM_FI_DEV_POWER_USAGE", {{"Hostname", "n1"}, {"UUID", kUuid}, {"gpu", "3"}});
  const auto snapshot = Meet({{"dcgm", {whole}}, {"nvitop", {Nvitop("0", kUuid)}}});
  EXPECT_EQ(RowsOf(*snapshot), "n1/3/;1");
  EXPECT_THAT(snapshot->warnings, ElementsAre(kMoved));
}

// The list of GPUs calls its node so.
TEST(BoardPlacesTest, AProcessOnADividedGpuIsWhereItsInstancesAre) {
  const std::vector<const schema::Exporter*> exporters = {
      schema::Registry::BuiltIn().Find("dcgm"), schema::Registry::BuiltIn().Find("nvitop")};
  UnitEvidence evidence;
  Join<models::GpuProcess> join(exporters, evidence, 1000);
  join.AddDevices(0, prom::MakeInstantVector({Dcgm("n1")}));
  join.Add(1,
           prom::MakeInstantVector(
               {Sample("process_gpu_memory_MiB",
                       {{"hostname", "10.0.0.7"}, {"index", "0"}, {"pid", "9"}, {"uuid", kUuid}})}),
           std::nullopt);
  const auto snapshot = join.Finish(CommandStyle::kFull);
  ASSERT_EQ(snapshot->processes.size(), 1U);
  EXPECT_EQ(snapshot->processes[0].text(Text::kNode), "n1");
  EXPECT_EQ(snapshot->processes[0].gpu_index, 3);
}

}  // namespace
}  // namespace gpumon::gpu
