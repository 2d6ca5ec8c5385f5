// What is added up of parts is added up once, whoever scrapes it twice.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "internal/gpu/join.h"
#include "internal/schema/registry.h"
#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::NullReason;
using models::Quantity;
using prom::FakeSample;
using prom::Labels;

constexpr char kUuid[] = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";

FakeSample Sample(const std::string& name, double value, Labels labels) {
  labels.emplace_back("__name__", name);
  std::sort(labels.begin(), labels.end());
  return {std::move(labels), value};
}

// Every order of samples gives this; `times` are those of the samples, one by one.
std::shared_ptr<models::Snapshot> Meet(const std::string& exporter, std::vector<FakeSample> samples,
                                       const std::vector<double>& times = {}) {
  std::vector<FakeSample> timed;
  for (std::size_t i = 0; i < times.size(); ++i) {
    FakeSample sample = samples[i];
    for (auto& [name, value] : sample.labels) {
      if (name == "__name__") name = "__series__";
    }
    std::sort(sample.labels.begin(), sample.labels.end());
    sample.value = times[i];
    timed.push_back(std::move(sample));
  }
  std::mt19937 random(samples.size());
  std::shuffle(samples.begin(), samples.end(), random);
  const std::array exporters = {schema::Registry::BuiltIn().Find(exporter)};
  UnitEvidence evidence;
  Join<GpuMetrics> join(exporters, evidence, 1000);
  join.Add(0, prom::MakeInstantVector(samples), std::nullopt);
  join.AddTimes(0, prom::MakeInstantVector(timed));
  return join.Finish(CommandStyle::kFull);
}

FakeSample Tile(const std::string& tile, const std::string& replica, double used) {
  return Sample("hw_memory_usage_bytes", used,
                {{"com_intel_subdevice_id", tile},
                 {"hw_id", "gpu0"},
                 {"hw_memory_location", "device"},
                 {"node", "n"},
                 {"pci_bdf", "0000:03:00.0"},
                 {"replica", replica}});
}
FakeSample Vgpu(const std::string& name, const std::string& index, const std::string& job,
                double value) {
  return Sample(name, value,
                {{"device_uuid", kUuid},
                 {"exported_container", "c"},
                 {"exported_namespace", "ml"},
                 {"exported_pod", "a"},
                 {"job", job},
                 {"node", "n"},
                 {"vdevice_index", index}});
}

std::optional<double> Used(const models::Snapshot& snapshot) {
  return snapshot.gpus.at(0).readings.Get(static_cast<std::size_t>(Quantity::kMemoryUsed));
}
NullReason WhyNoneUsed(const models::Snapshot& snapshot) {
  return snapshot.gpus.at(0).readings.reason(static_cast<std::size_t>(Quantity::kMemoryUsed));
}

TEST(PartsTest, TilesAreAddedUp) {
  const auto snapshot = Meet("xpumd", {Tile("0", "", 100), Tile("1", "", 200)});
  EXPECT_EQ(Used(*snapshot), 300);
  EXPECT_TRUE(snapshot->warnings.empty());
}

TEST(PartsTest, TilesThatAreScrapedTwiceAreAddedUpOnceByTheNewest) {
  const auto snapshot = Meet(
      "xpumd", {Tile("0", "a", 100), Tile("1", "a", 200), Tile("0", "b", 110), Tile("1", "b", 220)},
      {990, 990, 980, 995});
  EXPECT_EQ(Used(*snapshot), 100 + 220);
  EXPECT_EQ(snapshot->warnings, std::vector<std::string>{"2 duplicate series ignored"});
}

