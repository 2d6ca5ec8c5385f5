#include "internal/gpu/join.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/fakes/prom/fake_prom_client.h"
#include "tests/internal/gpu/join_rig.h"

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::GpuProcess;
using models::NullReason;
using models::ProcessQuantity;
using models::Quantity;
using models::Text;
using prom::FakeSample;
using prom::Labels;
using prom::MakeInstantVector;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kAsOf = 1704110400.5;
constexpr std::array kMeasured = {Quantity::kUtilization,       Quantity::kMemoryUsed,
                                  Quantity::kMemoryTotal,       Quantity::kMemoryFree,
                                  Quantity::kMemoryUtilization, Quantity::kTemperature};
constexpr std::array kProcessMeasured = {ProcessQuantity::kGpuMemory, ProcessQuantity::kCpu,
                                         ProcessQuantity::kMemory};

template <class Q>
constexpr std::size_t Slot(Q quantity) {
  return static_cast<std::size_t>(quantity);
}

// Everything that a client could see of a snapshot.
std::string Number(std::optional<double> value) {
  return value ? std::to_string(*value) : "null";
}
template <class Rows, class Slots>
void DumpRows(const Rows& rows, const Slots& missing, std::string& out) {
  for (const auto& row : rows) {
    for (const auto text : row.texts) out.append(text).append("|");
    for (std::size_t slot = 0; slot < missing.size(); ++slot) {
      out += Number(row.readings.Get(slot)) + std::string(NameOf(row.readings.reason(slot))) + ',';
    }
    out += std::to_string(row.gpu_index) + ' ' + std::to_string(row.pid) + ' ' +
           std::to_string(row.newest) + ' ' + std::to_string(row.oldest) + '\n';
  }
  for (const NullReason reason : missing) out.append(NameOf(reason)).append(" ");
}
std::string Dump(const models::Snapshot& snapshot) {
  std::string out;
  DumpRows(snapshot.gpus, snapshot.missing_gpu, out);
  DumpRows(snapshot.processes, snapshot.missing_process, out);
  for (const auto& warning : snapshot.warnings) out += '\n' + warning;
  return out + (snapshot.partial ? " partial" : "");
}

using Add = std::pair<Quantity, std::vector<FakeSample>>;

template <class RowT>
struct Joined {
  std::shared_ptr<const models::Snapshot> snapshot;
  JoinCounts counts;
};

Joined<GpuMetrics> JoinGpus(const std::vector<Add>& adds) {
  OneJoin<GpuMetrics> join(NvidiaGpu(), kAsOf);
  for (const auto& [quantity, samples] : adds) {
    join.Add(MakeInstantVector(samples), Slot(quantity));
  }
  auto snapshot = join->Finish(CommandStyle::kFull);
  return {std::move(snapshot), join->counts()};
}

Joined<GpuProcess> JoinProcesses(const std::vector<FakeSample>& samples,
                                 CommandStyle style = CommandStyle::kFull) {
  OneJoin<GpuProcess> join(NvidiaGpu(), kAsOf);
  join.Add(MakeInstantVector(samples), Slot(ProcessQuantity::kGpuMemory));
  auto snapshot = join->Finish(style);
  return {std::move(snapshot), join->counts()};
}

FakeSample Gpu(const std::string& node, const std::string& gpu, double value) {
  return {{{"node", node}, {"gpu", gpu}}, value};
}
FakeSample Process(const std::string& node, const std::string& gpu, const std::string& pid,
                   double value = 1) {
  return {{{"node", node}, {"gpu", gpu}, {"pid", pid}}, value};
}

// Utilization of one GPU that has only this sample.
Joined<GpuMetrics> JoinOne(Labels labels, double value = 50) {
  return JoinGpus({{Quantity::kUtilization, {{std::move(labels), value}}}});
}

