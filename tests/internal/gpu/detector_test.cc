// Looking for exporters never costs a refresh more than its share.
#include "internal/gpu/detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "internal/gpu/long_query.h"
#include "internal/gpu/look.h"
#include "tests/internal/gpu/join_rig.h"
#include "tests/internal/gpu/refresh_rig.h"

namespace gpumon::gpu {
namespace {

using models::Part;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::string DetectionQuery() {
  return LookQuery(schema::Registry::BuiltIn());
}

std::vector<prom::FakeSample> Are(const std::vector<std::string>& exporters) {
  std::vector<prom::FakeSample> samples;
  for (const auto& name : exporters) samples.push_back({{{"exporter", name}}, 1});
  return samples;
}

std::size_t SetSize(const std::string& exporter, Part part = Part::kGpus) {
  return PlanOf({schema::Registry::BuiltIn().Find(exporter)}, part).size();
}

class DetectorTest : public testing::Test {
 protected:
  DetectorTest() { rig.client().SetFunction(ShowGpus); }

  // One GPU of each exporter that is asked for everything at once; those of nvidia_gpu otherwise.
  static prom::FakePromClient::Answer ShowGpus(const prom::FakePromClient::Call& call) {
    std::vector<prom::FakeSample> samples;
    if (call.promql.find("timestamp(") == std::string::npos) {
      if (call.promql.find("DCGM_FI_DEV_FB_USED|") != std::string::npos) {
        samples = {{{{"Hostname", "b"}, {"__name__", "DCGM_FI_DEV_GPU_TEMP"}, {"gpu", "0"}}, 50}};
      } else if (call.promql.rfind("nvidia_gpu_", 0) == 0) {
        samples = {{{{"gpu", "0"}, {"node", "a"}, {"pid", "7"}}, 50}};
      }
    }
    return prom::MakeResult(samples);
  }
  // Looks of so many bytes or more are rejected, whole or in pieces. Others find two exporters,
  // each in the piece that asks for it.
  void RejectLooksFrom(std::size_t bytes) {
    rig.client().SetFunction([bytes](const prom::FakePromClient::Call& call) {
      using Answer = prom::FakePromClient::Answer;
      if (call.promql.find(R"("exporter")") == std::string::npos) return ShowGpus(call);
      if (call.promql.size() >= bytes) return Answer(Error(Code::kUpstreamRejectedQuery, "long"));
      std::vector<prom::FakeSample> found;
      for (const std::string name : {"dcgm", "nvidia_gpu"}) {
        if (call.promql.find(R"("exporter",")" + name + '"') == std::string::npos) continue;
        found.push_back({{{"exporter", name}}, 1});
      }
      return Answer(prom::MakeResult(found));
    });
  }

  std::future<Result<RefreshRig::Collection>> Start(std::optional<double> time = std::nullopt) {
    auto [done, future] = MakeCallback<RefreshRig::Collection>();
    rig.collector.Collect(Part::kGpus, time, rig.In(Millis(8000)), done);
    return std::move(future);
  }
  std::vector<std::string> SourcesOf(std::future<Result<RefreshRig::Collection>> future) {
    const auto snapshot = Await(std::move(future));
    return snapshot ? (*snapshot)->sources : std::vector{std::string(snapshot.error().wire_name())};
  }
  // Of what was assumed or known, and it says so.
  static void ExpectDoubted(const Result<RefreshRig::Collection>& result,
                            const std::string& why = "upstream_timeout") {
    ASSERT_TRUE(result);
    EXPECT_THAT((*result)->sources, ElementsAre("nvidia_gpu"));
    EXPECT_TRUE((*result)->partial);
    EXPECT_THAT((*result)->warnings,
                Contains("Prometheus did not tell which exporters are there (" + why +
                         "): asked for nvidia_gpu alone, rows of others may be missing"));
  }
  std::size_t looks() { return rig.client().call_count(DetectionQuery()); }

  std::unique_ptr<Detector> own;  // outlives the client's threads
  RefreshRig rig;
};

TEST_F(DetectorTest, TheFirstRefreshAsksWhatItAssumesAtOnceAndLooksForHalfOfItsTime) {
  rig.client().Hold();
  auto refresh = Start();
  ASSERT_TRUE(rig.client().WaitForCalls(1 + SetSize("nvidia_gpu")));
  for (const auto& call : rig.client().calls()) {
    const Millis budget(call.promql == DetectionQuery() ? 4000 : 8000);
    EXPECT_EQ(call.deadline.at(), rig.In(budget).at()) << call.promql;
  }
  rig.client().SetAnswer(DetectionQuery(), Are({"nvidia_gpu"}));
  rig.client().Release();
  EXPECT_THAT(SourcesOf(std::move(refresh)), ElementsAre("nvidia_gpu"));
  EXPECT_EQ(rig.query_sets(), 1U);
}

TEST_F(DetectorTest, TheFirstRefreshWaitsToHearWhatIsThere) {
  rig.client().SetAnswer(DetectionQuery(), Are({"dcgm"}));
  rig.client().Hold(DetectionQuery());
  auto refresh = Start();
  // The set that was assumed has been answered before anything is known.
  ASSERT_TRUE(rig.client().WaitForCalls(1 + SetSize("nvidia_gpu")));
  rig.client().Release();
  EXPECT_THAT(SourcesOf(std::move(refresh)), ElementsAre("dcgm"));
  EXPECT_EQ(rig.client().call_count(), 2 + SetSize("nvidia_gpu") + SetSize("dcgm"));
}

TEST_F(DetectorTest, WhatWasAssumedIsShownWhenNobodyTellsInTime) {
  rig.client().Hold(DetectionQuery());
  auto refresh = Start();
  ASSERT_TRUE(rig.client().WaitForCalls(1 + SetSize("nvidia_gpu")));
  EXPECT_EQ(refresh.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  rig.client().TimeOutHeld();
  ExpectDoubted(Await(std::move(refresh)));
}

TEST_F(DetectorTest, WhoeverCouldNotTellIsToldWithTheReason) {
  RejectLooksFrom(0);
  ExpectDoubted(Await(Start()), "upstream_rejected_query");
  ExpectDoubted(Await(Start()), "upstream_rejected_query");
}

TEST_F(DetectorTest, WhereOneLongQueryIsRejectedShorterOnesTellWhatIsThere) {
  const auto pieces = PiecesOf(DetectionQuery(), LongQuery::kMostBytes);
  EXPECT_THAT(pieces.size(), testing::AllOf(testing::Ge(2U), testing::Le(4U)));
  RejectLooksFrom(LongQuery::kMostBytes + 1);
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("dcgm", "nvidia_gpu"));
  EXPECT_EQ(looks(), 1U);
  for (const std::string& piece : pieces) EXPECT_EQ(rig.client().call_count(piece), 1U);
  // From then on in pieces alone.
  rig.clock.Advance(Millis(120'000));
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("dcgm", "nvidia_gpu"));
  EXPECT_EQ(looks(), 1U);
  for (const std::string& piece : pieces) EXPECT_EQ(rig.client().call_count(piece), 2U);
}

TEST_F(DetectorTest, AnAnswerOfAnotherKindTellsNothing) {
  prom::QueryResult number;
  number.value = prom::Scalar{};
  rig.client().SetAnswer(DetectionQuery(), number);
  ExpectDoubted(Await(Start()), "upstream_invalid");
}

TEST_F(DetectorTest, WhereNobodyToldNobodySaysThatThereIsNothing) {
  rig.client().SetFunction([](const prom::FakePromClient::Call&) {
    return prom::FakePromClient::Answer(prom::MakeResult({}));
  });
  rig.client().SetError(DetectionQuery(), Code::kUpstreamTimeout);
  const auto result = Await(Start());
  ASSERT_TRUE(result);
  ASSERT_EQ((*result)->warnings.size(), 1U);
  EXPECT_EQ((*result)->warnings[0].find("Prometheus did not tell"), 0U);
}

TEST_F(DetectorTest, AfterALookThatFailedAtOnceTheNextRefreshWaitsToHear) {
  rig.client().SetError(DetectionQuery(), Code::kUpstreamUnreachable);
  ExpectDoubted(Await(Start()), "upstream_unreachable");
  rig.client().SetAnswer(DetectionQuery(), Are({"dcgm"}));
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("dcgm"));
}

// Of a set that another has taken the place of.
TEST_F(DetectorTest, WhatHangsOfAPastThatWasAskedInVainTakesNoRoom) {
  rig.client().SetError(DetectionQuery(), Code::kUpstreamTimeout);
  ExpectDoubted(Await(Start()));
  rig.client().SetAnswer(DetectionQuery(), Are({"dcgm"}));
  rig.client().Hold("nvidia_gpu_temperature_celsius");
  EXPECT_THAT(SourcesOf(Start(1000)), ElementsAre("dcgm"));
  rig.client().Release();
}

TEST_F(DetectorTest, AQueryThatHangsOfWhatWasAssumedLeavesRoomForWhatIsThere) {
  rig.client().SetAnswer(DetectionQuery(), Are({"dcgm"}));
  rig.client().Hold("nvidia_gpu_temperature_celsius");
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("dcgm"));
  rig.client().Release();
}

TEST_F(DetectorTest, WhatIsAskedOfAPastNobodyTellsOfIsPartial) {
  rig.client().SetAnswer(DetectionQuery(), Are({"nvidia_gpu"}));
  const auto present = Await(Start());
  ASSERT_TRUE(present);
  EXPECT_FALSE((*present)->partial);
  rig.client().SetError(DetectionQuery(), Code::kUpstreamTimeout);
  ExpectDoubted(Await(Start(1000)));
}

TEST_F(DetectorTest, WhatIsLearntOfAnAssumedExporterTellsNobodyWhoIsThere) {
  own = std::make_unique<Detector>(rig.client(), rig.clock, schema::Registry::BuiltIn());
  rig.client().SetError(DetectionQuery(), Code::kUpstreamTimeout);
  std::promise<void> heard;
  ASSERT_TRUE(own->LookBeside(1000, rig.In(Millis(8000)), [&](const auto&) { heard.set_value(); }));
  heard.get_future().wait();
  const auto expect_assumed = [&] {
    EXPECT_TRUE(own->Known()->assumed);
    EXPECT_EQ(own->Known()->why, "upstream_timeout");
  };
  expect_assumed();
  own->SawTimes(*own->Known(), {0});
  EXPECT_TRUE(own->Known()->subjects.at(0).brings_times);
  expect_assumed();
  own->SawJobs(*own->Known(), {{"a-job"}});
  expect_assumed();
}

TEST_F(DetectorTest, WhoLookedInVainLooksOnBesideWithAllTheTime) {
  rig.client().SetError(DetectionQuery(), Code::kUpstreamTimeout);
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("nvidia_gpu"));
  rig.client().SetAnswer(DetectionQuery(), Are({"dcgm"}));
  rig.client().Hold(DetectionQuery());
  rig.client().ForgetCalls();
  ExpectDoubted(Await(Start()));  // nobody waited
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("nvidia_gpu"));
  EXPECT_EQ(looks(), 1U) << "one look at a time";
  for (const auto& call : rig.client().calls()) {
    EXPECT_EQ(call.deadline.at(), rig.In(Millis(8000)).at());
  }
  rig.client().Release();
  // The answer comes on another thread: the refresh that meets it is one of the next.
  std::vector<std::string> sources;
  for (int i = 0; i < 1000 && sources != std::vector<std::string>{"dcgm"}; ++i) {
    sources = SourcesOf(Start());
  }
  EXPECT_THAT(sources, ElementsAre("dcgm"));
}