TEST(PartsTest, ASumWithAnUnknownPartIsNotKnown) {
  const auto snapshot = Meet("xpumd", {Tile("0", "", 100), Tile("1", "", std::nan(""))});
  EXPECT_EQ(Used(*snapshot), std::nullopt);
  EXPECT_EQ(WhyNoneUsed(*snapshot), NullReason::kInvalidValue);
  const auto of_two = [](double other) {
    return Meet("xpumd", {Tile("0", "", 100), Tile("1", "a", std::nan("")), Tile("1", "b", 200)},
                {990, 990, other});
  };
  EXPECT_EQ(Used(*of_two(990)), 300) << "another series of that time knows it";
  EXPECT_EQ(Used(*of_two(995)), 300);
  EXPECT_EQ(WhyNoneUsed(*of_two(980)), NullReason::kInvalidValue) << "an older one does not";
}

TEST(PartsTest, ASumWithAContradictedPartIsAConflict) {
  const auto snapshot = Meet(
      "xpumd", {Tile("0", "", 100), Tile("1", "a", 200), Tile("1", "b", 210)}, {990, 990, 990});
  EXPECT_EQ(WhyNoneUsed(*snapshot), NullReason::kConflict);
}

TEST(PartsTest, KindsOfErrorsOfTwoScrapersAreAddedUpOnce) {
  std::vector<FakeSample> samples;
  for (const char* const instance : {"10.0.0.1:9400", "10.0.0.2:9400"}) {
    for (const char* const kind : {"CRC_FLIT", "CRC_DATA", "REPLAY", "RECOVERY"}) {
      samples.push_back(Sample("DCGM_FI_DEV_NVLINK_" + std::string(kind) + "_ERROR_COUNT_TOTAL", 2,
                               {{"Hostname", "n"},
                                {"UUID", kUuid},
                                {"gpu", "0"},
                                {"instance", instance},
                                {"job", "d"}}));
    }
  }
  const auto snapshot = Meet("dcgm", samples);
  const auto slot = static_cast<std::size_t>(Quantity::kNvlinkErrors);
  EXPECT_EQ(snapshot->gpus.at(0).readings.Get(slot), 8);
}

TEST(PartsTest, WhatAPodHasOfAGpuIsAddedUpOverItsPartsOnce) {
  const std::string used = "hami_vgpu_memory_used_bytes";
  const std::string limit = "hami_vgpu_memory_limit_bytes";
  const std::string busy = "hami_container_device_utilization_ratio";
  const auto snapshot =
      Meet("hami",
           {Vgpu(used, "0", "a", 100), Vgpu(used, "1", "a", 30), Vgpu(limit, "0", "a", 500),
            Vgpu(busy, "0", "a", 35), Vgpu(used, "0", "b", 110), Vgpu(used, "1", "b", 40),
            Vgpu(limit, "0", "b", 500), Vgpu(busy, "0", "b", 36)},
           {990, 990, 990, 990, 980, 995, 980, 995});
  ASSERT_EQ(snapshot->workloads.size(), 1U);
  EXPECT_EQ(snapshot->workloads[0].memory_used, 100 + 40);
  EXPECT_EQ(snapshot->workloads[0].memory_limit, 500);
  EXPECT_EQ(snapshot->workloads[0].utilization, 36);
  EXPECT_EQ(snapshot->warnings, std::vector<std::string>{"4 duplicate series ignored"});
}

TEST(PartsTest, WhatAPodHasIsNotKnownWhereAPartIsNot) {
  const std::string used = "hami_vgpu_memory_used_bytes";
  const auto unknown =
      Meet("hami", {Vgpu(used, "0", "a", 100), Vgpu(used, "1", "a", std::nan(""))});
  EXPECT_TRUE(std::isnan(unknown->workloads.at(0).memory_used));
  EXPECT_EQ(unknown->workloads.at(0).no_memory_used, NullReason::kInvalidValue);
  EXPECT_EQ(unknown->workloads.at(0).no_utilization, NullReason::kNotExported);
  const auto contradicted =
      Meet("hami", {Vgpu(used, "0", "a", 100), Vgpu(used, "0", "b", 110)}, {990, 990});
  EXPECT_TRUE(std::isnan(contradicted->workloads.at(0).memory_used));
  EXPECT_EQ(contradicted->workloads.at(0).no_memory_used, NullReason::kConflict);
}