TEST(JoinTest, MeetsTheMetricsOfOneGpuInOneRow) {
  const Labels labels = {{"__name__", "x"},
                         {"exported_container", "main"},
                         {"exported_namespace", "team"},
                         {"exported_pod", "train-0"},
                         {"gpu", "3"},
                         {"gpu_name", "H100"},
                         {"instance", "10.0.0.1:9432"},
                         {"node", "a"},
                         {"uuid", "GPU-1"}};
  const auto joined = JoinGpus({{Quantity::kUtilization, {{labels, 85.5}}},
                                {Quantity::kMemoryUsed, {{labels, 40}}},
                                {Quantity::kMemoryTotal, {{labels, 80}}},
                                {Quantity::kTemperature, {{labels, 65}}}});
  ASSERT_EQ(joined.snapshot->gpus.size(), 1U);
  const GpuMetrics& row = joined.snapshot->gpus[0];
  EXPECT_EQ(row.text(Text::kNode), "a");
  EXPECT_EQ(row.text(Text::kGpuId), "3");
  EXPECT_EQ(row.gpu_index, 3);
  EXPECT_EQ(row.text(Text::kGpuName), "H100");
  EXPECT_EQ(row.text(Text::kUuid), "GPU-1");
  EXPECT_EQ(row.text(Text::kNamespace), "team");
  EXPECT_EQ(row.text(Text::kPod), "train-0");
  EXPECT_EQ(row.text(Text::kContainer), "main");
  EXPECT_EQ(row.text(Text::kSource), "nvidia_gpu");
  EXPECT_EQ(row.readings.Get(Slot(Quantity::kUtilization)), 85.5);
  EXPECT_EQ(row.readings.Get(Slot(Quantity::kMemoryUsed)), 40);
  EXPECT_EQ(row.readings.Get(Slot(Quantity::kMemoryTotal)), 80);
  EXPECT_EQ(row.readings.Get(Slot(Quantity::kTemperature)), 65);
  EXPECT_EQ(row.readings.Get(Slot(Quantity::kMemoryUsedPercent)), 50);
  EXPECT_EQ(row.readings.Get(Slot(Quantity::kMemoryFree)), std::nullopt);
  EXPECT_EQ(joined.snapshot->as_of, kAsOf);
  EXPECT_EQ(joined.snapshot->part, models::Part::kGpus);
  EXPECT_EQ(joined.snapshot->sources, std::vector<std::string>{"nvidia_gpu"});
  EXPECT_TRUE(joined.snapshot->warnings.empty());
  EXPECT_FALSE(joined.snapshot->partial);
}

TEST(JoinTest, KeepsItsTextsWhenTheAnswersAreGone) {
  OneJoin<GpuMetrics> join(NvidiaGpu(), kAsOf);
  for (const Quantity quantity : kMeasured) {
    join.Add(MakeInstantVector({Gpu("a-long-name-of-a-node", "0", 1)}), Slot(quantity));
  }
  const auto snapshot = join->Finish(CommandStyle::kFull);
  EXPECT_EQ(snapshot->gpus.at(0).text(Text::kNode), "a-long-name-of-a-node");
}

TEST(JoinTest, AppliesTheScaleOfTheUnit) {
  const schema::Exporter& dcgm = *schema::Registry::BuiltIn().Find("dcgm");
  OneJoin<GpuMetrics> join(dcgm, kAsOf);
  join.Add(MakeInstantVector({{{{"UUID", "GPU-1"}}, 40960}}), Slot(Quantity::kMemoryUsed));
  EXPECT_EQ(join->Finish(CommandStyle::kFull)->gpus.at(0).readings.Get(Slot(Quantity::kMemoryUsed)),
            40960.0 * 1024 * 1024);
}

TEST(JoinTest, ReadsBothSpellingsOfTheLabels) {
  const auto joined = JoinGpus(
      {{Quantity::kUtilization, {{{{"hostname", "a"}, {"gpu_id", "1"}, {"gpu_uuid", "u"}}, 7}}},
       {Quantity::kTemperature, {Gpu("a", "1", 60)}}});
  ASSERT_EQ(joined.snapshot->gpus.size(), 1U);
  EXPECT_EQ(joined.snapshot->gpus[0].readings.Get(Slot(Quantity::kUtilization)), 7);
  EXPECT_EQ(joined.snapshot->gpus[0].readings.Get(Slot(Quantity::kTemperature)), 60);
  EXPECT_EQ(joined.snapshot->gpus[0].text(Text::kUuid), "u");
}

TEST(JoinTest, TheFirstAliasThatIsNotEmptyWins) {
  struct Case {
    Labels labels;
    std::string_view node;
  };
  for (const Case& c : std::vector<Case>{
           {{{"exported_node", "x"}, {"gpu", "0"}, {"hostname", "z"}, {"node", "y"}}, "x"},
           {{{"exported_node", ""}, {"gpu", "0"}, {"hostname", "z"}, {"node", "y"}}, "y"},
           {{{"gpu", "0"}, {"hostname", "z"}, {"node", "y"}}, "y"},
           {{{"Hostname", "Z"}, {"gpu", "0"}, {"hostname", "z"}}, "z"},
           {{{"Hostname", "Z"}, {"gpu", "0"}, {"kubernetes_node", "k"}}, "Z"},
           {{{"gpu", "0"}, {"kubernetes_node", "k"}, {"nodename", "n"}}, "k"},
           {{{"gpu", "0"}, {"instance", "i"}, {"nodename", "n"}}, "n"},
       }) {
    const auto joined = JoinOne(c.labels);
    ASSERT_EQ(joined.snapshot->gpus.size(), 1U);
    EXPECT_EQ(joined.snapshot->gpus[0].text(Text::kNode), c.node);
  }
  EXPECT_EQ(JoinOne({{"gpu", "1"}, {"gpu_id", "2"}}).snapshot->gpus.at(0).text(Text::kGpuId), "1");
}

