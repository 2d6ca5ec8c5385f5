// What is missing since the target that showed it is down, or says that it failed.
#include "internal/gpu/missed_targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/contest.h"
#include "internal/gpu/join.h"
#include "internal/gpu/look.h"
#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/prom/fake_prom_client.h"
#include "tests/internal/gpu/join_rig.h"

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::GpuProcess;
using models::NullReason;
using models::Quantity;
using models::Text;
using prom::FakeSample;
using prom::Labels;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kA[] = "GPU-0000000a-0000-0000-0000-00000000000a";
constexpr char kB[] = "GPU-0000000b-0000-0000-0000-00000000000b";
constexpr char kDown[] = "is down, what only it showed is missing";

const schema::Exporter& Named(const std::string& name) {
  return *schema::Registry::BuiltIn().Find(name);
}

NullReason Why(const GpuMetrics& row, Quantity quantity) {
  return row.readings.reason(static_cast<std::size_t>(quantity));
}

// A target of `job` at `instance`.
struct Target {
  std::string job;
  std::string instance;

  FakeSample Shows(const std::string& name, double value, Labels more = {}) const {
    more.insert(more.end(), {{"__name__", name}, {"instance", instance}, {"job", job}});
    std::sort(more.begin(), more.end());
    return {more, value};
  }
  FakeSample Up(double up, Labels more = {}) const { return Shows("up", up, std::move(more)); }
};

Labels Gpu(const std::string& uuid, const std::string& node = "") {
  Labels labels = {{"UUID", uuid}, {"gpu", "0"}, {"uuid", uuid.substr(4)}};
  if (!node.empty()) labels.push_back({"node", node});
  return labels;
}

struct Said {
  std::string exporter;
  std::vector<FakeSample> samples = {};
};

class MissedTargetsTest : public testing::Test {
 protected:
  template <class RowT = GpuMetrics>
  std::shared_ptr<models::Snapshot> Refresh(const std::vector<Said>& said,
                                            const std::vector<FakeSample>& ups) {
    std::vector<const schema::Exporter*> exporters;
    for (const Said& one : said) exporters.push_back(&Named(one.exporter));
    UnitEvidence evidence;
    Join<RowT> join(exporters, evidence, 1000);
    join.AddTargets(prom::MakeInstantVector(ups));
    join.AddAddresses(prom::MakeInstantVector(addresses));
    for (std::size_t i = 0; i < said.size(); ++i) {
      join.Add(i, prom::MakeInstantVector(said[i].samples), std::nullopt);
      if (const auto its = past.find(said[i].exporter); its != past.end()) {
        join.SetDown(i, its->second);
      }
    }
    auto snapshot = join.Finish(CommandStyle::kFull, remembers ? &memory : nullptr);
    if (remembers) memory.Learn(snapshot->part, join.shown());
    return snapshot;
  }

  std::vector<FakeSample> addresses;
  std::map<std::string, DownTargets::Past> past;
  bool remembers = true;
  FakeClock clock;
  TargetMemory memory{clock};
  const Target p0{"gpus", "10.0.0.1:9400"};
  const Target p1{"gpus", "10.0.0.2:9400"};
};

TEST_F(MissedTargetsTest, OfATargetWhoseRowsHaveNoNodeAWarningIsLeft) {
  const auto shown = p1.Shows("nvidia_smi_power_draw_watts", 300, Gpu(kA));
  const auto other = p0.Shows("DCGM_FI_DEV_GPU_UTIL", 7, Gpu(kB));
  const auto before = Refresh({{"dcgm", {other}}, {"nvidia_smi", {shown}}}, {p0.Up(1), p1.Up(1)});
  EXPECT_EQ(before->gpus.size(), 2U);
  EXPECT_THAT(before->warnings, ElementsAre("2 rows without a node label"));
  const auto snapshot = Refresh({{"dcgm", {other}}, {"nvidia_smi"}}, {p0.Up(1), p1.Up(0)});
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  EXPECT_THAT(
      snapshot->warnings,
      ElementsAre("nvidia_smi: a scrape target is down, what only it showed is missing (job "
                  "gpus, 10.0.0.2:9400)",
                  "1 row without a node label"));
  EXPECT_EQ(Why(snapshot->gpus[0], Quantity::kPower), NullReason::kNotExported)
      << "nobody knows whether it is the same machine's";
}

