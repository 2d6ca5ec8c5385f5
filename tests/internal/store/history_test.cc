#include "internal/store/history.h"

#include <gtest/gtest.h>

#include "tests/fakes/process/wait.h"
#include "tests/internal/store/lines.h"

namespace gpumon::store {
namespace {

class HistoryTest : public ::testing::Test {
 protected:
  void Add(const std::string& time, const std::string& task, double score, bool error = false,
           std::size_t gpus = 1) {
    ASSERT_TRUE(writer_.Append(std::vector{LineOf(time, task, score, error, gpus)}));
  }
  History Read(HistoryQuery query = {}) const {
    query.from = At("2026-03-01T00:00:00Z");
    query.to = At("2026-03-03T00:00:00Z");
    auto history = ReadHistory(folder_.path(), query, [] { return true; });
    EXPECT_TRUE(history) << history.error().message;
    return history ? *std::move(history) : History();
  }
  static std::string TimesOf(const History& history) {
    std::string times;
    for (const std::string& line : history.lines) {
      times += FormatTime(DecodeLine(line)->timestamp).substr(11, 5) + ' ';
    }
    return times;
  }

  process::ScratchDirectory folder_;
  Writer writer_{folder_.path()};
};

TEST_F(HistoryTest, SumsUpOneTaskInTheOrderOfTime) {
  // Written late, but it comes before the others.
  Add("2026-03-01T11:00:00Z", "a", 0.9);
  Add("2026-03-01T12:00:00Z", "a", 0.7, true, 8);
  Add("2026-03-01T13:00:00Z", "a", 0.6);
  Add("2026-03-01T10:00:00Z", "a", 0.5, true);
  Add("2026-03-02T10:00:00Z", "a", 0.8);
  Add("2026-03-02T11:00:00Z", "a", 0.799);
  Add("2026-03-02T11:00:00Z", "ab", 0.1, true);
  HistoryQuery query;
  query.task = "a";
  const History history = Read(query);
  EXPECT_EQ(history.snapshot_count, 6U);
  EXPECT_EQ(history.task_count, 1U);
  EXPECT_DOUBLE_EQ(*history.current, 0.799);
  EXPECT_DOUBLE_EQ(*history.average, (0.9 + 0.7 + 0.6 + 0.5 + 0.8 + 0.799) / 6);
  EXPECT_DOUBLE_EQ(*history.min, 0.5);
  EXPECT_DOUBLE_EQ(*history.max, 0.9);
  EXPECT_EQ(history.gpu_count, 8);
  EXPECT_EQ(history.critical_events, 2U);
  // 0.5, well, 0.7 and 0.6, well (0.8 is), 0.799.
  EXPECT_EQ(history.unhealthy_periods, 3U);
  EXPECT_EQ(TimesOf(history), "10:00 11:00 12:00 13:00 10:00 11:00 ");
}

TEST_F(HistoryTest, OfSeveralTasksTheNewestTimeCountsTogether) {
  Add("2026-03-01T10:00:00Z", "x/a", 0.2, false, 4);
  Add("2026-03-01T11:00:00Z", "x/a", 1, false, 2);
  Add("2026-03-01T11:00:00Z", "y/b", 0.5, false, 3);
  const History history = Read();
  EXPECT_DOUBLE_EQ(*history.current, 0.75);
  EXPECT_EQ(history.gpu_count, 5);
  EXPECT_EQ(history.unhealthy_periods, 2U);
  EXPECT_EQ(history.task_count, 2U);
  HistoryQuery query;
  query.task = "y/*";
  EXPECT_EQ(Read(query).snapshot_count, 1U);
  query.task.clear();
  query.node = "node-x/a";
  EXPECT_EQ(Read(query).snapshot_count, 2U);
}

TEST_F(HistoryTest, APageIsCountedBackFromTheNewest) {
  for (int hour = 10; hour < 20; ++hour) {
    Add("2026-03-01T" + std::to_string(hour) + ":00:00Z", "a", 1);
  }
  HistoryQuery query;
  query.limit = 3;
  EXPECT_EQ(TimesOf(Read(query)), "17:00 18:00 19:00 ");
  query.offset = 8;
  EXPECT_EQ(TimesOf(Read(query)), "10:00 11:00 ");
  EXPECT_EQ(Read(query).snapshot_count, 10U);
  query.offset = 100;
  EXPECT_EQ(TimesOf(Read(query)), "");
}

TEST_F(HistoryTest, TheOldestLinesGiveWayToTheBoundOfBytes) {
  for (int hour = 10; hour < 20; ++hour) {
    Add("2026-03-01T" + std::to_string(hour) + ":00:00Z", "a", 1);
  }
  HistoryQuery query;
  query.max_bytes = 2 * LineOf("2026-03-01T10:00:00Z", "a").text.size();
  const History history = Read(query);
  EXPECT_EQ(TimesOf(history), "18:00 19:00 ");
  EXPECT_EQ(history.cut, 8U);
  EXPECT_EQ(history.snapshot_count, 10U);
}

TEST_F(HistoryTest, WithoutSnapshotsNothingIsSaid) {
  const History history = Read();
  EXPECT_EQ(history.snapshot_count, 0U);
  EXPECT_FALSE(history.current || history.average || history.min || history.max);
}

}  // namespace
}  // namespace gpumon::store
