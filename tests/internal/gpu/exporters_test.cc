// How what several exporters say becomes one row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "internal/gpu/contest.h"
#include "internal/gpu/join.h"
#include "internal/gpu/target_memory.h"
#include "internal/schema/load.h"
#include "tests/fakes/clock/fake_clock.h"
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

std::shared_ptr<models::Snapshot> Meet(const std::vector<Said>& said, UnitEvidence& evidence,
                                       const std::vector<FakeSample>& targets = {}) {
  std::vector<const schema::Exporter*> exporters;
  for (const Said& one : said) exporters.push_back(one.exporter);
  Join<GpuMetrics> join(exporters, evidence, 1000);
  join.AddTargets(prom::MakeInstantVector(targets));
  for (std::size_t i = 0; i < said.size(); ++i) {
    join.Add(i, prom::MakeInstantVector(said[i].samples), std::nullopt);
    join.AddTimes(i, prom::MakeInstantVector(said[i].times));
  }
  return join.Finish(CommandStyle::kFull);
}
std::shared_ptr<models::Snapshot> Meet(const std::vector<Said>& said,
                                       const std::vector<FakeSample>& targets = {}) {
  UnitEvidence evidence;
  return Meet(said, evidence, targets);
}

std::optional<double> Of(const GpuMetrics& row, Quantity quantity) {
  return row.readings.Get(static_cast<std::size_t>(quantity));
}