// As when its exporter is upgraded, and the new one's metrics are not asked for yet.
TEST_F(MissedTargetsTest, WhatATargetThatIsUpNoLongerShowsIsAWarning) {
  const auto a = p0.Shows("DCGM_FI_DEV_POWER_USAGE", 70, Gpu(kA, "a"));
  const auto b = p1.Shows("DCGM_FI_DEV_POWER_USAGE", 70, Gpu(kB, "b"));
  const std::vector<FakeSample> up = {p0.Up(1), p1.Up(1)};
  const std::string gone =
      "dcgm: what it showed of a node is no longer shown, though the scrape target is up (b)";
  EXPECT_THAT(Refresh({{"dcgm", {a, b}}}, up)->warnings, IsEmpty());
  EXPECT_THAT(Refresh({{"dcgm", {a}}}, up)->warnings, ElementsAre(gone));
  EXPECT_THAT(Refresh({{"dcgm", {a}}}, up)->warnings, ElementsAre(gone)) << "still";
  EXPECT_THAT(Refresh({{"dcgm", {a}}}, {p0.Up(1)})->warnings, IsEmpty()) << "as its target";
  const auto anew = p1.Shows("DCGM_FI_DEV_BOARD_POWER_WATTS", 70, Gpu(kB, "b"));
  EXPECT_THAT(Refresh({{"dcgm_4_9", {anew}}, {"dcgm", {a}}}, up)->warnings, IsEmpty());
  EXPECT_THAT(Refresh<GpuProcess>({{"dcgm", {}}}, up)->warnings, IsEmpty());
  clock.Advance(TargetMemory::kHour + Millis(1));
  EXPECT_THAT(Refresh({{"dcgm", {a}}}, up)->warnings, IsEmpty()) << "it is so for good";
}

TEST_F(MissedTargetsTest, FieldsAreMissingOfTheNodesWhoseTargetShowedThem) {
  const Said well{"nvidia_gpu",
                  {Target{"own", "o"}.Shows("nvidia_gpu_used_memory_bytes", 5e9, Gpu(kA, "a")),
                   Target{"own", "o"}.Shows("nvidia_gpu_used_memory_bytes", 6e9, Gpu(kB, "b"))}};
  const auto power = p0.Shows("DCGM_FI_DEV_POWER_USAGE", 70, Gpu(kA, "a"));
  const auto temperature = p1.Shows("DCGM_FI_DEV_GPU_TEMP", 50, Gpu(kB, "b"));
  Refresh({{"dcgm", {power, temperature}}, well}, {p0.Up(1), p1.Up(1)});
  const auto snapshot = Refresh({{"dcgm"}, well}, {p0.Up(0), p1.Up(0)});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  EXPECT_EQ(Why(snapshot->gpus[0], Quantity::kPower), NullReason::kExporterDown);
  EXPECT_EQ(Why(snapshot->gpus[0], Quantity::kTemperature), NullReason::kNotExported);
  EXPECT_EQ(Why(snapshot->gpus[1], Quantity::kPower), NullReason::kNotExported);
  EXPECT_EQ(Why(snapshot->gpus[1], Quantity::kTemperature), NullReason::kExporterDown);
}

