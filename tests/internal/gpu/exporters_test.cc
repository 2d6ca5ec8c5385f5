// How what several exporters say becomes one row.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "internal/gpu/join.h"
#include "internal/schema/load.h"
#include "tests/fakes/prom/fake_prom_client.h"
#include "tests/internal/gpu/join_rig.h"

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::NullReason;
using models::Quantity;
using models::Text;
using prom::FakeSample;
using prom::Labels;

constexpr double kMiB = 1024.0 * 1024.0;
constexpr char kUuid[] = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";

const schema::Exporter& Named(const std::string& name) {
  return *schema::Registry::BuiltIn().Find(name);
}

struct Said {
  const schema::Exporter* exporter;
  std::vector<FakeSample> samples;
  std::vector<FakeSample> times = {};
};

std::shared_ptr<models::Snapshot> Meet(const std::vector<Said>& said, UnitEvidence& evidence) {
  std::vector<const schema::Exporter*> exporters;
  for (const Said& one : said) exporters.push_back(one.exporter);
  Join<GpuMetrics> join(exporters, evidence, 1000);
  for (std::size_t i = 0; i < said.size(); ++i) {
    join.Add(i, prom::MakeInstantVector(said[i].samples), std::nullopt);
    join.AddTimes(i, prom::MakeInstantVector(said[i].times));
  }
  return join.Finish(CommandStyle::kFull);
}
std::shared_ptr<models::Snapshot> Meet(const std::vector<Said>& said) {
  UnitEvidence evidence;
  return Meet(said, evidence);
}

std::optional<double> Of(const GpuMetrics& row, Quantity quantity) {
  return row.readings.Get(static_cast<std::size_t>(quantity));
}

FakeSample Dcgm(const std::string& name, double value, Labels more = {}) {
  Labels labels = {{"__name__", name}, {"Hostname", "n1"}, {"UUID", kUuid},
                   {"gpu", "0"},       {"job", "dcgm"},    {"modelName", "H100"}};
  labels.insert(labels.end(), more.begin(), more.end());
  std::sort(labels.begin(), labels.end());
  return {labels, value};
}

FakeSample Nge(const std::string& name, double value) {
  return {{{"__name__", name}, {"uuid", kUuid + 4}}, value};
}

TEST(ExportersTest, TwoExportersOnOneGpuGiveOneRowFromTheBestOfEach) {
  const auto snapshot = Meet(
      {{&Named("dcgm"), {Dcgm("DCGM_FI_DEV_GPU_UTIL", 83), Dcgm("DCGM_FI_DEV_FB_USED", 40960)}},
       {&Named("nvidia_smi"),
        {Nge("nvidia_smi_utilization_gpu_ratio", 0.5), Nge("nvidia_smi_power_draw_watts", 300)}}});
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  const GpuMetrics& row = snapshot->gpus[0];
  EXPECT_EQ(Of(row, Quantity::kUtilization), 83) << "the first exporter's";
  EXPECT_EQ(Of(row, Quantity::kMemoryUsed), 40960 * kMiB);
  EXPECT_EQ(Of(row, Quantity::kPower), 300) << "only the second has it";
  EXPECT_EQ(row.text(Text::kSource), "dcgm");
  EXPECT_EQ(row.text(Text::kNode), "n1");
  EXPECT_EQ(row.text(Text::kUuid), kUuid);
  std::size_t losers = 0;
  for (const auto& coverage : snapshot->coverage) {
    losers += coverage.losers;
    if (coverage.metric == "nvidia_smi_utilization_gpu_ratio") {
      EXPECT_EQ(coverage.losers, 1U);
    }
  }
  EXPECT_EQ(losers, 1U);
}

TEST(ExportersTest, WithoutAUuidNodeAndIdMeet) {
  const FakeSample seed{{{"__name__", "x"}, {"gpu_id", "0"}, {"hostname", "n1"}}, 70};
  UnitEvidence evidence;
  const std::array exporters = {&Named("dcgm"), &NvidiaGpu()};
  Join<GpuMetrics> join(exporters, evidence, 1000);
  join.Add(0, prom::MakeInstantVector({Dcgm("DCGM_FI_DEV_FB_USED", 1)}), std::nullopt);
  join.Add(1, prom::MakeInstantVector({seed}), 5);  // temperature
  const auto snapshot = join.Finish(CommandStyle::kFull);
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  EXPECT_EQ(Of(snapshot->gpus[0], Quantity::kTemperature), 70);
  EXPECT_EQ(snapshot->gpus[0].text(Text::kUuid), kUuid);
}

