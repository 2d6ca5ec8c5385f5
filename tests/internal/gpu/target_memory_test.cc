#include "internal/gpu/target_memory.h"

#include <gtest/gtest.h>

#include "tests/fakes/clock/fake_clock.h"

namespace gpumon::gpu {
namespace {

using Nodes = std::set<std::string>;

TEST(TargetMemoryTest, KnowsForAnHourWhatATargetShowedLast) {
  FakeClock clock;
  TargetMemory memory(clock);
  EXPECT_FALSE(memory.Knows("dcgm"));
  memory.Learn(
      {{"dcgm", 1, "a", 3}, {"dcgm", 1, "b", 4}, {"dcgm", 2, "c", 1}, {"nvitop", 1, "a", 1}});
  EXPECT_EQ(memory.Recall("dcgm", 1).nodes, (Nodes{"a", "b"}));
  EXPECT_EQ(memory.Recall("dcgm", 1).fields, 7U);
  EXPECT_EQ(memory.Recall("dcgm", 2).nodes, Nodes{"c"});
  EXPECT_EQ(memory.Recall("dcgm", 3).nodes, Nodes{});
  clock.Advance(Millis(1'800'000));
  memory.Learn({{"dcgm", 1, "b", 8}});
  EXPECT_EQ(memory.Recall("dcgm", 1).nodes, Nodes{"b"}) << "its node was another one before";
  EXPECT_EQ(memory.Recall("dcgm", 1).fields, 8U);
  clock.Advance(Millis(1'800'001));
  EXPECT_EQ(memory.Recall("dcgm", 2).nodes, Nodes{}) << "an hour ago";
  EXPECT_FALSE(memory.Knows("nvitop"));
  EXPECT_TRUE(memory.Knows("dcgm"));
  clock.Advance(Millis(1'800'000));
  EXPECT_FALSE(memory.Knows("dcgm"));
}

}  // namespace
}  // namespace gpumon::gpu