// The device told it until then: another exporter's blank is no reason.
TEST_F(MissedTargetsTest, ABlankOfAnotherExporterIsNoReasonWhereTheTargetShowedAValue) {
  constexpr double kBlank = 9223372036854775794.0;
  const Said blank{"dcgm",
                   {p0.Shows("DCGM_FI_DEV_GPU_TEMP", kBlank, Gpu(kA, "a")),
                    p0.Shows("DCGM_FI_DEV_GPU_TEMP", kBlank, Gpu(kB, "b")),
                    p0.Shows("DCGM_FI_DEV_POWER_USAGE", kBlank, Gpu(kA, "a"))}};
  const Said smi{"nvidia_smi",
                 {p1.Shows("nvidia_smi_temperature_gpu", 61, Gpu(kA, "a")),
                  p1.Shows("nvidia_smi_temperature_gpu", kBlank, Gpu(kB, "b")),
                  p1.Shows("nvidia_smi_power_limit_watts", 300, Gpu(kA, "a"))}};
  EXPECT_TRUE(Refresh({blank, smi}, {p0.Up(1), p1.Up(1)})->lost.empty());
  const auto snapshot = Refresh({blank, {"nvidia_smi"}}, {p0.Up(1), p1.Up(0)});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  EXPECT_EQ(Why(snapshot->gpus[0], Quantity::kTemperature), NullReason::kExporterDown);
  EXPECT_EQ(Why(snapshot->gpus[1], Quantity::kTemperature), NullReason::kNotSupported);
  EXPECT_EQ(Why(snapshot->gpus[0], Quantity::kPower), NullReason::kNotSupported);
  std::vector<std::string> lost;
  for (const models::LostField& field : snapshot->lost) {
    EXPECT_EQ(field.exporter, "nvidia_smi");
    if (!field.is_text) lost.emplace_back(field.metric);
  }
  EXPECT_THAT(lost, testing::UnorderedElementsAre("nvidia_smi_temperature_gpu",
                                                  "nvidia_smi_power_limit_watts"));
}

// What the look hears of a target that was down when this process first saw it.
DownTargets::Past PastOf(const std::string& exporter, const std::vector<FakeSample>& second) {
  const auto found = prom::MakeInstantVector({});
  const auto more = prom::MakeInstantVector(second);
  for (const Subject& subject : ReadLook(schema::Registry::BuiltIn(), found, &more)) {
    if (subject.exporter->name == exporter) return subject.down;
  }
  return {};
}

FakeSample Showed(const Target& target, const std::string& exporter, const std::string& metric,
                  Labels more = {}) {
  FakeSample sample = target.Shows("", 1, std::move(more));
  sample.labels.insert(sample.labels.end(), {{"exporter", exporter}, {"shown", metric}});
  std::erase_if(sample.labels, [](const auto& label) { return label.first == "__name__"; });
  return sample;
}

TEST_F(MissedTargetsTest, TextsAreMissingLikeValues) {
  Labels info = Gpu(kA, "n");
  info.push_back({"driver_version", "550.1"});
  const auto smi = p1.Shows("nvidia_smi_gpu_info", 1, info);
  const auto power = p1.Shows("nvidia_smi_power_draw_watts", 300, Gpu(kA, "n"));
  const auto dcgm = p0.Shows("DCGM_FI_DEV_GPU_UTIL", 7, Gpu(kA, "n"));
  const auto gone = [](const models::Snapshot& snapshot) { return snapshot.gpus.at(0).texts_gone; };
  const auto before =
      Refresh({{"dcgm", {dcgm}}, {"nvidia_smi", {smi, power}}}, {p0.Up(1), p1.Up(1)});
  ASSERT_EQ(before->gpus.size(), 1U);
  EXPECT_EQ(before->gpus[0].text(Text::kDriverVersion), "550.1");
  EXPECT_EQ(gone(*before), 0U);
  const auto snapshot = Refresh({{"dcgm", {dcgm}}, {"nvidia_smi"}}, {p0.Up(1), p1.Up(0)});
  EXPECT_EQ(gone(*snapshot), 1U << static_cast<unsigned>(Text::kDriverVersion));
}

TEST_F(MissedTargetsTest, WhoHoldsAGpuIsNotKnownWhenWhoNamedThemIsDown) {
  Labels held = Gpu(kA, "n");
  held.insert(held.end(), {{"exported_pod", "bert-0"}, {"exported_namespace", "ml"}});
  const auto dcgm = p1.Shows("DCGM_FI_DEV_GPU_UTIL", 0, held);
  const auto smi = p0.Shows("nvidia_smi_power_draw_watts", 60, Gpu(kA, "n"));
  const auto before = Refresh({{"dcgm", {dcgm}}, {"nvidia_smi", {smi}}}, {p0.Up(1), p1.Up(1)});
  ASSERT_EQ(before->gpus.size(), 1U);
  EXPECT_EQ(before->gpus[0].workload_count, 1U);
  EXPECT_FALSE(before->gpus[0].has_lost(Text::kPod));
  const auto snapshot = Refresh({{"dcgm"}, {"nvidia_smi", {smi}}}, {p0.Up(1), p1.Up(0)});
  EXPECT_EQ(snapshot->gpus.at(0).workload_count, 0U);
  EXPECT_TRUE(snapshot->gpus.at(0).has_lost(Text::kPod));
}