NullReason Why(const GpuMetrics& row, Quantity quantity) {
  return row.readings.reason(static_cast<std::size_t>(quantity));
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

TEST(ExportersTest, BoardsOfTwoMakersAreTwoWhateverTheirIds) {
  const FakeSample amd{{{"__name__", "gpu_package_power"},
                        {"card_model", "MI300X"},
                        {"gpu_id", "0"},
                        {"hostname", "n1"}},
                       541};
  const FakeSample seed{
      {{"__name__", "nvidia_gpu_temperature_celsius"}, {"gpu", "0"}, {"node", "n1"}}, 70};
  EXPECT_EQ(Meet({{&NvidiaGpu(), {seed}}, {&Named("amd"), {amd}}})->gpus.size(), 2U);
  EXPECT_EQ(Meet({{&Named("amd"), {amd}}, {&NvidiaGpu(), {seed}}})->gpus.size(), 2U);
}

TEST(ExportersTest, GpusOfTwoHostsThatNameNoNodeAreTwo) {
  const auto on = [](const std::string& instance, Labels more = {}) {
    Labels labels = {
        {"__name__", "nvidia_gpu_temperature_celsius"}, {"gpu_id", "0"}, {"instance", instance}};
    labels.insert(labels.end(), more.begin(), more.end());
    std::sort(labels.begin(), labels.end());
    return FakeSample{labels, 50};
  };
  EXPECT_EQ(Meet({{&NvidiaGpu(), {on("a:1"), on("b:1")}}})->gpus.size(), 2U);
  EXPECT_EQ(Meet({{&NvidiaGpu(), {on("a:1"), on("a:2")}}})->gpus.size(), 1U) << "two jobs";
  const Labels local = {{"hostname", "localhost"}};
  const auto snapshot = Meet({{&NvidiaGpu(), {on("a:1", local), on("b:1", local)}}});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  EXPECT_EQ(snapshot->gpus[0].text(Text::kNode), "") << "so many are called that";
}

TEST(ExportersTest, AMeasuredTotalStandsBeforeADerivedOne) {
  const auto used = Dcgm("DCGM_FI_DEV_FB_USED", 100);
  const auto free = Dcgm("DCGM_FI_DEV_FB_FREE", 200);
  const auto total = Nge("nvidia_smi_memory_total_bytes", 320 * kMiB);
  const auto snapshot = Meet({{&Named("dcgm"), {used, free}}, {&Named("nvidia_smi"), {total}}});
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  EXPECT_EQ(Of(snapshot->gpus[0], Quantity::kMemoryTotal), 320 * kMiB);
}

TEST(ExportersTest, ZerosBesideAMemoryWithoutSizeAreNoValuesEither) {
  const auto seed = [](const std::string& name) {
    return FakeSample{{{"__name__", name}, {"gpu", "0"}, {"node", "n1"}}, 0};
  };
  const auto snapshot =
      Meet({{&NvidiaGpu(),
             {seed("nvidia_gpu_total_memory_bytes"), seed("nvidia_gpu_utilization_percent"),
              seed("nvidia_gpu_temperature_celsius"), seed("nvidia_gpu_power_watts")}}});
  const GpuMetrics& row = snapshot->gpus.at(0);
  EXPECT_EQ(Why(row, Quantity::kUtilization), NullReason::kInvalidValue);
  EXPECT_EQ(Why(row, Quantity::kTemperature), NullReason::kInvalidValue);
}

TEST(ExportersTest, WhereANodeShowsTwoGpusByOneIdNobodyKnowsWhichIsMeant) {
  const FakeSample seed{
      {{"__name__", "nvidia_gpu_temperature_celsius"}, {"gpu", "0"}, {"node", "n1"}}, 70};
  const FakeSample one = Dcgm("DCGM_FI_DEV_FB_USED", 1);
  FakeSample other = one;
  for (auto& [name, value] : other.labels) {
    if (name == "UUID") value = "GPU-2";
  }
  // Whoever stands first, and in whichever order.
  for (const bool seed_first : {false, true}) {
    for (const bool swapped : {false, true}) {
      Said dcgm{&Named("dcgm"), {one, other}};
      if (swapped) std::swap(dcgm.samples[0], dcgm.samples[1]);
      std::vector<Said> said = {dcgm, {&NvidiaGpu(), {seed}}};
      if (seed_first) std::swap(said[0], said[1]);
      const auto snapshot = Meet(said);
      ASSERT_EQ(snapshot->gpus.size(), 3U);
      std::size_t measured = 0;
      for (const GpuMetrics& row : snapshot->gpus) {
        const bool has = Of(row, Quantity::kTemperature).has_value();
        measured += has ? 1 : 0;
        EXPECT_EQ(has, row.text(Text::kUuid).empty());
      }
      EXPECT_EQ(measured, 1U);
    }
  }
}

TEST(ExportersTest, AUuidThatSeveralNodesShowIsNotMetFromAThird) {
  const auto on = [](const std::string& node) {
    return Dcgm("DCGM_FI_DEV_FB_USED", 1, {{"exported_node", node}});
  };
  const FakeSample third{
      {{"__name__", "nvidia_smi_power_draw_watts"}, {"node", "c"}, {"uuid", kUuid + 4}}, 300};
  FakeSample first = third;
  first.labels[1].second = "a";
  EXPECT_EQ(Meet({{&Named("dcgm"), {on("a")}}, {&Named("nvidia_smi"), {third}}})->gpus.size(), 1U);
  EXPECT_EQ(
      Meet({{&Named("dcgm"), {on("a"), on("b")}}, {&Named("nvidia_smi"), {third}}})->gpus.size(),
      3U);
  EXPECT_EQ(
      Meet({{&Named("dcgm"), {on("a"), on("b")}}, {&Named("nvidia_smi"), {first}}})->gpus.size(),
      2U);
}

TEST(ExportersTest, SeriesWithoutTheUuidFillTheirGpusRowAndLeaveItItsTime) {
  const Labels core = {{"gpu", "0"}, {"node", "n1"}, {"uuid", kUuid}};
  const auto device = [](const std::string& name, double value, Labels more = {}) {
    Labels labels = {{"__name__", name}, {"gpu", "0"}, {"node", "n1"}};
    labels.insert(labels.end(), more.begin(), more.end());
    return FakeSample{labels, value};
  };
  UnitEvidence evidence;
  const std::array exporters = {&NvidiaGpu()};
  Join<GpuMetrics> join(exporters, evidence, 1000);
  join.Add(0, prom::MakeInstantVector({{core, 83}}), 0);
  join.Add(0,
           prom::MakeInstantVector(
               {device("nvidia_gpu_power_watts", 301.5), device("nvidia_gpu_xid_last", 31),
                device("nvidia_gpu_info", 1, {{"driver_version", "570.1"}, {"uuid", kUuid}})}),
           std::nullopt);
  join.AddTimes(0, prom::MakeInstantVector({{core, 990}}));
  const auto snapshot = join.Finish(CommandStyle::kFull);
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  const GpuMetrics& row = snapshot->gpus[0];
  EXPECT_EQ(Of(row, Quantity::kUtilization), 83);
  EXPECT_EQ(Of(row, Quantity::kPower), 301.5);
  EXPECT_EQ(Of(row, Quantity::kXidLast), 31);
  EXPECT_EQ(row.text(Text::kDriverVersion), "570.1");
  EXPECT_EQ(row.newest, 990);
  EXPECT_EQ(row.oldest, 990);
}

// The first names no node, the second no UUID; only the third tells that they are of one GPU.
TEST(ExportersTest, RowsMeetByWhatALaterExporterSaysOfThem) {
  const FakeSample by_place{
      {{"__name__", "gpu_metrics_temperature"}, {"gpu_id", "0"}, {"hostname", "n1"}}, 70};
  const FakeSample by_both{{{"__name__", "all_smi_gpu_power_consumption_watts"},
                            {"exported_instance", "n1"},
                            {"gpu_index", "0"},
                            {"gpu_uuid", kUuid}},
                           300};
  const auto snapshot =
      Meet({{&Named("nvidia_smi"), {Nge("nvidia_smi_utilization_gpu_ratio", 0.5)}},
            {&Named("gpu_metrics"), {by_place}},
            {&Named("all_smi"), {by_both}}});
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  const GpuMetrics& row = snapshot->gpus[0];
  EXPECT_EQ(Of(row, Quantity::kUtilization), 50);
  EXPECT_EQ(Of(row, Quantity::kTemperature), 70);
  EXPECT_EQ(Of(row, Quantity::kPower), 300);
  EXPECT_EQ(row.text(Text::kNode), "n1");
  EXPECT_EQ(row.gpu_index, 0);
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
  EXPECT_EQ(snapshot->warnings,
            std::vector<std::string>{
                "1 value that an exporter writes where a device cannot tell shown as null"});
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

TEST(ExportersTest, ABlankOrImpossibleRatioIsNoEvidenceOfPercent) {
  for (const double value : {9223372036854775794.0, 140737488355328.0, 101.0}) {
    UnitEvidence evidence;
    Meet({{&Named("dcgm_4_9"), {Dcgm("DCGM_FI_DEV_GPU_UTIL_RATIO", value)}}}, evidence);
    const auto after =
        Meet({{&Named("dcgm_4_9"), {Dcgm("DCGM_FI_DEV_GPU_UTIL_RATIO", 0.83)}}}, evidence);
    EXPECT_EQ(Of(after->gpus.at(0), Quantity::kUtilization), 83) << value;
  }
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

// The server is free to send the labels of a series in any order.
TEST(ExportersTest, WhyNothingIsKnownIsOfTheNewestInAnyOrder) {
  const Labels pods[] = {{{"instance", "10.0.0.1:9400"}}, {{"instance", "10.0.0.2:9400"}}};
  const double values[] = {9223372036854775794.0, std::numeric_limits<double>::quiet_NaN()};
  const NullReason reasons[] = {NullReason::kNotSupported, NullReason::kInvalidValue};
  std::mt19937 random(7);
  for (const std::size_t newest : {0U, 1U}) {
    for (int i = 0; i < 50; ++i) {
      std::vector<FakeSample> samples;
      std::vector<FakeSample> times;
      for (const std::size_t pod : {0U, 1U}) {
        samples.push_back(Dcgm("DCGM_FI_DEV_GPU_UTIL", values[pod], pods[pod]));
        times.push_back(Dcgm("", pod == newest ? 998 : 990, pods[pod]));
      }
      for (auto* const all : {&samples, &times}) {
        std::shuffle(all->begin(), all->end(), random);
        for (auto& one : *all) std::shuffle(one.labels.begin(), one.labels.end(), random);
      }
      const auto snapshot = Meet({{&Named("dcgm"), samples, times}});
      ASSERT_EQ(Why(snapshot->gpus.at(0), Quantity::kUtilization), reasons[newest]) << newest;
    }
  }
}

TEST(ExportersTest, TextsAreThoseOfTheNewestSeriesInAnyOrder) {
  const auto driver = [](const std::string& instance, const std::string& version) {
    return Labels{{"DCGM_FI_DRIVER_VERSION", version}, {"instance", instance}};
  };
  std::vector<FakeSample> samples;
  std::vector<FakeSample> times;
  const std::vector<std::tuple<std::string, std::string, double>> pods = {
      {"10.0.0.1:9400", "550.1", 980}, {"10.0.0.2:9400", "570.9", 998}, {"10.0.0.3:9400", "", 999}};
  for (const auto& [instance, version, at] : pods) {
    samples.push_back(Dcgm("DCGM_FI_DEV_GPU_UTIL", at, driver(instance, version)));
    samples.push_back(Dcgm("DCGM_FI_DEV_FB_USED", at, driver(instance, version)));
    times.push_back(Dcgm("", at, driver(instance, version)));
  }
  std::mt19937 random(7);
  for (int i = 0; i < 50; ++i) {
    std::shuffle(samples.begin(), samples.end(), random);
    std::shuffle(times.begin(), times.end(), random);
    const auto snapshot = Meet({{&Named("dcgm"), samples, times}});
    ASSERT_EQ(snapshot->gpus.size(), 1U);
    EXPECT_EQ(Of(snapshot->gpus[0], Quantity::kUtilization), std::nullopt) << "999 % cannot be";
    ASSERT_EQ(snapshot->gpus[0].text(Text::kDriverVersion), "570.9") << "the newest that says one";
  }
}

TEST(ExportersTest, TextsOfFamiliesThatCarryNothingElseAreTheNewestsToo) {
  const auto driver = [](const std::string& name, const std::string& version, double at) {
    return FakeSample{{{name.empty() ? "__series__" : "__name__", "nvidia_smi_gpu_info"},
                       {"driver_version", version},
                       {"instance", "n1:9835"},
                       {"job", "smi"},
                       {"uuid", kUuid + 4}},
                      at};
  };
  const auto load = [](const char* label, double value) {
    return FakeSample{{{label, "nvidia_smi_utilization_gpu_ratio"},
                       {"instance", "n1:9835"},
                       {"job", "smi"},
                       {"uuid", kUuid + 4}},
                      value};
  };
  for (const bool up : {true, false}) {
    const std::string before = up ? "550.1" : "570.9";
    const std::string now = up ? "570.9" : "550.1";
    const auto snapshot =
        Meet({{&Named("nvidia_smi"),
               {driver("smi", before, 1), driver("smi", now, 1), load("__name__", 0.4)},
               {driver("", before, 700), driver("", now, 980), load("__series__", 990)}}});
    ASSERT_EQ(snapshot->gpus.size(), 1U);
    EXPECT_EQ(snapshot->gpus[0].text(Text::kDriverVersion), now);
    EXPECT_EQ(snapshot->gpus[0].newest, 990);
    EXPECT_EQ(snapshot->gpus[0].oldest, 990) << "a text makes no row old";
  }
}

TEST(ExportersTest, AnOlderValueDoesNotStandForANewerOneThatIsNone) {
  const Labels old_pod = {{"instance", "10.0.0.1:9400"}};
  const Labels new_pod = {{"instance", "10.0.0.2:9400"}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [value, why] :
       {std::pair(nan, NullReason::kInvalidValue), std::pair(900.0, NullReason::kInvalidValue),
        std::pair(9223372036854775794.0, NullReason::kNotSupported)}) {
    const Said dcgm{
        &Named("dcgm"),
        {Dcgm("DCGM_FI_DEV_GPU_UTIL", 91, old_pod), Dcgm("DCGM_FI_DEV_GPU_UTIL", value, new_pod)},
        {Dcgm("", 900, old_pod), Dcgm("", 995, new_pod)}};
    EXPECT_EQ(Why(Meet({dcgm})->gpus.at(0), Quantity::kUtilization), why);
    const auto both =
        Meet({dcgm, {&Named("nvidia_smi"), {Nge("nvidia_smi_utilization_gpu_ratio", 0.4)}}});
    EXPECT_EQ(Of(both->gpus.at(0), Quantity::kUtilization), 40) << "another exporter knows it";
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

std::string PodsOf(const models::Snapshot& snapshot) {
  std::string pods;
  for (const auto& workload : snapshot.workloads) {
    pods.append(workload.name_space).append("/").append(workload.pod).append("/");
    pods.append(workload.container).append(" ");
  }
  return pods;
}

// What a target with these labels shows of one GPU that a pod holds and one that none does.
std::vector<FakeSample> Labelled(const Labels& of_busy, const Labels& of_idle) {
  FakeSample idle = Dcgm("DCGM_FI_DEV_FB_USED", 2, of_idle);
  for (auto& [name, value] : idle.labels) {
    if (name == "UUID" || name == "gpu") value += "1";
  }
  return {Dcgm("DCGM_FI_DEV_FB_USED", 1, of_busy), idle};
}

TEST(ExportersTest, APodIsAWorkloadUnlessItIsTheTargetsOwn) {
  const Labels own = {{"container", "dcgm"}, {"namespace", "gpu"}, {"pod", "dcgm-x"}};
  const Labels job = {{"container", "main"}, {"namespace", "ml"}, {"pod", "train-0"}};
  const Labels exported = {
      {"exported_container", "main"}, {"exported_namespace", "ml"}, {"exported_pod", "train-0"}};
  const std::vector<FakeSample> targets = {
      {{{"instance", ""}, {"job", "dcgm"}, {"namespace", "gpu"}, {"pod", "dcgm-x"}}, 1}};
  Labels both = own;
  both.insert(both.end(), exported.begin(), exported.end());
  const auto pods = [&](const std::vector<FakeSample>& samples, const auto& known) {
    return PodsOf(*Meet({{&Named("dcgm"), samples}}, known));
  };
  EXPECT_EQ(pods(Labelled(job, own), targets), "ml/train-0/main ") << "honorLabels";
  EXPECT_EQ(pods(Labelled(both, own), targets), "ml/train-0/main ") << "no honorLabels";
  EXPECT_EQ(pods(Labelled(own, own), targets), "") << "nobody holds a GPU";
  EXPECT_EQ(pods(Labelled(job, {}), std::vector<FakeSample>{{{{"job", "dcgm"}}, 1}}),
            "ml/train-0/main ")
      << "a target outside Kubernetes has no pod";
  EXPECT_EQ(pods(Labelled(job, own), std::vector<FakeSample>{}), "") << "nobody can tell";
}

TEST(ExportersTest, WhereNobodyTellsWhoseAPodIsTheHoldersAreUnknown) {
  const Labels job = {{"namespace", "ml"}, {"pod", "train-0"}};
  const auto reasons = [&](const auto&... known) {
    const auto snapshot = Meet({{&Named("dcgm"), Labelled(job, {})}}, known...);
    std::vector<NullReason> all;
    for (const auto& row : snapshot->gpus) all.push_back(row.holder_reason());
    return all;
  };
  const std::vector<FakeSample> targets = {{{{"instance", ""}, {"job", "dcgm"}}, 1}};
  const std::vector<FakeSample> others = {{{{"instance", "x"}, {"job", "other"}}, 1}};
  using testing::ElementsAre;
  EXPECT_THAT(reasons(others), ElementsAre(NullReason::kNotExported, NullReason::kNone))
      << "no up of its target";
  EXPECT_THAT(reasons(targets), ElementsAre(NullReason::kNone, NullReason::kNone));
}

TEST(ExportersTest, AnExporterTellsOfPodsOrNeverSaysAWord) {
  const Labels pod = {{"exported_namespace", "ml"}, {"exported_pod", "train-0"}};
  EXPECT_EQ(Meet({{&Named("dcgm"), Labelled({}, {})}})->pod_tellers, 0U);
  EXPECT_EQ(Meet({{&Named("dcgm"), Labelled(pod, {})}})->pod_tellers, 1U);
}

TEST(ExportersTest, TheRequirementsExporterMayNameAPodToo) {
  const auto shown = [](Labels more) {
    Labels labels = {{"__name__", "nvidia_gpu_utilization_percent"},
                     {"gpu", "0"},
                     {"job", "gpu"},
                     {"node", "n1"}};
    labels.insert(labels.end(), more.begin(), more.end());
    std::sort(labels.begin(), labels.end());
    return std::vector<FakeSample>{{labels, 5}};
  };
  const std::vector<FakeSample> targets = {
      {{{"container", "exporter"}, {"job", "gpu"}, {"namespace", "mon"}, {"pod", "exporter-x"}},
       1}};
  const auto pods = [&](Labels more) {
    return PodsOf(*Meet({{&Named("nvidia_gpu"), shown(std::move(more))}}, targets));
  };
  EXPECT_EQ(pods({{"container", "main"}, {"namespace", "ml"}, {"pod", "train-0"}}),
            "ml/train-0/main ");
  EXPECT_EQ(pods({{"namespace", "mon"}, {"pod", "exporter-x"}}), "") << "its own";
  EXPECT_EQ(pods({{"container", "exporter"}, {"namespace", "ml"}, {"pod", "train-0"}}),
            "ml/train-0/ ")
      << "a container that the target filled in";
}

TEST(ExportersTest, EachLabelOfAPodIsRenamedByItselfWhereTheTargetHasOne) {
  // What the target has, what its series have, and whose they are.
  struct Case {
    Labels target;
    Labels series;
    std::string whose;
  };
  const std::vector<Case> cases = {
      {{{"namespace", "mon"}},
       {{"exported_namespace", "ml"}, {"namespace", "mon"}, {"pod", "train-0"}, {"container", "c"}},
       "ml/train-0/c"},
      {{{"pod", "dcgm-x"}},
       {{"exported_pod", "train-0"}, {"namespace", "ml"}, {"pod", "dcgm-x"}, {"container", "c"}},
       "ml/train-0/c"},
      {{{"pod", "dcgm-x"}, {"namespace", "mon"}},
       {{"exported_pod", "train-0"}, {"namespace", "mon"}, {"pod", "dcgm-x"}},
       "/train-0/"},
      {{{"pod", "dcgm-x"}, {"namespace", "ml"}},
       {{"namespace", "ml"}, {"pod", "train-0"}},
       "ml/train-0/"},
  };
  for (const Case& one : cases) {
    Labels labels = {{"instance", "e:1"}, {"job", "dcgm"}};
    Labels target = labels;
    target.insert(target.end(), one.target.begin(), one.target.end());
    labels = one.series;
    labels.emplace_back("instance", "e:1");
    const auto snapshot =
        Meet({{&Named("dcgm"), {Dcgm("DCGM_FI_DEV_FB_USED", 1, labels)}}}, {{target, 1}});
    ASSERT_EQ(snapshot->workloads.size(), 1U) << one.whose;
    const models::Workload& its = snapshot->workloads[0];
    EXPECT_EQ(
        std::string(its.name_space) + '/' + std::string(its.pod) + '/' + std::string(its.container),
        one.whose);
  }
}

TEST(ExportersTest, ValuesThatAreRepeatedForEachPodAreNoDuplicates) {
  const auto pod = [](const std::string& name) {
    return Labels{{"exported_namespace", "web"}, {"exported_pod", name}};
  };
  const auto warnings = [&](const std::string& second) {
    return Meet({{&Named("dcgm"),
                  {Dcgm("DCGM_FI_DEV_GPU_TEMP", 55, pod("a")),
                   Dcgm("DCGM_FI_DEV_GPU_TEMP", 55, pod(second))}}})
        ->warnings;
  };
  EXPECT_TRUE(warnings("b").empty());
  EXPECT_EQ(warnings("a"), std::vector<std::string>{"1 duplicate series ignored"});
}

TEST(ExportersTest, WhatIsNoValueOfAGpuIsNoneOfAPodEither) {
  const auto pod = [](const std::string& name) {
    return Labels{
        {"exported_namespace", "web"}, {"exported_pod", name}, {"pod_uid", name}, {"vgpu", "0"}};
  };
  const auto meet = [&](double util, double used) {
    return Meet({{&Named("dcgm"),
                  {Dcgm("DCGM_FI_DEV_FB_USED", 3000), Dcgm("DCGM_FI_DEV_GPU_UTIL", 50),
                   Dcgm("DCGM_FI_DEV_GPU_UTIL", util, pod("a")),
                   Dcgm("DCGM_FI_DEV_FB_USED", used, pod("a")),
                   Dcgm("DCGM_FI_DEV_FB_USED", 1000, pod("b"))}}});
  };
  const auto blank = meet(9223372036854775794.0, 2147483632);
  ASSERT_EQ(blank->workloads.size(), 2U);
  EXPECT_TRUE(std::isnan(blank->workloads[0].utilization));
  EXPECT_TRUE(std::isnan(blank->workloads[0].memory_used));
  EXPECT_EQ(blank->workloads[1].memory_used, 1000 * kMiB) << "not scaled beside a blank";
  ASSERT_EQ(blank->warnings.size(), 1U);
  EXPECT_EQ(blank->warnings[0].substr(0, 9), "2 values ") << blank->warnings[0];
  const auto impossible = meet(-1, 500);
  EXPECT_TRUE(std::isnan(impossible->workloads[0].utilization));
  EXPECT_EQ(impossible->workloads[0].memory_used, 500 * kMiB);
  EXPECT_EQ(impossible->warnings, std::vector<std::string>{"1 impossible value dropped"});
}

TEST(ExportersTest, WhatIsDroppedIsCountedOnceThoughAnotherFillsTheField) {
  const auto filled = Meet({{&Named("dcgm"), {Dcgm("DCGM_FI_DEV_GPU_TEMP", std::nan(""))}},
                            {&Named("nvidia_smi"), {Nge("nvidia_smi_temperature_gpu", 77)}}});
  EXPECT_EQ(Of(filled->gpus.at(0), Quantity::kTemperature), 77);
  EXPECT_EQ(filled->warnings, std::vector<std::string>{"1 impossible value dropped"});
  // The family has three uses.
  const auto nobodys =
      Meet({{&Named("dcgm"),
             {Dcgm("DCGM_FI_DEV_FB_USED", 1), {{{"__name__", "DCGM_FI_DEV_FB_USED"}}, 5}}}});
  EXPECT_EQ(nobodys->warnings, std::vector<std::string>{"1 sample without a GPU label dropped"});
}

TEST(ExportersTest, PodsOfTargetsWithoutUpAreNotShownAndCounted) {
  const FakeSample sample =
      Dcgm("DCGM_FI_DEV_GPU_UTIL", 40, {{"instance", "10.7.7.7:9400"}, {"pod", "bert-0"}});
  const FakeSample other =
      Dcgm("DCGM_FI_DEV_FB_USED", 40, {{"instance", "10.7.7.7:9400"}, {"pod", "bert-0"}});
  const auto federated = Meet({{&Named("dcgm"), {sample, other}}});
  EXPECT_EQ(federated->workloads.size(), 0U);
  EXPECT_EQ(federated->warnings,
            std::vector<std::string>{"1 scrape target has no `up` here: its pods are not shown, "
                                     "they may be the exporter's own"});
  const auto known =
      Meet({{&Named("dcgm"), {sample}}}, {{{{"instance", "10.7.7.7:9400"}, {"job", "dcgm"}}, 1}});
  EXPECT_EQ(known->workloads.size(), 1U);
  EXPECT_TRUE(known->warnings.empty());
}

// It was not there at the last look for exporters.
TEST(ExportersTest, PodsOfANewJobAreNotShownYet) {
  const std::array exporters = {&Named("dcgm")};
  UnitEvidence evidence;
  Join<GpuMetrics> join(exporters, evidence, 1000);
  join.SetAskedJobs({"other"});
  join.AddTargets(prom::MakeInstantVector({}));
  join.Add(0, prom::MakeInstantVector({Dcgm("DCGM_FI_DEV_GPU_UTIL", 40, {{"pod", "bert-0"}})}),
           std::nullopt);
  const auto snapshot = join.Finish(CommandStyle::kFull);
  EXPECT_EQ(snapshot->warnings,
            std::vector<std::string>{"1 scrape job is new: its pods are not shown yet"});
  EXPECT_EQ(join.new_jobs(), std::vector<std::set<std::string>>{{"dcgm"}});
}

TEST(ExportersTest, WhatAnotherExporterShowsOfOtherGpusIsMissedAllTheSame) {
  const auto slot = static_cast<std::size_t>(Quantity::kMemoryUsed);
  for (const std::string node : {"n1", "n2"}) {
    const std::array exporters = {&NvidiaGpu(), &Named("dcgm")};
    UnitEvidence evidence;
    Join<GpuMetrics> join(exporters, evidence, 1000);
    join.Add(
        0,
        prom::MakeInstantVector(
            {{{{"__name__", "nvidia_gpu_temperature_celsius"}, {"gpu_id", "0"}, {"hostname", node}},
              50}}),
        std::nullopt);
    join.Add(1, prom::MakeInstantVector({Dcgm("DCGM_FI_DEV_FB_USED", 1)}), std::nullopt);
    join.Finish(CommandStyle::kFull);
    EXPECT_EQ(join.Shows(0, slot), node == "n1");
  }
}

TEST(ExportersTest, AMigInstanceIsNoneOfTheGpusOfItsId) {
  const auto nvitop = [](const std::string& index, const std::string& uuid, double value) {
    return FakeSample{{{"__name__", "gpu_memory_used_MiB"},
                       {"devicename", "A100"},
                       {"hostname", "n1"},
                       {"index", index},
                       {"uuid", uuid}},
                      value};
  };
  const std::vector<FakeSample> parts = {nvitop("0:0", "MIG-1", 1), nvitop("0:1", "MIG-2", 2)};
  const FakeSample board{
      {{"__name__", "nvidia_gpu_utilization_percent"}, {"gpu_id", "0"}, {"hostname", "n1"}}, 77};
  const auto beside = Meet({{&NvidiaGpu(), {board}}, {&Named("nvitop"), parts}});
  ASSERT_EQ(beside->gpus.size(), 3U);
  EXPECT_EQ(Of(beside->gpus[0], Quantity::kMemoryUsed), std::nullopt);
  auto all = parts;
  all.push_back(nvitop("0", kUuid, 3));
  const auto divided = Meet({{&NvidiaGpu(), {board}}, {&Named("nvitop"), all}});
  ASSERT_EQ(divided->gpus.size(), 3U);
  EXPECT_EQ(Of(divided->gpus[0], Quantity::kMemoryUsed), 3 * kMiB);
  EXPECT_EQ(divided->gpus[0].text(Text::kUuid), kUuid);
}

TEST(ExportersTest, AHamiSchedulerNamesTheNodesItself) {
  std::vector<FakeSample> samples;
  for (const std::string n : {"1", "2"}) {
    samples.push_back({{{"__name__", "GPUDeviceMemoryLimit"},
                        {"deviceidx", "0"},
                        {"deviceuuid", "GPU-" + n},
                        {"node", "scheduler-node"},
                        {"nodeid", "g" + n}},
                       1000});
  }
  const auto snapshot = Meet({{&Named("hami_legacy"), samples}});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  EXPECT_EQ(snapshot->gpus[0].text(Text::kNode), "g1");
  EXPECT_EQ(snapshot->gpus[1].text(Text::kNode), "g2");
}

// An exporter's pod that takes another's place at its address.
TEST(ExportersTest, TwoPodsOfOneTargetAreBothTheExporters) {
  const auto up = [](const std::string& pod) {
    return FakeSample{
        {{"instance", "n1"}, {"job", "dcgm"}, {"namespace", "monitoring"}, {"pod", pod}}, 1};
  };
  for (const auto& ups : {std::vector{up("old"), up("new")}, std::vector{up("new"), up("old")}}) {
    const auto shows = [](const std::string& pod) {
      return Dcgm("DCGM_FI_DEV_GPU_UTIL", 40,
                  {{"instance", "n1"}, {"namespace", "monitoring"}, {"pod", pod}});
    };
    EXPECT_EQ(Meet({{&Named("dcgm"), {shows("new")}}}, ups)->workloads.size(), 0U);
    EXPECT_EQ(Meet({{&Named("dcgm"), {shows("old")}}}, ups)->workloads.size(), 0U);
    EXPECT_EQ(Meet({{&Named("dcgm"), {shows("train")}}}, ups)->workloads.size(), 1U);
  }
}

TEST(ExportersTest, WhatASchedulerHandsOutStandsBehindWhatIsThere) {
  constexpr double kGiB = 1024 * kMiB;
  const auto hami = [&](const std::string& name, double value) {
    return FakeSample{
        {{"__name__", name}, {"device_index", "0"}, {"device_uuid", kUuid}, {"node", "n1"}}, value};
  };
  const FakeSample limit = hami("hami_gpu_memory_limit_bytes", 160 * kGiB);
  const FakeSample used = Dcgm("DCGM_FI_DEV_FB_USED", 40 * 1024);
  const auto derived = Meet({{&Named("dcgm"), {used, Dcgm("DCGM_FI_DEV_FB_FREE", 40 * 1024)}},
                             {&Named("hami"), {limit}}});
  EXPECT_EQ(Of(derived->gpus.at(0), Quantity::kMemoryTotal), 80 * kGiB);
  EXPECT_EQ(Of(derived->gpus.at(0), Quantity::kMemoryUsedPercent), 50);
  const auto alone =
      Meet({{&Named("hami"), {limit, hami("hami_host_gpu_memory_used_bytes", kGiB)}}});
  EXPECT_EQ(Of(alone->gpus.at(0), Quantity::kMemoryTotal), 160 * kGiB);
  EXPECT_EQ(alone->coverage.at(3).rows, 1U) << alone->coverage.at(3).metric;
  const auto less = Meet({{&Named("dcgm"), {used}},
                          {&Named("hami"), {hami("hami_gpu_memory_limit_bytes", 32 * kGiB)}}});
  EXPECT_EQ(Of(less->gpus.at(0), Quantity::kMemoryUsed), 40 * kGiB);
  EXPECT_EQ(Of(less->gpus.at(0), Quantity::kMemoryTotal), std::nullopt);
  EXPECT_EQ(Why(less->gpus.at(0), Quantity::kMemoryTotal), NullReason::kInvalidValue);
  EXPECT_EQ(less->warnings, std::vector<std::string>{"1 impossible value dropped"});
}

// Cloned machines show the same UUIDs.
TEST(ExportersTest, AVgpuWithoutANodeIsOnTheNodeOfItsTarget) {
  std::vector<FakeSample> samples;
  for (const std::string n : {"1", "2"}) {
    const std::string instance = "10.0.0." + n + ":9394";
    samples.push_back({{{"__name__", "hami_vgpu_memory_used_bytes"},
                        {"device_uuid", kUuid},
                        {"exported_namespace", "t"},
                        {"exported_pod", "c" + n},
                        {"instance", instance},
                        {"vdevice_index", "0"}},
                       1});
    samples.push_back({{{"__name__", "hami_host_gpu_utilization_ratio"},
                        {"device_index", "0"},
                        {"device_uuid", kUuid},
                        {"instance", instance},
                        {"node", "n" + n}},
                       30});
  }
  std::mt19937 random(7);
  for (int i = 0; i < 10; ++i) {
    std::shuffle(samples.begin(), samples.end(), random);
    const auto snapshot = Meet({{&Named("hami"), samples}});
    ASSERT_EQ(snapshot->gpus.size(), 2U);
    ASSERT_EQ(snapshot->workloads.size(), 2U);
    EXPECT_EQ(snapshot->workloads[snapshot->gpus[0].first_workload].pod, "c1");
    EXPECT_EQ(snapshot->workloads[snapshot->gpus[1].first_workload].pod, "c2");
    EXPECT_TRUE(snapshot->warnings.empty());
  }
}

TEST(ExportersTest, NumbersThatNoCounterReachesAreNone) {
  for (const std::string name :
       {"DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"}) {
    const auto snapshot = Meet({{&Named("dcgm"), {Dcgm(name, 18446744073709551615.0)}}});
    for (const Quantity field : {Quantity::kPcieReplay, Quantity::kEccUncorrectedVolatile}) {
      EXPECT_EQ(Of(snapshot->gpus.at(0), field), std::nullopt) << name;
    }
  }
  const auto joules =
      Meet({{&Named("amd"),
             {{{{"__name__", "gpu_energy_consumed"}, {"gpu_id", "0"}, {"hostname", "n"}},
               1.8446744073709552e19}}}});
  EXPECT_EQ(Why(joules->gpus.at(0), Quantity::kEnergy), NullReason::kNotSupported);
}

TEST(ExportersTest, PartsThatAreScaledDownAreWholeBytes) {
  const auto pod = [](const std::string& name) {
    return Labels{{"exported_pod", name}, {"pod_uid", name}, {"vgpu", "0"}};
  };
  const auto snapshot =
      Meet({{&Named("dcgm"),
             {Dcgm("DCGM_FI_DEV_FB_USED", 1000), Dcgm("DCGM_FI_DEV_FB_USED", 600, pod("a")),
              Dcgm("DCGM_FI_DEV_FB_USED", 700, pod("b"))}}});
  EXPECT_EQ(snapshot->workloads[0].memory_used, std::floor(600 * kMiB / 1.3));
}

// The vGPU's rows name it as its device.
TEST(ExportersTest, HamiMayCallAnInstanceByItsMigUuid) {
  const FakeSample info = {{{"__name__", "hami_mig_device_info"},
                            {"device_uuid", kUuid},
                            {"exported_namespace", "t"},
                            {"exported_pod", "c"},
                            {"gpu_instance_id", "3"},
                            {"mig_uuid", "MIG-1"},
                            {"profile", "1g.5gb"}},
                           1};
  const FakeSample used = {{{"__name__", "hami_vgpu_memory_used_bytes"},
                            {"device_uuid", "MIG-1"},
                            {"exported_namespace", "t"},
                            {"exported_pod", "c"},
                            {"vdevice_index", "0"}},
                           300};
  const auto snapshot = Meet({{&Named("hami"), {info, used}}});
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  EXPECT_EQ(snapshot->gpus[0].text(Text::kUuid), kUuid);
  ASSERT_EQ(snapshot->workloads.size(), 1U);
  EXPECT_EQ(snapshot->workloads[0].memory_used, 300);
}

TEST(ExportersTest, SeriesWithoutANodeJoinTheirGpuByItsUuid) {
  const auto hami = [](const std::string& name, double value, const std::string& node) {
    Labels labels = {{"__name__", name}, {"device_type", "NVIDIA-L20"}, {"device_uuid", kUuid}};
    if (!node.empty()) labels.emplace_back("node", node);
    return FakeSample{labels, value};
  };
  const FakeSample used = hami("hami_host_gpu_memory_used_bytes", 7, "n1");
  const FakeSample busy = hami("hami_host_gpu_memory_controller_utilization_ratio", 31, "");
  auto snapshot = Meet({{&Named("hami"), {busy, used}}});
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  EXPECT_EQ(Of(snapshot->gpus[0], Quantity::kMemoryUtilization), 31);
  EXPECT_EQ(snapshot->gpus[0].text(Text::kNode), "n1");
  EXPECT_EQ(snapshot->gpus[0].text(Text::kGpuName), "L20");
}

TEST(ExportersTest, SharesHaveTheUnitOfTheirJob) {
  const auto share_of = [](double device, double pod) {
    const auto snapshot =
        Meet({{&Named("dcgm_4_9"),
               {Dcgm("DCGM_FI_DEV_GPU_UTIL_RATIO", device),
                Dcgm("DCGM_FI_DEV_GPU_UTIL_RATIO", pod,
                     {{"exported_pod", "a"}, {"pod_uid", "1"}, {"vgpu", "0"}})}}});
    return snapshot->workloads.at(0).utilization;
  };
  EXPECT_EQ(share_of(0.75, 0.25), 25);
  EXPECT_EQ(share_of(75, 25), 25);
}

TEST(ExportersTest, AShareAboveAWholeGpuIsAWholeGpu) {
  const auto share = [](const std::string& pod, double value) {
    return FakeSample{{{"__name__", "hami_container_device_utilization_ratio"},
                       {"device_uuid", kUuid},
                       {"exported_pod", pod}},
                      value};
  };
  const auto alone = Meet({{&Named("hami"), {share("a", 0), share("b", 104)}}});
  ASSERT_EQ(alone->workloads.size(), 2U);
  EXPECT_EQ(alone->workloads[0].utilization, 0);
  EXPECT_EQ(alone->workloads[1].utilization, 100);
  const auto both = Meet({{&Named("hami"), {share("a", 60), share("b", 104)}}});
  EXPECT_DOUBLE_EQ(both->workloads[0].utilization, 37.5) << "nobody tells the GPU's own";
  EXPECT_DOUBLE_EQ(both->workloads[1].utilization, 62.5);
}

TEST(ExportersTest, PartsTogetherAreNoMoreThanTheGpu) {
  const auto of_pod = [](const std::string& name, const std::string& pod, double value) {
    return Dcgm(name, value, {{"exported_pod", pod}, {"pod_uid", pod}, {"vgpu", pod}});
  };
  const auto snapshot = Meet(
      {{&Named("dcgm"),
        {Dcgm("DCGM_FI_DEV_GPU_UTIL", 50), of_pod("DCGM_FI_DEV_GPU_UTIL", "a", 75),
         of_pod("DCGM_FI_DEV_GPU_UTIL", "b", 25), Dcgm("DCGM_FI_DEV_FB_USED", 3000),
         of_pod("DCGM_FI_DEV_FB_USED", "a", 1000), of_pod("DCGM_FI_DEV_FB_USED", "b", 1500)}}});
  ASSERT_EQ(snapshot->workloads.size(), 2U);
  EXPECT_DOUBLE_EQ(snapshot->workloads[0].utilization, 37.5);
  EXPECT_DOUBLE_EQ(snapshot->workloads[1].utilization, 12.5);
  EXPECT_EQ(snapshot->workloads[0].memory_used, 1000 * kMiB) << "less than the GPU's is as it is";
  EXPECT_EQ(snapshot->warnings,
            std::vector<std::string>{
                "1 GPU whose pods' parts were more than it has, and were scaled down"});
}

TEST(ExportersTest, ACountThatIsNoWholeNumberIsNone) {
  const auto snapshot =
      Meet({{&Named("dcgm"),
             {Dcgm("DCGM_FI_DEV_XID_ERRORS", 31.5), Dcgm("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", 0.4),
              Dcgm("DCGM_FI_DEV_PSTATE", 32), Dcgm("DCGM_FI_DEV_GPU_UTIL", 1.5)}}});
  const GpuMetrics& row = snapshot->gpus.at(0);
  for (const Quantity quantity :
       {Quantity::kXidLast, Quantity::kEccCorrectedVolatile, Quantity::kPstate}) {
    EXPECT_EQ(row.readings.reason(static_cast<std::size_t>(quantity)), NullReason::kInvalidValue);
  }
  EXPECT_EQ(Of(row, Quantity::kUtilization), 1.5);
}

TEST(ExportersTest, ZerosOfADividedGpuAreNotItsOwn) {
  const auto snapshot = Meet({{&Named("dcgm"),
                               {Dcgm("DCGM_FI_DEV_GPU_UTIL", 0), Dcgm("DCGM_FI_DEV_GPU_TEMP", 50),
                                Dcgm("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.5,
                                     {{"GPU_I_ID", "1"}, {"GPU_I_PROFILE", "3g.40gb"}})}}});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  EXPECT_EQ(snapshot->gpus[0].readings.reason(0), NullReason::kNotSupported);
  EXPECT_EQ(Of(snapshot->gpus[1], Quantity::kUtilization), 50);
}

TEST(ExportersTest, AMigInstanceHasTheTextsOfItsGpu) {
  const auto nge = [](const std::string& name, double value, Labels more) {
    more.emplace_back("__name__", name);
    more.emplace_back("uuid", kUuid + 4);
    std::sort(more.begin(), more.end());
    return FakeSample{more, value};
  };
  const auto snapshot =
      Meet({{&Named("nvidia_smi"),
             {nge("nvidia_smi_mig_memory_used_bytes", 5, {{"gpu_instance_id", "1"}}),
              nge("nvidia_smi_memory_used_bytes", 9, {}),
              nge("nvidia_smi_gpu_info", 1, {{"index", "3"}, {"name", "H100"}})}}});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  EXPECT_EQ(snapshot->gpus[0].readings.reason(0), NullReason::kNotSupported)
      << "a divided GPU has no utilization of its own";
  EXPECT_EQ(snapshot->gpus[1].text(Text::kMigGpuInstance), "1");
  EXPECT_EQ(snapshot->gpus[1].text(Text::kGpuName), "H100");
  EXPECT_EQ(snapshot->gpus[1].gpu_index, 3);
  EXPECT_EQ(Of(snapshot->gpus[1], Quantity::kMemoryUsed), 5);
}

TEST(ExportersTest, ValuesOfAFailedCollectionAreStale) {
  const auto sample = [](const std::string& name, double value, const std::string& job) {
    return FakeSample{{{"__name__", name}, {"job", job}, {"uuid", kUuid + 4 + job.size()}}, value};
  };
  const auto snapshot =
      Meet({{&Named("nvidia_smi"),
             {sample("nvidia_smi_pstate", 3, "a"),
              {{{"__name__", "nvidia_smi_last_collect_success"}, {"job", "a"}}, 0},
              sample("nvidia_smi_pstate", 4, "bb"),
              {{{"__name__", "nvidia_smi_last_collect_success"}, {"job", "bb"}}, 1}}}});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  const auto slot = static_cast<std::size_t>(Quantity::kPstate);
  const bool first_failed = !snapshot->gpus[0].readings.Has(slot);
  EXPECT_EQ(snapshot->gpus[first_failed ? 0 : 1].readings.reason(slot), NullReason::kStale);
  EXPECT_EQ(Of(snapshot->gpus[first_failed ? 1 : 0], Quantity::kPstate), 4);
  EXPECT_EQ(snapshot->warnings.back(),
            "1 old value of a failed collection or frozen exporter shown as null");
}

TEST(ExportersTest, AMetricMayHoldTheGpusId) {
  const auto snapshot = Meet({{&Named("nvidia_smi"), {Nge("nvidia_smi_index", 5)}}});
  EXPECT_EQ(snapshot->gpus.at(0).gpu_index, 5);
  EXPECT_EQ(snapshot->gpus.at(0).text(Text::kGpuId), "5");
}

TEST(ExportersTest, NaNIsABlankWhereTheSchemaSaysSo) {
  const FakeSample sample{{{"__name__", "gpu_power_usage_W"}, {"devicename", "A"}, {"uuid", kUuid}},
                          std::numeric_limits<double>::quiet_NaN()};
  const auto snapshot = Meet({{&Named("nvitop"), {sample}}});
  const auto slot = static_cast<std::size_t>(Quantity::kPower);
  EXPECT_EQ(snapshot->gpus.at(0).readings.reason(slot), NullReason::kNotSupported);
}

TEST(ExportersTest, ZerosOfAMemoryWithoutSizeAreNoValues) {
  const auto sample = [](const std::string& name, double value) {
    return FakeSample{{{"__name__", name}, {"gpu_id", "0"}, {"hostname", "n"}}, value};
  };
  const auto snapshot =
      Meet({{&Named("gpu_metrics"),
             {sample("gpu_metrics_used_memory", 0), sample("gpu_metrics_free_memory", 0),
              sample("gpu_metrics_total_memory", 0)}}});
  for (const auto quantity :
       {Quantity::kMemoryUsed, Quantity::kMemoryFree, Quantity::kMemoryTotal}) {
    EXPECT_EQ(Of(snapshot->gpus.at(0), quantity), std::nullopt);
  }
}

TEST(ExportersTest, KindsOfErrorsAreAddedUpOncePerTarget) {
  std::vector<FakeSample> samples;
  for (const char* target : {"a", "b"}) {
    const Labels labels = {{"instance", target}};
    samples.push_back(Dcgm("DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", 0, labels));
    samples.push_back(Dcgm("DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", 3, labels));
    samples.push_back(Dcgm("DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL", 4, labels));
  }
  const auto snapshot = Meet({{&Named("dcgm"), samples}});
  EXPECT_EQ(Of(snapshot->gpus.at(0), Quantity::kNvlinkErrors), 7);
}

TEST(ExportersTest, ErrorsOfSeveralLinksAreAddedUp) {
  const std::pair<const char*, const char*> kinds[] = {
      {"dcgm", "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL"},
      {"dcgm_4_9", "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_TOTAL"},
      {"dcgm_1x", "dcgm_nvlink_flit_crc_error_count_total"}};
  for (const auto& [name, metric] : kinds) {
    std::vector<FakeSample> samples;
    for (int link = 0; link < 3; ++link) {
      samples.push_back(Dcgm(metric, link + 1, {{"nvlink", std::to_string(link)}}));
    }
    const auto snapshot = Meet({{&Named(name), samples, samples}});
    EXPECT_EQ(Of(snapshot->gpus.at(0), Quantity::kNvlinkErrors), 6) << name;
    EXPECT_TRUE(snapshot->warnings.empty()) << name;
  }
}

TEST(ExportersTest, FlagsOfTwoScrapersKeepTheMask) {
  std::vector<FakeSample> samples;
  for (const char* job : {"a", "b"}) {
    for (const char* name :
         {"accelerator_nvidia_clock_hw_slowdown", "accelerator_nvidia_clock_hw_slowdown_thermal"}) {
      samples.push_back({{{"__name__", name}, {"job", job}, {"uuid", kUuid}}, 1});
    }
  }
  const auto snapshot = Meet({{&Named("gpud"), samples}});
  EXPECT_EQ(Of(snapshot->gpus.at(0), Quantity::kThrottleReasons), 8 + 64);
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

TEST(ExportersTest, AMaskWithABitThatNobodyKnowsIsNotKnown) {
  const auto flag = [](const std::string& name, double value, const std::string& job) {
    return FakeSample{{{"__name__", "accelerator_nvidia_clock_hw_slowdown" + name},
                       {"job", job},
                       {"uuid", kUuid}},
                      value};
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto meet = [](std::vector<FakeSample> samples) {
    const auto snapshot = Meet({{&Named("gpud"), samples}});
    std::reverse(samples.begin(), samples.end());
    const auto reversed = Meet({{&Named("gpud"), samples}});
    EXPECT_EQ(
        snapshot->gpus.at(0).readings.Get(static_cast<std::size_t>(Quantity::kThrottleReasons)),
        reversed->gpus.at(0).readings.Get(static_cast<std::size_t>(Quantity::kThrottleReasons)));
    return snapshot;
  };
  const auto unknown = meet({flag("", nan, "a"), flag("_thermal", 1, "a")});
  EXPECT_EQ(Why(unknown->gpus.at(0), Quantity::kThrottleReasons), NullReason::kInvalidValue);
  EXPECT_EQ(unknown->warnings.size(), 2U) << "no node, and an impossible value";
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double impossible : {infinite, -infinite, 1e30, -5.0, 0.5}) {
    const auto snapshot = meet({flag("", impossible, "a"), flag("_thermal", 1, "a")});
    EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kThrottleReasons), NullReason::kInvalidValue)
        << impossible;
  }
  const auto known = meet({flag("", nan, "a"), flag("_thermal", 1, "a"), flag("", 1, "b")});
  EXPECT_EQ(Of(known->gpus.at(0), Quantity::kThrottleReasons), 8 + 64) << "another scraper knows";
}

TEST(ExportersTest, ASumBeyondItsBoundIsImpossible) {
  const double most = 9007199254740992;
  const auto errors = Meet({{&Named("dcgm"),
                             {Dcgm("DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", most),
                              Dcgm("DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", most)}}});
  EXPECT_EQ(Why(errors->gpus.at(0), Quantity::kNvlinkErrors), NullReason::kInvalidValue);
  EXPECT_EQ(errors->warnings.front(), "1 impossible value dropped");
  for (const bool alone : {true, false}) {
    std::vector<Said> said = {
        {&Named("dcgm"), {Dcgm("DCGM_FI_DEV_FB_USED", 1e12), Dcgm("DCGM_FI_DEV_FB_FREE", 1e12)}}};
    if (!alone) said.push_back({&Named("nvidia_smi"), {Nge("nvidia_smi_pstate", 1)}});
    const auto memory = Meet(said);
    EXPECT_EQ(Of(memory->gpus.at(0), Quantity::kMemoryUsed), 1e12 * kMiB);
    EXPECT_EQ(Why(memory->gpus.at(0), Quantity::kMemoryTotal), NullReason::kInvalidValue);
    EXPECT_EQ(Why(memory->gpus.at(0), Quantity::kMemoryUsedPercent), NullReason::kInvalidValue);
    EXPECT_EQ(memory->warnings.front(), "1 impossible value dropped");
  }
}

TEST(ExportersTest, AUuidInTwoFormsIsOneGpuOfItsExporter) {
  const auto of = [](const std::string& name, const std::string& uuid) {
    return FakeSample{{{"Hostname", "n1"}, {"UUID", uuid}, {"__name__", name}, {"gpu", "0"}}, 5};
  };
  const std::string upper = "GPU-0B7E2C11-9D55-4B6E-A1F2-3C4D5E6F7A80";
  for (const auto& [first, second] :
       {std::pair(upper, std::string(kUuid)), std::pair(std::string(kUuid), upper),
        std::pair(std::string(kUuid + 4), upper)}) {
    const auto snapshot =
        Meet({{&Named("dcgm"),
               {of("DCGM_FI_DEV_GPU_UTIL", first), of("DCGM_FI_DEV_FB_USED", second),
                of("DCGM_FI_DEV_GPU_TEMP", first)}}});
    ASSERT_EQ(snapshot->gpus.size(), 1U) << first;
    EXPECT_EQ(snapshot->gpus[0].text(Text::kUuid), kUuid);
    EXPECT_EQ(Of(snapshot->gpus[0], Quantity::kMemoryUsed), 5 * kMiB);
  }
}

TEST(ExportersTest, TotalIsDerivedWhereNobodyMeasuresIt) {
  const auto snapshot = Meet(
      {{&Named("dcgm"), {Dcgm("DCGM_FI_DEV_FB_USED", 100), Dcgm("DCGM_FI_DEV_FB_FREE", 300)}}});
  EXPECT_EQ(Of(snapshot->gpus.at(0), Quantity::kMemoryTotal), 400 * kMiB);
}

// Two exporters watch node n1; `scraped` says what is there of the second.
class DownTest : public testing::Test {
 protected:
  static FakeSample Power(Labels more = {}) {
    Labels labels = {{"__name__", "nvidia_smi_power_draw_watts"},
                     {"instance", "10.0.0.1:9835"},
                     {"job", "nge"},
                     {"uuid", kUuid + 4}};
    labels.insert(labels.end(), more.begin(), more.end());
    return {labels, 300};
  }
  static FakeSample Up(const std::string& job, const std::string& instance, double up) {
    return {{{"__name__", "up"}, {"instance", instance}, {"job", job}}, up};
  }

  std::shared_ptr<models::Snapshot> Refresh(const std::vector<FakeSample>& scraped, double up) {
    const std::array exporters = {&Named("dcgm"), &Named("nvidia_smi")};
    Join<GpuMetrics> join(exporters, evidence_, 1000);
    join.AddTargets(
        prom::MakeInstantVector({Up("dcgm", "10.0.0.1:9400", 1), Up("nge", "10.0.0.1:9835", up),
                                 Up("web", "10.0.0.1:80", 0)}));
    join.Add(0,
             prom::MakeInstantVector({Dcgm("DCGM_FI_DEV_GPU_UTIL", 83),
                                      Dcgm("DCGM_FI_DEV_GPU_TEMP", 50, {{"UUID", "GPU-2"}})}),
             std::nullopt);
    join.Add(1, prom::MakeInstantVector(scraped), std::nullopt);
    auto snapshot = join.Finish(CommandStyle::kFull, &memory_);
    memory_.Learn(models::Part::kGpus, join.shown());
    return snapshot;
  }

  UnitEvidence evidence_;
  FakeClock clock_;
  TargetMemory memory_{clock_};
};

TEST_F(DownTest, WhatATargetShowedBeforeItWentDownIsMissingForThatReason) {
  const auto before = Refresh({Power()}, 1);
  EXPECT_TRUE(before->warnings.empty());
  EXPECT_EQ(Of(before->gpus.at(0), Quantity::kPower), 300);
  const auto snapshot = Refresh({}, 0);
  const GpuMetrics& row = snapshot->gpus.at(0);
  EXPECT_EQ(Why(row, Quantity::kPower), NullReason::kExporterDown);
  EXPECT_EQ(Of(row, Quantity::kUtilization), 83) << "the other one's";
  EXPECT_EQ(Why(row, Quantity::kTensorActive), NullReason::kNotExported) << "it never had that";
  EXPECT_EQ(snapshot->warnings,
            std::vector<std::string>{"nvidia_smi: a scrape target is down, what only it showed is "
                                     "missing (job nge, 10.0.0.1:9835)"});
}

TEST_F(DownTest, WhoWasNeverSeenIsNotMissed) {
  const auto snapshot = Refresh({}, 0);
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kPower), NullReason::kNotExported);
  EXPECT_TRUE(snapshot->warnings.empty());
}

TEST_F(DownTest, WhatItShowedIsMissingThoughAnotherTargetOfItsExporterShowsTheGpu) {
  Refresh({Power()}, 1);
  FakeSample other = Power();
  other.labels[1].second = "10.0.0.2:9835";
  other.labels[0].second = "nvidia_smi_temperature_gpu";
  const auto snapshot = Refresh({other}, 0);
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kPower), NullReason::kExporterDown);
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kFan), NullReason::kNotExported);
}

