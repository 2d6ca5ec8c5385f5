#include "internal/fleet/state.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace gpumon::fleet {
namespace {

using models::GpuMetrics;
using models::Quantity;

State Of(const std::vector<std::pair<Quantity, double>>& readings, bool held = false) {
  GpuMetrics gpu;
  for (const auto& [quantity, value] : readings) {
    gpu.readings.Set(static_cast<std::size_t>(quantity), value);
  }
  return StateOf(gpu, Assess(gpu, {}), held, {});
}

TEST(StateTest, BusyFromTheThresholdOn) {
  EXPECT_EQ(Of({{Quantity::kUtilization, 10}}), State::kBusy);
  EXPECT_EQ(Of({{Quantity::kUtilization, 9.9}}, true), State::kIdleHeld);
}

TEST(StateTest, AnIdleGpuIsFreeWhenNobodyHoldsItOrItsMemory) {
  const std::pair idle{Quantity::kUtilization, 0.0};
  EXPECT_EQ(Of({idle, {Quantity::kMemoryUsedPercent, 5}}), State::kFree);
  EXPECT_EQ(Of({idle, {Quantity::kMemoryUsedPercent, 5.1}}), State::kIdleHeld);
  EXPECT_EQ(Of({idle, {Quantity::kMemoryUsedPercent, 0}}, true), State::kIdleHeld);
  EXPECT_EQ(Of({idle}), State::kUnknown) << "nobody says whether somebody holds it";
}

TEST(StateTest, NobodyIsFreeWhenWhoNamedItsHoldersIsDown) {
  GpuMetrics gpu;
  gpu.readings.Set(static_cast<std::size_t>(Quantity::kUtilization), 0);
  gpu.readings.Set(static_cast<std::size_t>(Quantity::kMemoryUsedPercent), 0);
  EXPECT_EQ(StateOf(gpu, Assess(gpu, {}), false, {}), State::kFree);
  gpu.texts_gone = 1U << static_cast<unsigned>(models::Text::kPod);
  EXPECT_EQ(StateOf(gpu, Assess(gpu, {}), false, {}), State::kUnknown);
  gpu.readings.Set(static_cast<std::size_t>(Quantity::kMemoryUsedPercent), 50);
  EXPECT_EQ(StateOf(gpu, Assess(gpu, {}), false, {}), State::kIdleHeld) << "its memory tells";
}

TEST(StateTest, NobodyIsFreeWhereNobodyCanTellWhoseAPodIs) {
  GpuMetrics gpu;
  gpu.readings.Set(static_cast<std::size_t>(Quantity::kUtilization), 0);
  gpu.readings.Set(static_cast<std::size_t>(Quantity::kMemoryUsedPercent), 0);
  gpu.pod_untold = models::NullReason::kQueryFailed;
  EXPECT_EQ(StateOf(gpu, Assess(gpu, {}), false, {}), State::kUnknown);
}

TEST(StateTest, WithoutUtilizationNothingIsKnown) {
  EXPECT_EQ(Of({}), State::kUnknown);
  EXPECT_EQ(Of({{Quantity::kMemoryUsedPercent, 80}}, true), State::kUnknown);
}

TEST(StateTest, WhatNeedsAResetIsUnhealthyWhateverItDoes) {
  EXPECT_EQ(Of({{Quantity::kUtilization, 90}, {Quantity::kXidLast, 79}}), State::kUnhealthy);
  EXPECT_EQ(Of({{Quantity::kEccUncorrectedVolatile, 1}}), State::kUnhealthy);
  EXPECT_EQ(Of({{Quantity::kRowRemapFailure, 1}}), State::kUnhealthy);
  EXPECT_EQ(Of({{Quantity::kUtilization, 90}, {Quantity::kXidLast, 31}}), State::kBusy);
  EXPECT_EQ(Of({{Quantity::kUtilization, 90}, {Quantity::kTemperature, 90}}), State::kBusy);
  EXPECT_EQ(Of({{Quantity::kUtilization, 90}, {Quantity::kEccCorrectedVolatile, 1}}), State::kBusy);
}

TEST(StateTest, ADividedGpuIsFreeWhenAllItsPartsAre) {
  EXPECT_EQ(Both(State::kFree, State::kFree), State::kFree);
  EXPECT_EQ(Both(State::kFree, State::kBusy), State::kBusy);
  EXPECT_EQ(Both(State::kFree, State::kUnknown), State::kUnknown);
  EXPECT_EQ(Both(State::kIdleHeld, State::kUnknown), State::kIdleHeld);
  EXPECT_EQ(Both(State::kBusy, State::kUnhealthy), State::kUnhealthy);
}

TEST(StateTest, EveryNameIsItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kStates; ++i) names.insert(NameOf(static_cast<State>(i)));
  EXPECT_EQ(names.size(), kStates);
}

}  // namespace
}  // namespace gpumon::fleet
