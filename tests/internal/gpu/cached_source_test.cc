#include "internal/gpu/cached_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/internal/gpu/refresh_rig.h"

namespace gpumon::gpu {
namespace {

using models::Part;

class CachedSourceTest : public testing::Test {
 protected:
  void Configure(CacheOptions options) {
    source_ = std::make_unique<CachedSource>(rig_.collector, rig_.clock, options,
                                             [this] { ++refreshed_; });
  }
  void SetUp() override { Configure(CacheOptions{}); }

  std::future<Result<Got>> Start(const Want& want) {
    auto [done, future] = MakeCallback<Got>();
    source_->Get(want, rig_.In(Millis(10'000)), done);
    return std::move(future);
  }
  Result<Got> Get(const Want& want = {}) { return Await(Start(want)); }
  Result<Got> GetAt(std::int64_t seconds, Part part = Part::kGpus) {
    return Get({part, WallTime(Millis(seconds * 1000)), true});
  }
  // What a tick begins has ended when it returns.
  void Tick() {
    source_->Tick();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (static_cast<std::size_t>(refreshed_) < rig_.query_sets() &&
           std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
  }
  Result<Got> GetFresh() { return Get({Part::kGpus, std::nullopt, false}); }

  std::atomic<int> refreshed_ = 0;
  std::unique_ptr<CachedSource> source_;
  RefreshRig rig_;  // ends its threads before the source goes
};

TEST_F(CachedSourceTest, FiveHundredAtOnceAskOneQuerySet) {
  rig_.client().Hold();
  std::vector<std::future<Result<Got>>> futures(500);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 10; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < futures.size(); i += 10) futures[i] = Start({});
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(rig_.client().call_count(), 9U) << "the set, and which exporters there are";
  rig_.client().Release();
  std::set<const models::Snapshot*> snapshots;
  for (auto& future : futures) {
    const auto got = Await(std::move(future));
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->stale);
    snapshots.insert(got->snapshot.get());
  }
  EXPECT_EQ(snapshots.size(), 1U);
  EXPECT_EQ(rig_.client().call_count(), 10U);
}

TEST_F(CachedSourceTest, AsksAgainWhenTheTtlIsOver) {
  const auto first = Get();
  ASSERT_TRUE(first);
  rig_.clock.Advance(Millis(1999));
  const auto second = Get();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->snapshot, first->snapshot);
  EXPECT_DOUBLE_EQ(second->age_seconds, 1.999);
  EXPECT_EQ(rig_.query_sets(), 1U);
  rig_.clock.Advance(Millis(1));
  const auto third = Get();
  ASSERT_TRUE(third);
  EXPECT_NE(third->snapshot, first->snapshot);
  EXPECT_DOUBLE_EQ(third->age_seconds, 0);
  EXPECT_EQ(rig_.query_sets(), 2U);
}

TEST_F(CachedSourceTest, WhoComesAgainAndAgainFindsTheNextRefreshDone) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Get());
    rig_.clock.Advance(Millis(2000));
  }
  EXPECT_EQ(rig_.query_sets(), 3U);
  Tick();
  EXPECT_EQ(rig_.query_sets(), 4U) << "nobody had to ask for it";
  rig_.clock.Advance(Millis(100));
  const auto got = Get();
  ASSERT_TRUE(got);
  EXPECT_DOUBLE_EQ(got->age_seconds, 0.1);
  EXPECT_EQ(rig_.query_sets(), 4U);
}

TEST_F(CachedSourceTest, OnceNobodyComesNothingIsAskedAhead) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Get());
    rig_.clock.Advance(Millis(2000));
  }
  for (int i = 0; i < 20; ++i) {
    Tick();
    rig_.clock.Advance(Millis(500));
  }
  EXPECT_EQ(rig_.query_sets(), 4U) << "one in vain, no more";
}

TEST_F(CachedSourceTest, WhoCameTwiceIsNotExpected) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Get());
    ASSERT_TRUE(Get());
    rig_.clock.Advance(Millis(2000));
    Tick();
  }
  EXPECT_EQ(rig_.query_sets(), 2U);
}

