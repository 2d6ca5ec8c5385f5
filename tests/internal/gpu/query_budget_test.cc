#include "internal/gpu/query_budget.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/fakes/clock/fake_clock.h"

namespace gpumon::gpu {
namespace {

using Of = QueryBudget::Of;

class QueryBudgetTest : public testing::Test {
 protected:
  void Limit(std::size_t queries) { budget_ = std::make_unique<QueryBudget>(queries, clock_); }
  void SetUp() override { Limit(16); }

  void Acquire(char name, std::size_t queries, Of of, Millis left = Millis(9000)) {
    budget_->Acquire(queries, of, Deadline::After(clock_, left),
                     [this, name](std::optional<QueryBudget::Turn> turn) {
                       log_ += turn ? std::string{name} : std::string{'!', name};
                       if (turn) turns_[name] = *turn;
                     });
  }
  void Present(char name, std::size_t queries = 7) { Acquire(name, queries, Of::kPresent); }
  void Past(char name, std::size_t queries = 7, Millis left = Millis(9000)) {
    Acquire(name, queries, Of::kPast, left);
  }
  void Release(char name) { budget_->Release(turns_.at(name)); }
  void Release(char name, std::size_t queries) {
    budget_->Release({queries, turns_.at(name).past});
  }
  void SawPast(Millis took) { budget_->SawPast(took); }
  // Who has started since, in order; `!` before those who were refused.
  std::string Started() { return std::exchange(log_, {}); }

  FakeClock clock_;

 private:
  std::unique_ptr<QueryBudget> budget_;
  std::string log_;
  std::map<char, QueryBudget::Turn> turns_;
};

TEST_F(QueryBudgetTest, SetsStartWhileTheyFitAndNeverInParts) {
  Present('a');
  Present('b');
  Present('c');
  EXPECT_EQ(Started(), "ab");
  Release('a');
  EXPECT_EQ(Started(), "c");
}

TEST_F(QueryBudgetTest, ASetLargerThanTheBudgetRunsAlone) {
  Limit(4);
  Present('a');
  Present('b', 1);
  EXPECT_EQ(Started(), "a");
  Release('a');
  EXPECT_EQ(Started(), "b");
}

TEST_F(QueryBudgetTest, ASmallSetDoesNotOvertakeALargeOne) {
  Limit(8);
  Present('a', 5);
  Present('b', 7);
  Present('c', 1);
  EXPECT_EQ(Started(), "a");
  Release('a');
  EXPECT_EQ(Started(), "bc");
}

TEST_F(QueryBudgetTest, PastSetsLeaveRoomForOneOfThePresent) {
  Present('a');
  Release('a');
  for (const char name : {'p', 'q', 'r'}) Past(name);
  EXPECT_EQ(Started(), "ap");
  Present('b');
  EXPECT_EQ(Started(), "b") << "it waits for nobody";
  Release('p');
  EXPECT_EQ(Started(), "q");
  Release('b');
  EXPECT_EQ(Started(), "") << "the next one of the present would have to wait";
}

TEST_F(QueryBudgetTest, WhereNobodyLooksAtThePresentPastSetsHaveItAll) {
  Present('a');
  Release('a');
  clock_.Advance(Millis(60'000));
  for (const char name : {'p', 'q', 'r'}) Past(name);
  EXPECT_EQ(Started(), "apq");
}

TEST_F(QueryBudgetTest, ThePresentGoesBeforePastSetsThatWait) {
  Limit(4);
  Past('p');
  Past('q');
  Present('a');
  Present('b');
  EXPECT_EQ(Started(), "p");
  Release('p');
  EXPECT_EQ(Started(), "a");
  Release('a');
  EXPECT_EQ(Started(), "b");
  Release('b');
  EXPECT_EQ(Started(), "q");
}

TEST_F(QueryBudgetTest, PastSetsAreNotStarvedByAPresentThatLeavesRoom) {
  Limit(12);
  Present('a');
  Past('p', 5);
  EXPECT_EQ(Started(), "ap") << "one fits, though the next of the present may have to wait";
  Past('q', 5);
  Present('b', 1);
  EXPECT_EQ(Started(), "");
  Release('a');
  EXPECT_EQ(Started(), "b");
  Release('p');
  EXPECT_EQ(Started(), "q");
}

TEST_F(QueryBudgetTest, AFewThatHangOfAPastSetHoldUpNoOther) {
  Limit(16);
  Present('a', 10);
  Release('a');
  Past('p', 10);
  Past('q', 5);
  EXPECT_EQ(Started(), "ap") << "six are left beside the present";
  Release('p', 9);
  EXPECT_EQ(Started(), "q") << "one hangs";
  Past('r', 10);
  EXPECT_EQ(Started(), "") << "one at a time beside it";
  Release('q', 5);
  EXPECT_EQ(Started(), "r");
}

TEST_F(QueryBudgetTest, ASetThatTakesNoRoomWaitsItsTurn) {
  Limit(7);
  Past('p');
  Past('o', 0);
  Past('q');
  Past('r', 0);
  EXPECT_EQ(Started(), "po");
  Release('p');
  EXPECT_EQ(Started(), "qr");
}

TEST_F(QueryBudgetTest, APastSetThatCannotEndInTimeIsRefusedAtOnce) {
  Present('a');
  Release('a');
  Past('p');
  Release('p');
  SawPast(Millis(3000));
  for (const char name : {'q', 'r', 's', 't'}) Past(name);
  EXPECT_EQ(Started(), "apq!t") << "four times three seconds are more than nine";
  Past('u', 7, Millis(5000));
  EXPECT_EQ(Started(), "!u");
  Present('b');
  EXPECT_EQ(Started(), "b") << "the present is never refused";
}

TEST_F(QueryBudgetTest, APastSetThatHasWaitedTooLongIsRefusedBeforeItsTurn) {
  Limit(7);
  Past('p');
  Past('q');
  Past('r');
  clock_.Advance(Millis(5000));
  SawPast(Millis(5000));
  Release('p');
  EXPECT_EQ(Started(), "p!q!r") << "four seconds are left";
}

TEST_F(QueryBudgetTest, AfterASetThatTookAllItsTimeTheNextOneMayTry) {
  Limit(7);
  SawPast(Millis(9000));
  Past('q');
  EXPECT_EQ(Started(), "q");
  Past('r');
  EXPECT_EQ(Started(), "!r");
  Release('q');
  SawPast(Millis(0));
  Past('s');
  Past('t');
  EXPECT_EQ(Started(), "s");
  Release('s');
  EXPECT_EQ(Started(), "t");
}

TEST_F(QueryBudgetTest, WhatAPastSetTookLongAgoSaysNothing) {
  Limit(7);
  SawPast(Millis(9000));
  clock_.Advance(Millis(10'000));
  Past('q');
  Past('r');
  EXPECT_EQ(Started(), "q") << "and r waits";
  Release('q');
  EXPECT_EQ(Started(), "r");
}

TEST_F(QueryBudgetTest, ASetThatGoesOnWaitsForNoOtherPastOne) {
  Limit(7);
  Past('p');
  clock_.Advance(Millis(4000));
  Past('q');
  Acquire('o', 7, Of::kPastToo, Millis(1));
  Release('p');
  EXPECT_EQ(Started(), "po");
  Release('o');
  EXPECT_EQ(Started(), "q");
}

}  // namespace
}  // namespace gpumon::gpu