TEST_F(DownTest, WhatIsLeftOfATargetThatIsDownIsOfNobodysPresent) {
  FakeSample left = Power();
  left.labels[0].second = "nvidia_smi_fan_speed_ratio";
  EXPECT_EQ(Of(Refresh({Power(), left}, 1)->gpus.at(0), Quantity::kPower), 300);
  Refresh({left}, 0);  // a series with a time stamp of its own stays for a while
  const auto snapshot = Refresh({left}, 0);
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kPower), NullReason::kExporterDown);
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kFan), NullReason::kExporterDown);
}

TEST_F(DownTest, PrometheussPastTellsOfATargetThatThisProcessNeverSaw) {
  const std::array exporters = {&Named("dcgm"), &Named("nvidia_smi")};
  Join<GpuMetrics> join(exporters, evidence_, 1000);
  const auto up = prom::MakeInstantVector({Up("nge", "10.0.0.1:9835", 0)});
  const auto power = std::uint64_t{1} << static_cast<std::size_t>(Quantity::kPower);
  join.SetDown(1, {{Contest::TargetOf(up.labels(0)),
                    {"job nge", "nge", "10.0.0.1:9835", {{"n1", {power, 0}}}, {}}}});
  join.AddTargets(up);
  join.Add(0, prom::MakeInstantVector({Dcgm("DCGM_FI_DEV_GPU_UTIL", 83)}), std::nullopt);
  const auto snapshot = join.Finish(CommandStyle::kFull, &memory_);
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kPower), NullReason::kExporterDown);
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kFan), NullReason::kNotExported);
  EXPECT_EQ(snapshot->warnings.size(), 1U);
}

