#include "internal/fleet/history.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/internal/fleet/fleet_rows.h"

namespace gpumon::fleet {
namespace {

using models::Quantity;

std::string Text(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) {
    text += (text.empty() ? "" : " ") +
            (std::isnan(number) ? std::string("null") : std::to_string(std::lround(number)));
  }
  return text;
}

std::vector<HistoryLine> Lines(
    HistoryBy by, const std::vector<std::vector<FakeGpu>>& instants,
    const History::Passes& passes = [](const auto&) { return true; }) {
  History history(by, Quantity::kUtilization, 1, instants.size(), passes);
  for (std::size_t i = 0; i < instants.size(); ++i) {
    auto least = instants[i];
    auto most = instants[i];
    for (FakeGpu& gpu : least) gpu.utilization = *gpu.utilization - 1;
    for (FakeGpu& gpu : most) gpu.utilization = *gpu.utilization + 1;
    const std::vector<models::SnapshotPtr> snapshots = {Rows(instants[i]), Rows(least), Rows(most)};
    history.Add(i, snapshots);
  }
  return history.Finish();
}

TEST(HistoryTest, GapsStayGaps) {
  const auto lines =
      Lines(HistoryBy::kGpu,
            {{{.uuid = "a", .utilization = 10}}, {}, {{.uuid = "a", .utilization = 30}}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(Text(lines[0].mean), "10 null 30");
  EXPECT_EQ(Text(lines[0].least), "9 null 29");
  EXPECT_EQ(Text(lines[0].most), "11 null 31");
  EXPECT_EQ(Text(lines[0].known), "1 0 1");
  EXPECT_EQ(lines[0].uuid, "a");
}

TEST(HistoryTest, AnInstantWithoutTheIdIsTheSameGpus) {
  const auto lines = Lines(HistoryBy::kGpu, {{{.uuid = "a", .utilization = 10}},
                                             {{.uuid = "a", .utilization = 30, .nameless = true}},
                                             {{.uuid = "b", .utilization = 50}}});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].gpu_id, "a");
  EXPECT_EQ(Text(lines[0].mean), "10 30 null");
  EXPECT_EQ(Text(lines[0].known), "1 1 0");
  EXPECT_EQ(lines[1].uuid, "b");
}

TEST(HistoryTest, SeveralGpusHaveTheMeanOfThoseThatAreKnown) {
  const auto lines = Lines(HistoryBy::kNode, {{{.uuid = "a", .node = "x", .utilization = 10},
                                               {.uuid = "b", .node = "x", .utilization = 30}},
                                              {{.uuid = "b", .node = "x", .utilization = 50},
                                               {.uuid = "c", .node = "y", .utilization = 5}}});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].node, "x");
  EXPECT_EQ(lines[0].gpus, 2U);
  EXPECT_EQ(Text(lines[0].mean), "20 50");
  EXPECT_EQ(Text(lines[0].least), "9 49");
  EXPECT_EQ(Text(lines[0].most), "31 51");
  EXPECT_EQ(Text(lines[0].sum), "40 50");
  EXPECT_EQ(Text(lines[0].known), "2 1");
  EXPECT_EQ(Text(lines[1].mean), "null 5");
}

TEST(HistoryTest, ChoosesGpusAndAddsUpTheFleet) {
  const auto lines = Lines(
      HistoryBy::kFleet,
      {{{.uuid = "a", .model = "H100", .utilization = 10},
        {.uuid = "b", .model = "A100", .utilization = 90}}},
      [](const models::GpuMetrics& row) { return row.text(models::Text::kGpuName) == "H100"; });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(Text(lines[0].mean), "10");
}

// used swings between 10 and 70 of 80: the most is 70 of 80, not 70 of what used and free came to
// at their highest.
TEST(HistoryTest, ExtremesOfAShareOfMemoryAreOfItsMeanTotal) {
  History history(HistoryBy::kGpu, Quantity::kMemoryUsedPercent, 1, 1,
                  [](const auto&) { return true; });
  const auto rows = [](double used, double total) {
    auto snapshot = Rows({{.uuid = "a", .memory_percent = {}}});
    snapshot->gpus[0].readings.Set(static_cast<std::size_t>(Quantity::kMemoryUsed), used);
    if (total > 0) {
      snapshot->gpus[0].readings.Set(static_cast<std::size_t>(Quantity::kMemoryTotal), total);
      snapshot->gpus[0].readings.Set(static_cast<std::size_t>(Quantity::kMemoryUsedPercent),
                                     100 * used / total);
    }
    return snapshot;
  };
  const std::vector<models::SnapshotPtr> snapshots = {rows(40, 80), rows(10, 0), rows(70, 0)};
  history.Add(0, snapshots);
  const auto lines = history.Finish();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_DOUBLE_EQ(lines[0].mean[0], 50);
  EXPECT_DOUBLE_EQ(lines[0].least[0], 12.5);
  EXPECT_DOUBLE_EQ(lines[0].most[0], 87.5);
  EXPECT_TRUE(HistoryParts(Quantity::kMemoryUsedPercent)[0].quantities.test(
      static_cast<std::size_t>(Quantity::kMemoryTotal)));
  EXPECT_FALSE(HistoryParts(Quantity::kMemoryUsedPercent)[2].quantities.test(
      static_cast<std::size_t>(Quantity::kMemoryTotal)));
}

}  // namespace
}  // namespace gpumon::fleet
