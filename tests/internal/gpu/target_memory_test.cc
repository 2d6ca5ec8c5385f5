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
  memory.Learn({{"dcgm", 1, "a"}, {"dcgm", 1, "b"}, {"dcgm", 2, "c"}, {"nvitop", 1, "a"}});
  EXPECT_EQ(memory.NodesOf("dcgm", 1), (Nodes{"a", "b"}));
  EXPECT_EQ(memory.NodesOf("dcgm", 2), Nodes{"c"});
  EXPECT_EQ(memory.NodesOf("dcgm", 3), Nodes{});
  clock.Advance(Millis(1'800'000));
  memory.Learn({{"dcgm", 1, "b"}});
  EXPECT_EQ(memory.NodesOf("dcgm", 1), Nodes{"b"}) << "its node was another one before";
  clock.Advance(Millis(1'800'001));
  EXPECT_EQ(memory.NodesOf("dcgm", 2), Nodes{}) << "an hour ago";
  EXPECT_FALSE(memory.Knows("nvitop"));
  EXPECT_TRUE(memory.Knows("dcgm"));
  clock.Advance(Millis(1'800'000));
  EXPECT_FALSE(memory.Knows("dcgm"));
}

}  // namespace
}  // namespace gpumon::gpu
