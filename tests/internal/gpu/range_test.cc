#include "internal/gpu/range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/range_plan.h"
#include "internal/gpu/range_replay.h"
#include "tests/internal/gpu/refresh_rig.h"

namespace gpumon::gpu {
namespace {

using models::Quantity;
using models::Text;
using prom::FakeSeries;

Subject Of(const std::string& name, std::vector<std::string> jobs = {"gpu"}) {
  Subject subject;
  subject.exporter = schema::Registry::BuiltIn().Find(name);
  subject.jobs = std::move(jobs);
  return subject;
}

RangePart PartOf(std::initializer_list<Quantity> quantities, Over over = Over::kLast) {
  RangePart part;
  for (const Quantity quantity : quantities) {
    part.quantities.set(static_cast<std::size_t>(quantity));
  }
  part.over = over;
  return part;
}

std::map<std::string, std::string> Plan(const std::vector<Subject>& subjects, const RangePart& part,
                                        const std::vector<std::string>& nodes = {}) {
  std::map<std::string, std::string> queries;
  for (const PlannedQuery& query : PlanRange(subjects, part, 60, nodes)) {
    queries[query.name] = query.promql;
  }
  return queries;
}

TEST(RangePlanTest, AsksForWhatIsWantedAndTheTextsOfGpus) {
  const auto plan = Plan({Of("nvidia_smi")}, PartOf({Quantity::kUtilization}));
  const std::string& values = plan.at("range/nvidia_smi/values");
  for (const char* const name : {"nvidia_smi_utilization_gpu_ratio", "nvidia_smi_gpu_info",
                                 "nvidia_smi_last_collect_success"}) {
    EXPECT_NE(values.find(name), std::string::npos) << values;
  }
  EXPECT_EQ(values.find("temperature"), std::string::npos) << values;
  EXPECT_EQ(plan.at("range/targets"), "up{job=\"gpu\"}");
  EXPECT_EQ(plan.size(), 2U);
}

TEST(RangePlanTest, AsksForWhatADerivedValueIsMadeOf) {
  const std::string promql =
      Plan({Of("dcgm")}, PartOf({Quantity::kMemoryUsedPercent})).at("range/dcgm/values");
  for (const char* const name : {"DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"}) {
    EXPECT_NE(promql.find(name), std::string::npos) << promql;
  }
  EXPECT_EQ(promql.find("DCGM_FI_DEV_POWER_USAGE"), std::string::npos);
}

TEST(RangePlanTest, FunctionsAreAskedMetricByMetricSinceNamesAreLost) {
  const auto most = Plan({Of("nvidia_gpu")}, PartOf({Quantity::kTemperature}, Over::kMost));
  const std::string samples = R"((nvidia_gpu_temperature_celsius{minor_number=""}[60000ms]))";
  EXPECT_EQ(most.at("range/nvidia_gpu/nvidia_gpu_temperature_celsius"), "max_over_time" + samples);
  std::vector<std::string> means;
  const std::vector<Subject> subjects = {Of("nvidia_gpu")};
  for (const auto& query :
       PlanRange(subjects, PartOf({Quantity::kTemperature}, Over::kMean), 60, {})) {
    if (query.fold != PlannedQuery::Fold::kNone) means.push_back(query.promql);
  }
  EXPECT_EQ(means,
            (std::vector<std::string>{"sum_over_time" + samples, "count_over_time" + samples}));
}

TEST(RangePlanTest, PodLabelsAreThoseOfTheSchemaAndTheTargets) {
  const auto pods = PodLabels(*Of("nvidia_gpu").exporter);
  for (const std::string name : {"exported_pod", "pod", "namespace", "container"}) {
    EXPECT_TRUE(std::binary_search(pods.begin(), pods.end(), name)) << name;
  }
}

TEST(RangePlanTest, ANodeIsAskedForByEveryLabelThatMayNameIt) {
  const auto plan = Plan({Of("nvidia_gpu")}, PartOf({Quantity::kPower}), {"n\"1", "n2"});
  const std::string& promql = plan.at("range/nvidia_gpu/values");
  EXPECT_NE(promql.find(R"(node=~"n\"1|n2")"), std::string::npos) << promql;
  EXPECT_NE(promql.find(R"(hostname=~"n\"1|n2")"), std::string::npos) << promql;
  // Whose series do not say it is asked for whole.
  Subject nameless = Of("nvidia_gpu");
  nameless.without_node = true;
  EXPECT_EQ(Plan({nameless}, PartOf({Quantity::kPower}), {"n"})
                .at("range/nvidia_gpu/values")
                .find("hostname"),
            std::string::npos);
}

TEST(RangePlanTest, ProcessesAreThoseThatHoldMemory) {
  RangePart part;
  part.part = models::Part::kProcesses;
  const std::string promql = Plan({Of("nvidia_gpu")}, part).at("range/nvidia_gpu/processes");
  EXPECT_NE(promql.find("nvidia_gpu_process_gpu_memory_bytes"), std::string::npos) << promql;
  EXPECT_EQ(promql.find("cpu"), std::string::npos) << promql;
}

TEST(RangePlanTest, BothEndsTellWhoIsThere) {
  Subject down = Of("dcgm", {"a"});
  down.frozen[1] = "x";
  const auto both = SubjectsOfBoth(schema::Registry::BuiltIn().exporters(), {down, Of("amd")},
                                   {Of("dcgm_4_9"), Of("dcgm", {"b"})});
  ASSERT_EQ(both.size(), 3U);
  const auto dcgm = std::find_if(both.begin(), both.end(),
                                 [](const Subject& one) { return one.exporter->name == "dcgm"; });
  ASSERT_NE(dcgm, both.end());
  EXPECT_EQ(dcgm->jobs, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(dcgm->frozen.empty());
  EXPECT_TRUE(std::is_sorted(both.begin(), both.end(), [](const auto& a, const auto& b) {
    return a.exporter->priority < b.exporter->priority;
  }));
}

TEST(RangeStepsTest, GapsStayGaps) {
  RangeSteps steps(
      prom::MakeRangeVector({{{{"gpu", "0"}}, {{10, 1}, {30, 3}}}, {{{"gpu", "1"}}, {{20, 5}}}}),
      10, {});
  EXPECT_EQ(steps.At(10).size(), 1U);
  EXPECT_EQ(steps.At(10).point(0).value, 1);
  ASSERT_EQ(steps.At(20).size(), 1U);
  EXPECT_EQ(prom::Get(steps.At(20).labels(0), "gpu"), "1");
  EXPECT_EQ(steps.At(25).size(), 0U);
  EXPECT_EQ(steps.At(30).point(0).value, 3);
  EXPECT_EQ(steps.At(40).size(), 0U);
}

// Points every minute from `begin` to `end`.
std::vector<prom::Point> Minutes(double begin, double end) {
  std::vector<prom::Point> points;
  for (double at = begin; at <= end; at += 60) points.push_back({at, 1});
  return points;
}

std::string PodsAt(RangeSteps& steps, double time) {
  std::string pods;
  const prom::InstantVector& now = steps.At(time);
  for (std::size_t i = 0; i < now.size(); ++i) pods += prom::Get(now.labels(i), "pod");
  return pods;
}

TEST(RangeStepsTest, WhatReplacedASeriesHidesIt) {
  // The last sample of "a" was at 600; it is seen until 900.
  RangeSteps steps(prom::MakeRangeVector({{{{"gpu", "0"}, {"pod", "a"}}, Minutes(0, 900)},
                                          {{{"gpu", "0"}, {"pod", "b"}}, Minutes(660, 1800)},
                                          {{{"gpu", "1"}, {"pod", "c"}}, Minutes(0, 900)}}),
                   60, {.pods = {"pod"}, .uuids = {}, .texts = {}});
  EXPECT_EQ(PodsAt(steps, 600), "ac");
  EXPECT_EQ(PodsAt(steps, 660), "bc");
  EXPECT_EQ(PodsAt(steps, 900), "bc");
  EXPECT_EQ(PodsAt(steps, 960), "b");
}

TEST(RangeStepsTest, PodsThatShareAGpuStandSideBySide) {
  RangeSteps steps(prom::MakeRangeVector({{{{"gpu", "0"}}, Minutes(0, 1800)},
                                          {{{"gpu", "0"}, {"pod", "a"}}, Minutes(0, 900)},
                                          {{{"gpu", "0"}, {"pod", "b"}}, Minutes(300, 1800)}}),
                   60, {.pods = {"pod"}, .uuids = {}, .texts = {}});
  EXPECT_EQ(PodsAt(steps, 600), "ab");
  EXPECT_EQ(PodsAt(steps, 900), "ab");
  EXPECT_EQ(steps.At(960).size(), 2U);
}

TEST(RangeStepsTest, AGpuOfAUuidChangesItsTextsAndIsOne) {
  const Passing passing{{}, {"uuid"}, {"driver", "gpu"}};
  const auto shown = [&](const prom::Labels& before, const prom::Labels& after) {
    RangeSteps steps(
        prom::MakeRangeVector({{before, Minutes(0, 900)}, {after, Minutes(660, 1800)}}), 60,
        passing);
    return steps.At(720).size();
  };
  EXPECT_EQ(shown({{"driver", "1"}, {"gpu", "0"}, {"uuid", "a"}},
                  {{"driver", "2"}, {"gpu", "1"}, {"uuid", "a"}}),
            1U);
  EXPECT_EQ(shown({{"gpu", "0"}, {"uuid", "a"}}, {{"gpu", "0"}, {"uuid", "b"}}), 2U);
  EXPECT_EQ(shown({{"gpu", "0"}}, {{"gpu", "1"}}), 2U)
      << "without a UUID the index tells them apart";
  EXPECT_EQ(shown({{"code", "1"}, {"uuid", "a"}}, {{"code", "2"}, {"uuid", "a"}}), 2U);
}

std::string ValuesAt(RangeFold& fold, double time) {
  std::string text;
  const prom::InstantVector& now = fold.At(time);
  for (std::size_t i = 0; i < now.size(); ++i) {
    EXPECT_EQ(prom::Get(now.labels(i), "pod"), "");
    text += std::string(prom::Get(now.labels(i), "gpu")) + "=" +
            std::to_string(now.point(i).value).substr(0, 5) + " ";
  }
  return text;
}

// Two pods held GPU 0 one after the other, for three samples and for one.
TEST(RangeFoldTest, SamplesOfAllPodsCountAlike) {
  const auto sums = prom::MakeRangeVector({{{{"gpu", "0"}, {"pod", "a"}}, {{60, 300}}},
                                           {{{"gpu", "0"}, {"pod", "b"}}, {{60, 20}, {120, 40}}},
                                           {{{"gpu", "1"}}, {{180, 7}}}});
  const auto counts = prom::MakeRangeVector({{{{"gpu", "1"}}, {{180, 1}}},
                                             {{{"gpu", "0"}, {"pod", "b"}}, {{60, 1}, {120, 4}}},
                                             {{{"gpu", "0"}, {"pod", "a"}}, {{60, 3}}}});
  RangeFold mean(PlannedQuery::Fold::kSum, sums, counts, 60, {"pod"});
  EXPECT_EQ(ValuesAt(mean, 0), "");
  EXPECT_EQ(ValuesAt(mean, 60), "0=80.00 ");
  EXPECT_EQ(ValuesAt(mean, 120), "0=10.00 ");
  EXPECT_EQ(ValuesAt(mean, 180), "1=7.000 ");
  EXPECT_EQ(ValuesAt(mean, 240), "");
}

TEST(RangeFoldTest, ExtremesAreThoseOfAllPods) {
  const auto values = prom::MakeRangeVector({{{{"gpu", "0"}, {"pod", "a"}}, {{60, 3}, {120, NAN}}},
                                             {{{"gpu", "0"}, {"pod", "b"}}, {{60, 20}, {120, 4}}},
                                             {{{"gpu", "1"}, {"pod", "b"}}, {{120, NAN}}}});
  RangeFold least(PlannedQuery::Fold::kLeast, values, {}, 60, {"pod"});
  RangeFold most(PlannedQuery::Fold::kMost, values, {}, 60, {"pod"});
  EXPECT_EQ(ValuesAt(least, 60), "0=3.000 ");
  EXPECT_EQ(ValuesAt(most, 60), "0=20.00 ");
  EXPECT_EQ(ValuesAt(most, 120), "0=4.000 1=nan ");
  EXPECT_EQ(ValuesAt(least, 120), "0=4.000 1=nan ");
}

TEST(RangeStepsTest, RepeatsWhereNeitherSeriesNorValuesDifferFromTheInstantBefore) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  RangeSteps steps(prom::MakeRangeVector(
                       {{{{"gpu", "0"}}, {{10, 1}, {20, 1}, {30, kNan}, {40, kNan}, {50, kNan}}},
                        {{{"gpu", "1"}}, {{50, 5}}}}),
                   10, {});
  std::string told;
  for (double at = 10; at <= 60; at += 10) {
    steps.At(at);
    steps.At(at);
    told += steps.Repeats() ? "same " : "other ";
  }
  EXPECT_EQ(told, "other same other same other other ");
}

TEST(RangeReplayTest, JoinsWhatHasChangedAndTellsTheTimeOfEach) {
  const std::vector<Subject> subjects = {Of("nvidia_gpu")};
  const std::vector<const schema::Exporter*> exporters = {subjects[0].exporter};
  PlannedQuery query;
  const prom::Labels labels = {
      {"__name__", "nvidia_gpu_utilization_percent"}, {"gpu", "0"}, {"node", "n"}};
  for (const bool any_as_of : {false, true}) {
    RangeSteps steps(prom::MakeRangeVector({{labels, {{10, 1}, {20, 1}, {30, 1}, {40, 2}}}}), 10,
                     {});
    UnitEvidence evidence;
    RangeReplay replay(models::Part::kGpus, subjects, exporters, {{&query, &steps}}, evidence,
                       CommandStyle::kHidden, any_as_of);
    const models::Snapshot* first = replay.At(10).get();
    models::SnapshotPtr second = replay.At(20);
    EXPECT_EQ(second.get(), first) << "nobody held it";
    EXPECT_EQ(second->as_of, 20);
    const models::SnapshotPtr third = replay.At(30);
    EXPECT_EQ(third == second, any_as_of) << "somebody does";
    EXPECT_EQ(third->as_of, any_as_of ? 20 : 30);
    EXPECT_EQ(second->as_of, 20) << "what is held does not change";
    const models::SnapshotPtr fourth = replay.At(40);
    EXPECT_EQ(fourth->as_of, 40);
    EXPECT_EQ(fourth->gpus.at(0).readings.Get(static_cast<std::size_t>(Quantity::kUtilization)), 2);
    EXPECT_EQ(third->gpus.at(0).readings.Get(static_cast<std::size_t>(Quantity::kUtilization)), 1);
  }
}

TEST(RangeFoldTest, NothingIsNothing) {
  RangeFold fold(PlannedQuery::Fold::kSum, {}, {}, 60, {});
  EXPECT_EQ(fold.At(60).size(), 0U);
}

// Ranges of what an exporter shows of two GPUs, asked by a real collector.
class RangeWalkTest : public ::testing::Test {
 protected:
  RangeWalkTest() {
    client_->SetFunction(
        [this](const prom::FakePromClient::Call& call) -> Result<prom::QueryResult> {
          if (!call.is_range()) return Look();
          if (call.promql == fails_) return Error(Code::kUpstreamRejectedQuery, "rejected");
          const auto instants = static_cast<std::size_t>((call.end - call.start) / call.step) + 1;
          largest_ = std::max(largest_, instants);
          auto result = prom::MakeRangeResult(Answer(call));
          result.bytes = instants * bytes_each_;
          return result;
        });
  }

  ~RangeWalkTest() override { client_.reset(); }  // what is under way refers to the collector

  static prom::QueryResult Look() {
    return prom::MakeResult({{{{"exporter", "nvidia_gpu"}, {"job", "gpu"}}, 1, 0}});
  }

  // Utilization of GPU 0 is the time, of GPU 1 it is there at every second instant alone.
  static std::vector<FakeSeries> Answer(const prom::FakePromClient::Call& call) {
    if (call.promql.find("utilization_percent") == std::string::npos) return {};
    std::vector<FakeSeries> series(2);
    for (int gpu = 0; gpu < 2; ++gpu) {
      FakeSeries& its = series[static_cast<std::size_t>(gpu)];
      its.labels = {{"__name__", "nvidia_gpu_utilization_percent"},
                    {"gpu", std::to_string(gpu)},
                    {"job", "gpu"},
                    {"node", "n"}};
      for (double at = call.start; at <= call.end; at += call.step) {
        if (gpu == 0 || std::lround(at / 10) % 2 == 0) its.points.push_back({at, at / 10});
      }
    }
    return series;
  }

  Result<RangeEnd> Walk(std::size_t steps, std::size_t wanted = 1'000'000,
                        RangeExporters exporters = nullptr) {
    RangeWant want;
    want.exporters = std::move(exporters);
    want.start = 10;
    want.step = step_;
    want.steps = steps;
    want.parts = {PartOf({Quantity::kUtilization})};
    auto done = std::make_shared<std::promise<Result<RangeEnd>>>();
    auto future = done->get_future();
    collector_.Walk(
        want, Deadline::After(clock_, Millis(5000)),
        [this, wanted](std::size_t i, std::span<const models::SnapshotPtr> snapshots) {
          EXPECT_EQ(i, seen_.size());
          std::string text;
          for (const auto& row : snapshots[0]->gpus) {
            const auto value = row.readings.Get(static_cast<std::size_t>(Quantity::kUtilization));
            text += std::string(row.text(Text::kGpuId)) + "=" +
                    (value ? std::to_string(std::lround(*value)) : "null") + " ";
          }
          seen_.push_back(text);
          return seen_.size() < wanted;
        },
        [done](Result<RangeEnd> end) { done->set_value(std::move(end)); });
    return Await(std::move(future));
  }

  FakeClock clock_;
  UpstreamClock upstream_{clock_};
  RecordingObserver observer_;
  std::string fails_;
  double step_ = 10;
  std::size_t bytes_each_ = 0;  // of an instant
  std::size_t largest_ = 0;
  std::vector<std::string> seen_;
  std::unique_ptr<prom::FakePromClient> client_ = std::make_unique<prom::FakePromClient>(1);
  Collector collector_{*client_, clock_, upstream_, observer_, CommandStyle::kRedacted};
};

TEST_F(RangeWalkTest, ShowsEachInstantInItsOrder) {
  const auto end = Walk(50);
  ASSERT_TRUE(end.has_value()) << end.error().message;
  ASSERT_EQ(seen_.size(), 50U);
  EXPECT_EQ(seen_[0], "0=1 ");
  EXPECT_EQ(seen_[1], "0=2 1=2 ");
  EXPECT_EQ(seen_[49], "0=50 1=50 ");
  EXPECT_EQ(end->sources, std::vector<std::string>{"nvidia_gpu"});
}

TEST_F(RangeWalkTest, AsksPieceByPiece) {
  ASSERT_TRUE(Walk(500).has_value());
  EXPECT_EQ(seen_.size(), 500U);
  EXPECT_LT(largest_, 150U);  // with five minutes on either side
  EXPECT_GT(largest_, 60U);
}

TEST_F(RangeWalkTest, NumberOfQueriesDoesNotFollowTheFleet) {
  step_ = 1800;
  bytes_each_ = 100;
  ASSERT_TRUE(Walk(336).has_value());
  const std::size_t of_few = client_->call_count();
  client_->ForgetCalls();
  seen_.clear();
  bytes_each_ = 100'000;
  ASSERT_TRUE(Walk(336).has_value());
  EXPECT_EQ(client_->call_count(), of_few);
}

// Around each piece five minutes are asked for too: 600 instants of a second are 12 MB here.
TEST_F(RangeWalkTest, WhatIsAroundPiecesIsNoMoreThanTheyAre) {
  step_ = 1;
  bytes_each_ = 20'000;
  ASSERT_TRUE(Walk(3600).has_value());
  EXPECT_EQ(seen_.size(), 3600U);
  EXPECT_LE(client_->call_count(), 100U);
}

TEST_F(RangeWalkTest, OneFailedQueryEndsIt) {
  fails_ = "up{job=\"gpu\"}";
  const auto end = Walk(50);
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, Code::kUpstreamRejectedQuery);
  fails_ = "";
  seen_.clear();
  EXPECT_TRUE(Walk(5).has_value());  // its room was given back
}

TEST_F(RangeWalkTest, EndsWhenNobodyWantsTheRest) {
  EXPECT_FALSE(Walk(500, 3).has_value());
  EXPECT_EQ(seen_.size(), 3U);
}

TEST_F(RangeWalkTest, AnotherLookAsksForNoExporters) {
  const auto first = Walk(5);
  ASSERT_TRUE(first.has_value());
  const std::size_t asked = client_->call_count();
  client_->ForgetCalls();
  const auto seen = std::exchange(seen_, {});
  ASSERT_TRUE(Walk(5, 1'000'000, first->exporters).has_value());
  EXPECT_EQ(seen_, seen);
  EXPECT_LT(client_->call_count(), asked);
}

TEST_F(RangeWalkTest, NumberOfQueriesDoesNotFollowTheInstants) {
  ASSERT_TRUE(Walk(8).has_value());
  const std::size_t few = client_->call_count();
  client_->ForgetCalls();
  seen_.clear();
  ASSERT_TRUE(Walk(2000).has_value());
  EXPECT_LE(client_->call_count(), few * 9);
}

}  // namespace
}  // namespace gpumon::gpu
