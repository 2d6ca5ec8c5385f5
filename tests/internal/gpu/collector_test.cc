#include "internal/gpu/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <future>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "internal/base/text.h"
#include "internal/gpu/look.h"
#include "internal/gpu/row_commands.h"
#include "tests/internal/gpu/join_rig.h"
#include "tests/internal/gpu/refresh_rig.h"

namespace gpumon::gpu {
namespace {

using models::NullReason;
using models::Part;
using models::Quantity;
using prom::FakePromClient;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// What is asked when no exporter is found.
std::vector<PlannedQuery> NvidiaPlan(Part part) {
  return PlanOf({&NvidiaGpu()}, part);
}

constexpr std::size_t Slot(Quantity quantity) {
  return static_cast<std::size_t>(quantity);
}

TEST(CollectorTest, StartsAllQueriesBeforeAnyIsAnsweredWithOneTimeAndOneDeadline) {
  for (const Part part : {Part::kGpus, Part::kProcesses}) {
    RefreshRig rig;
    const auto plan = NvidiaPlan(part);
    for (const auto& query : plan) rig.client().Hold(query.promql);
    auto [done, future] = MakeCallback<RefreshRig::Collection>();
    const Deadline deadline = rig.In(Millis(1234));
    rig.collector.Collect(part, 1700000000.25, deadline, done);
    // What was there then comes first.
    ASSERT_TRUE(rig.client().WaitForCalls(1 + plan.size()));
    auto calls = rig.client().calls();
    EXPECT_EQ(calls[0].promql, LookQuery(schema::Registry::BuiltIn()));
    EXPECT_EQ(calls[0].start, 1700000000.25);
    std::erase_if(calls, [](const auto& call) {
      return call.promql.find("\"exporter\"") != std::string::npos;
    });
    EXPECT_EQ(rig.client().held_count(), plan.size());
    ASSERT_EQ(calls.size(), plan.size());
    for (std::size_t i = 0; i < calls.size(); ++i) {
      EXPECT_EQ(calls[i].promql, plan[i].promql);
      EXPECT_EQ(calls[i].start, 1700000000.25);
      EXPECT_FALSE(calls[i].is_range());
      EXPECT_EQ(calls[i].deadline.at(), deadline.at());
    }
    rig.client().Release();
    const auto snapshot = Await(std::move(future));
    ASSERT_TRUE(snapshot);
    EXPECT_EQ((*snapshot)->as_of, 1700000000.25);
    EXPECT_EQ((*snapshot)->part, part);
  }
}

TEST(CollectorTest, WithoutATimeItAsksForTheUpstreamsPresent) {
  RefreshRig rig;
  rig.upstream_clock.Learn(1704110400 + 3600);
  ASSERT_TRUE(rig.CollectGpus());
  EXPECT_NEAR(rig.client().calls().at(0).start, 1704110400 + 3600, 1);
}

TEST(CollectorTest, AClockThatIsFarOffIsAWarning) {
  RefreshRig rig;
  const auto warnings = [&](double offset, Part part = Part::kGpus,
                            std::optional<double> time = std::nullopt) {
    rig.upstream_clock.Learn(1704110400 + offset);
    const auto snapshot = rig.Collect(part, time);
    return snapshot ? (*snapshot)->warnings : std::vector<std::string>{"(failed)"};
  };
  const std::string rest =
      " (the Date header of its answers), and is asked for that time; where a proxy writes that "
      "header and is wrong, rows are old or missing";
  EXPECT_THAT(warnings(3600),
              ElementsAre("Prometheus says that its clock is 3601 s ahead of ours" + rest));
  EXPECT_THAT(warnings(-3600, Part::kProcesses),
              ElementsAre("Prometheus says that its clock is 3600 s behind ours" + rest));
  EXPECT_THAT(warnings(-3600, Part::kPods),
              Contains("Prometheus says that its clock is 3600 s behind ours" + rest));
  EXPECT_THAT(warnings(-3600, Part::kGpus, 1704110400), IsEmpty()) << "it asked for that time";
  EXPECT_THAT(warnings(59), IsEmpty());
  EXPECT_THAT(warnings(0), IsEmpty());
}

TEST(CollectorTest, TheNumberOfQueriesDoesNotGrowWithTheGpus) {
  for (const std::size_t gpus : {0U, 1U, 500U}) {
    RefreshRig rig;
    rig.SetGpus(gpus);
    const auto snapshot = rig.CollectGpus();
    ASSERT_TRUE(snapshot);
    EXPECT_EQ((*snapshot)->gpus.size(), gpus);
    EXPECT_EQ(rig.client().call_count(), 2 + NvidiaPlan(Part::kGpus).size());
  }
}

TEST(CollectorTest, TheFirstLookTellsAWorkloadFromTheExportersOwnPod) {
  RefreshRig rig;
  bool fails = false;
  rig.client().SetFunction([&fails](const prom::FakePromClient::Call& call) {
    const std::vector<prom::FakeSample> targets = {
        {{{"job", "g"}, {"namespace", "mon"}, {"pod", "exporter-x"}, {"t", "up"}}, 1700000000}};
    const prom::FakePromClient::Answer failure(gpumon::Error(Code::kUpstreamTimeout, "fake"));
    const prom::FakePromClient::Answer times(prom::MakeResult(targets));
    if (RefreshRig::AsksForTargetTimes(call)) return fails ? failure : times;
    if (call.promql != kUtilizationQuery) return RefreshRig::NoTimes();
    std::vector<prom::FakeSample> samples;
    for (const char* const pod : {"exporter-x", "train-0"}) {
      const std::string gpu = pod == std::string("train-0") ? "1" : "0";
      samples.push_back(
          {{{"gpu", gpu}, {"job", "g"}, {"namespace", "mon"}, {"node", "a"}, {"pod", pod}}, 50});
    }
    return prom::FakePromClient::Answer(prom::MakeResult(samples));
  });
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  ASSERT_EQ((*snapshot)->gpus.size(), 2U);
  EXPECT_EQ((*snapshot)->gpus[0].text(models::Text::kPod), "");
  EXPECT_EQ((*snapshot)->gpus[1].text(models::Text::kPod), "train-0");

  fails = true;
  const auto untold = rig.CollectGpus();
  ASSERT_TRUE(untold);
  for (const auto& row : (*untold)->gpus) {
    EXPECT_EQ(row.holder_reason(), NullReason::kQueryFailed) << "whose pod it is nobody can tell";
  }
}

TEST(CollectorTest, OneFailingQueryGivesAPartialSnapshot) {
  RefreshRig rig;
  rig.client().SetError("nvidia_gpu_used_memory_bytes", Code::kUpstreamTimeout);
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE((*snapshot)->partial);
  EXPECT_THAT((*snapshot)->warnings,
              ElementsAre("nvidia_gpu_used_memory_bytes: query failed (upstream_timeout)"));
  ASSERT_EQ((*snapshot)->gpus.size(), 2U);
  const auto& readings = (*snapshot)->gpus[0].readings;
  EXPECT_EQ(readings.reason(Slot(Quantity::kMemoryUsed)), NullReason::kQueryFailed);
  EXPECT_EQ(readings.reason(Slot(Quantity::kMemoryUsedPercent)), NullReason::kQueryFailed);
  EXPECT_EQ(readings.Get(Slot(Quantity::kUtilization)), 50);
  EXPECT_EQ((*snapshot)->missing_gpu[Slot(Quantity::kMemoryUsed)], NullReason::kQueryFailed);
}

TEST(CollectorTest, FailingTimesGiveAPartialSnapshotWithoutTimes) {
  RefreshRig rig;
  const auto plan = NvidiaPlan(Part::kGpus);
  const auto times = std::find_if(plan.begin(), plan.end(), [](const PlannedQuery& query) {
    return query.gives == PlannedQuery::Gives::kTargetTimes;
  });
  ASSERT_NE(times, plan.end());
  rig.client().SetError(times->promql, Code::kUpstreamRejectedQuery);
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE((*snapshot)->partial);
  EXPECT_THAT((*snapshot)->warnings,
              ElementsAre("nvidia_gpu/sample_times: query failed (upstream_rejected_query)"));
  EXPECT_TRUE(std::isnan((*snapshot)->gpus.at(0).newest));
  EXPECT_TRUE(std::isnan((*snapshot)->gpus.at(0).oldest));
}

TEST(CollectorTest, WhenAllValuesFailTheErrorIsThatOfTheFirstInPlanOrder) {
  for (int round = 0; round < 20; ++round) {
    RefreshRig rig(4);
    const auto plan = NvidiaPlan(Part::kGpus);
    rig.client().SetError(plan[0].promql, Code::kUpstreamAuth, "the first");
    for (std::size_t i = 1; i < plan.size(); ++i) {
      rig.client().SetError(plan[i].promql, Code::kUpstreamTimeout, "another");
    }
    const auto snapshot = rig.CollectGpus();
    ASSERT_FALSE(snapshot);
    EXPECT_EQ(snapshot.error().code, Code::kUpstreamAuth);
    EXPECT_EQ(snapshot.error().message, "the first");
  }
}

TEST(CollectorTest, ASetThatWaitedForOthersSaysSo) {
  RefreshRig rig;
  rig.client().Hold();
  for (int i = 0; i < 2; ++i) {
    rig.collector.Collect(Part::kGpus, 1, rig.In(Millis(9000)), [](const auto&) {});
  }
  auto [done, future] = MakeCallback<RefreshRig::Collection>();
  rig.collector.Collect(Part::kGpus, 2, rig.In(Millis(9000)), done);
  // Two sets, each with its look for exporters.
  EXPECT_EQ(rig.client().call_count(), 2 * (NvidiaPlan(Part::kGpus).size() + 1));
  rig.clock.Advance(Millis(4000));
  rig.client().TimeOutHeld();
  ASSERT_TRUE(rig.client().WaitForCalls(3 * NvidiaPlan(Part::kGpus).size() + 3));
  rig.clock.Advance(Millis(5000));
  rig.client().TimeOutHeld();
  const auto snapshot = Await(std::move(future));
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().code, Code::kUpstreamTimeout);
  EXPECT_EQ(snapshot.error().message,
            "Prometheus did not answer within 9 s, of which 4 s went to waiting for other queries "
            "to end; it may be overloaded or PROMETHEUS_MAX_CONCURRENCY too low");
}

TEST(CollectorTest, TakesAnAnswerOfAnotherTypeForAFailure) {
  RefreshRig rig;
  prom::QueryResult scalar;
  scalar.value = prom::Scalar{{0, 1}};
  rig.client().SetAnswer("nvidia_gpu_free_memory_bytes", FakePromClient::Answer(scalar));
  rig.client().SetAnswer("nvidia_gpu_total_memory_bytes",
                         FakePromClient::Answer(prom::MakeRangeResult({})));
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_THAT((*snapshot)->warnings,
              ElementsAre("nvidia_gpu_free_memory_bytes: query failed (upstream_invalid)",
                          "nvidia_gpu_total_memory_bytes: query failed (upstream_invalid)"));
}

TEST(CollectorTest, WhatTheUpstreamSaysIsNoLongerThanAWarningMayBe) {
  RefreshRig rig;
  auto result = prom::MakeResult({{{{"gpu", "0"}, {"node", "a"}}, 1}});
  std::string longest = "a=";
  while (longest.size() < 256) longest += "\xc3\xa9";
  result.warnings = {longest};
  rig.client().SetAnswer("nvidia_gpu_utilization_percent", FakePromClient::Answer(result));
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  ASSERT_EQ((*snapshot)->warnings.size(), 1U);
  const std::string& warning = (*snapshot)->warnings[0];
  EXPECT_TRUE(warning.starts_with("Prometheus: a=\xc3\xa9")) << warning;
  EXPECT_LE(warning.size(), 256U);
  EXPECT_GE(warning.size(), 255U);
  EXPECT_TRUE(IsValidUtf8(warning));
}

TEST(CollectorTest, PassesOnWarningsOfTheUpstreamOnce) {
  RefreshRig rig;
  for (const std::string query :
       {"nvidia_gpu_utilization_percent", "nvidia_gpu_free_memory_bytes"}) {
    auto result = prom::MakeResult({{{{"gpu", "0"}, {"node", "a"}}, 1}});
    result.warnings = {"a store is down"};
    rig.client().SetAnswer(query, FakePromClient::Answer(result));
  }
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE((*snapshot)->upstream_warned);
  EXPECT_FALSE((*snapshot)->partial);
  EXPECT_THAT((*snapshot)->warnings, ElementsAre("Prometheus: a store is down"));
}

TEST(CollectorTest, SaysWhenTheUpstreamCallsItsAnswerPartial) {
  RefreshRig rig;
  auto result = prom::MakeResult({{{{"gpu", "0"}, {"node", "a"}}, 1}});
  result.partial = true;
  result.bad_samples = 3;
  rig.client().SetAnswer(std::string(kUtilizationQuery), FakePromClient::Answer(result));
  const auto snapshot = rig.CollectGpus();
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE((*snapshot)->upstream_warned);
  EXPECT_TRUE((*snapshot)->partial);
  EXPECT_THAT((*snapshot)->warnings, ElementsAre("Prometheus says that its answer is partial"));
}

TEST(CollectorTest, WarnsWhenThereAreNoGpusAtAll) {
  RefreshRig rig;
  rig.SetGpus(0);
  const auto gpus = rig.CollectGpus();
  ASSERT_TRUE(gpus);
  EXPECT_THAT((*gpus)->warnings,
              ElementsAre("Prometheus has no series of a known GPU exporter at this instant"));
  const auto processes = rig.Collect(Part::kProcesses);
  ASSERT_TRUE(processes);
  EXPECT_THAT((*processes)->warnings,
              ElementsAre("Prometheus has no series of GPU processes at this instant: no GPU has a "
                          "process, or no exporter tells of them"));
}

TEST(CollectorTest, NothingAndAFailureAreNotCalledAnEmptyPrometheus) {
  RefreshRig rig;
  rig.SetGpus(0);
  rig.client().SetError(std::string(kUtilizationQuery), Code::kUpstreamTimeout);
  const auto gpus = rig.CollectGpus();
  ASSERT_FALSE(gpus) << "a Prometheus that ends answers so, and the GPUs are still there";
  EXPECT_EQ(gpus.error().code, Code::kUpstreamTimeout);
}

TEST(CollectorTest, WithoutAProcessAFailureLeavesThePartThatAnswered) {
  RefreshRig rig;
  rig.SetGpus(0);
  rig.client().SetError("nvidia_gpu_process_cpu_percent", Code::kUpstreamTimeout);
  const auto processes = rig.Collect(Part::kProcesses);
  ASSERT_TRUE(processes);
  EXPECT_TRUE((*processes)->partial);
}

TEST(CollectorTest, WarnsOfAMetricThatNobodyExports) {
  RefreshRig rig;
  rig.client().SetAnswer("nvidia_gpu_free_memory_bytes", std::vector<prom::FakeSample>{});
  const auto gpus = rig.CollectGpus();
  ASSERT_TRUE(gpus);
  EXPECT_FALSE((*gpus)->partial);
  EXPECT_THAT((*gpus)->warnings, ElementsAre("no nvidia_gpu_free_memory_bytes series"));
}

TEST(CollectorTest, WarningsStandInOneOrderWhicheverQueryIsAnsweredFirst) {
  RefreshRig rig;
  ASSERT_TRUE(rig.CollectGpus());  // what is there is known from now on
  const std::string last = "nvidia_gpu_used_memory_bytes";
  rig.client().SetAnswer(last, std::vector<prom::FakeSample>{});
  rig.client().SetAnswer("nvidia_gpu_free_memory_bytes", std::vector<prom::FakeSample>{});
  rig.client().Hold(last);
  const std::size_t before = rig.observer.queries().size();
  auto [done, future] = MakeCallback<RefreshRig::Collection>();
  rig.collector.Collect(Part::kGpus, std::nullopt, rig.In(Millis(9000)), done);
  const std::size_t all = rig.collector.detected()->gpu_plan.size();
  while (rig.observer.queries().size() < before + all - 1) std::this_thread::yield();
  rig.client().Release();
  const auto gpus = Await(std::move(future));
  ASSERT_TRUE(gpus);
  EXPECT_THAT((*gpus)->warnings, ElementsAre("no nvidia_gpu_used_memory_bytes series",
                                             "no nvidia_gpu_free_memory_bytes series"));
}

TEST(CollectorTest, CommandsAreRedacted) {
  RefreshRig rig;
  rig.client().SetAnswer("nvidia_gpu_process_cpu_percent",
                         {{{{"command", "a --token b"}, {"gpu", "0"}, {"pid", "7"}}, 1}});
  const auto processes = rig.Collect(Part::kProcesses);
  ASSERT_TRUE(processes);
  const auto& rows = (*processes)->processes;
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows.back().text(models::Text::kCommand), "a --token ***");
}