// A series of a pod's, as dcgm-exporter writes it.
FakeSample OfPod(const std::string& name, const std::string& pod, const std::string& job,
                 double value, const std::string& vgpu = "") {
  Labels labels = {
      {"Hostname", "n"}, {"UUID", kUuid}, {"exported_namespace", "ml"}, {"gpu", "0"}, {"job", job}};
  if (!pod.empty()) labels.emplace_back("exported_pod", pod);
  if (!vgpu.empty()) {
    labels.emplace_back("vgpu", vgpu);
    labels.emplace_back("pod_uid", "uid-" + pod);
  }
  return Sample(name, value, labels);
}

// "pod utilization used" of each workload.
std::string PodsOf(const models::Snapshot& snapshot) {
  std::string text;
  const auto number = [](double value) {
    return std::isnan(value) ? "null" : std::to_string(static_cast<int>(value));
  };
  for (const models::Workload& one : snapshot.workloads) {
    text.append(one.pod).append(" ").append(number(one.utilization)).append(" ");
    text.append(number(one.memory_used)).append("; ");
  }
  return text;
}

std::optional<double> Utilization(const models::Snapshot& snapshot) {
  return snapshot.gpus.at(0).readings.Get(static_cast<std::size_t>(Quantity::kUtilization));
}

constexpr char kUtil[] = "DCGM_FI_DEV_GPU_UTIL";

TEST(PartsTest, APodsShareThatIsNoNumberIsAnInvalidValue) {
  const auto snapshot = Meet("dcgm", {OfPod(kUtil, "", "j", 80), OfPod(kUtil, "a", "j", 30),
                                      OfPod(kUtil, "b", "j", std::nan(""))});
  EXPECT_EQ(PodsOf(*snapshot), "a 30 null; b null null; ");
  EXPECT_EQ(snapshot->workloads.at(1).no_utilization, NullReason::kInvalidValue);
}

TEST(PartsTest, APodThatOnlyOlderSeriesNameHasLeft) {
  const auto moved =
      Meet("dcgm", {OfPod(kUtil, "new", "fast", 10), OfPod(kUtil, "old", "slow", 90)}, {990, 973});
  EXPECT_EQ(Utilization(*moved), 10);
  EXPECT_EQ(PodsOf(*moved), "new null null; ");
  EXPECT_EQ(moved->warnings, std::vector<std::string>{"1 duplicate series ignored"});
  const auto both =
      Meet("dcgm", {OfPod(kUtil, "a", "fast", 10), OfPod(kUtil, "a", "slow", 90)}, {990, 973});
  EXPECT_EQ(PodsOf(*both), "a null null; ");
}

TEST(PartsTest, AShareThatOnlyOlderSeriesMeasureIsNoPods) {
  const auto snapshot = Meet("dcgm",
                             {OfPod(kUtil, "", "fast", 10), OfPod(kUtil, "new", "fast", 10, "0"),
                              OfPod(kUtil, "", "slow", 90), OfPod(kUtil, "old", "slow", 90, "0")},
                             {990, 990, 973, 973});
  EXPECT_EQ(Utilization(*snapshot), 10);
  EXPECT_EQ(PodsOf(*snapshot), "new 10 null; ");
}

TEST(PartsTest, WhatSeriesOfPodsRepeatOfTheDeviceIsNobodysPart) {
  const auto snapshot =
      Meet("dcgm", {OfPod(kUtil, "a", "j", 50), OfPod(kUtil, "b", "j", 50)}, {990, 990});
  EXPECT_EQ(Utilization(*snapshot), 50);
  EXPECT_EQ(PodsOf(*snapshot), "a null null; b null null; ");
  EXPECT_TRUE(snapshot->warnings.empty());
}