TEST(ExportersTest, ValuesOfAFrozenTargetAreStale) {
  const std::array exporters = {&Named("dcgm")};
  UnitEvidence evidence;
  Join<GpuMetrics> join(exporters, evidence, 1000);
  const FakeSample frozen = Dcgm("DCGM_FI_DEV_GPU_UTIL", 83, {{"instance", "a"}});
  const FakeSample well =
      Dcgm("DCGM_FI_DEV_GPU_UTIL", 10, {{"instance", "b"}, {"exported_node", "n2"}});
  const auto vector = prom::MakeInstantVector({frozen, well});
  join.SetFrozen(0, {Contest::TargetOf(vector.labels(0))});
  join.Add(0, vector, std::nullopt);
  const FakeSample share = Dcgm("DCGM_FI_DEV_GPU_UTIL", 40,
                                {{"exported_namespace", "web"},
                                 {"exported_pod", "a"},
                                 {"instance", "a"},
                                 {"pod_uid", "1"},
                                 {"vgpu", "0"}});
  join.Add(0, prom::MakeInstantVector({share}), std::nullopt);
  const auto snapshot = join.Finish(CommandStyle::kFull);
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  ASSERT_EQ(snapshot->workloads.size(), 1U);
  EXPECT_TRUE(std::isnan(snapshot->workloads[0].utilization));
  EXPECT_EQ(Why(snapshot->gpus[0], Quantity::kUtilization), NullReason::kStale);
  EXPECT_EQ(Of(snapshot->gpus[1], Quantity::kUtilization), 10);
}