TEST(JoinTest, DoesNotTakeTheExportersOwnPodForAWorkload) {
  const auto joined = JoinOne({{"gpu", "0"}, {"node", "a"}, {"pod", "exporter-x"}});
  EXPECT_EQ(joined.snapshot->gpus.at(0).text(Text::kPod), "");
}

TEST(JoinTest, ReadsManyShapesOfLabelSets) {
  std::vector<FakeSample> samples;
  for (int i = 0; i < 400; ++i) {
    Labels labels = {{"gpu", std::to_string(i)}, {"node", "a"}};
    for (int bit = 0; bit < 5; ++bit) {
      if ((i >> bit & 1) != 0) labels.emplace_back("extra" + std::to_string(bit), "v");
    }
    if (i % 3 == 0) labels.emplace_back("uuid", "u" + std::to_string(i));
    samples.push_back({labels, static_cast<double>(i % 100)});
  }
  const auto joined = JoinGpus({{Quantity::kUtilization, samples}});
  ASSERT_EQ(joined.snapshot->gpus.size(), 400U);
  for (int i = 0; i < 400; ++i) {
    const GpuMetrics& row = joined.snapshot->gpus[static_cast<std::size_t>(i)];
    ASSERT_EQ(row.gpu_index, i);
    ASSERT_EQ(row.readings.Get(0), i % 100);
    ASSERT_EQ(row.text(Text::kUuid), i % 3 == 0 ? "u" + std::to_string(i) : "");
  }
}

TEST(JoinTest, KeepsARowWithoutANodeAndCountsIt) {
  const auto joined = JoinGpus({{Quantity::kUtilization, {{{{"gpu", "0"}}, 5}, Gpu("a", "0", 6)}},
                                {Quantity::kTemperature, {{{{"gpu", "0"}}, 50}}}});
  ASSERT_EQ(joined.snapshot->gpus.size(), 2U);
  EXPECT_EQ(joined.snapshot->gpus[0].text(Text::kNode), "a");
  EXPECT_EQ(joined.snapshot->gpus[1].text(Text::kNode), "");
  EXPECT_EQ(joined.snapshot->gpus[1].readings.Get(Slot(Quantity::kTemperature)), 50);
  EXPECT_EQ(joined.counts.no_node_label, 1U);
  EXPECT_EQ(joined.snapshot->warnings, std::vector<std::string>{"1 row without a node label"});
}

TEST(JoinTest, DropsASampleWithoutAGpuAndCountsIt) {
  const auto joined = JoinGpus(
      {{Quantity::kUtilization, {{{{"node", "a"}}, 5}, {{{"gpu", ""}, {"node", "a"}}, 5}}}});
  EXPECT_TRUE(joined.snapshot->gpus.empty());
  EXPECT_EQ(joined.counts.no_gpu_label, 2U);
  EXPECT_EQ(joined.snapshot->warnings,
            std::vector<std::string>{"2 samples without a GPU label dropped"});
  EXPECT_TRUE(joined.snapshot->sources.empty());
}

TEST(JoinTest, GivesAnIndexToSmallDecimalIdsOnly) {
  for (const auto& [id, index] :
       std::vector<std::pair<std::string, int>>{{"0", 0},
                                                {"7", 7},
                                                {"10", 10},
                                                {"999999", 999999},
                                                {"1000000", GpuMetrics::kNoIndex},
                                                {"abc", GpuMetrics::kNoIndex},
                                                {"-1", GpuMetrics::kNoIndex},
                                                {"+1", GpuMetrics::kNoIndex},
                                                {"007", GpuMetrics::kNoIndex},
                                                {"00", GpuMetrics::kNoIndex},
                                                {"1 ", GpuMetrics::kNoIndex},
                                                {"4294967296", GpuMetrics::kNoIndex},
                                                {"GPU-0", GpuMetrics::kNoIndex},
                                                {"0x1", GpuMetrics::kNoIndex},
                                                {"１", GpuMetrics::kNoIndex}}) {
    const auto joined = JoinOne({{"gpu", id}, {"node", "a"}});
    ASSERT_EQ(joined.snapshot->gpus.size(), 1U);
    EXPECT_EQ(joined.snapshot->gpus[0].gpu_index, index) << id;
    EXPECT_EQ(joined.snapshot->gpus[0].text(Text::kGpuId), id);
  }
  EXPECT_EQ(ParseGpuIndex(""), GpuMetrics::kNoIndex);
}