// Whether series with a pod_uid repeat the device's value (before 4.8.2) or are parts of it nobody
// says: neither is made up.
TEST(PartsTest, WithoutTheDevicesSeriesPartsAreNeitherItsValueNorThePods) {
  const auto two = Meet("dcgm",
                        {OfPod(kUtil, "a", "j", 64, "0"), OfPod(kUtil, "b", "j", 64, "1"),
                         OfPod("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "a", "j", 0.63, "0")},
                        {990, 990, 990});
  EXPECT_EQ(Utilization(*two), 63);
  EXPECT_EQ(PodsOf(*two), "a null null; b null null; ");
  EXPECT_TRUE(two->warnings.empty());
  const auto unreadable =
      Meet("dcgm", {OfPod(kUtil, "", "j", std::nan("")), OfPod(kUtil, "a", "j", 0, "0")});
  EXPECT_EQ(Utilization(*unreadable), std::nullopt);
  const auto memory = Meet("dcgm", {OfPod("DCGM_FI_DEV_FB_USED", "a", "j", 0, "0"),
                                    OfPod("DCGM_FI_DEV_FB_USED", "b", "j", 0, "1")});
  EXPECT_EQ(Used(*memory), std::nullopt);
}

TEST(PartsTest, WhatAGpuDoesNotHaveIsNoPodsAndTakesNothingFromOthers) {
  const std::string used = "DCGM_FI_DEV_FB_USED";
  const auto with = [&](double first) {
    return Meet("dcgm", {OfPod("DCGM_FI_DEV_FB_TOTAL", "", "j", 1000), OfPod(used, "", "j", 900),
                         OfPod(used, "a", "j", first, "0"), OfPod(used, "b", "j", 200, "1")});
  };
  constexpr double kMiB = 1024 * 1024;
  EXPECT_EQ(with(400)->workloads.at(0).memory_used, 400 * kMiB);
  const auto impossible = with(2000);
  EXPECT_TRUE(std::isnan(impossible->workloads.at(0).memory_used));
  EXPECT_EQ(impossible->workloads.at(0).no_memory_used, NullReason::kInvalidValue);
  EXPECT_EQ(impossible->workloads.at(1).memory_used, 200 * kMiB);
  EXPECT_EQ(impossible->warnings, std::vector<std::string>{"1 impossible value dropped"});
  for (const double percent : {101.0, 150.0, 1000.0}) {
    const auto busy = Meet("dcgm", {OfPod(kUtil, "", "j", 64), OfPod(kUtil, "a", "j", percent, "0"),
                                    OfPod(kUtil, "b", "j", 20, "1")});
    EXPECT_EQ(PodsOf(*busy), "a null null; b 20 null; ") << percent;
    EXPECT_EQ(busy->workloads.at(0).no_utilization, NullReason::kInvalidValue);
  }
  const auto blank = with(9223372036854775794.0);
  EXPECT_TRUE(std::isnan(blank->workloads.at(0).memory_used));
  EXPECT_EQ(blank->workloads.at(0).no_memory_used, NullReason::kNotSupported);
  ASSERT_EQ(blank->warnings.size(), 1U) << "what was dropped is counted";
  EXPECT_EQ(blank->warnings[0].substr(0, 2), "1 ");
}

TEST(PartsTest, PodsOfAMigInstanceHaveNoZeroOfItsGpu) {
  const auto on_instance = [](FakeSample sample) {
    sample.labels.emplace_back("GPU_I_ID", "1");
    std::sort(sample.labels.begin(), sample.labels.end());
    return sample;
  };
  const auto snapshot = Meet(
      "dcgm", {on_instance(OfPod("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "", "j", 0.8)),
               on_instance(OfPod(kUtil, "", "j", 0)), on_instance(OfPod(kUtil, "a", "j", 0, "0")),
               on_instance(OfPod("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "a", "j", 0.8, "0")),
               on_instance(OfPod("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "b", "j", 0.8, "1"))});
  EXPECT_EQ(Utilization(*snapshot), 80);
  EXPECT_EQ(PodsOf(*snapshot), "a null null; b null null; ") << "that is the instance's, repeated";
  EXPECT_TRUE(snapshot->warnings.empty());
}

// Some versions repeat the device's value so, others give each pod its own.
TEST(PartsTest, PartsWithoutTheirDeviceAreNotKnownNorAreTheyTheDevices) {
  const auto alone =
      Meet("dcgm", {OfPod(kUtil, "a", "j", 30, "0"), OfPod(kUtil, "b", "j", 20, "1")}, {990, 990});
  EXPECT_EQ(Utilization(*alone), std::nullopt);
  EXPECT_EQ(PodsOf(*alone), "a null null; b null null; ");
  const auto beside = Meet(
      "dcgm",
      {OfPod(kUtil, "a", "j", 30, "0"), OfPod(kUtil, "b", "j", 20, "1"), OfPod(kUtil, "", "j", 60)},
      {990, 990, 990});
  EXPECT_EQ(Utilization(*beside), 60);
  EXPECT_EQ(PodsOf(*beside), "a 30 null; b 20 null; ");
}

TEST(PartsTest, ATargetThatNamesNoPodsSaysNothingOfAny) {
  const auto snapshot =
      Meet("dcgm", {OfPod(kUtil, "train", "slow", 40), OfPod(kUtil, "", "fast", 50)}, {985, 990});
  EXPECT_EQ(Utilization(*snapshot), 50);
  EXPECT_EQ(snapshot->workloads.size(), 1U);
  const auto ended =
      Meet("dcgm", {OfPod(kUtil, "train", "j", 40), OfPod(kUtil, "", "j", 50)}, {985, 990});
  EXPECT_EQ(ended->workloads.size(), 0U) << "its own target has a newer series without it";
}

// A job that knows pods is scraped often, another one seldom; or a federation keeps what was.
TEST(PartsTest, AnOldSeriesOfTheDeviceIsNoNewerThanThoseOfItsPods) {
  for (const std::string job : {"slow", "fast"}) {
    const auto snapshot =
        Meet("dcgm", {OfPod(kUtil, "", job, 0), OfPod(kUtil, "train", "fast", 80)}, {985, 990});
    EXPECT_EQ(Utilization(*snapshot), 80) << job;
    EXPECT_EQ(PodsOf(*snapshot), "train null null; ") << job;
    EXPECT_EQ(snapshot->warnings, std::vector<std::string>{"1 duplicate series ignored"}) << job;
  }
}

TEST(PartsTest, WhatPodsHadAtAnotherTimeIsNoPartOfTheDeviceNow) {
  const auto snapshot =
      Meet("dcgm", {OfPod(kUtil, "", "host", 70), OfPod(kUtil, "train", "pods", 80)}, {990.5, 990});
  EXPECT_EQ(Utilization(*snapshot), 70);
  EXPECT_EQ(PodsOf(*snapshot), "train null null; ");
}

TEST(PartsTest, TheLargestIsThatOfTheNewestSeries) {
  const auto of = [](const std::string& partition, const std::string& job, double value) {
    return Sample("gpu_clock", value,
                  {{"clock_index", partition},
                   {"clock_type", "system"},
                   {"gpu_id", "0"},
                   {"hostname", "n"},
                   {"job", job},
                   {"serial_number", "s"}});
  };
  const auto snapshot =
      Meet("amd", {of("0", "a", 2000), of("1", "a", 1900), of("0", "b", 500), of("1", "b", 700)},
           {973, 973, 990, 990});
  EXPECT_EQ(snapshot->gpus.at(0).readings.Get(static_cast<std::size_t>(Quantity::kSmClock)), 700);
  EXPECT_EQ(snapshot->warnings, std::vector<std::string>{"2 duplicate series ignored"});
}

}  // namespace
}  // namespace gpumon::gpu
