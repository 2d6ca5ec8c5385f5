#include "internal/exporter/fleet.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace gpumon::exporter {
namespace {

WallTime At(std::int64_t unix_seconds) {
  return WallTime(Millis(unix_seconds * 1000));
}
constexpr std::int64_t kNow = 1'795'345'000;

Fleet Make(int nodes, int gpus_per_node, std::uint64_t seed = 1) {
  auto fleet = Fleet::Make({.nodes = nodes, .gpus_per_node = gpus_per_node, .seed = seed});
  EXPECT_TRUE(fleet.has_value());
  return *std::move(fleet);
}

std::map<Trait, int> CountTraits(const Fleet& fleet) {
  std::map<Trait, int> counts;
  for (const NodeSpec& node : fleet.nodes()) {
    for (const Trait trait : node.traits) ++counts[trait];
  }
  return counts;
}

TEST(FleetTest, RefusesSizesOutOfRangeAndNamesTheFlag) {
  const auto message = [](int nodes, int gpus) {
    const auto fleet = Fleet::Make({.nodes = nodes, .gpus_per_node = gpus});
    return fleet ? std::string("accepted") : fleet.error().message;
  };
  EXPECT_EQ(message(12'500, 8), "accepted");
  EXPECT_NE(message(12'501, 8).find("100008 GPUs"), std::string::npos);
  EXPECT_NE(message(0, 8).find("--nodes"), std::string::npos);
  EXPECT_NE(message(100'001, 1).find("--nodes"), std::string::npos);
  EXPECT_NE(message(1, 0).find("--gpus-per-node"), std::string::npos);
  EXPECT_NE(message(1, 1025).find("--gpus-per-node"), std::string::npos);
}

TEST(FleetTest, EachTraitHasOneGpu) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto counts = CountTraits(Make(4, 8, seed));
    counts.erase(Trait::kNone);
    EXPECT_EQ(counts.size(), 7U) << seed;
    for (const auto& [trait, count] : counts) EXPECT_EQ(count, 1) << seed;
  }
}

TEST(FleetTest, SmallFleetsKeepAtLeastHalfOfTheirGpusOrdinary) {
  EXPECT_EQ(CountTraits(Make(1, 1))[Trait::kNone], 1);
  EXPECT_EQ(CountTraits(Make(1, 2))[Trait::kNone], 1);
  EXPECT_EQ(CountTraits(Make(2, 3))[Trait::kNone], 3);
  EXPECT_EQ(CountTraits(Make(14, 1))[Trait::kNone], 7);
}

TEST(FleetTest, StaysWithinPhysicalBoundsAtRandomInstants) {
  const Fleet fleet = Make(4, 8);
  std::mt19937_64 random(42);
  for (int i = 0; i < 1000; ++i) {
    const WallTime time(Millis(1'704'067'200'000 +
                               static_cast<std::int64_t>(random() % (5ULL * 365 * 86'400'000))));
    const FleetState state = fleet.At(time);
    ASSERT_EQ(state.gpus.size(), 32U);
    for (const GpuState& gpu : state.gpus) {
      ASSERT_GE(gpu.load, 0);
      ASSERT_LE(gpu.load, 1);
      ASSERT_GE(gpu.utilization, 0);
      ASSERT_LE(gpu.utilization, 100);
      ASSERT_GT(gpu.memory_used_mib, 0);
      ASSERT_LE(gpu.memory_used_mib, gpu.model->memory_mib);
      ASSERT_GE(gpu.core_celsius, 25);
      ASSERT_LE(gpu.core_celsius, 94);
      ASSERT_TRUE(gpu.pod >= 0 || gpu.load == 0);
    }
    std::map<int, int> used;
    std::set<std::pair<int, int>> pids;
    for (const ProcessState& process : state.processes) {
      used[process.gpu] += process.memory_mib;
      ASSERT_TRUE(
          pids.emplace(state.gpus[static_cast<std::size_t>(process.gpu)].node, process.pid).second);
      ASSERT_GT(process.memory_mib, 0);
      ASSERT_GE(process.cpu_percent, 0);
      ASSERT_GT(process.memory_percent, 0);
      ASSERT_LE(process.memory_percent, 100);
    }
    for (const auto& [gpu, mib] : used) {
      ASSERT_LE(mib, state.gpus[static_cast<std::size_t>(gpu)].memory_used_mib);
    }
    for (const NodeState& node : state.nodes) {
      for (const double load : {node.load, node.load_1m, node.load_5m, node.load_15m}) {
        ASSERT_GE(load, -1e-9);
        ASSERT_LE(load, 1);
      }
    }
  }
}

TEST(FleetTest, LoadSecondsNeverFallAndFollowTheLoad) {
  const Fleet fleet = Make(4, 8);
  FleetState before = fleet.At(At(kNow));
  for (int i = 1; i <= 600; ++i) {
    const FleetState after = fleet.At(At(kNow + i));
    for (std::size_t g = 0; g < after.gpus.size(); ++g) {
      const double grown = after.gpus[g].load_seconds - before.gpus[g].load_seconds;
      ASSERT_GE(grown, -1e-6);
      ASSERT_LE(grown, 1.001);
      // Between two samples of one job the wave moves by little.
      if (after.gpus[g].pod >= 0 && before.gpus[g].pod >= 0 &&
          after.gpus[g].throttles == before.gpus[g].throttles) {
        ASSERT_NEAR(grown, (after.gpus[g].load + before.gpus[g].load) / 2, 0.05) << g;
      }
    }
    before = after;
  }
}

TEST(FleetTest, JobsComeAndGo) {
  const Fleet fleet = Make(4, 8);
  std::set<std::string> seen;
  std::map<std::string, Phase> last;
  int ended = 0;
  int succeeded = 0;
  int failed = 0;
  for (std::int64_t t = kNow; t < kNow + 6 * 3600; t += 15) {
    std::map<std::string, Phase> now;
    for (const PodState& pod : fleet.At(At(t)).pods) {
      ASSERT_TRUE(now.emplace(std::string(pod.kind->name_space) + '/' + pod.name, pod.phase).second)
          << pod.name;
      if (pod.phase == Phase::kRunning) seen.insert(pod.name);
    }
    for (const auto& [name, phase] : last) {
      const auto it = now.find(name);
      if (phase != Phase::kRunning) {
        ASSERT_TRUE(it == now.end() || it->second == phase) << name << " left its final phase";
      } else if (it == now.end()) {
        ++ended;
      } else if (it->second == Phase::kSucceeded) {
        ++succeeded;
      } else if (it->second == Phase::kFailed) {
        ++failed;
      }
    }
    last = std::move(now);
  }
  EXPECT_GT(seen.size(), 200U);
  EXPECT_GT(succeeded, 50);
  EXPECT_GT(failed, 5);
  EXPECT_GT(ended, 20);
}

TEST(FleetTest, APodHoldsTheGpusItAskedForOnOneNode) {
  const Fleet fleet = Make(4, 8);
  for (std::int64_t t = kNow; t < kNow + 3600; t += 60) {
    const FleetState state = fleet.At(At(t));
    std::vector<int> held(state.pods.size());
    for (const GpuState& gpu : state.gpus) {
      if (gpu.pod < 0) continue;
      ++held[static_cast<std::size_t>(gpu.pod)];
      ASSERT_EQ(state.pods[static_cast<std::size_t>(gpu.pod)].node, gpu.node);
    }
    for (std::size_t i = 0; i < held.size(); ++i) {
      ASSERT_EQ(held[i], state.pods[i].phase == Phase::kRunning ? state.pods[i].gpus : 0);
      ASSERT_LE(state.pods[i].created, t);
      if (state.pods[i].finished) {
        ASSERT_LE(*state.pods[i].finished, t);
        ASSERT_GE(*state.pods[i].finished, state.pods[i].created);
      }
    }
  }
}

TEST(FleetTest, TimesBeforeTheStartLookLikeTheStart) {
  const Fleet fleet = Make(2, 4);
  const FleetState state = fleet.At(At(0));
  EXPECT_EQ(state.seconds, 0);
  EXPECT_EQ(state.unix_seconds, kFleetStart);
  EXPECT_EQ(state.gpus.size(), 8U);
}

}  // namespace
}  // namespace gpumon::exporter