TEST_F(MissedTargetsTest, OfPrometheussPastTextsAreThoseThatTheExporterMayName) {
  past["dcgm"] = PastOf("dcgm", {Showed(p1, "dcgm", "DCGM_FI_DEV_GPU_UTIL", {{"Hostname", "n"}})});
  const auto smi = p0.Shows("nvidia_smi_power_draw_watts", 60, Gpu(kA, "n"));
  const auto snapshot = Refresh({{"dcgm"}, {"nvidia_smi", {smi}}}, {p0.Up(1), p1.Up(0)});
  ASSERT_EQ(snapshot->gpus.size(), 1U);
  EXPECT_TRUE(snapshot->gpus[0].has_lost(Text::kPod));
  EXPECT_TRUE(snapshot->gpus[0].has_lost(Text::kGpuName));
  EXPECT_FALSE(snapshot->gpus[0].has_lost(Text::kUuid)) << "which is there";
}

TEST_F(MissedTargetsTest, PrometheussPastNamesATargetWhoseSeriesNameNoNode) {
  past["nvidia_smi"] =
      PastOf("nvidia_smi", {Showed(p1, "nvidia_smi", "nvidia_smi_power_draw_watts")});
  const auto other = p0.Shows("DCGM_FI_DEV_GPU_UTIL", 7, Gpu(kA, "kn2"));
  const auto blind = Refresh({{"dcgm", {other}}, {"nvidia_smi"}}, {p0.Up(1), p1.Up(0)});
  EXPECT_THAT(blind->warnings, ElementsAre(HasSubstr(kDown)));
  EXPECT_EQ(Why(blind->gpus.at(0), Quantity::kPower), NullReason::kNotExported);
  addresses = {{{{"internal_ip", "10.0.0.2"}, {"node", "kn2"}}, 1}};
  const auto snapshot = Refresh({{"dcgm", {other}}, {"nvidia_smi"}}, {p0.Up(1), p1.Up(0)});
  EXPECT_THAT(snapshot->warnings, ElementsAre(HasSubstr(kDown)));
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kPower), NullReason::kExporterDown);
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kFan), NullReason::kNotExported);
}

TEST_F(MissedTargetsTest, AnAddressOrLoopbackInThePastIsNoNodesName) {
  const auto past_of = [&](Labels more) {
    return PastOf("all_smi", {Showed(p1, "all_smi", "all_smi_gpu_utilization", std::move(more))})
        .begin()
        ->second.gpus;
  };
  EXPECT_EQ(past_of({}).begin()->first, "") << "`instance` is an address";
  EXPECT_EQ(past_of({{"hostname", "localhost"}}).begin()->first, "");
  EXPECT_EQ(past_of({{"hostname", "h1"}}).begin()->first, "h1");
}

TEST_F(MissedTargetsTest, WhereThePastNamesNoNodeAddressesAreAsked) {
  const auto found = prom::MakeInstantVector({});
  const auto more =
      prom::MakeInstantVector({Showed(p1, "nvidia_smi", "nvidia_smi_power_draw_watts")});
  const auto subjects = ReadLook(schema::Registry::BuiltIn(), found, &more);
  ASSERT_EQ(subjects.size(), 1U);
  EXPECT_TRUE(subjects[0].without_node);
}

// Generations of one exporter share names.
TEST_F(MissedTargetsTest, ThePastOfATargetIsTheExportersThatHasMostOfItsNames) {
  const auto names = [](const std::vector<FakeSample>& first,
                        const std::vector<FakeSample>& second) {
    const auto found = prom::MakeInstantVector(first);
    const auto more = prom::MakeInstantVector(second);
    std::vector<std::string> all;
    for (const Subject& subject : ReadLook(schema::Registry::BuiltIn(), found, &more)) {
      if (!subject.down.empty()) all.push_back(subject.exporter->name);
    }
    return all;
  };
  const auto of = [&](const std::string& exporter, const std::string& metric) {
    return Showed(p1, exporter, metric, {{"Hostname", "b"}});
  };
  const std::string xid = "DCGM_FI_DEV_XID_ERRORS";
  const std::vector<FakeSample> both = {of("dcgm", xid), of("dcgm_4_9", xid)};
  const FakeSample marks{{{"exporter", "dcgm"}, {"job", "gpus"}}, 1};
  EXPECT_THAT(names({marks}, both), ElementsAre("dcgm")) << "that one is there";
  std::vector<FakeSample> more = both;
  more.push_back(of("dcgm_4_9", "DCGM_FI_DEV_FB_USED_BYTES"));
  EXPECT_THAT(names({marks}, more), ElementsAre("dcgm_4_9")) << "the other one has no such name";
  EXPECT_EQ(names({}, both).size(), 1U);
}