TEST(ExportersTest, MigInstancesAreRowsOfTheirOwn) {
  const Labels one = {{"GPU_I_ID", "1"}, {"GPU_I_PROFILE", "3g.40gb"}};
  const Labels two = {{"GPU_I_ID", "2"}, {"GPU_I_PROFILE", "3g.40gb"}};
  const auto snapshot = Meet(
      {{&Named("dcgm"),
        {Dcgm("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.412, one),
         Dcgm("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0, two), Dcgm("DCGM_FI_DEV_FB_USED", 18001, one)}}});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  EXPECT_DOUBLE_EQ(*Of(snapshot->gpus[0], Quantity::kUtilization), 41.2);
  EXPECT_EQ(Of(snapshot->gpus[1], Quantity::kUtilization), 0) << "measured, and idle";
  EXPECT_EQ(Of(snapshot->gpus[1], Quantity::kMemoryUsed), std::nullopt);
  EXPECT_EQ(snapshot->gpus[0].text(Text::kMigProfile), "3g.40gb");
}

TEST(ExportersTest, ABlankIsNotSupported) {
  const auto snapshot = Meet(
      {{&Named("dcgm"),
        {Dcgm("DCGM_FI_DEV_FB_USED", 1), Dcgm("DCGM_FI_DEV_MEMORY_TEMP", 9223372036854775794.0)}}});
  const auto slot = static_cast<std::size_t>(Quantity::kMemoryTemperature);
  EXPECT_EQ(snapshot->gpus.at(0).readings.reason(slot), NullReason::kNotSupported);
}

TEST(ExportersTest, ARatioThatEverPassedOneIsPercentForGood) {
  UnitEvidence evidence;
  const auto meet = [&](double value) {
    return *Of(Meet({{&Named("dcgm_4_9"), {Dcgm("DCGM_FI_DEV_GPU_UTIL_RATIO", value)}}}, evidence)
                   ->gpus.at(0),
               Quantity::kUtilization);
  };
  EXPECT_EQ(meet(0.83), 83);
  EXPECT_EQ(meet(1), 100);
  EXPECT_EQ(meet(57), 57);
  EXPECT_EQ(meet(1), 1) << "this job exports percent";
}

TEST(ExportersTest, OfDuplicatesTheNewestCountsInAnyOrder) {
  const Labels old_pod = {{"instance", "10.0.0.1:9400"}};
  const Labels new_pod = {{"instance", "10.0.0.2:9400"}};
  std::vector<FakeSample> samples = {Dcgm("DCGM_FI_DEV_GPU_UTIL", 10, old_pod),
                                     Dcgm("DCGM_FI_DEV_GPU_UTIL", 90, new_pod)};
  std::vector<FakeSample> times = {Dcgm("", 990, old_pod), Dcgm("", 998, new_pod)};
  std::mt19937 random(7);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(samples.begin(), samples.end(), random);
    std::shuffle(times.begin(), times.end(), random);
    const auto snapshot = Meet({{&Named("dcgm"), samples, times}});
    ASSERT_EQ(snapshot->gpus.size(), 1U);
    EXPECT_EQ(Of(snapshot->gpus[0], Quantity::kUtilization), 90);
  }
}

TEST(ExportersTest, ASharedGpuHasItsOwnValueAndAShareForEachPod) {
  const auto pod = [](const std::string& name) {
    return Labels{
        {"exported_container", "app"}, {"exported_namespace", "web"}, {"exported_pod", name}};
  };
  const auto snapshot =
      Meet({{&Named("dcgm"),
             {Dcgm("DCGM_FI_DEV_GPU_UTIL", 64), Dcgm("DCGM_FI_DEV_GPU_UTIL", 44, pod("a")),
              Dcgm("DCGM_FI_DEV_GPU_UTIL", 20, pod("b"))}}});
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  EXPECT_EQ(Of(snapshot->gpus[0], Quantity::kUtilization), 64);
  ASSERT_EQ(snapshot->gpus[0].workload_count, 2U);
  EXPECT_EQ(snapshot->workloads[0].pod, "a");
  EXPECT_EQ(snapshot->workloads[0].utilization, 44);
  EXPECT_EQ(snapshot->workloads[1].utilization, 20);
}

TEST(ExportersTest, FlagsOfOneGpuAreOneMask) {
  const auto flag = [](const std::string& name, double value) {
    return FakeSample{{{"__name__", name}, {"uuid", kUuid}}, value};
  };
  const auto snapshot = Meet({{&Named("gpud"),
                               {flag("accelerator_nvidia_clock_hw_slowdown", 1),
                                flag("accelerator_nvidia_clock_hw_slowdown_thermal", 1),
                                flag("accelerator_nvidia_clock_hw_slowdown_power_brake", 0)}}});
  EXPECT_EQ(Of(snapshot->gpus.at(0), Quantity::kThrottleReasons), 8 + 64);
}

TEST(ExportersTest, TotalIsDerivedWhereNobodyMeasuresIt) {
  const auto snapshot = Meet(
      {{&Named("dcgm"), {Dcgm("DCGM_FI_DEV_FB_USED", 100), Dcgm("DCGM_FI_DEV_FB_FREE", 300)}}});
  EXPECT_EQ(Of(snapshot->gpus.at(0), Quantity::kMemoryTotal), 400 * kMiB);
}

}  // namespace
}  // namespace gpumon::gpu