TEST(CollectorTest, ALongCommandIsCutAfterItsSecretsAreMasked) {
  const auto shown = [](const std::string& command, CommandStyle style) {
    std::vector<models::GpuProcess> rows(1);
    rows[0].set_text(models::Text::kCommand, command);
    models::Arena arena;
    ShowCommands(rows, style, arena);
    return std::string(rows[0].text(models::Text::kCommand));
  };
  const auto accents = [](std::size_t characters) {
    std::string text = "a ";
    for (std::size_t i = 2; i < characters; ++i) text += "\xC3\xA9";
    return text;
  };
  EXPECT_EQ(shown(accents(4096), CommandStyle::kRedacted), accents(4096));
  EXPECT_EQ(shown(accents(4097), CommandStyle::kRedacted), accents(4096) + "\xE2\x80\xA6");
  EXPECT_EQ(shown(accents(4097), CommandStyle::kFull), accents(4097));
  const std::string broken(5000, '\x80');
  EXPECT_EQ(shown(broken, CommandStyle::kRedacted), broken.substr(0, 4096) + "\xE2\x80\xA6");
  const std::string secret = accents(4085) + " --token abcdefgh";
  EXPECT_EQ(shown(secret, CommandStyle::kRedacted), accents(4085) + " --token **\xE2\x80\xA6");
}