TEST_F(DetectorTest, WhatIsKnownIsAskedWhileALookIsUnderWay) {
  rig.client().SetAnswer(DetectionQuery(), Are({"dcgm"}));
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("dcgm"));
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("dcgm"));
  EXPECT_EQ(looks(), 1U);
  rig.clock.Advance(Millis(60'000));
  rig.client().Hold(DetectionQuery());
  rig.client().ForgetCalls();
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("dcgm"));
  EXPECT_EQ(looks(), 1U);
  EXPECT_EQ(rig.client().call_count(), 1 + SetSize("dcgm")) << "nothing is asked twice";
  rig.client().TimeOutHeld();
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("dcgm")) << "what was known stays";
}

TEST_F(DetectorTest, AfterALongTimeTheFirstRefreshWaitsToHearWhatIsThere) {
  rig.client().SetAnswer(DetectionQuery(), Are({"nvidia_gpu"}));
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("nvidia_gpu"));
  rig.clock.Advance(Millis(120'000));
  rig.client().SetAnswer(DetectionQuery(), Are({"dcgm"}));
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("dcgm", "nvidia_gpu"));
  // When nobody tells, what was known has to do.
  rig.clock.Advance(Millis(120'000));
  rig.client().SetError(DetectionQuery(), Code::kUpstreamError);
  const auto snapshot = Await(Start());
  ASSERT_TRUE(snapshot);
  EXPECT_THAT((*snapshot)->sources, ElementsAre("dcgm", "nvidia_gpu"));
  EXPECT_FALSE((*snapshot)->partial);
}

TEST_F(DetectorTest, ARefreshWithFewerRowsLooksAgain) {
  own = std::make_unique<Detector>(rig.client(), rig.clock, schema::Registry::BuiltIn());
  rig.client().SetAnswer(DetectionQuery(), Are({"nvidia_gpu"}));
  const auto look = [&] {
    rig.client().ForgetCalls();
    std::promise<void> heard;
    if (own->LookBeside(1000, rig.In(Millis(8000)), [&](const auto&) { heard.set_value(); })) {
      heard.get_future().wait();
    }
    return rig.client().call_count(DetectionQuery());
  };
  EXPECT_EQ(look(), 1U);
  own->Saw(4);
  rig.clock.Advance(Millis(1'000));
  own->Saw(4);
  EXPECT_EQ(look(), 0U);
  own->Saw(2);
  // Until a look beside a refresh has ended there is no other.
  const auto looks_soon = [&] {
    const DetectedPtr before = own->Known();
    bool looked = false;
    for (int i = 0; i < 10'000'000 && own->Known() == before; ++i) {
      looked = looked || look() == 1;
      std::this_thread::yield();
    }
    return looked;
  };
  EXPECT_TRUE(looks_soon()) << "at once";
  rig.clock.Advance(Millis(9'000));
  own->Saw(1);
  EXPECT_EQ(look(), 0U) << "it has just looked for that";
  rig.clock.Advance(Millis(1'000));
  EXPECT_TRUE(looks_soon());
  rig.clock.Advance(Millis(10'000));
  own->Saw(1);
  EXPECT_EQ(look(), 0U) << "nothing more is missing";
  own->LookSoon();
  EXPECT_TRUE(looks_soon()) << "somebody says that it is";
}

TEST_F(DetectorTest, JobsThatLookingDoesNotFindAreAskedAboutOnceTheyAreSeen) {
  own = std::make_unique<Detector>(rig.client(), rig.clock, schema::Registry::BuiltIn());
  rig.client().SetAnswer(DetectionQuery(),
                         prom::MakeResult({{{{"exporter", "dcgm"}, {"job", "marks"}}, 1}}));
  const auto look = [&] {
    rig.client().ForgetCalls();
    std::promise<void> heard;
    const bool waits =
        own->LookBeside(1000, rig.In(Millis(8000)), [&](const auto&) { heard.set_value(); });
    if (waits) heard.get_future().wait();
    return rig.client().call_count(DetectionQuery());
  };
  EXPECT_EQ(look(), 1U);
  EXPECT_EQ(look(), 0U);
  const auto jobs = [&] { return own->Known()->subjects.at(0).jobs; };
  const std::vector<std::string> found = jobs();
  ASSERT_FALSE(found.empty());
  own->SawJobs(*own->Known(), {{"a-job"}});
  std::vector<std::string> all = found;
  all.insert(all.begin(), "a-job");
  EXPECT_EQ(jobs(), all);
  EXPECT_EQ(look(), 0U) << "not at once";
  rig.clock.Advance(Millis(10'000));
  EXPECT_EQ(look(), 1U);
  EXPECT_EQ(jobs(), all) << "it still shows none of the marks";
  own->SawJobs(*own->Known(), {{"a-job"}});
  rig.clock.Advance(Millis(10'000));
  EXPECT_EQ(look(), 0U) << "it is not new";
}

TEST_F(DetectorTest, ARefreshWithoutARowLooksAgainBesideTheNext) {
  rig.client().SetAnswer(DetectionQuery(), Are({"nvitop"}));
  EXPECT_THAT(SourcesOf(Start()), IsEmpty());
  EXPECT_THAT(SourcesOf(Start()), IsEmpty());
  EXPECT_EQ(looks(), 2U);
}

TEST_F(DetectorTest, SamplesOfAnotherExporterAreNoRow) {
  // Both exporters have metrics of these names.
  rig.client().SetFunction([](const prom::FakePromClient::Call&) {
    return prom::FakePromClient::Answer(prom::MakeResult({{{{"minor_number", "0"}}, 50}}));
  });
  rig.client().SetAnswer(DetectionQuery(), Are({"nvidia_gpu"}));
  EXPECT_THAT(SourcesOf(Start()), IsEmpty());
  EXPECT_THAT(SourcesOf(Start()), IsEmpty());
  EXPECT_EQ(looks(), 2U);
}

TEST_F(DetectorTest, APastInstantIsAskedForWhatWasThereThen) {
  rig.client().SetAnswer(DetectionQuery(), Are({"nvidia_gpu"}));
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("nvidia_gpu"));
  rig.client().SetAnswer(DetectionQuery(), Are({"dcgm"}));
  EXPECT_THAT(SourcesOf(Start(1700000000)), ElementsAre("dcgm"));
  EXPECT_EQ(rig.client().calls().back().start, 1700000000);
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("nvidia_gpu")) << "the present is as it was";
}

TEST_F(DetectorTest, APastInstantIsAskedWithWhatIsKnownWhenNobodyTellsInTime) {
  rig.client().SetAnswer(DetectionQuery(), Are({"dcgm"}));
  EXPECT_THAT(SourcesOf(Start()), ElementsAre("dcgm"));
  rig.client().Hold(DetectionQuery());
  rig.client().ForgetCalls();
  auto refresh = Start(1700000000);
  ASSERT_TRUE(rig.client().WaitForCalls(1 + SetSize("dcgm")));
  for (const auto& call : rig.client().calls()) {
    const Millis budget(call.promql == DetectionQuery() ? 4000 : 8000);
    EXPECT_EQ(call.deadline.at(), rig.In(budget).at()) << call.promql;
  }
  rig.client().TimeOutHeld();
  EXPECT_THAT(SourcesOf(std::move(refresh)), ElementsAre("dcgm"));
}

TEST_F(DetectorTest, ADeadPrometheusGivesTheErrorOfTheQueriesWithTheirWholeTime) {
  rig.client().Hold();
  auto refresh = Start();
  ASSERT_TRUE(rig.client().WaitForCalls(1 + SetSize("nvidia_gpu")));
  rig.client().TimeOutHeld();
  EXPECT_THAT(SourcesOf(std::move(refresh)), ElementsAre("upstream_timeout"));
  EXPECT_EQ(rig.client().call_count(), 1 + SetSize("nvidia_gpu")) << "asked once";
}

TEST(LookTest, WhoIsFoundByItsMarksAloneIsNotAskedForItsOtherNames) {
  // A name by which AMD's exporter is known beside its marks.
  const auto leaves_out = [](const prom::Labels& found) {
    const std::string query =
        SecondLookQuery(schema::Registry::BuiltIn(), prom::MakeInstantVector({{found, 1}}));
    return query.find("gpu_free_vram") == std::string::npos;
  };
  EXPECT_TRUE(leaves_out({{"exporter", "amd"}, {"job", "j"}}));
  EXPECT_TRUE(leaves_out({{"exporter", "amd"}, {"is", "without_node"}, {"job", "j"}}));
  EXPECT_FALSE(leaves_out({{"exporter", "amd"}, {"instance", "i"}, {"is", "frozen"}, {"job", "j"}}))
      << "its power says nothing of its marks";
}

// A Prometheus with one target of one exporter, that can be taken away.
class TargetsTest : public testing::Test {
 protected:
  TargetsTest() {
    rig.client().SetFunction([this](const prom::FakePromClient::Call& call) {
      return prom::FakePromClient::Answer(prom::MakeResult(Tell(call.promql)));
    });
  }

  std::vector<prom::FakeSample> Tell(const std::string& promql) const {
    const prom::Labels target = {{"instance", "h:1"}, {"job", "gpus"}};
    const auto with = [&](prom::Labels more, double value) {
      more.insert(more.end(), target.begin(), target.end());
      return prom::FakeSample{more, value};
    };
    if (promql == DetectionQuery()) {
      if (gone) return {with({{"is", "down"}}, 1)};
      std::vector<prom::FakeSample> found = {with({{"exporter", "nvitop"}}, 1)};
      if (frozen) found.push_back(with({{"exporter", "nvitop"}, {"is", "frozen"}}, 1));
      return found;
    }
    if (promql.find("last_over_time") != std::string::npos) {
      if (!past) return {};
      return {with({{"exporter", "nvitop"}, {"hostname", "n"}, {"shown", "gpu_power_usage_W"}}, 1)};
    }
    if (promql.find("\"moving\"") != std::string::npos) {
      if (!moving) return {};
      return {with({{"exporter", "nvitop"}, {"is", "moving"}}, 1)};
    }
    if (promql.starts_with("up{")) return {with({}, gone ? 0 : 1)};
    if (gone) return {};
    const prom::Labels gpu = {{"devicename", "A"}, {"hostname", "n"}, {"index", "0"}};
    auto sample = with(gpu, 50);
    if (promql.starts_with("count_values")) {
      std::vector<prom::FakeSample> times = {with({{"t", "up"}}, 990)};
      const bool of_all = promql.find("gpu_fan_speed_Percentage") != std::string::npos;
      for (const char* const t : of_all ? others_shown : shown)
        times.push_back(with({{"t", t}}, 1));
      return times;
    }
    sample.labels.push_back({"__name__", "gpu_temperature_C"});
    if (promql.find("timestamp(") != std::string::npos) sample.value = 700;
    return {sample};
  }

  static bool MissesTarget(const models::Snapshot& snapshot) {
    return std::any_of(snapshot.warnings.begin(), snapshot.warnings.end(), [](const auto& warning) {
      return warning.find("nvitop: a scrape target is down") != std::string::npos;
    });
  }
  // Looking is done beside refreshes: some later one hears of it.
  bool RefreshUntil(bool misses) {
    for (int i = 0; i < 10'000; ++i) {
      const auto snapshot = rig.CollectGpus();
      if (snapshot && MissesTarget(**snapshot) == misses) return true;
    }
    return false;
  }

  bool gone = false;
  bool past = false;  // Prometheus knows what it showed
  bool frozen = false;
  bool moving = false;
  std::vector<const char*> shown = {"990"};
  std::vector<const char*> others_shown = {"990"};  // by metrics that no refresh asks for its time
  RefreshRig rig;
};

TEST_F(TargetsTest, TheTimeOfAScrapeIsThatOfItsSamples) {
  rig.clock.Set(WallTime(Millis(1'000'000)));
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_EQ((*snapshot)->gpus.at(0).newest, 990);
  EXPECT_EQ((*snapshot)->gpus.at(0).oldest, 990);
}

TEST_F(TargetsTest, WhereSamplesBringTheirTimesEachSeriesIsAsked) {
  rig.clock.Set(WallTime(Millis(1'000'000)));
  ASSERT_TRUE(rig.CollectGpus());
  shown = {"990", "700"};
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_EQ((*snapshot)->gpus.at(0).newest, 700);
  rig.client().ForgetCalls();
  ASSERT_TRUE(rig.CollectGpus());
  for (const auto& call : rig.client().calls()) {
    EXPECT_FALSE(call.promql.starts_with("count_values")) << "from now on at once";
  }
}

TEST_F(TargetsTest, WhereSamplesBringTheirTimesNobodyHasToldWhoIsThereYet) {
  rig.clock.Set(WallTime(Millis(1'000'000)));
  rig.client().SetFunction([](const prom::FakePromClient::Call& call) {
    prom::FakeSample sample{{{"gpu", "0"}, {"instance", "h:1"}, {"job", "gpus"}, {"node", "a"}},
                            700};
    if (call.promql.starts_with("count_values")) {
      return prom::FakePromClient::Answer(
          prom::MakeResult({{{{"instance", "h:1"}, {"job", "gpus"}, {"t", "700"}}, 1},
                            {{{"instance", "h:1"}, {"job", "gpus"}, {"t", "up"}}, 990}}));
    }
    if (call.promql.find("timestamp(") == std::string::npos) sample.value = 50;
    return prom::FakePromClient::Answer(prom::MakeResult({sample}));
  });
  rig.client().SetError(DetectionQuery(), Code::kUpstreamTimeout);
  for (int refresh = 0; refresh < 3; ++refresh) {
    const auto snapshot = rig.CollectGpus();
    ASSERT_TRUE(snapshot);
    EXPECT_TRUE((*snapshot)->partial) << refresh;
    EXPECT_THAT((*snapshot)->warnings, Contains(testing::StartsWith("Prometheus did not tell")))
        << refresh;
  }
}

TEST_F(TargetsTest, TimesThatOnlyOtherMetricsBringAreFoundBesideRefreshes) {
  rig.clock.Set(WallTime(Millis(1'000'000)));
  others_shown = {"990", "700"};
  ASSERT_TRUE(rig.CollectGpus());
  rig.clock.Advance(Millis(60'000));  // not beside the first look
  for (int i = 0; i < 10'000; ++i) {
    const auto snapshot = rig.CollectGpus();
    ASSERT_TRUE(snapshot);
    if ((*snapshot)->gpus.at(0).newest == 700) return;  // each series was asked
  }
  FAIL() << "nobody asked";
}

TEST_F(TargetsTest, WhereNobodyTellsTheTimeOfEachSeriesRowsHaveNone) {
  rig.clock.Set(WallTime(Millis(1'000'000)));
  ASSERT_TRUE(rig.CollectGpus());
  shown = {"990", "700"};
  std::atomic<bool> asked = false;
  rig.client().SetFunction([&](const prom::FakePromClient::Call& call) {
    if (call.promql.starts_with("label_replace(timestamp(gpu_")) {
      asked = true;
      return prom::FakePromClient::Answer(Error(Code::kUpstreamTimeout, "late"));
    }
    return prom::FakePromClient::Answer(prom::MakeResult(Tell(call.promql)));
  });
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE(asked);
  EXPECT_TRUE((*snapshot)->times_failed);
  EXPECT_TRUE((*snapshot)->partial);
  EXPECT_EQ((*snapshot)->gpus.size(), 1U);
}

TEST_F(TargetsTest, AnExporterWhoseTargetsAreDownIsAskedForAnHour) {
  ASSERT_TRUE(rig.CollectGpus());
  ASSERT_TRUE(rig.CollectGpus());
  gone = true;
  rig.clock.Advance(Millis(59 * 60'000));
  EXPECT_TRUE(RefreshUntil(true));
  rig.clock.Advance(Millis(2 * 60'000));
  EXPECT_TRUE(RefreshUntil(false));
}

TEST_F(TargetsTest, WhatATargetThatIsDownShowedIsLookedUpInPrometheussPast) {
  gone = past = true;
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE(MissesTarget(**snapshot)) << "at once, though this process never saw it";
  const auto calls = rig.client().calls();
  const auto asked = std::find_if(calls.begin(), calls.end(), [](const auto& call) {
    return call.promql.find("last_over_time") != std::string::npos;
  });
  ASSERT_NE(asked, calls.end());
  EXPECT_NE(asked->promql.find(R"(job=~"gpus",instance=~"h:1")"), std::string::npos)
      << asked->promql;
}

TEST_F(TargetsTest, WhileNothingIsDownThePastIsNotAsked) {
  ASSERT_TRUE(rig.CollectGpus());
  for (const auto& call : rig.client().calls()) {
    EXPECT_EQ(call.promql.find("last_over_time"), std::string::npos) << call.promql;
  }
}

TEST_F(TargetsTest, APastInstantIsNotMeasuredByWhatIsRememberedOfThePresent) {
  ASSERT_TRUE(rig.CollectGpus());
  ASSERT_TRUE(rig.CollectGpus());
  gone = true;
  auto [done, future] = MakeCallback<RefreshRig::Collection>();
  rig.collector.Collect(Part::kGpus, 1'700'000'000, rig.In(Millis(8000)), done);
  const auto snapshot = Await(std::move(future));
  ASSERT_TRUE(snapshot);
  EXPECT_FALSE(MissesTarget(**snapshot));
}

TEST_F(TargetsTest, AFrozenTargetsValuesAreStale) {
  frozen = true;
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_EQ((*snapshot)->gpus.at(0).readings.reason(
                static_cast<std::size_t>(models::Quantity::kTemperature)),
            models::NullReason::kStale);
}

TEST_F(TargetsTest, ATargetOfWhichSomethingMovesIsNotFrozen) {
  frozen = moving = true;
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE((*snapshot)->gpus.at(0).readings.Has(
      static_cast<std::size_t>(models::Quantity::kTemperature)));
}

}  // namespace
}  // namespace gpumon::gpu