TEST(JoinTest, SortsByNodeIndexAndId) {
  const std::vector<std::pair<std::string, std::string>> sorted = {
      {"A", "0"},   {"a", "0"},  {"a", "2"}, {"a", "10"}, {"a", "007"}, {"a", "abc"}, {"a", "x"},
      {"a-1", "0"}, {"a1", "0"}, {"b", "0"}, {"é", "0"},  {"", "1"},    {"", "9"},    {"", "z"}};
  std::vector<FakeSample> samples;
  for (const auto& [node, gpu] : sorted) samples.push_back(Gpu(node, gpu, 1));
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    std::shuffle(samples.begin(), samples.end(), random);
    const auto joined = JoinGpus({{Quantity::kUtilization, samples}});
    ASSERT_EQ(joined.snapshot->gpus.size(), sorted.size());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      ASSERT_EQ(joined.snapshot->gpus[i].text(Text::kNode), sorted[i].first) << i;
      ASSERT_EQ(joined.snapshot->gpus[i].text(Text::kGpuId), sorted[i].second) << i;
    }
  }
}

TEST(JoinTest, SortsProcessesByNodeGpuAndPid) {
  const auto joined = JoinProcesses({Process("b", "0", "1"), Process("a", "1", "5"),
                                     Process("a", "0", "100"), Process("a", "0", "20")});
  std::vector<std::int64_t> pids;
  for (const auto& row : joined.snapshot->processes) pids.push_back(row.pid);
  EXPECT_EQ(pids, (std::vector<std::int64_t>{20, 100, 5, 1}));
}

TEST(JoinTest, TheOrderOfSamplesAndOfAddsChangesNothing) {
  std::vector<Add> adds;
  for (const Quantity quantity : kMeasured) {
    std::vector<FakeSample> samples;
    for (int gpu = 0; gpu < 6; ++gpu) {
      for (const std::string replica : {"r1", "r2", "r3"}) {
        const std::string id = std::to_string(gpu);
        samples.push_back({{{"gpu", id},
                            {"gpu_name", gpu % 2 == 0 ? "H100" : "H100 " + replica},
                            {"instance", replica},
                            {"node", gpu < 3 ? "a" : ""},
                            {"uuid", "u" + std::to_string((gpu * 7 + replica[1]) % 5)}},
                           10.0 * gpu + replica[1] - '0'});
      }
    }
    // The same label set twice.
    samples.push_back({samples[0].labels, 77});
    samples.push_back({samples[0].labels, kNaN});
    samples.push_back({{{"node", "a"}}, 1});
    adds.emplace_back(quantity, samples);
  }
  const std::string expected = Dump(*JoinGpus(adds).snapshot);
  EXPECT_NE(expected.find("duplicate series ignored"), std::string::npos) << expected;
  std::mt19937 random(5);
  for (int round = 0; round < 1000; ++round) {
    std::shuffle(adds.begin(), adds.end(), random);
    for (auto& add : adds) std::shuffle(add.second.begin(), add.second.end(), random);
    ASSERT_EQ(Dump(*JoinGpus(adds).snapshot), expected) << round;
  }
}

TEST(JoinTest, OfDuplicatesTheFirstInLabelOrderCounts) {
  const auto joined = JoinGpus({{Quantity::kUtilization,
                                 {{{{"gpu", "0"}, {"instance", "b"}, {"node", "a"}}, 2},
                                  {{{"gpu", "0"}, {"instance", "a"}, {"node", "a"}}, 1},
                                  {{{"gpu", "0"}, {"instance", "c"}, {"node", "a"}}, 3}}}});
  ASSERT_EQ(joined.snapshot->gpus.size(), 1U);
  EXPECT_EQ(joined.snapshot->gpus[0].readings.Get(0), 1);
  EXPECT_EQ(joined.counts.duplicates, 2U);
  EXPECT_EQ(joined.snapshot->warnings, std::vector<std::string>{"2 duplicate series ignored"});
}

TEST(JoinTest, WhereSeriesDisagreeOnATextTheSmallestStays) {
  const auto name = [](std::string gpu_name) {
    return FakeSample{{{"gpu", "0"}, {"gpu_name", std::move(gpu_name)}, {"node", "a"}}, 1};
  };
  for (const auto& order : std::vector<std::array<std::string, 3>>{
           {"x", "y", ""}, {"y", "x", ""}, {"", "y", "x"}, {"y", "", "x"}}) {
    const auto joined = JoinGpus({{Quantity::kUtilization, {name(order[0])}},
                                  {Quantity::kTemperature, {name(order[1])}},
                                  {Quantity::kMemoryFree, {name(order[2])}}});
    EXPECT_EQ(joined.snapshot->gpus.at(0).text(Text::kGpuName), "x");
  }
}

