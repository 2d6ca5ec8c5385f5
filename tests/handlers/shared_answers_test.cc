#include "handlers/shared_answers.h"

#include <gtest/gtest.h>

#include "tests/fakes/clock/fake_clock.h"

namespace gpumon::handlers {
namespace {

class SharedAnswersTest : public testing::Test {
 protected:
  using Answers = SharedAnswers<int>;

  void Make(SharingOptions options) {
    answers_ = std::make_unique<Answers>(
        clock_, options, [this](const std::string& question, Deadline deadline, auto got) {
          asked_.push_back(question);
          deadline_ = deadline;
          waiting_.push_back(std::move(got));
        });
  }
  // What somebody who asks now is told: "" nothing yet.
  std::shared_ptr<std::string> Ask(const std::string& question = "q", bool allow_stale = true) {
    auto said = std::make_shared<std::string>();
    answers_->Get(question, allow_stale, [said](const Answers::Answer& answer) {
      EXPECT_EQ(*said, "") << "told twice";
      *said = answer ? std::to_string(*answer->value) + (answer->stale ? " stale" : "")
                     : std::string(answer.error().wire_name());
    });
    return said;
  }
  void Tell(Result<int> result) {
    ASSERT_FALSE(waiting_.empty());
    const auto got = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    got(std::move(result));
  }

  FakeClock clock_;
  std::vector<std::string> asked_;
  std::optional<Deadline> deadline_;
  std::vector<std::function<void(Result<int>)>> waiting_;
  std::unique_ptr<Answers> answers_;
};

const Status kAway{Code::kUpstreamUnreachable, "away"};

TEST_F(SharedAnswersTest, ManyWhoAskAtOnceAreOneQuestion) {
  Make({});
  const auto first = Ask();
  const auto second = Ask();
  EXPECT_EQ(asked_.size(), 1U);
  EXPECT_EQ(*first, "");
  Tell(7);
  EXPECT_EQ(*first, "7");
  EXPECT_EQ(*second, "7");
  EXPECT_EQ(deadline_->at() - clock_.Steady(), Millis(9000));
}

TEST_F(SharedAnswersTest, AnAnswerServesForTheTtlAndEachQuestionHasItsOwn) {
  Make({});
  Ask();
  Tell(7);
  clock_.Advance(Millis(1999));
  EXPECT_EQ(*Ask(), "7");
  EXPECT_EQ(asked_.size(), 1U);
  EXPECT_EQ(*Ask("other"), "");
  clock_.Advance(Millis(1));
  EXPECT_EQ(*Ask(), "");
  EXPECT_EQ(asked_, (std::vector<std::string>{"q", "other", "q"}));
}

TEST_F(SharedAnswersTest, WithoutATtlOnlyWhatIsUnderWayIsShared) {
  Make({.ttl = Millis(0)});
  Ask();
  Ask();
  Tell(7);
  EXPECT_EQ(*Ask(), "");
  EXPECT_EQ(asked_.size(), 2U);
}

TEST_F(SharedAnswersTest, WhenTheOtherSideFailsTheLastGoodAnswerIsStale) {
  Make({});
  Ask();
  Tell(7);
  clock_.Advance(Millis(5000));
  const auto may = Ask();
  const auto must_not = Ask("q", false);
  Tell(Error(kAway));
  EXPECT_EQ(*may, "7 stale");
  EXPECT_EQ(*must_not, "upstream_unreachable");
  // The failure is remembered for a second: a host that is away is not asked by everybody.
  clock_.Advance(Millis(999));
  EXPECT_EQ(*Ask(), "7 stale");
  EXPECT_EQ(asked_.size(), 2U);
  clock_.Advance(Millis(30'000));
  const auto late = Ask();
  Tell(Error(kAway));
  EXPECT_EQ(*late, "upstream_unreachable") << "older than max_stale";
}

TEST_F(SharedAnswersTest, WhatTheOtherSideSaysOfTheQuestionIsNeverHiddenByAStaleAnswer) {
  Make({});
  Ask();
  Tell(7);
  clock_.Advance(Millis(5000));
  const auto gone = Ask();
  Tell(Error(Code::kNotFound, "no such task"));
  EXPECT_EQ(*gone, "not_found");
}

TEST_F(SharedAnswersTest, TheOldestQuestionIsForgottenButNoneThatIsUnderWay) {
  Make({.most = 2});
  Ask("a");
  Tell(1);
  clock_.Advance(Millis(1));
  Ask("b");
  Tell(2);
  clock_.Advance(Millis(1));
  Ask("c");
  EXPECT_EQ(*Ask("b"), "2");
  Ask("d");
  EXPECT_EQ(asked_, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(*Ask("e"), "overloaded") << "two are under way";
  Tell(3);
  EXPECT_EQ(*Ask("e"), "") << "one has ended";
}

TEST_F(SharedAnswersTest, AQuestionMayOutliveThoseWhoAskedForIt) {
  Make({});
  const auto said = Ask();
  answers_.reset();
  Tell(7);
  EXPECT_EQ(*said, "7");
}

}  // namespace
}  // namespace gpumon::handlers
