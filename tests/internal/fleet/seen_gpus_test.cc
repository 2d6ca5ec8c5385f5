#include "internal/fleet/seen_gpus.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <initializer_list>
#include <string>

namespace gpumon::fleet {
namespace {

using models::Text;

struct Row {
  const char* node;
  const char* id;
  const char* uuid;
};

models::Snapshot At(double as_of, std::initializer_list<Row> rows) {
  models::Snapshot snapshot;
  snapshot.as_of = as_of;
  for (const Row& row : rows) {
    auto& gpu = snapshot.gpus.emplace_back();
    gpu.set_text(Text::kNode, row.node);
    gpu.set_text(Text::kGpuId, row.id);
    gpu.set_text(Text::kUuid, row.uuid);
  }
  return snapshot;
}

class SeenGpusTest : public testing::Test {
 protected:
  // "node/id@seen" of each that is gone.
  std::string Look(double as_of, std::initializer_list<Row> rows) {
    std::string text;
    for (const auto& gone : seen_.Look(At(as_of, rows))) {
      EXPECT_GT(gone.missed, gone.seen);
      text += gone.node + "/" + gone.gpu_id + "@" + std::to_string(std::lround(gone.seen)) + " ";
    }
    return text;
  }

  SeenGpus seen_;
};

TEST_F(SeenGpusTest, OneThatIsNotShownAnyMoreIsGoneUntilItReturns) {
  EXPECT_EQ(Look(1000, {{"a", "0", "G0"}, {"a", "1", "G1"}, {"b", "0", "G2"}}), "");
  EXPECT_EQ(Look(1010, {{"a", "0", "G0"}, {"b", "0", "G2"}}), "a/1@1000 ");
  EXPECT_EQ(Look(1010, {{"a", "0", "G0"}, {"b", "0", "G2"}}), "a/1@1000 ") << "the same snapshot";
  EXPECT_EQ(Look(1005, {{"a", "0", "G0"}, {"b", "0", "G2"}}), "a/1@1000 ") << "an older one";
  EXPECT_EQ(Look(1020, {{"b", "0", "G2"}}), "a/1@1000 a/0@1010 ");
  EXPECT_EQ(Look(1030, {{"a", "0", "G0"}, {"a", "1", "G1"}, {"b", "0", "G2"}}), "");
  EXPECT_EQ(Look(1030 + 25 * 3600, {{"b", "0", "G2"}}), "") << "a day later nobody waits";
}

TEST_F(SeenGpusTest, SinceWhenIsKnownWhereLooksAreNear) {
  const auto since = [&](double as_of, std::initializer_list<Row> rows) {
    const auto gone = seen_.Look(At(as_of, rows));
    return gone.size() == 1 ? gone.front().since : std::nullopt;
  };
  auto first = At(1000, {{"a", "0", "G0"}, {"a", "1", "G1"}});
  first.gpus[1].newest = 993;
  seen_.Look(first);
  EXPECT_EQ(since(1060, {{"a", "0", "G0"}}), 993) << "its newest sample";
  EXPECT_EQ(since(9000, {{"a", "0", "G0"}}), 993) << "whoever looks later";
  EXPECT_EQ(since(9001, {{"a", "0", "G0"}, {"a", "1", "G1"}}), std::nullopt) << "it is there";
  EXPECT_EQ(since(9062, {{"a", "0", "G0"}}), std::nullopt) << "nobody looked for a minute";
}

TEST_F(SeenGpusTest, StepsOfThePastTellSinceWhen) {
  seen_.Learn(At(1000, {{"a", "0", "G0"}, {"a", "1", "G1"}, {"a", "2", "G2"}}));
  ASSERT_EQ(seen_.Look(At(4600, {{"a", "0", "G0"}})).size(), 2U);
  for (const auto& gone : seen_.Look(At(4600, {{"a", "0", "G0"}}))) {
    EXPECT_EQ(gone.since, std::nullopt) << "an hour lies between";
  }
  for (double at = 1000; at <= 4600; at += 120) {
    auto past = At(at, {{"a", "0", "G0"}});
    // Of the other one the steps do not tell.
    if (at < 3000) past = At(at, {{"a", "0", "G0"}, {"a", "1", "G1"}});
    for (auto& gpu : past.gpus) gpu.newest = at - 7;
    seen_.LearnStep(past, 120);
  }
  const auto gone = seen_.Look(At(4605, {{"a", "0", "G0"}}));
  ASSERT_EQ(gone.size(), 2U);
  EXPECT_EQ(gone[0].gpu_id, "2");
  EXPECT_EQ(gone[0].since, std::nullopt);
  EXPECT_EQ(gone[1].since, 2913);
  EXPECT_EQ(gone[1].missed, 3040);
}

TEST_F(SeenGpusTest, TheFirstLookWithoutItStaysTheSameUntilItReturns) {
  const auto missed = [&](double as_of, std::initializer_list<Row> rows) {
    const auto gone = seen_.Look(At(as_of, rows));
    return gone.empty() ? 0 : gone.front().missed;
  };
  EXPECT_EQ(missed(1000, {{"a", "0", "G0"}, {"a", "1", "G1"}}), 0);
  EXPECT_EQ(missed(1010, {{"a", "0", "G0"}}), 1010);
  EXPECT_EQ(missed(1020, {{"a", "0", "G0"}}), 1010);
  EXPECT_EQ(missed(1030, {{"a", "0", "G0"}, {"a", "1", "G1"}}), 0);
  EXPECT_EQ(missed(1040, {{"a", "0", "G0"}}), 1040);
}

TEST_F(SeenGpusTest, OneThatMovedOrHasAnotherNameIsNotGone) {
  Look(1000, {{"a", "0", "G0"}, {"a", "1", ""}, {"a", "2", "G2"}});
  EXPECT_EQ(Look(1010, {{"b", "7", "G0"}, {"a", "1", "G1"}, {"a", "2", ""}}), "");
}

TEST_F(SeenGpusTest, OneForWhichAnotherCameWasReplaced) {
  Look(1000, {{"a", "0", "G0"}, {"a", "1", "G1"}, {"a", "2", "G2"}});
  EXPECT_EQ(Look(1010, {{"a", "0", "G0"}}), "a/1@1000 a/2@1000 ");
  EXPECT_EQ(Look(1020, {{"a", "0", "G0"}, {"a", "1", "G9"}}), "a/2@1000 ");
}

TEST_F(SeenGpusTest, ANewcomerReplacesOneAndOnlyOnce) {
  Look(1000, {{"a", "0", "G0"}, {"a", "1", "G1"}, {"a", "2", "G2"}});
  Look(1010, {{"a", "0", "G0"}, {"a", "1", "G1"}});
  EXPECT_EQ(Look(1020, {{"b", "0", "G9"}}), "a/2@1000 a/0@1010 a/1@1010 ");
  for (const double time : {1030, 1040, 1050}) {
    EXPECT_EQ(Look(time, {{"a", "5", "G5"}, {"b", "0", "G9"}}), "a/0@1010 a/1@1010 ");
  }
  // One that moves here is a newcomer too.
  for (const double time : {1060, 1070, 1080}) {
    EXPECT_EQ(Look(time, {{"a", "5", "G5"}, {"a", "6", "G9"}}), "a/1@1010 ");
  }
}

// Nobody saw the others come: they may have been away an hour ago.
TEST_F(SeenGpusTest, OfThePastOnlyOneWithItsIdReplacesAGpu) {
  seen_.Learn(At(1000, {{"a", "0", "G0"}, {"a", "1", "G1"}, {"a", "2", "G2"}}));
  EXPECT_EQ(Look(4600, {{"a", "0", "G0"}, {"a", "3", "G3"}, {"a", "2", "G9"}}), "a/1@1000 ");
  EXPECT_EQ(Look(4610, {{"a", "0", "G0"}, {"a", "3", "G3"}, {"a", "2", "G9"}}), "a/1@1000 ");
}

TEST_F(SeenGpusTest, OneThatMovedIsGoneFromWhereItWasShownLast) {
  seen_.Learn(At(1000, {{"a", "0", "G0"}, {"a", "1", "G1"}, {"a", "2", "G2"}}));
  EXPECT_EQ(Look(4600, {{"b", "1", "G9"}}), "a/0@1000 a/1@1000 a/2@1000 ");
  seen_.Follow({"G0", "G1", "G2"}, 2000, At(0, {{"b", "7", "G0"}, {"b", "1", "G1"}}));
  seen_.Follow({"G0", "G1", "G2"}, 3000, At(0, {{"c", "7", "G0"}, {"b", "5", "G5"}}));
  EXPECT_EQ(Look(4600, {{"b", "1", "G9"}}), "a/2@1000 c/7@3000 ")
      << "one was replaced where it went; of others nobody asked";
}

TEST_F(SeenGpusTest, WhatWasThereBeforeTheFirstLookIsLearnedOnce) {
  const SteadyTime now{};
  EXPECT_EQ(Look(5000, {{"a", "0", "G0"}}), "");
  EXPECT_TRUE(seen_.WantsPast(now));
  EXPECT_FALSE(seen_.WantsPast(now + std::chrono::seconds(30)));
  EXPECT_TRUE(seen_.WantsPast(now + std::chrono::seconds(61))) << "it failed";
  seen_.Learn(At(1400, {{"a", "0", "G0"}, {"a", "1", "G1"}}));
  EXPECT_FALSE(seen_.WantsPast(now + std::chrono::hours(1)));
  EXPECT_EQ(Look(5000, {{"a", "0", "G0"}}), "a/1@1400 ");
  EXPECT_EQ(Look(5010, {{"a", "0", "G0"}, {"a", "1", "G1"}}), "");
}

}  // namespace
}  // namespace gpumon::fleet
