#include "internal/gpu/range_gaps.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "internal/gpu/range_series.h"
#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {
namespace {

// What timestamp() says each `step` of samples taken at these times, for five minutes after each.
std::vector<prom::Point> TimesAt(const std::vector<double>& samples, double step, double end) {
  std::vector<prom::Point> points;
  for (double at = 0; at <= end; at += step) {
    double newest = -1;
    for (const double sample : samples) {
      if (sample <= at) newest = sample;
    }
    if (newest >= 0 && at - newest < kLookBack) points.push_back({at, newest});
  }
  return points;
}

std::vector<double> Each(double every, double begin, double end) {
  std::vector<double> times;
  for (double at = begin; at < end; at += every) times.push_back(at);
  return times;
}

std::vector<double> operator+(std::vector<double> one, const std::vector<double>& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

const prom::Labels kLabels = {{"gpu", "0"}, {"instance", "x"}, {"job", "g"}};

std::vector<RangeGaps::Span> Found(const prom::RangeVector& times, double step,
                                   std::size_t series = 0) {
  const RangeGaps gaps(times, step, {{"pod"}, {}, {}});
  const auto found = gaps.Of(times.labels(series)).gaps;
  return {found.begin(), found.end()};
}

// "begin-end" of each gap.
std::string GapsOf(const std::vector<double>& samples, double step, double end) {
  const auto times = prom::MakeRangeVector({{kLabels, TimesAt(samples, step, end)}});
  std::string text;
  for (const RangeGaps::Span& gap : Found(times, step)) {
    text += std::to_string(static_cast<int>(gap.begin)) + '-' +
            (gap.end > 1e9 ? "" : std::to_string(static_cast<int>(gap.end))) + ' ';
  }
  return text;
}

TEST(RangeGapsTest, AGapBeginsWhereTheNextSampleWasDue) {
  EXPECT_EQ(GapsOf(Each(15, 0, 600) + Each(15, 840, 1800), 15, 1800), "600-840 ");
  EXPECT_EQ(GapsOf(Each(120, 0, 600) + Each(120, 1320, 2400), 15, 2400), "600-1320 ");
}

TEST(RangeGapsTest, WhereStepsAreLongerASampleCountsForOne) {
  EXPECT_EQ(GapsOf(Each(15, 0, 600) + Each(15, 840, 1800), 60, 1800), "645-840 ");
  EXPECT_EQ(GapsOf(Each(60, 5, 600) + Each(60, 845, 1800), 60, 1800), "605-845 ");
}

TEST(RangeGapsTest, ScrapesThatAreNotInStepWithTheWindowHaveNone) {
  for (const double every : {7.0, 14.0, 15.0, 29.0, 30.0, 61.0, 240.0}) {
    for (const double step : {15.0, 16.0, 25.0, 60.0}) {
      const auto times =
          prom::MakeRangeVector({{kLabels, TimesAt(Each(every, 3, 3600), step, 3600)}});
      for (double at = 0; at <= 3600; at += step) {
        for (const RangeGaps::Span& gap : Found(times, step)) {
          EXPECT_FALSE(gap.begin <= at && at < gap.end)
              << every << " each " << step << " at " << at;
        }
      }
    }
  }
}

TEST(RangeGapsTest, TheEndOfASeriesThatNothingMarksIsOne) {
  EXPECT_EQ(GapsOf(Each(15, 0, 600), 15, 1800), "600- ");
}

TEST(RangeGapsTest, OneSampleLastsAsLongAsThoseOfItsJobOrAMinute) {
  EXPECT_EQ(GapsOf({30}, 15, 1800), "90- ");
  EXPECT_EQ(GapsOf({30}, 120, 1800), "150- ");
  EXPECT_EQ(GapsOf({-40}, 15, 45), "") << "the next may come";
  const prom::Labels elsewhere = {{"gpu", "1"}, {"instance", "y"}, {"job", "g"}};
  const auto of_job = prom::MakeRangeVector(
      {{kLabels, TimesAt({30}, 15, 1800)}, {elsewhere, TimesAt(Each(20, 0, 1800), 15, 1800)}});
  ASSERT_EQ(Found(of_job, 15).size(), 1U);
  EXPECT_EQ(Found(of_job, 15)[0].begin, 50);
}

TEST(RangeGapsTest, OneSampleHasTheIntervalOfItsTarget) {
  const prom::Labels other = {{"gpu", "1"}, {"instance", "x"}, {"job", "g"}};
  const auto times = prom::MakeRangeVector(
      {{kLabels, TimesAt({30}, 15, 1800)}, {other, TimesAt(Each(15, 0, 1800), 15, 1800)}});
  ASSERT_EQ(Found(times, 15).size(), 1U);
  EXPECT_EQ(Found(times, 15)[0].begin, 45);
  EXPECT_TRUE(Found(times, 15, 1).empty());
}

TEST(RangeGapsTest, WhoHoldsAGpuMakesNone) {
  prom::Labels held = kLabels;
  held.emplace_back("pod", "a");
  const auto times = prom::MakeRangeVector(
      {{kLabels, TimesAt(Each(15, 0, 600), 15, 1800)},
       {held, TimesAt(Each(15, 600, 1200) + Each(15, 1500, 1800), 15, 1800)}});
  for (const std::size_t series : {0U, 1U}) {
    const auto gaps = Found(times, 15, series);
    ASSERT_EQ(gaps.size(), 1U);
    EXPECT_EQ(gaps[0].begin, 1200);
    EXPECT_EQ(gaps[0].end, 1500);
  }
}

// "begin-end" of what is older than another one of the group.
std::string OlderOf(const RangeGaps& gaps, prom::LabelSet labels) {
  std::string text = gaps.Of(labels).is_known ? "" : "unknown";
  for (const RangeGaps::Span& span : gaps.Of(labels).older) {
    text += std::to_string(static_cast<int>(span.begin)) + '-' +
            (span.end > 1e9 ? "" : std::to_string(static_cast<int>(span.end))) + ' ';
  }
  return text;
}

TEST(RangeGapsTest, OfSeveralHoldersThoseCountThatWereSampledLast) {
  prom::Labels held = kLabels;
  held.emplace_back("pod", "a");
  prom::Labels too = kLabels;
  too.emplace_back("pod", "b");
  const auto times = prom::MakeRangeVector(
      {{kLabels, TimesAt(Each(15, 0, 300) + Each(15, 500 + 10, 900), 15, 900)},
       {held, TimesAt(Each(15, 300, 510), 15, 900)},
       {too, TimesAt(Each(15, 405, 510), 15, 900)}});
  const RangeGaps gaps(times, 15, {{"pod"}, {}, {}});
  EXPECT_EQ(OlderOf(gaps, times.labels(0)), "300-510 ");
  EXPECT_EQ(OlderOf(gaps, times.labels(1)), "510- ");
  EXPECT_EQ(OlderOf(gaps, times.labels(2)), "510- ") << "they shared it";
  EXPECT_EQ(Found(times, 15).size(), 0U);
}

TEST(RangeGapsTest, WhatWasNotSampledIsLeftOutMeanwhileAndNothingElse) {
  prom::Labels timed = kLabels;
  timed.insert(timed.begin(), {"__series__", "busy"});
  const auto gaps = std::make_shared<const RangeGaps>(
      prom::MakeRangeVector({{timed, TimesAt(Each(15, 0, 60) + Each(15, 120, 300), 15, 300)}}), 15,
      Passing());
  prom::Labels busy = kLabels;
  busy.insert(busy.begin(), {"__name__", "busy"});
  prom::Labels power = kLabels;
  power.insert(power.begin(), {"__name__", "power"});
  std::vector<prom::Point> values;
  for (double at = 0; at <= 300; at += 15) values.push_back({at, 5});
  RangeSteps steps(prom::MakeRangeVector({{busy, values}, {power, values}}), 15, {}, gaps);
  for (double at = 0; at <= 300; at += 15) {
    EXPECT_EQ(steps.At(at).size(), at >= 60 && at < 120 ? 1U : 2U) << at;
  }
}

}  // namespace
}  // namespace gpumon::gpu