TEST_F(MissedTargetsTest, WhoSaysThatItFailedAndShowsNothingIsNamed) {
  const auto ok = [&](const Target& target, double success) {
    return target.Shows("nvidia_smi_last_collect_success", success);
  };
  const auto power = p1.Shows("nvidia_smi_power_draw_watts", 300, Gpu(kA, "a"));
  const Said other{"dcgm", {p0.Shows("DCGM_FI_DEV_GPU_UTIL", 7, Gpu(kA, "a"))}};
  const std::vector<FakeSample> ups = {p0.Up(1), p1.Up(1)};
  EXPECT_THAT(Refresh({other, {"nvidia_smi", {power, ok(p1, 1)}}}, ups)->warnings, IsEmpty());
  const auto snapshot = Refresh({other, {"nvidia_smi", {ok(p1, 0)}}}, ups);
  EXPECT_THAT(snapshot->warnings,
              ElementsAre("nvidia_smi: a scrape target says that its last collection failed, what "
                          "only it showed is missing (job gpus, 10.0.0.2:9400)"));
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kPower), NullReason::kStale);
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kFan), NullReason::kNotExported);
  remembers = false;
  const auto blind = Refresh({other, {"nvidia_smi", {ok(p1, 0)}}}, ups);
  EXPECT_EQ(blind->warnings.size(), 1U);
  EXPECT_EQ(Why(blind->gpus.at(0), Quantity::kPower), NullReason::kNotExported);
}

TEST_F(MissedTargetsTest, WhoFailsOfProcessesIsNamedWithThem) {
  const auto failed = p1.Shows("nvidia_smi_compute_apps_last_collect_success", 0);
  const auto processes = Refresh<GpuProcess>({{"nvidia_smi", {failed}}}, {p1.Up(1)});
  EXPECT_THAT(processes->warnings, ElementsAre(HasSubstr("last collection failed")));
  const auto power = p1.Shows("nvidia_smi_power_draw_watts", 300, Gpu(kA, "a"));
  EXPECT_THAT(Refresh({{"nvidia_smi", {failed, power}}}, {p1.Up(1)})->warnings, IsEmpty());
}

TEST_F(MissedTargetsTest, AJobIsNewWhetherOrNotItsSeriesNameAPod) {
  UnitEvidence evidence;
  const std::array exporters = {&Named("dcgm")};
  Join<GpuMetrics> join(exporters, evidence, 1000);
  join.SetAskedJobs({"gpus"});
  join.Add(0,
           prom::MakeInstantVector(
               {p0.Shows("DCGM_FI_DEV_GPU_UTIL", 7, Gpu(kA, "a")),
                Target{"others", "o:1"}.Shows("DCGM_FI_DEV_XID_ERRORS", 0, Gpu(kB, "b"))}),
           std::nullopt);
  const auto snapshot = join.Finish(CommandStyle::kFull);
  EXPECT_THAT(join.new_jobs(), ElementsAre(std::set<std::string>{"others"}));
  EXPECT_THAT(snapshot->warnings, IsEmpty()) << "no pod of it is hidden";
}