TEST(CollectorTest, TellsItsObserverOfEveryQueryAndRefresh) {
  RefreshRig rig;
  auto result = prom::MakeResult({{{{"gpu", "0"}}, 1}, {{{"node", "a"}}, 1}});
  result.bytes = 321;
  rig.client().SetAnswer("nvidia_gpu_total_memory_bytes", FakePromClient::Answer(result));
  rig.client().SetError("nvidia_gpu_used_memory_bytes", Code::kUpstreamTimeout);
  ASSERT_TRUE(rig.CollectGpus());
  const auto queries = rig.observer.queries();
  ASSERT_EQ(queries.size(), NvidiaPlan(Part::kGpus).size());
  for (const auto& query : queries) {
    EXPECT_EQ(query.result,
              query.name == "nvidia_gpu_used_memory_bytes" ? "upstream_timeout" : "ok");
    EXPECT_EQ(query.bytes, query.name == "nvidia_gpu_total_memory_bytes" ? 321U : 0U);
  }
  ASSERT_EQ(rig.observer.joined().size(), 1U);
  EXPECT_EQ(rig.observer.joined()[0].no_node_label, 1U);
  EXPECT_EQ(rig.observer.joined()[0].no_gpu_label, 1U);
  ASSERT_EQ(rig.observer.refreshes().size(), 1U);
  EXPECT_EQ(rig.observer.refreshes()[0].result, "ok");
  EXPECT_EQ(rig.observer.refreshes()[0].rows, 3U);
}

