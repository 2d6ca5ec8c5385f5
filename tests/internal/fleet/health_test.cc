#include "internal/fleet/health.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace gpumon::fleet {
namespace {

using models::GpuMetrics;
using models::Quantity;

using Readings = std::vector<std::pair<Quantity, double>>;

GpuMetrics Gpu(const Readings& readings) {
  GpuMetrics gpu;
  for (const auto& [quantity, value] : readings) {
    gpu.readings.Set(static_cast<std::size_t>(quantity), value);
  }
  return gpu;
}

// Of all that a score comes from.
GpuMetrics Gpu(double temperature, double utilization, double memory, bool throttled = false,
               double ecc = 0) {
  return Gpu({{Quantity::kTemperature, temperature},
              {Quantity::kUtilization, utilization},
              {Quantity::kMemoryUsedPercent, memory},
              {Quantity::kThrottleReasons, throttled ? 0x20 : 0},
              {Quantity::kEccUncorrectedVolatile, ecc}});
}

Health Of(const GpuMetrics& gpu, const std::string& rules = "") {
  return Assess(gpu, ParseHealthRules(rules).value());
}

double Score(const GpuMetrics& gpu) {
  return Of(gpu).score.value_or(-1) / 100;
}

Level LevelOfComponent(const Health& health, Component component) {
  return health.components[static_cast<std::size_t>(component)];
}

// The vectors of Flow's health monitoring, its thresholds read as strict.
TEST(HealthTest, FactorsMultiply) {
  EXPECT_DOUBLE_EQ(Score(Gpu(65, 70, 50)), 1);
  EXPECT_DOUBLE_EQ(Score(Gpu(45, 0, 1)), 0.9);
  EXPECT_DOUBLE_EQ(Score(Gpu(50, 50, 50, true)), 0.7);
  EXPECT_DOUBLE_EQ(Score(Gpu(50, 50, 50, false, 1)), 0.6);
  EXPECT_DOUBLE_EQ(Score(Gpu(90, 99, 99, true, 3)), 0.5 * 0.95 * 0.8 * 0.7 * 0.6);
}

TEST(HealthTest, ThresholdsAreStrict) {
  EXPECT_DOUBLE_EQ(Score(Gpu(75, 50, 50)), 1);
  EXPECT_DOUBLE_EQ(Score(Gpu(75.1, 50, 50)), 0.8);
  EXPECT_DOUBLE_EQ(Score(Gpu(85, 50, 50)), 0.8);
  EXPECT_DOUBLE_EQ(Score(Gpu(85.1, 50, 50)), 0.5);
  EXPECT_DOUBLE_EQ(Score(Gpu(50, 9.9, 50)), 0.9);
  EXPECT_DOUBLE_EQ(Score(Gpu(50, 10, 50)), 1);
  EXPECT_DOUBLE_EQ(Score(Gpu(50, 95, 50)), 1);
  EXPECT_DOUBLE_EQ(Score(Gpu(50, 95.1, 50)), 0.95);
  EXPECT_DOUBLE_EQ(Score(Gpu(50, 50, 90)), 1);
  EXPECT_DOUBLE_EQ(Score(Gpu(50, 50, 90.1)), 0.9);
  EXPECT_DOUBLE_EQ(Score(Gpu(50, 50, 95)), 0.9);
  EXPECT_DOUBLE_EQ(Score(Gpu(50, 50, 95.1)), 0.8);
}

TEST(HealthTest, LevelsHaveATolerance) {
  Average eight;
  for (int i = 0; i < 8; ++i) eight.Add(Of(Gpu(76, 50, 50)));
  EXPECT_EQ(eight.Of({}).level, Level::kHealthy) << "eight times 0.8";
  EXPECT_EQ(ShownScore(*eight.Of({}).score), 80);
  Average ten;
  for (int i = 0; i < 10; ++i) ten.Add(Of(Gpu(50, 50, 50, false, 1)));
  EXPECT_EQ(ten.Of({}).level, Level::kDegraded);
  EXPECT_EQ(ShownScore(*ten.Of({}).score), 60);
  EXPECT_EQ(LevelOf(79.9, {}), Level::kDegraded);
  EXPECT_EQ(ShownScore(79.9), 79);
  EXPECT_EQ(LevelOf(59.99, {}), Level::kCritical);
  EXPECT_EQ(LevelOf(std::nullopt, {}), Level::kUnknown);
}

TEST(HealthTest, ASumIsThePlainAverageAndTheWorstOfEachComponent) {
  Average two;
  two.Add(Of(Gpu(86, 50, 50)));
  two.Add(Of(Gpu(60, 50, 50)));
  two.Add(Of(GpuMetrics()));
  const Health all = two.Of({});
  EXPECT_DOUBLE_EQ(*all.score, 75);
  EXPECT_EQ(all.level, Level::kDegraded);
  EXPECT_EQ(two.size(), 3U);
  EXPECT_EQ(two.count(Level::kUnknown), 1U);
  EXPECT_EQ(two.count(Level::kCritical), 1U);
  EXPECT_NEAR(all.confidence, 2.0 / 3, 1e-12);
  EXPECT_EQ(LevelOfComponent(all, Component::kTemperature), Level::kCritical);
  EXPECT_EQ(LevelOfComponent(all, Component::kNvlink), Level::kUnknown);
}

TEST(HealthTest, WithoutDataNothingIsKnown) {
  const Health none = Of(GpuMetrics());
  EXPECT_FALSE(none.score.has_value());
  EXPECT_EQ(none.level, Level::kUnknown);
  EXPECT_EQ(none.confidence, 0);
  for (const Level level : none.components) EXPECT_EQ(level, Level::kUnknown);
  EXPECT_EQ(Average().Of({}).level, Level::kUnknown);
  const Health xid_alone = Of(Gpu({{Quantity::kXidLast, 79}}));
  EXPECT_FALSE(xid_alone.score.has_value());
  EXPECT_EQ(xid_alone.findings.size(), 1U);
}

TEST(HealthTest, WhatIsNotKnownLowersTheConfidenceAlone) {
  const Health health = Of(Gpu({{Quantity::kTemperature, 60}, {Quantity::kUtilization, 50}}));
  EXPECT_EQ(health.score, 100);
  EXPECT_DOUBLE_EQ(health.confidence, 0.4);
  EXPECT_EQ(LevelOfComponent(health, Component::kTemperature), Level::kHealthy);
  EXPECT_EQ(LevelOfComponent(health, Component::kEcc), Level::kUnknown);
}

TEST(HealthTest, AClockBelowItsHighestUnderLoadIsThrottled) {
  const auto at = [](double clock, double load) {
    return Gpu({{Quantity::kSmClock, clock},
                {Quantity::kSmClockMax, 1000},
                {Quantity::kUtilization, load}});
  };
  EXPECT_DOUBLE_EQ(Score(at(899, 60)), 0.7);
  EXPECT_DOUBLE_EQ(Score(at(900, 60)), 1);
  EXPECT_DOUBLE_EQ(Score(at(899, 50)), 1) << "no load";
  GpuMetrics capped = at(500, 60);
  capped.readings.Set(static_cast<std::size_t>(Quantity::kThrottleReasons), 0x4);
  EXPECT_DOUBLE_EQ(Score(capped), 0.7) << "whatever holds it back";
  EXPECT_EQ(Of(capped, "clock_throttled=0").score, 100);
  capped.readings.Set(static_cast<std::size_t>(Quantity::kThrottleReasons), 0x40);
  EXPECT_DOUBLE_EQ(Score(capped), 0.7) << "once";
}

TEST(HealthTest, AnyEccErrorCountsUnlessCorrectedOnesAreToBeIgnored) {
  const GpuMetrics corrected = Gpu({{Quantity::kEccCorrectedVolatile, 1}});
  EXPECT_EQ(Of(corrected).score, 60);
  EXPECT_EQ(LevelOfComponent(Of(corrected), Component::kEcc), Level::kDegraded);
  const Health ignored = Of(corrected, "ecc_corrected=ignore");
  EXPECT_FALSE(ignored.score.has_value());
  EXPECT_TRUE(ignored.findings.empty());
  const GpuMetrics lost =
      Gpu({{Quantity::kEccCorrectedVolatile, 0}, {Quantity::kEccUncorrectedVolatile, 1}});
  EXPECT_EQ(Of(lost, "ecc_corrected=ignore").score, 60);
  EXPECT_EQ(LevelOfComponent(Of(lost), Component::kEcc), Level::kCritical);
}

TEST(HealthTest, XidsAndRowsStandBeside) {
  GpuMetrics gpu = Gpu(50, 50, 50);
  const auto set = [&](Quantity quantity, double value) {
    gpu.readings.Set(static_cast<std::size_t>(quantity), value);
  };
  set(Quantity::kXidLast, 79);
  Health health = Of(gpu);
  EXPECT_EQ(health.score, 50);
  EXPECT_EQ(health.findings.at(0).severity, Severity::kCritical);
  EXPECT_EQ(health.findings[0].text, "last XID 79: GPU has fallen off the bus");
  EXPECT_EQ(health.findings[0].action, Action::kReboot);
  set(Quantity::kXidLast, 31);
  health = Of(gpu);
  EXPECT_EQ(health.score, 100);
  EXPECT_EQ(health.findings.at(0).severity, Severity::kInfo);
  EXPECT_EQ(LevelOfComponent(health, Component::kXid), Level::kHealthy);
  set(Quantity::kXidLast, 0);
  set(Quantity::kRowRemapFailure, 1);
  EXPECT_EQ(Of(gpu).score, 50);
  set(Quantity::kRowRemapFailure, 0);
  set(Quantity::kRowRemapPending, 1);
  EXPECT_EQ(Of(gpu).score, 100);
  EXPECT_EQ(Of(gpu).findings.at(0).action, Action::kReboot);
}

TEST(HealthTest, TheWorstFindingStandsFirst) {
  const Health health = Of(Gpu(86, 5, 92));
  ASSERT_EQ(health.findings.size(), 3U);
  EXPECT_EQ(health.findings[0].component, "temperature");
  EXPECT_EQ(health.findings[0].text, "86 °C, above 85");
  EXPECT_EQ(health.findings[1].component, "memory");
  EXPECT_EQ(health.findings[2].component, "utilization");
  EXPECT_EQ(health.findings[2].text, "idle: 5 %, below 10");
}

TEST(HealthTest, NearItsPowerLimitIsAFindingAndNoFactor) {
  const Health health =
      Of(Gpu({{Quantity::kPower, 96}, {Quantity::kPowerLimit, 100}, {Quantity::kTemperature, 50}}));
  EXPECT_EQ(health.score, 100);
  EXPECT_EQ(LevelOfComponent(health, Component::kPower), Level::kHealthy);
  EXPECT_EQ(health.findings.at(0).severity, Severity::kInfo);
  EXPECT_EQ(health.findings.at(0).text, "96 % of its power limit, above 95");
}

}  // namespace
}  // namespace gpumon::fleet