TEST_F(CachedSourceTest, WhoComesEveryTenSecondsCostsOneQuerySetEachTime) {
  std::size_t asked = 0;
  for (int i = 0; i < 6; ++i) {
    const auto got = Get();
    ASSERT_TRUE(got);
    if (i >= 3) {
      EXPECT_EQ(rig_.query_sets(), asked) << "it was there";
      EXPECT_LE(got->age_seconds, 0.1);
    }
    for (int tick = 0; tick < 100; ++tick) {
      rig_.clock.Advance(Millis(100));
      Tick();
    }
    asked = rig_.query_sets();
  }
  EXPECT_EQ(asked, 7U) << "six, and one for the next time";
}

TEST_F(CachedSourceTest, WhileTheNextIsOnItsWayTheLastOneIsFreshALittleLonger) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Get());
    rig_.clock.Advance(Millis(2000));
  }
  rig_.client().Hold();
  source_->Tick();
  const auto got = Get();
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->stale);
  EXPECT_DOUBLE_EQ(got->age_seconds, 2);
  auto patient = Start({Part::kGpus, std::nullopt, false});
  rig_.clock.Advance(Millis(500));
  auto late = Start({});
  for (auto* waiting : {&patient, &late}) {
    EXPECT_EQ(waiting->wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  }
  rig_.client().Release();
  EXPECT_DOUBLE_EQ(Await(std::move(patient))->age_seconds, 0.5);
  EXPECT_DOUBLE_EQ(Await(std::move(late))->age_seconds, 0.5);
  EXPECT_EQ(rig_.query_sets(), 4U);
}

TEST_F(CachedSourceTest, ThePartsAreCachedApart) {
  ASSERT_TRUE(Get());
  EXPECT_EQ(rig_.client().call_count(), 10U);
  const auto processes = Get({Part::kProcesses, std::nullopt, true});
  ASSERT_TRUE(processes);
  EXPECT_EQ(processes->snapshot->part, Part::kProcesses);
  EXPECT_EQ(rig_.client().call_count(), 15U);
  EXPECT_EQ(source_->Rows(Part::kGpus), 2U);
  EXPECT_EQ(source_->Rows(Part::kProcesses), 2U);
  EXPECT_EQ(source_->Age(Part::kPods), std::nullopt) << "nobody has asked for them";
  const auto pods = Get({Part::kPods, std::nullopt, true});
  ASSERT_TRUE(pods);
  EXPECT_EQ(pods->snapshot->part, Part::kPods);
  EXPECT_EQ(rig_.client().call_count(), 16U);
  EXPECT_TRUE(source_->Age(Part::kPods).has_value());
}

TEST_F(CachedSourceTest, PodsAreNoOlderThanGpus) {
  const Want pods{Part::kPods, std::nullopt, true};
  const auto first = Get(pods);
  ASSERT_TRUE(first);
  rig_.clock.Advance(Millis(1999));
  EXPECT_EQ(Get(pods)->snapshot, first->snapshot);
  rig_.clock.Advance(Millis(1));
  EXPECT_NE(Get(pods)->snapshot, first->snapshot);
}

TEST_F(CachedSourceTest, ARefreshHasTheUpstreamsTimeAndNotTheRequests) {
  rig_.client().Hold();
  auto [done, future] = MakeCallback<Got>();
  source_->Get({}, rig_.In(Millis(1)), done);
  EXPECT_EQ(rig_.client().calls().back().deadline.at(), rig_.In(Millis(9000)).at());
  rig_.client().Release();
  EXPECT_TRUE(Await(std::move(future)));
}

TEST_F(CachedSourceTest, AnErrorStandsForRetryAfter) {
  rig_.client().FailAll(Code::kUpstreamUnreachable);
  for (int i = 0; i < 5; ++i) {
    const auto got = Get();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::kUpstreamUnreachable);
  }
  EXPECT_EQ(rig_.query_sets(), 1U);
  rig_.clock.Advance(Millis(999));
  EXPECT_FALSE(Get());
  EXPECT_EQ(rig_.query_sets(), 1U);
  rig_.client().FailAll(Code::kOk);
  rig_.clock.Advance(Millis(1));
  EXPECT_TRUE(Get());
  EXPECT_EQ(rig_.query_sets(), 2U);
}

