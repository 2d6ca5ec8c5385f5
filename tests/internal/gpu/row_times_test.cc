#include "internal/gpu/row_times.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/contest.h"
#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {
namespace {

using prom::FakeSample;
using prom::Labels;

prom::InstantVector Vector(const std::vector<FakeSample>& samples) {
  return prom::MakeInstantVector(samples);
}
Labels Target(const std::string& instance) {
  return {{"instance", instance}, {"job", "gpu"}};
}
FakeSample Shows(const std::string& instance, const std::string& t, double value = 1) {
  Labels labels = Target(instance);
  labels.emplace_back("t", t);
  return {labels, value};
}
void See(RowTimes& times, std::uint32_t row, const std::string& instance, std::size_t slot = 0) {
  const auto vector = Vector({{Target(instance), 1}});
  times.Saw(row, vector.labels(0), slot);
}
std::size_t KeyOf(const std::string& instance) {
  const auto vector = Vector({{Target(instance), 1}});
  return Contest::TargetOf(vector.labels(0));
}

TEST(RowTimesTest, ARowHasTheTimesOfTheTargetsThatFedIt) {
  RowTimes times;
  times.SetAsOf(1000);
  See(times, 0, "a");
  See(times, 1, "b");
  See(times, 1, "a");
  See(times, 1, "a");
  EXPECT_EQ(times.AddTargetTimes(
                Vector({Shows("a", "990.25"), Shows("a", "up", 990.25), Shows("b", "970"),
                        Shows("b", "up", 970), Shows("c", "1"), Shows("c", "up", 1)})),
            0U);
  EXPECT_EQ(times.Of(0).newest, 990.25);
  EXPECT_EQ(times.Of(0).oldest, 990.25);
  EXPECT_EQ(times.Of(1).newest, 990.25);
  EXPECT_EQ(times.Of(1).oldest, 970);
  EXPECT_TRUE(std::isnan(times.Of(2).newest)) << "of no target";
  EXPECT_FALSE(times.BringsItsOwn());
  EXPECT_EQ(times.NewestOf(1, KeyOf("b")), 970);
  EXPECT_TRUE(std::isinf(times.NewestOf(1, KeyOf("nobody"))));
}

TEST(RowTimesTest, WhatOnlyLostIsNoPartOfTheRow) {
  RowTimes times;
  times.SetAsOf(1000);
  See(times, 0, "old");
  See(times, 0, "old");
  See(times, 0, "new");
  times.AddTargetTimes(Vector({Shows("old", "900"), Shows("old", "up", 900), Shows("new", "990"),
                               Shows("new", "up", 990)}));
  times.Lost(0, KeyOf("old"));
  EXPECT_EQ(times.Of(0).oldest, 900) << "one of its two series still counts";
  times.Lost(0, KeyOf("old"));
  times.Lost(0, KeyOf("old"));
  EXPECT_EQ(times.Of(0).oldest, 990);
  std::set<std::pair<std::uint32_t, std::size_t>> fed;
  times.ForEach(
      [&](std::uint32_t row, std::size_t target, std::uint64_t) { fed.emplace(row, target); });
  const std::set<std::pair<std::uint32_t, std::size_t>> expected = {{0, KeyOf("new")}};
  EXPECT_EQ(fed, expected);
}

TEST(RowTimesTest, ATargetOfWhichNoMarkIsSeenWasScrapedWithItsUp) {
  RowTimes times;
  times.SetAsOf(1000);
  See(times, 0, "a");
  times.AddTargetTimes(Vector({Shows("a", "up", 980)}));
  EXPECT_EQ(times.Of(0).newest, 980);
  EXPECT_FALSE(times.BringsItsOwn());
}

TEST(RowTimesTest, ATargetHasTheFieldsThatItShowedOfAnyRow) {
  RowTimes times;
  See(times, 0, "a", 3);
  See(times, 1, "a", 5);
  See(times, 1, "b", 3);
  std::map<std::size_t, std::uint64_t> fields;
  times.ForEach(
      [&](std::uint32_t, std::size_t target, std::uint64_t its) { fields[target] = its; });
  const std::map<std::size_t, std::uint64_t> expected = {{KeyOf("a"), 8 + 32}, {KeyOf("b"), 8}};
  EXPECT_EQ(fields, expected);
}

TEST(RowTimesTest, TimesOfATargetThatBringsItsOwnAreNoSeriesTimes) {
  RowTimes times;
  times.SetAsOf(1000);
  See(times, 0, "a");
  See(times, 1, "a");
  times.AddTargetTimes(Vector({Shows("a", "700"), Shows("a", "990"), Shows("a", "up", 990)}));
  EXPECT_TRUE(std::isnan(times.Of(0).newest));
  EXPECT_TRUE(std::isinf(times.NewestOf(0, KeyOf("a")))) << "no conflict is decided by it";
  times.AddSeriesTime(0, KeyOf("a"), 1, 700);
  times.Gather();
  EXPECT_EQ(times.Of(0).newest, 700);
  EXPECT_TRUE(std::isnan(times.Of(1).newest));
}

TEST(RowTimesTest, OtherTimesThanThatOfUpAreBroughtAlong) {
  const std::vector<std::vector<FakeSample>> brought = {
      {Shows("a", "980"), Shows("a", "990"), Shows("a", "up", 990)},
      {Shows("a", "980"), Shows("a", "up", 990)},
      {Shows("a", "980")},
      {Shows("a", "-1"), Shows("a", "up", 990)},
  };
  for (const auto& shown : brought) {
    RowTimes times;
    times.SetAsOf(1000);
    times.AddTargetTimes(Vector(shown));
    EXPECT_TRUE(times.BringsItsOwn()) << testing::PrintToString(shown.size());
  }
}

TEST(RowTimesTest, ATimeThatCannotBeIsNone) {
  for (const char* const wrong : {"-5", "90000000", "x", ""}) {
    RowTimes times;
    times.SetAsOf(1000);
    See(times, 0, "a");
    EXPECT_EQ(times.AddTargetTimes(Vector({Shows("a", wrong)})), 1U) << wrong;
    EXPECT_TRUE(std::isnan(times.Of(0).newest)) << wrong;
    EXPECT_TRUE(times.Of(0).bad);
  }
  RowTimes times;
  times.SetAsOf(1000);
  See(times, 0, "a");
  EXPECT_FALSE(times.AddSeriesTime(0, KeyOf("a"), 1, std::nan("")));
  EXPECT_TRUE(times.AddSeriesTime(0, KeyOf("a"), 2, 900));
  EXPECT_TRUE(times.AddSeriesTime(0, KeyOf("a"), 3, 700));
  EXPECT_TRUE(times.AddSeriesTime(0, KeyOf("a"), 4, 300));
  times.LostSeries(4);
  times.Gather();
  EXPECT_EQ(times.Of(0).newest, 900);
  EXPECT_EQ(times.Of(0).oldest, 700);
  EXPECT_TRUE(times.Of(0).bad);
}

}  // namespace
}  // namespace gpumon::gpu