TEST(ExportersTest, TwoSeriesOfOneTimeThatDifferAreAConflict) {
  const auto one = Dcgm("DCGM_FI_DEV_GPU_UTIL", 83, {{"instance", "a"}});
  const auto other = Dcgm("DCGM_FI_DEV_GPU_UTIL", 10, {{"instance", "b"}});
  const auto same = Dcgm("DCGM_FI_DEV_GPU_TEMP", 50, {{"instance", "a"}});
  const auto again = Dcgm("DCGM_FI_DEV_GPU_TEMP", 50, {{"instance", "b"}});
  const auto meet = [&](double first, double second) {
    auto a = one;
    auto b = other;
    a.value = first;
    b.value = second;
    return Meet({{&Named("dcgm"), {one, other, same, again}, {a, b}}});
  };
  const auto conflict = meet(900, 900);
  EXPECT_EQ(Why(conflict->gpus.at(0), Quantity::kUtilization), NullReason::kConflict);
  EXPECT_EQ(Of(conflict->gpus.at(0), Quantity::kTemperature), 50);
  EXPECT_EQ(conflict->warnings.front(),
            "1 value that two series contradict each other about shown as null");
  EXPECT_EQ(Of(meet(900, 901)->gpus.at(0), Quantity::kUtilization), 10) << "the newest";
  EXPECT_EQ(Of(meet(901, 900)->gpus.at(0), Quantity::kUtilization), 83) << "the newest";
  EXPECT_NE(Of(Meet({{&Named("dcgm"), {one, other}}})->gpus.at(0), Quantity::kUtilization),
            std::nullopt)
      << "without times nobody knows that they are of one time";
}