TEST(JoinTest, ImpossibleValuesAreNullAndCounted) {
  struct Case {
    Quantity quantity;
    double value;
    bool possible;
  };
  const double kMax = std::numeric_limits<double>::max();
  for (const Case& c : std::vector<Case>{
           {Quantity::kUtilization, 0, true},          {Quantity::kUtilization, 100, true},
           {Quantity::kUtilization, 100.5, true},      {Quantity::kUtilization, 100.6, false},
           {Quantity::kUtilization, 250, false},       {Quantity::kUtilization, -0.1, false},
           {Quantity::kUtilization, kNaN, false},      {Quantity::kUtilization, kInfinity, false},
           {Quantity::kMemoryUtilization, 250, false}, {Quantity::kMemoryUsed, 0, true},
           {Quantity::kMemoryUsed, -1, false},         {Quantity::kMemoryUsed, kMax, false},
           {Quantity::kMemoryUsed, kInfinity, false},  {Quantity::kMemoryTotal, 0, false},
           {Quantity::kMemoryTotal, -1, false},        {Quantity::kMemoryTotal, 1, true},
           {Quantity::kMemoryFree, -kInfinity, false}, {Quantity::kTemperature, -100, true},
           {Quantity::kTemperature, -101, false},      {Quantity::kTemperature, 200, true},
           {Quantity::kTemperature, 201, false},       {Quantity::kTemperature, kNaN, false}}) {
    const auto joined = JoinGpus({{c.quantity, {Gpu("a", "0", c.value)}}});
    ASSERT_EQ(joined.snapshot->gpus.size(), 1U);
    const auto& readings = joined.snapshot->gpus[0].readings;
    EXPECT_EQ(readings.reason(Slot(c.quantity)),
              c.possible ? NullReason::kNone : NullReason::kInvalidValue)
        << Slot(c.quantity) << ' ' << c.value;
    EXPECT_EQ(joined.counts.bad_value, c.possible ? 0U : 1U);
    EXPECT_EQ(joined.snapshot->warnings.size(), c.possible ? 0U : 1U);
  }
}

TEST(JoinTest, AProcessMayUseMoreThanOneCore) {
  OneJoin<GpuProcess> join(NvidiaGpu(), kAsOf);
  join.Add(MakeInstantVector({Process("a", "0", "1", 1600)}), Slot(ProcessQuantity::kCpu));
  join.Add(MakeInstantVector({Process("a", "0", "1", 101)}), Slot(ProcessQuantity::kMemory));
  const auto snapshot = join->Finish(CommandStyle::kFull);
  const auto& readings = snapshot->processes.at(0).readings;
  EXPECT_EQ(readings.Get(Slot(ProcessQuantity::kCpu)), 1600);
  EXPECT_EQ(readings.reason(Slot(ProcessQuantity::kMemory)), NullReason::kInvalidValue);
}

TEST(JoinTest, MoreMemoryThanThereIsIsImpossible) {
  const auto memory = [](double used, double free, double total) {
    return JoinGpus({{Quantity::kMemoryUsed, {Gpu("a", "0", used)}},
                     {Quantity::kMemoryFree, {Gpu("a", "0", free)}},
                     {Quantity::kMemoryTotal, {Gpu("a", "0", total)}}});
  };
  auto joined = memory(105, 105, 100);
  EXPECT_EQ(joined.counts.bad_value, 0U);
  EXPECT_EQ(joined.snapshot->gpus.at(0).readings.Get(Slot(Quantity::kMemoryUsedPercent)), 105);
  joined = memory(106, 50, 100);
  const auto& readings = joined.snapshot->gpus.at(0).readings;
  EXPECT_EQ(readings.reason(Slot(Quantity::kMemoryUsed)), NullReason::kInvalidValue);
  EXPECT_EQ(readings.reason(Slot(Quantity::kMemoryUsedPercent)), NullReason::kInvalidValue);
  EXPECT_EQ(readings.Get(Slot(Quantity::kMemoryFree)), 50);
  EXPECT_EQ(joined.counts.bad_value, 1U);
  joined = memory(50, 106, 100);
  EXPECT_EQ(joined.snapshot->gpus.at(0).readings.reason(Slot(Quantity::kMemoryFree)),
            NullReason::kInvalidValue);
}