TEST(CollectorTest, TellsItsObserverOfAFailedRefresh) {
  RefreshRig rig;
  rig.client().FailAll(Code::kUpstreamUnreachable);
  ASSERT_FALSE(rig.Collect(Part::kProcesses));
  ASSERT_EQ(rig.observer.refreshes().size(), 1U);
  EXPECT_EQ(rig.observer.refreshes()[0].part, Part::kProcesses);
  EXPECT_EQ(rig.observer.refreshes()[0].result, "upstream_unreachable");
  EXPECT_TRUE(rig.observer.joined().empty());
}

TEST(CollectorTest, LateAnswersAreHarmlessWhenWhoAskedHasGone) {
  RefreshRig rig;
  ASSERT_TRUE(rig.CollectGpus());  // so that it knows the exporters
  rig.client().Hold();
  auto gone = std::make_shared<int>(0);
  std::promise<bool> answered;
  rig.collector.Collect(Part::kGpus, std::nullopt, rig.In(Millis(9000)),
                        [&answered, waiter = std::weak_ptr<int>(gone)](auto) {
                          answered.set_value(waiter.expired());
                        });
  gone.reset();
  rig.client().TimeOutHeld();
  auto future = answered.get_future();
  ASSERT_EQ(future.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_TRUE(future.get());
}

TEST(CollectorTest, ManyRefreshesAtOnceDoNotMixTheirAnswers) {
  RefreshRig rig(4);
  // The value of every sample is the time that was asked for.
  rig.client().SetFunction([](const FakePromClient::Call& call) {
    if (RefreshRig::AsksForTargetTimes(call)) return RefreshRig::NoTimes();
    return FakePromClient::Answer(
        prom::MakeResult({{{{"gpu", "0"}, {"node", "a"}, {"pid", "1"}}, call.start}}));
  });
  std::vector<std::future<Result<RefreshRig::Collection>>> futures;
  for (int i = 1; i <= 90; ++i) {
    auto [done, future] = MakeCallback<RefreshRig::Collection>();
    rig.collector.Collect(i % 2 == 0 ? Part::kGpus : Part::kProcesses, i, rig.In(Millis(9000)),
                          done);
    futures.push_back(std::move(future));
  }
  for (int i = 1; i <= 90; ++i) {
    const auto snapshot = Await(std::move(futures[static_cast<std::size_t>(i - 1)]));
    ASSERT_TRUE(snapshot);
    ASSERT_EQ((*snapshot)->as_of, i);
    if (i % 2 == 0) {
      ASSERT_EQ((*snapshot)->gpus.at(0).readings.Get(Slot(Quantity::kTemperature)), i);
    } else {
      ASSERT_EQ((*snapshot)->processes.at(0).readings.Get(0), i);
    }
  }
}

}  // namespace
}  // namespace gpumon::gpu