TEST_F(MissedTargetsTest, ATargetThatShowedProcessesAloneIsMissedByTheirList) {
  const auto process =
      p1.Shows("nvidia_gpu_process_gpu_memory_bytes", 5e8,
               {{"gpu_id", "0"}, {"hostname", "a"}, {"pid", "7"}, {"process_name", "p"}});
  EXPECT_THAT(Refresh<GpuProcess>({{"nvidia_gpu", {process}}}, {p1.Up(1)})->warnings, IsEmpty());
  Refresh({{"nvidia_gpu"}}, {p1.Up(1)});
  EXPECT_THAT(Refresh<GpuProcess>({{"nvidia_gpu"}}, {p1.Up(0)})->warnings,
              ElementsAre(HasSubstr(kDown)));
  EXPECT_THAT(Refresh({{"nvidia_gpu"}}, {p1.Up(0)})->warnings, IsEmpty()) << "it has no GPU";
  remembers = false;
  past["nvidia_gpu"] =
      PastOf("nvidia_gpu", {Showed(p1, "nvidia_gpu", "nvidia_gpu_process_gpu_memory_bytes")});
  EXPECT_THAT(Refresh<GpuProcess>({{"nvidia_gpu"}}, {p1.Up(0)})->warnings,
              ElementsAre(HasSubstr(kDown)));
}

TEST_F(MissedTargetsTest, ATargetWithTwoPodsIsDownWhenNeitherShowsAnything) {
  const Said shown{"dcgm", {p1.Shows("DCGM_FI_DEV_GPU_UTIL", 7, Gpu(kA, "a"))}};
  const FakeSample old_down = p1.Up(0, {{"pod", "exp-old"}});
  const FakeSample new_up = p1.Up(1, {{"pod", "exp-new"}});
  for (const auto& ups : {std::vector{old_down, new_up}, std::vector{new_up, old_down}}) {
    EXPECT_THAT(Refresh({shown}, ups)->warnings, IsEmpty());
    EXPECT_THAT(Refresh({shown}, ups)->warnings, IsEmpty());
    EXPECT_THAT(Refresh({{"dcgm"}}, ups)->warnings, ElementsAre(HasSubstr(kDown)))
        << "the one that is up may be another exporter's";
  }
}

// With honor_labels all-smi's own `instance` stands in the place of its target's.
TEST_F(MissedTargetsTest, OfAJobWhoseSeriesHideTheirTargetsOneThatIsDownIsNamed) {
  const auto shows = [&](const char* host, const char* uuid) {
    return Target{"gpus", host}.Shows("all_smi_gpu_utilization", 5,
                                      {{"gpu_index", "0"}, {"gpu_uuid", uuid}});
  };
  const auto h1 = shows("h1", kA);
  const auto h2 = shows("h2", kB);
  const std::vector<FakeSample> one_down = {p0.Up(0), p1.Up(1)};
  EXPECT_THAT(Refresh({{"all_smi", {h1, h2}}}, {p0.Up(1), p1.Up(1)})->warnings, IsEmpty());
  EXPECT_THAT(Refresh({{"all_smi", {h1, h2}}}, one_down)->warnings, IsEmpty());
  EXPECT_THAT(Refresh({{"all_smi", {h1, h2}}}, one_down)->warnings, IsEmpty())
      << "all that the job showed is there: the target is none of the exporter's";
  EXPECT_THAT(Refresh({{"all_smi", {h2}}}, one_down)->warnings,
              ElementsAre("all_smi: a scrape target is down, what only it showed is missing (job "
                          "gpus, 10.0.0.1:9400)"));
  const Said other{"dcgm", {Target{"d", "x"}.Shows("DCGM_FI_DEV_FB_USED", 7, Gpu(kA, "h1"))}};
  const auto snapshot = Refresh({other, {"all_smi", {h2}}}, one_down);
  EXPECT_EQ(Why(snapshot->gpus.at(0), Quantity::kUtilization), NullReason::kExporterDown);
  EXPECT_THAT(Refresh({{"all_smi"}}, {p0.Up(0), p1.Up(0)})->warnings,
              ElementsAre(HasSubstr("scrape targets are down")));
  remembers = false;
  EXPECT_THAT(Refresh({{"all_smi", {h2}}}, one_down)->warnings, ElementsAre(HasSubstr(kDown)));
  const Target web{"gpus", "10.0.0.3:80"};
  EXPECT_THAT(Refresh({{"all_smi", {h2}}}, {p0.Up(0), p1.Up(1), web.Up(1)})->warnings, IsEmpty())
      << "a job that has other targets too";
  const auto plain = p1.Shows("all_smi_gpu_utilization", 5, {{"gpu_index", "0"}, {"gpu_uuid", kB}});
  EXPECT_THAT(Refresh({{"all_smi", {plain}}}, one_down)->warnings,
              ElementsAre("1 row without a node label"))
      << "each of its series has its target's instance";
}