// What the subset tests below ask of every measured slot of every row.
void ExpectNeverZero(const models::Snapshot& snapshot, unsigned subset, NullReason absent) {
  for (const auto& row : snapshot.gpus) {
    for (std::size_t i = 0; i < kMeasured.size(); ++i) {
      const std::size_t slot = Slot(kMeasured[i]);
      if ((subset >> i & 1U) != 0) {
        ASSERT_EQ(row.readings.Get(slot), 42) << subset;
        ASSERT_EQ(snapshot.missing_gpu[slot], NullReason::kNone);
      } else {
        ASSERT_EQ(row.readings.Get(slot), std::nullopt) << subset;
        ASSERT_EQ(row.readings.reason(slot), absent);
        ASSERT_EQ(snapshot.missing_gpu[slot], absent);
      }
    }
    const bool both = (subset >> 1U & 3U) == 3U;
    const std::size_t derived = Slot(Quantity::kMemoryUsedPercent);
    ASSERT_EQ(row.readings.Get(derived), both ? std::optional(100.0) : std::nullopt);
    ASSERT_EQ(row.readings.reason(derived), both ? NullReason::kNone : absent);
    ASSERT_EQ(snapshot.missing_gpu[derived], both ? NullReason::kNone : absent);
  }
  for (const auto& row : snapshot.processes) {
    for (std::size_t i = 0; i < kProcessMeasured.size(); ++i) {
      const std::size_t slot = Slot(kProcessMeasured[i]);
      const bool there = (subset >> (kMeasured.size() + i) & 1U) != 0;
      ASSERT_EQ(row.readings.Get(slot), there ? std::optional(42.0) : std::nullopt) << subset;
      ASSERT_EQ(row.readings.reason(slot), there ? NullReason::kNone : absent);
      ASSERT_EQ(snapshot.missing_process[slot], there ? NullReason::kNone : absent);
    }
  }
}

class EverySubsetOfTheMetrics : public testing::TestWithParam<bool> {};

