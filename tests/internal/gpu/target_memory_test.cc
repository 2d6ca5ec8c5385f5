#include "internal/gpu/target_memory.h"

#include <gtest/gtest.h>

#include "tests/fakes/clock/fake_clock.h"

namespace gpumon::gpu {
namespace {

using models::Part;

// Fields of whole GPUs of one node.
TargetMemory::Nodes On(const std::string& node, std::uint64_t fields) {
  return {{node, {fields, 0}}};
}

TEST(TargetMemoryTest, KnowsForAnHourWhatATargetShowedLast) {
  FakeClock clock;
  TargetMemory memory(clock);
  EXPECT_FALSE(memory.Knows("dcgm"));
  const TargetMemory::Nodes both = {{"a", {3, 0}}, {"b", {4, 1}}};
  memory.Learn(Part::kGpus, {{{"dcgm", 1}, {both, ""}},
                             {{"dcgm", 2}, {On("c", 1), ""}},
                             {{"nvitop", 1}, {On("a", 1), "job"}}});
  const auto recall = [&](std::size_t target) {
    return memory.Recall(Part::kGpus, {"dcgm", target});
  };
  EXPECT_EQ(recall(1), both);
  EXPECT_EQ(recall(2), On("c", 1));
  EXPECT_TRUE(recall(3).empty());
  clock.Advance(Millis(1'800'000));
  memory.Learn(Part::kGpus, {{{"dcgm", 1}, {On("b", 8), ""}}});
  EXPECT_EQ(recall(1), On("b", 8)) << "its node was another one before";
  clock.Advance(Millis(1'800'001));
  EXPECT_TRUE(recall(2).empty()) << "an hour ago";
  EXPECT_FALSE(memory.Knows("nvitop"));
  EXPECT_TRUE(memory.Knows("dcgm"));
  clock.Advance(Millis(1'800'000));
  EXPECT_FALSE(memory.Knows("dcgm"));
}

TEST(TargetMemoryTest, WhatATargetShowsOfProcessesStandsBesideWhatItShowsOfGpus) {
  FakeClock clock;
  TargetMemory memory(clock);
  memory.Learn(Part::kGpus, {{{"nvitop", 1}, {On("a", 5), "job"}}});
  memory.Learn(Part::kProcesses, {{{"nvitop", 1}, {On("a", 2), ""}}});
  EXPECT_EQ(memory.Recall(Part::kGpus, {"nvitop", 1}), On("a", 5));
  EXPECT_EQ(memory.Recall(Part::kProcesses, {"nvitop", 1}), On("a", 2));
  EXPECT_TRUE(memory.Recall(Part::kProcesses, {"dcgm", 1}).empty());
  EXPECT_EQ(memory.RecallHidden(Part::kGpus, "nvitop", "job").size(), 1U);
  EXPECT_TRUE(memory.RecallHidden(Part::kProcesses, "nvitop", "job").empty());
  EXPECT_TRUE(memory.RecallHidden(Part::kGpus, "nvitop", "other").empty());
  clock.Advance(TargetMemory::kHour + Millis(1));
  EXPECT_TRUE(memory.RecallHidden(Part::kGpus, "nvitop", "job").empty());
}

}  // namespace
}  // namespace gpumon::gpu