TEST(ExportersTest, ANodeIsFoundByTheAddressOfTheTarget) {
  const std::array exporters = {&Named("nvidia_smi")};
  UnitEvidence evidence;
  Join<GpuMetrics> join(exporters, evidence, 1000);
  join.AddAddresses(
      prom::MakeInstantVector({{{{"internal_ip", "10.0.0.1"}, {"node", "gpu-a01"}}, 1}}));
  FakeSample sample = Nge("nvidia_smi_power_draw_watts", 300);
  sample.labels.insert(sample.labels.begin() + 1, {"instance", "10.0.0.1:9835"});
  join.Add(0, prom::MakeInstantVector({sample}), std::nullopt);
  const auto snapshot = join.Finish(CommandStyle::kFull);
  EXPECT_EQ(snapshot->gpus.at(0).text(Text::kNode), "gpu-a01");
  EXPECT_TRUE(snapshot->warnings.empty());
}

TEST(ExportersTest, AnAddressInPlaceOfANodesNameIsLookedUpToo) {
  const std::array exporters = {&Named("nvitop")};
  UnitEvidence evidence;
  Join<GpuMetrics> join(exporters, evidence, 1000);
  join.AddAddresses(
      prom::MakeInstantVector({{{{"internal_ip", "10.0.0.1"}, {"node", "gpu-a01"}}, 1}}));
  const auto on = [](const std::string& host) {
    return FakeSample{{{"__name__", "gpu_temperature_C"},
                       {"devicename", "A"},
                       {"hostname", host},
                       {"index", "0"}},
                      50};
  };
  join.Add(0, prom::MakeInstantVector({on("10.0.0.1"), on("10.0.0.2"), on("gpu-a03")}),
           std::nullopt);
  const auto snapshot = join.Finish(CommandStyle::kFull);
  ASSERT_EQ(snapshot->gpus.size(), 3U);
  EXPECT_EQ(snapshot->gpus[0].text(Text::kNode), "10.0.0.2") << "nobody knows it";
  EXPECT_EQ(snapshot->gpus[1].text(Text::kNode), "gpu-a01");
  EXPECT_EQ(snapshot->gpus[2].text(Text::kNode), "gpu-a03");
}

}  // namespace
}  // namespace gpumon::gpu