TEST_P(EverySubsetOfTheMetrics, MakesNoFieldZero) {
  const bool fails = GetParam();
  for (unsigned subset = 0; subset < 512; ++subset) {
    OneJoin<GpuMetrics> gpus(NvidiaGpu(), kAsOf);
    OneJoin<GpuProcess> processes(NvidiaGpu(), kAsOf);
    const auto feed = [&](auto& join, std::size_t slot, bool there, const FakeSample& sample) {
      if (there) {
        join.Add(MakeInstantVector({sample}), slot);
      } else if (fails) {
        join.AddFailure(slot);
      } else {
        join.Add(MakeInstantVector({}), slot);
      }
    };
    for (std::size_t i = 0; i < kMeasured.size(); ++i) {
      feed(gpus, Slot(kMeasured[i]), (subset >> i & 1U) != 0, Gpu("a", "0", 42));
    }
    for (std::size_t i = 0; i < kProcessMeasured.size(); ++i) {
      feed(processes, Slot(kProcessMeasured[i]), (subset >> (kMeasured.size() + i) & 1U) != 0,
           Process("a", "0", "1", 42));
    }
    const NullReason absent = fails ? NullReason::kQueryFailed : NullReason::kNotExported;
    const auto gpu_snapshot = gpus->Finish(CommandStyle::kFull);
    const auto process_snapshot = processes->Finish(CommandStyle::kFull);
    ExpectNeverZero(*gpu_snapshot, subset, absent);
    ExpectNeverZero(*process_snapshot, subset, absent);
    ASSERT_EQ(gpu_snapshot->gpus.size(), (subset & 63U) != 0 ? 1U : 0U);
    ASSERT_EQ(process_snapshot->processes.size(), (subset >> 6U) != 0 ? 1U : 0U);
    ASSERT_EQ(gpu_snapshot->partial, fails && (subset & 63U) != 63U);
    if ((subset & 63U) == 0) {
      for (const Quantity quantity : kMeasured) {
        ASSERT_EQ(gpu_snapshot->missing_gpu[Slot(quantity)], absent);
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Join, EverySubsetOfTheMetrics, testing::Bool(), [](const auto& tested) {
  return tested.param ? "QueriesFailed" : "NotExported";
});

TEST(JoinTest, AReasonIsSharedOnlyWhenEveryRowHasIt) {
  const auto joined = JoinGpus({{Quantity::kUtilization, {Gpu("a", "0", 5), Gpu("a", "1", 5)}},
                                {Quantity::kTemperature, {Gpu("a", "0", 50)}},
                                {Quantity::kMemoryFree, {Gpu("a", "0", kNaN)}}});
  const auto& snapshot = *joined.snapshot;
  EXPECT_EQ(snapshot.missing_gpu[Slot(Quantity::kTemperature)], NullReason::kNone);
  EXPECT_EQ(snapshot.gpus.at(1).readings.reason(Slot(Quantity::kTemperature)),
            NullReason::kNotExported);
  EXPECT_EQ(snapshot.missing_gpu[Slot(Quantity::kMemoryFree)], NullReason::kNone);
  EXPECT_EQ(snapshot.missing_gpu[Slot(Quantity::kMemoryUsed)], NullReason::kNotExported);
}

TEST(JoinTest, TakesTheNewestAndOldestSampleTime) {
  OneJoin<GpuMetrics> join(NvidiaGpu(), kAsOf);
  // Two spellings of one GPU, as when two exporters watch it.
  const Labels other = {{"hostname", "a"}, {"gpu_id", "0"}};
  join.AddTimes(MakeInstantVector({Gpu("a", "0", 100), {other, 130}, Gpu("gone", "0", 1)}));
  join.AddTimes(MakeInstantVector({Gpu("a", "0", 90), {other, 80}, Gpu("a", "1", kNaN)}));
  join.Add(MakeInstantVector({Gpu("a", "0", 1), Gpu("a", "1", 1)}), 0);
  const auto snapshot = join->Finish(CommandStyle::kFull);
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  EXPECT_EQ(snapshot->gpus[0].newest, 130);
  EXPECT_EQ(snapshot->gpus[0].oldest, 80);
  EXPECT_TRUE(std::isnan(snapshot->gpus[1].newest));
  EXPECT_TRUE(std::isnan(snapshot->gpus[1].oldest));
  EXPECT_TRUE(snapshot->gpus[1].bad_time);
  EXPECT_EQ(snapshot->warnings, std::vector<std::string>{"1 impossible value dropped"});
}

TEST(JoinTest, ATimeThatCannotBeIsNone) {
  for (const double wrong : {-5.0, kAsOf + 90'000, 9e18}) {
    OneJoin<GpuMetrics> join(NvidiaGpu(), kAsOf);
    join.AddTimes(MakeInstantVector({Gpu("a", "0", wrong), Gpu("a", "1", kAsOf - 1)}));
    join.Add(MakeInstantVector({Gpu("a", "0", 1), Gpu("a", "1", 1)}), 0);
    const auto snapshot = join->Finish(CommandStyle::kFull);
    EXPECT_TRUE(std::isnan(snapshot->gpus[0].newest)) << wrong;
    EXPECT_TRUE(snapshot->gpus[0].bad_time);
    EXPECT_EQ(snapshot->gpus[1].newest, kAsOf - 1);
  }
}

TEST(JoinTest, TimesOfSamplesThatWereDroppedAreNotCountedAgain) {
  OneJoin<GpuMetrics> join(NvidiaGpu(), kAsOf);
  join.Add(MakeInstantVector({{{{"node", "a"}}, 1}}), 0);
  join.AddTimes(MakeInstantVector({{{{"node", "a"}}, 100}}));
  join->Finish(CommandStyle::kFull);
  EXPECT_EQ(join->counts().no_gpu_label, 1U);
}

TEST(JoinTest, UnknownTimesMakeTheSnapshotPartial) {
  OneJoin<GpuMetrics> join(NvidiaGpu(), kAsOf);
  join->AddFailedTimes();
  EXPECT_TRUE(join->Finish(CommandStyle::kFull)->partial);
}

TEST(JoinTest, WarnsOnceOfEachThing) {
  OneJoin<GpuMetrics> join(NvidiaGpu(), kAsOf);
  join->AddUniqueWarning("b");
  join->AddUniqueWarning("a");
  join->AddUniqueWarning("b");
  join->CountUndecodable(2);
  join->CountUndecodable(1);
  EXPECT_EQ(join->Finish(CommandStyle::kFull)->warnings, (std::vector<std::string>{"a", "b"}));
}

TEST(JoinTest, NothingGivesAnEmptySnapshot) {
  const auto joined = JoinGpus({});
  EXPECT_TRUE(joined.snapshot->gpus.empty());
  EXPECT_TRUE(joined.snapshot->warnings.empty());
  for (const NullReason reason : joined.snapshot->missing_gpu) {
    EXPECT_EQ(reason, NullReason::kNotExported);
  }
}

TEST(JoinTest, DropsProcessesWithoutAValidPid) {
  const auto joined = JoinProcesses({Process("a", "0", "1"),
                                     Process("a", "0", ""),
                                     Process("a", "0", "x"),
                                     Process("a", "0", "-1"),
                                     Process("a", "0", "-0"),
                                     Process("a", "0", "1.5"),
                                     Process("a", "0", "99999999999999999999"),
                                     {{{"gpu", "0"}, {"node", "a"}}, 1}});
  ASSERT_EQ(joined.snapshot->processes.size(), 1U);
  EXPECT_EQ(joined.counts.bad_pid, 7U);
  EXPECT_EQ(joined.snapshot->warnings,
            std::vector<std::string>{"7 samples without a valid pid dropped"});
}

TEST(JoinTest, OnePidOnTwoGpusIsTwoRowsAndOneOnOneGpuIsOne) {
  const auto joined =
      JoinProcesses({Process("a", "0", "7"), Process("a", "1", "7"), Process("a", "0", "007")});
  EXPECT_EQ(joined.snapshot->processes.size(), 2U);
  EXPECT_EQ(joined.counts.duplicates, 1U);
}

TEST(JoinTest, ShowsCommandsInTheStyleAskedFor) {
  std::vector<FakeSample> samples;
  for (int pid = 1; pid <= 3; ++pid) {
    samples.push_back({{{"command", pid < 3 ? "python a.py --token abc" : "python b.py"},
                        {"gpu", "0"},
                        {"node", "a"},
                        {"pid", std::to_string(pid)},
                        {"process_name", "python"},
                        {"user", "ml"}},
                       1});
  }
  for (const auto& [style, first, last] :
       std::vector<std::tuple<CommandStyle, std::string, std::string>>{
           {CommandStyle::kFull, "python a.py --token abc", "python b.py"},
           {CommandStyle::kRedacted, "python a.py --token ***", "python b.py"},
           {CommandStyle::kName, "python", "python"},
           {CommandStyle::kHidden, "", ""}}) {
    const auto joined = JoinProcesses(samples, style);
    ASSERT_EQ(joined.snapshot->processes.size(), 3U);
    EXPECT_EQ(joined.snapshot->processes[0].text(Text::kCommand), first);
    EXPECT_EQ(joined.snapshot->processes[1].text(Text::kCommand), first);
    EXPECT_EQ(joined.snapshot->processes[2].text(Text::kCommand), last);
    EXPECT_EQ(joined.snapshot->processes[0].text(Text::kProcessName), "python");
    EXPECT_EQ(joined.snapshot->processes[0].text(Text::kUser), "ml");
  }
}

// Exporters that ask nvidia-smi put the whole command line there.
TEST(JoinTest, AProcessNameThatIsACommandLineHidesItsSecretsToo) {
  std::vector<FakeSample> samples;
  for (const std::string name : {"python train.py --api-key Zabc", "python train.py --api-key Zabc",
                                 "python3.11", "API_KEY=Zabc python a.py"}) {
    samples.push_back({{{"gpu", "0"},
                        {"node", "a"},
                        {"pid", std::to_string(samples.size() + 1)},
                        {"process_name", name}},
                       1});
  }
  for (const auto& [style, first, last] :
       std::vector<std::tuple<CommandStyle, std::string, std::string>>{
           {CommandStyle::kFull, "python train.py --api-key Zabc", "API_KEY=Zabc python a.py"},
           {CommandStyle::kRedacted, "python train.py --api-key ***", "API_KEY=*** python a.py"},
           {CommandStyle::kName, "python", "python"},
           {CommandStyle::kHidden, "python", "python"}}) {
    const auto joined = JoinProcesses(samples, style);
    const auto& rows = joined.snapshot->processes;
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[0].text(Text::kProcessName), first);
    EXPECT_EQ(rows[1].text(Text::kProcessName), first);
    EXPECT_EQ(rows[2].text(Text::kProcessName), "python3.11");
    EXPECT_EQ(rows[3].text(Text::kProcessName), last);
  }
}

TEST(JoinTest, JoinsAHundredThousandGpusInAnyOrder) {
  std::vector<FakeSample> samples;
  for (std::size_t i = 0; i < 100'000; ++i) {
    samples.push_back(Gpu("node-" + std::to_string(i / 8), std::to_string(i % 8),
                          static_cast<double>(1 + i % 100)));
  }
  OneJoin<GpuMetrics> join(NvidiaGpu(), kAsOf);
  join.Add(MakeInstantVector(samples), Slot(Quantity::kUtilization));
  std::reverse(samples.begin(), samples.end());
  join.Add(MakeInstantVector(samples), Slot(Quantity::kTemperature));
  const auto snapshot = join->Finish(CommandStyle::kFull);
  ASSERT_EQ(snapshot->gpus.size(), 100'000U);
  for (const auto& row : snapshot->gpus) {
    ASSERT_EQ(row.readings.Get(Slot(Quantity::kUtilization)),
              row.readings.Get(Slot(Quantity::kTemperature)));
  }
  EXPECT_EQ(join->counts().duplicates, 0U);
}

}  // namespace
}  // namespace gpumon::gpu