TEST_F(MissedTargetsTest, WhatAJobShowsSinceItsTargetIsDownTellsNothingOfThat) {
  const Said left{"all_smi",
                  {Target{"gpus", "h2"}.Shows("all_smi_gpu_utilization", 5,
                                              {{"gpu_index", "0"}, {"gpu_uuid", kB}})}};
  for (int refresh = 0; refresh < 2; ++refresh) {
    EXPECT_THAT(Refresh({left}, {p0.Up(0), p1.Up(1)})->warnings, ElementsAre(HasSubstr(kDown)))
        << refresh;
  }
}

TEST_F(MissedTargetsTest, OfADividedGpuInstancesMissWhatInstancesHad) {
  Labels part = Gpu(kA, "a");
  part.emplace_back("GPU_I_ID", "1");
  const std::vector<FakeSample> dcgm = {p0.Shows("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.5, part),
                                        p0.Shows("DCGM_FI_DEV_POWER_USAGE", 88, part)};
  const auto smi = [&](const std::string& name, double value, Labels more = {}) {
    more.insert(more.end(), {{"node", "a"}, {"uuid", kA + 4}});
    return p1.Shows(name, value, std::move(more));
  };
  const Said nge{"nvidia_smi",
                 {smi("nvidia_smi_mig_mode_current", 1), smi("nvidia_smi_temperature_gpu", 50),
                  smi("nvidia_smi_mig_memory_used_bytes", 1e9, {{"gpu_instance_id", "1"}})}};
  Refresh({{"dcgm", dcgm}, nge}, {p0.Up(1), p1.Up(1)});
  const auto snapshot = Refresh({{"dcgm"}, nge}, {p0.Up(0), p1.Up(1)});
  ASSERT_EQ(snapshot->gpus.size(), 2U);
  const GpuMetrics& gpu = snapshot->gpus[0];
  const GpuMetrics& instance = snapshot->gpus[1];
  ASSERT_EQ(instance.text(Text::kMigGpuInstance), "1");
  EXPECT_EQ(Why(instance, Quantity::kUtilization), NullReason::kExporterDown);
  EXPECT_EQ(Why(instance, Quantity::kPower), NullReason::kExporterDown);
  EXPECT_EQ(Why(instance, Quantity::kEncoderUtilization), NullReason::kNotSupported);
  EXPECT_EQ(Why(gpu, Quantity::kPower), NullReason::kNotExported) << "it never showed the board's";
  EXPECT_EQ(Why(gpu, Quantity::kUtilization), NullReason::kNotSupported);
}

TEST_F(MissedTargetsTest, OfSeveralMachinesOfOneInstanceTheOneThatIsDownIsMissed) {
  const auto power = [&](const char* uuid, const char* node) {
    return p0.Shows("DCGM_FI_DEV_POWER_USAGE", 70, Gpu(uuid, node));
  };
  const Said own{"nvidia_gpu",
                 {Target{"own", "o"}.Shows("nvidia_gpu_used_memory_bytes", 5e9, Gpu(kA, "a")),
                  Target{"own", "o"}.Shows("nvidia_gpu_used_memory_bytes", 6e9, Gpu(kB, "b"))}};
  const auto up = [&](double a, double b) {
    return std::vector{p0.Up(a, {{"node", "a"}}), p0.Up(b, {{"node", "b"}})};
  };
  EXPECT_THAT(Refresh({{"dcgm", {power(kA, "a"), power(kB, "b")}}, own}, up(1, 1))->warnings,
              IsEmpty());
  for (int refresh = 0; refresh < 3; ++refresh) {
    const auto snapshot = Refresh({{"dcgm", {power(kA, "a")}}, own}, up(1, 0));
    EXPECT_THAT(snapshot->warnings, ElementsAre(HasSubstr(kDown))) << refresh;
    ASSERT_EQ(snapshot->gpus.size(), 2U);
    EXPECT_TRUE(snapshot->gpus[0].readings.Has(static_cast<std::size_t>(Quantity::kPower)));
    EXPECT_EQ(Why(snapshot->gpus[1], Quantity::kPower), NullReason::kExporterDown) << refresh;
  }
}

// Nor need `up` say where they are.
TEST_F(MissedTargetsTest, OfPodsOfOneInstanceWhatNoneShowsAnyMoreIsMissed) {
  const auto used = [&](const char* uuid, const char* node) {
    return p0.Shows("nvidia_gpu_used_memory_bytes", 7e9, Gpu(uuid, node));
  };
  const Said own{"dcgm", {Target{"own", "o"}.Shows("DCGM_FI_DEV_GPU_UTIL", 5, Gpu(kB, "b"))}};
  const auto ups = [&](double second) {
    return std::vector{p0.Up(1, {{"pod", "one"}}), p0.Up(second, {{"pod", "two"}})};
  };
  Refresh({{"nvidia_gpu", {used(kA, "a"), used(kB, "b")}}, own}, ups(1));
  for (int refresh = 0; refresh < 3; ++refresh) {
    const auto snapshot = Refresh({{"nvidia_gpu", {used(kA, "a")}}, own}, ups(0));
    EXPECT_THAT(snapshot->warnings, ElementsAre(HasSubstr(kDown))) << refresh;
    EXPECT_EQ(Why(snapshot->gpus.at(1), Quantity::kMemoryUsed), NullReason::kExporterDown);
    EXPECT_THAT(Refresh<GpuProcess>({{"nvidia_gpu"}}, ups(0))->warnings,
                ElementsAre(HasSubstr(kDown)));
  }
  Refresh({{"nvidia_gpu", {used(kA, "a"), used(kB, "b")}}, own}, ups(1));
  EXPECT_THAT(Refresh<GpuProcess>({{"nvidia_gpu"}}, ups(0))->warnings, IsEmpty());
  remembers = false;
  past["nvidia_gpu"] =
      PastOf("nvidia_gpu",
             {Showed(p0, "nvidia_gpu", "nvidia_gpu_used_memory_bytes", {{"hostname", "b"}})});
  EXPECT_THAT(Refresh({{"nvidia_gpu", {used(kA, "a")}}, own}, ups(0))->warnings,
              ElementsAre(HasSubstr(kDown)));
  EXPECT_THAT(Refresh({{"nvidia_gpu", {used(kB, "b")}}, own}, ups(0))->warnings, IsEmpty())
      << "a pod took another's place";
  past["nvidia_gpu"] =
      PastOf("nvidia_gpu", {Showed(p0, "nvidia_gpu", "nvidia_gpu_used_memory_bytes")});
  EXPECT_THAT(Refresh({{"nvidia_gpu", {used(kB, "b")}}, own}, ups(0))->warnings, IsEmpty())
      << "the past names no node: it may be that one";
}

TEST_F(MissedTargetsTest, AnExporterWithoutProcessesIsNotMissedByTheirList) {
  const auto gpu = p1.Shows("DCGM_FI_DEV_GPU_UTIL", 7, Gpu(kA, "a"));
  EXPECT_THAT(Refresh({{"dcgm", {gpu}}}, {p1.Up(1)})->warnings, IsEmpty());
  EXPECT_THAT(Refresh<GpuProcess>({{"dcgm"}}, {p1.Up(0)})->warnings, IsEmpty());
  EXPECT_THAT(Refresh({{"dcgm"}}, {p1.Up(0)})->warnings, ElementsAre(HasSubstr(kDown)));
}

TEST_F(MissedTargetsTest, WhoFailedIsForgottenWhenItsNewPodSaysOtherwise) {
  const auto ok = [&](double success, const char* pod) {
    return p1.Shows("nvidia_smi_last_collect_success", success, {{"pod", pod}});
  };
  const auto power = p1.Shows("nvidia_smi_power_draw_watts", 300, Gpu(kA, "a"));
  for (const auto& both : {std::vector{ok(0, "old"), ok(1, "new"), power},
                           std::vector{ok(1, "new"), ok(0, "old"), power}}) {
    const auto snapshot = Refresh({{"nvidia_smi", both}}, {p1.Up(1)});
    EXPECT_THAT(snapshot->warnings, IsEmpty());
    EXPECT_TRUE(snapshot->gpus.at(0).readings.Has(static_cast<std::size_t>(Quantity::kPower)));
  }
}

}  // namespace
}  // namespace gpumon::gpu