TEST_F(CachedSourceTest, AnUpstreamThatAsksForPatienceGetsItWithinReason) {
  for (const auto& [asked, wait] : std::vector<std::pair<int, int>>{{3, 3000}, {3600, 10'000}}) {
    rig_.client().ForgetCalls();
    rig_.client().SetFunction([seconds = asked](const auto&) {
      return prom::FakePromClient::Answer(
          Error(Status{Code::kUpstreamThrottled, "throttled", {}, seconds}));
    });
    EXPECT_FALSE(Get());
    rig_.clock.Advance(Millis(wait - 1));
    EXPECT_FALSE(Get());
    EXPECT_EQ(rig_.query_sets(), 1U);
    rig_.clock.Advance(Millis(1));
    EXPECT_FALSE(Get());
    EXPECT_EQ(rig_.query_sets(), 2U);
    rig_.clock.Advance(Millis(10'000));
  }
}

TEST_F(CachedSourceTest, ServesStaleUpToMaxStaleAndNotAfter) {
  const auto fresh = Get();
  ASSERT_TRUE(fresh);
  rig_.client().FailAll(Code::kUpstreamTimeout);
  rig_.clock.Advance(Millis(2000));
  const auto stale = Get();
  ASSERT_TRUE(stale);
  EXPECT_TRUE(stale->stale);
  EXPECT_EQ(stale->why.code, Code::kUpstreamTimeout);
  EXPECT_EQ(stale->snapshot, fresh->snapshot);
  EXPECT_DOUBLE_EQ(stale->age_seconds, 2);
  rig_.clock.Advance(Millis(28'000));
  EXPECT_TRUE(Get()) << "exactly MAX_STALE old";
  rig_.clock.Advance(Millis(1));
  const auto error = Get();
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code, Code::kUpstreamTimeout);
  rig_.client().FailAll(Code::kOk);
  rig_.clock.Advance(Millis(1000));
  const auto again = Get();
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->stale);
  EXPECT_NE(again->snapshot, fresh->snapshot);
}

TEST_F(CachedSourceTest, ARefreshThatTakesLongLetsViewersHaveWhatThereIs) {
  const auto fresh = Get();
  ASSERT_TRUE(fresh);
  rig_.clock.Advance(Millis(2000));
  rig_.client().Hold();
  auto waiting = Start({});
  auto strict = Start({Part::kGpus, std::nullopt, false});
  const auto answered = [](auto& future) {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  };
  rig_.clock.Advance(Millis(999));
  source_->Tick();
  EXPECT_FALSE(answered(waiting));
  rig_.clock.Advance(Millis(1));
  source_->Tick();
  ASSERT_TRUE(answered(waiting));
  const auto late = Await(std::move(waiting));
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->stale);
  EXPECT_EQ(late->why.code, Code::kUpstreamTimeout);
  EXPECT_EQ(late->snapshot, fresh->snapshot);
  EXPECT_DOUBLE_EQ(late->age_seconds, 3);
  EXPECT_TRUE(Get()->stale) << "who comes now does not wait at all";
  EXPECT_FALSE(answered(strict));
  rig_.clock.Advance(Millis(27'001));
  auto too_late = Start({});
  source_->Tick();
  EXPECT_FALSE(answered(too_late)) << "older than MAX_STALE";
  rig_.client().Release();
  for (auto* future : {&strict, &too_late}) {
    const auto got = Await(std::move(*future));
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->stale);
  }
  EXPECT_EQ(rig_.query_sets(), 2U);
}

TEST_F(CachedSourceTest, AfterAFailureNobodyWaitsAndTheReasonIsThatFailures) {
  ASSERT_TRUE(Get());
  rig_.client().FailAll(Code::kUpstreamUnreachable);
  rig_.clock.Advance(Millis(2000));
  EXPECT_EQ(Get()->why.code, Code::kUpstreamUnreachable);
  rig_.clock.Advance(Millis(1000));
  rig_.client().Hold();
  const auto at_once = Get();
  ASSERT_TRUE(at_once);
  EXPECT_TRUE(at_once->stale);
  EXPECT_EQ(at_once->why.code, Code::kUpstreamUnreachable);
  EXPECT_EQ(rig_.query_sets(), 3U) << "and yet it asks";
  rig_.client().Release();
}

TEST_F(CachedSourceTest, WhereNobodyAskedForAWhileAfterAFailureTheFirstOneWaits) {
  ASSERT_TRUE(Get());
  rig_.client().FailAll(Code::kUpstreamUnreachable);
  rig_.clock.Advance(Millis(2000));
  EXPECT_TRUE(Get()->stale);
  rig_.client().FailAll(Code::kOk);
  rig_.clock.Advance(Millis(2001));
  const auto back = Get();
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->stale);
  // It waits no longer than others.
  rig_.client().FailAll(Code::kUpstreamUnreachable);
  rig_.clock.Advance(Millis(2000));
  EXPECT_TRUE(Get()->stale);
  rig_.client().FailAll(Code::kOk);
  rig_.clock.Advance(Millis(5000));
  rig_.client().Hold();
  auto waiting = Start({});
  rig_.clock.Advance(Millis(1000));
  source_->Tick();
  EXPECT_TRUE(Await(std::move(waiting))->stale);
  rig_.client().Release();
}

TEST_F(CachedSourceTest, WhereRefreshesTakeLongPatienceIsLonger) {
  rig_.client().Hold();
  auto first = Start({});
  rig_.clock.Advance(Millis(3000));
  rig_.client().Release();
  ASSERT_TRUE(Await(std::move(first)));
  rig_.clock.Advance(Millis(2000));
  rig_.client().Hold();
  auto waiting = Start({});
  rig_.clock.Advance(Millis(5999));
  source_->Tick();
  EXPECT_EQ(waiting.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  rig_.clock.Advance(Millis(1));
  source_->Tick();
  EXPECT_TRUE(Await(std::move(waiting))->stale);
  rig_.client().Release();
}

TEST_F(CachedSourceTest, AQueryThatHangsMakesNobodyWaitLonger) {
  ASSERT_TRUE(Get());
  for (int refresh = 0; refresh < 3; ++refresh) {
    rig_.clock.Advance(Millis(2000));
    rig_.client().Hold(std::string(kUtilizationQuery));
    auto strict = Start({Part::kGpus, std::nullopt, false});
    auto waiting = Start({});
    rig_.clock.Advance(Millis(1000));
    source_->Tick();
    ASSERT_EQ(waiting.wait_for(std::chrono::seconds(0)), std::future_status::ready) << refresh;
    EXPECT_TRUE(Await(std::move(waiting))->stale);
    rig_.clock.Advance(Millis(8000));
    rig_.client().TimeOutHeld();
    const auto part = Await(std::move(strict));
    ASSERT_TRUE(part);
    EXPECT_TRUE(part->snapshot->partial);
  }
}

TEST_F(CachedSourceTest, WhatIsRefusedSaysHowLongARefreshTakes) {
  rig_.client().SetError(std::string(kUtilizationQuery), Code::kUpstreamRejectedQuery);
  rig_.client().Hold();
  auto first = Start({});
  rig_.clock.Advance(Millis(3000));
  rig_.client().Release();
  EXPECT_TRUE(Await(std::move(first))->snapshot->partial);
  rig_.clock.Advance(Millis(1000));
  rig_.client().Hold();
  auto waiting = Start({});
  rig_.clock.Advance(Millis(5999));
  source_->Tick();
  EXPECT_EQ(waiting.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  rig_.client().Release();
  EXPECT_TRUE(Await(std::move(waiting)));
}

TEST_F(CachedSourceTest, WhoeverWantsNoStaleDataGetsTheError) {
  ASSERT_TRUE(Get());
  rig_.client().FailAll(Code::kUpstreamTimeout);
  rig_.clock.Advance(Millis(2000));
  EXPECT_FALSE(GetFresh()) << "as the one who waited for the refresh";
  EXPECT_FALSE(GetFresh()) << "as one who meets the error that stands";
  EXPECT_TRUE(Get());
  EXPECT_EQ(rig_.query_sets(), 2U);
}

TEST_F(CachedSourceTest, APartialSnapshotIsKeptBriefly) {
  rig_.client().SetError("nvidia_gpu_free_memory_bytes", Code::kUpstreamTimeout);
  const auto partial = Get();
  ASSERT_TRUE(partial);
  EXPECT_TRUE(partial->snapshot->partial);
  rig_.clock.Advance(Millis(999));
  EXPECT_EQ(Get()->snapshot, partial->snapshot);
  rig_.clock.Advance(Millis(1));
  EXPECT_NE(Get()->snapshot, partial->snapshot);
}

TEST_F(CachedSourceTest, AnUpstreamWarningShortensTheTtl) {
  auto result = prom::MakeResult({{{{"gpu", "0"}}, 1}});
  result.warnings = {"w"};
  rig_.client().SetAnswer(std::string(kUtilizationQuery),
                          prom::FakePromClient::Answer(std::move(result)));
  const auto warned = Get();
  ASSERT_TRUE(warned);
  rig_.clock.Advance(Millis(1000));
  EXPECT_NE(Get()->snapshot, warned->snapshot);
}

TEST_F(CachedSourceTest, OurOwnWarningsDoNotShortenTheTtl) {
  rig_.client().SetAnswer(std::string(kUtilizationQuery), {{{{"gpu", "0"}}, 1}});
  const auto warned = Get();
  ASSERT_TRUE(warned);
  EXPECT_FALSE(warned->snapshot->warnings.empty());
  rig_.clock.Advance(Millis(1999));
  EXPECT_EQ(Get()->snapshot, warned->snapshot);
}

TEST_F(CachedSourceTest, WhoComesDuringARefreshGetsIt) {
  const auto old = Get();
  ASSERT_TRUE(old);
  rig_.clock.Advance(Millis(2000));
  rig_.client().Hold();
  auto first = Start({});
  auto second = Start({});
  EXPECT_EQ(second.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  rig_.client().Release();
  const auto got = Await(std::move(first));
  ASSERT_TRUE(got);
  EXPECT_NE(got->snapshot, old->snapshot);
  EXPECT_EQ(Await(std::move(second))->snapshot, got->snapshot);
  EXPECT_EQ(rig_.query_sets(), 2U);
}

TEST_F(CachedSourceTest, WithoutATtlOnlyThoseWhoMeetARefreshShareIt) {
  CacheOptions options;
  options.ttl = Millis(0);
  Configure(options);
  const auto first = Get();
  const auto second = Get();
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->snapshot, second->snapshot);
  EXPECT_EQ(rig_.query_sets(), 2U);
  rig_.client().Hold();
  auto third = Start({});
  auto fourth = Start({});
  rig_.client().Release();
  EXPECT_EQ(Await(std::move(third))->snapshot, Await(std::move(fourth))->snapshot);
  EXPECT_EQ(rig_.query_sets(), 3U);
}

TEST_F(CachedSourceTest, AgesFromTheStartOfTheRefresh) {
  EXPECT_EQ(source_->Age(Part::kGpus), std::nullopt);
  rig_.client().Hold();
  auto future = Start({});
  rig_.clock.Advance(Millis(500));
  rig_.client().Release();
  const auto got = Await(std::move(future));
  ASSERT_TRUE(got);
  EXPECT_DOUBLE_EQ(got->age_seconds, 0.5);
  EXPECT_DOUBLE_EQ(source_->Age(Part::kGpus).value_or(-1), 0.5);
  EXPECT_EQ(source_->Age(Part::kProcesses), std::nullopt);
}

TEST_F(CachedSourceTest, HasAttemptedWhenTheFirstGpuRefreshEnds) {
  EXPECT_FALSE(source_->Attempted());
  ASSERT_TRUE(Get({Part::kProcesses, std::nullopt, true}));
  EXPECT_FALSE(source_->Attempted());
  rig_.client().FailAll(Code::kUpstreamUnreachable);
  ASSERT_FALSE(Get());
  EXPECT_TRUE(source_->Attempted());
}

TEST_F(CachedSourceTest, APastInstantIsAskedForAtItsOwnTimeAndKeptForTheTtl) {
  const auto first = GetAt(1700000000);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->snapshot->as_of, 1700000000);
  EXPECT_FALSE(first->stale);
  EXPECT_EQ(rig_.client().calls().at(0).start, 1700000000);
  EXPECT_EQ(GetAt(1700000000)->snapshot, first->snapshot);
  EXPECT_EQ(rig_.query_sets(), 1U);
  rig_.clock.Advance(Millis(2000));
  EXPECT_NE(GetAt(1700000000)->snapshot, first->snapshot);
  EXPECT_FALSE(source_->Attempted());
}

TEST_F(CachedSourceTest, ThoseWhoAskForOnePastInstantShareItsQueries) {
  rig_.client().Hold();
  const Want want{Part::kGpus, WallTime(Millis(1700000000'000)), true};
  auto first = Start(want);
  auto second = Start(want);
  EXPECT_EQ(rig_.query_sets(), 1U);
  rig_.client().Release();
  EXPECT_EQ(Await(std::move(first))->snapshot, Await(std::move(second))->snapshot);
  EXPECT_EQ(rig_.query_sets(), 1U);
}

TEST_F(CachedSourceTest, PartsAndInstantsAreNotConfused) {
  EXPECT_EQ(GetAt(1700000000)->snapshot->as_of, 1700000000);
  EXPECT_EQ(GetAt(1700000001)->snapshot->as_of, 1700000001);
  EXPECT_EQ(GetAt(1700000000, Part::kProcesses)->snapshot->part, Part::kProcesses);
  EXPECT_EQ(rig_.client().call_count(), 2 * (2 + 8) + (2 + 5U));
}

TEST_F(CachedSourceTest, TooManyPastInstantsAtOnceAreRefused) {
  rig_.client().Hold();
  std::vector<std::future<Result<Got>>> under_way;
  for (int i = 0; i < 8; ++i) {
    under_way.push_back(Start({Part::kGpus, WallTime(Millis(1700000000'000 + i)), true}));
  }
  const auto refused = GetAt(1600000000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kOverloaded);
  EXPECT_EQ(refused.error().retry_after_s, 1);
  // One that is under way already costs nothing more.
  under_way.push_back(Start({Part::kGpus, WallTime(Millis(1700000000'000)), true}));
  rig_.client().Release();
  for (auto& future : under_way) EXPECT_TRUE(Await(std::move(future)));
  EXPECT_TRUE(GetAt(1600000000));
}

TEST_F(CachedSourceTest, PastInstantsDoNotHoldThePresentUp) {
  const auto before = Get();
  ASSERT_TRUE(before);
  rig_.clock.Advance(Millis(2000));
  rig_.client().Hold();
  std::vector<std::future<Result<Got>>> past;
  for (int i = 0; i < 4; ++i) {
    past.push_back(Start({Part::kGpus, WallTime(Millis(1700000000'000 + i)), true}));
  }
  EXPECT_EQ(rig_.query_sets(), 2U) << "one at a time";
  auto present = Start({});
  EXPECT_EQ(rig_.query_sets(), 3U);
  EXPECT_EQ(rig_.client().calls().back().start, rig_.upstream_clock.Now());
  rig_.client().Release();
  const auto got = Await(std::move(present));
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->stale);
  EXPECT_NE(got->snapshot, before->snapshot);
  for (auto& future : past) EXPECT_TRUE(Await(std::move(future)));
}

TEST_F(CachedSourceTest, APastInstantThatCannotBeAnsweredInTimeIsRefusedAtOnce) {
  ASSERT_TRUE(Get());
  rig_.client().Hold();
  auto first = Start({Part::kGpus, WallTime(Millis(1700000000'000)), true});
  rig_.clock.Advance(Millis(3000));
  rig_.client().Release();
  ASSERT_TRUE(Await(std::move(first)));
  rig_.client().Hold();
  std::vector<std::future<Result<Got>>> accepted;
  for (int i = 1; i <= 3; ++i) {
    accepted.push_back(Start({Part::kGpus, WallTime(Millis(1700000000'000 + i)), true}));
  }
  const std::size_t asked = rig_.client().call_count();
  const auto refused = GetAt(1600000000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kOverloaded);
  EXPECT_EQ(refused.error().retry_after_s, 1);
  EXPECT_EQ(rig_.client().call_count(), asked) << "no look for exporters either";
  rig_.client().Release();
  for (auto& future : accepted) EXPECT_TRUE(Await(std::move(future)));
  EXPECT_TRUE(GetAt(1600000000));
}

TEST_F(CachedSourceTest, KeepsTheNewestFewPastInstants) {
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(GetAt(1700000000 + i));
  EXPECT_EQ(rig_.query_sets(), 6U);
  for (int i = 2; i < 6; ++i) ASSERT_TRUE(GetAt(1700000000 + i));
  EXPECT_EQ(rig_.query_sets(), 6U);
  ASSERT_TRUE(GetAt(1700000000));
  EXPECT_EQ(rig_.query_sets(), 7U);
}

TEST_F(CachedSourceTest, FreesPastInstantsWhoseTimeIsOver) {
  std::weak_ptr<const models::Snapshot> kept;
  {
    const auto got = GetAt(1700000000);
    ASSERT_TRUE(got);
    kept = got->snapshot;
  }
  source_->DropExpired();
  EXPECT_FALSE(kept.expired());
  rig_.clock.Advance(Millis(2001));
  // The worker that answered may still be letting go of it.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!kept.expired() && std::chrono::steady_clock::now() < give_up) {
    source_->DropExpired();
    std::this_thread::yield();
  }
  EXPECT_TRUE(kept.expired());
}

TEST_F(CachedSourceTest, ErrorsAndPartsOfAPastInstantAreNotKept) {
  rig_.client().FailAll(Code::kUpstreamTimeout);
  const auto error = GetAt(1700000000);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code, Code::kUpstreamTimeout);
  rig_.client().FailAll(Code::kOk);
  rig_.client().SetError("nvidia_gpu_free_memory_bytes", Code::kUpstreamTimeout);
  EXPECT_TRUE(GetAt(1700000000)->snapshot->partial);
  rig_.client().ClearAnswers();
  rig_.SetGpus(1);
  EXPECT_FALSE(GetAt(1700000000)->snapshot->partial);
  EXPECT_EQ(rig_.query_sets(), 3U);
}

TEST_F(CachedSourceTest, APastInstantEndsWithTheRequestThatAskedForIt) {
  rig_.client().Hold();
  auto [done, future] = MakeCallback<Got>();
  source_->Get({Part::kGpus, WallTime(Millis(1700000000'000)), true}, rig_.In(Millis(700)), done);
  EXPECT_EQ(rig_.client().calls().back().deadline.at(), rig_.In(Millis(700)).at());
  rig_.client().Release();
  EXPECT_TRUE(Await(std::move(future)));
}

TEST_F(CachedSourceTest, ManyThreadsNeverSeeMoreThanTheTruth) {
  // The time of the query is in every value: a snapshot that mixes refreshes would show it.
  rig_.client().SetFunction([](const prom::FakePromClient::Call& call) {
    if (RefreshRig::AsksForTargetTimes(call)) return RefreshRig::NoTimes();
    return prom::FakePromClient::Answer(
        prom::MakeResult({{{{"gpu", "0"}, {"node", "a"}, {"pid", "1"}}, call.start - 1704110399}}));
  });
  std::atomic<int> answered = 0;
  std::atomic<int> mixed = 0;
  constexpr int kPerThread = 300;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPerThread; ++i) {
        Want want{i % 3 == 0 ? Part::kProcesses : Part::kGpus, std::nullopt, true};
        if (i % 7 == 0) want.at = WallTime(Millis(1704110400'000 + i % 14 * 1000));
        const auto got = Await(Start(want));
        if (got) {
          const auto& snapshot = *got->snapshot;
          const double value = snapshot.as_of - 1704110399;
          for (const auto& row : snapshot.gpus) {
            if (row.readings.Get(0) != value && value <= 100) ++mixed;
          }
          for (const auto& row : snapshot.processes) {
            if (row.readings.Get(0) != value) ++mixed;
          }
        }
        ++answered;
        if (t == 0) rig_.clock.Advance(Millis(100));
        static_cast<void>(source_->Age(Part::kGpus));
        static_cast<void>(source_->Rows(Part::kProcesses));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answered, 4 * kPerThread);
  EXPECT_EQ(mixed, 0);
  EXPECT_LT(rig_.query_sets(), 4U * kPerThread / 2);
  EXPECT_GT(refreshed_, 0);
}

}  // namespace
}  // namespace gpumon::gpu
