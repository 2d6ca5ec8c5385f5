#include "models/gpu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gpumon::models {
namespace {

TEST(ReadingsTest, EveryReadingIsAbsentAtFirst) {
  const Readings<3> readings;
  for (std::size_t slot = 0; slot < 3; ++slot) {
    EXPECT_FALSE(readings.Has(slot));
    EXPECT_EQ(readings.Get(slot), std::nullopt);
    EXPECT_EQ(readings.reason(slot), NullReason::kNotExported);
  }
}

TEST(ReadingsTest, ZeroIsAValue) {
  Readings<1> readings;
  readings.Set(0, 0);
  EXPECT_EQ(readings.Get(0), 0.0);
  EXPECT_EQ(readings.reason(0), NullReason::kNone);
}

TEST(ReadingsTest, AValueThatBecameAbsentIsNotSeenAgain) {
  Readings<1> readings;
  readings.Set(0, 5);
  readings.SetAbsent(0, NullReason::kInvalidValue);
  EXPECT_EQ(readings.Get(0), std::nullopt);
  EXPECT_EQ(readings.reason(0), NullReason::kInvalidValue);
}

TEST(NullReasonTest, EveryReasonHasItsOwnName) {
  const std::set<std::string_view> names(kNullReasonNames.begin(), kNullReasonNames.end());
  EXPECT_EQ(names.size(), static_cast<std::size_t>(NullReason::kCount));
  EXPECT_EQ(names.count(""), 0U);
  EXPECT_EQ(NameOf(NullReason::kQueryFailed), "query_failed");
  EXPECT_EQ(NameOf(NullReason::kInvalidValue), "invalid_value");
}

TEST(RowTest, AFreshRowKnowsNothing) {
  const GpuMetrics row;
  EXPECT_EQ(row.text(Text::kNode), "");
  EXPECT_EQ(row.gpu_index, GpuMetrics::kNoIndex);
  EXPECT_TRUE(std::isnan(row.newest));
  EXPECT_TRUE(std::isnan(row.oldest));
}

TEST(ArenaTest, TextsStayWhileItGrows) {
  Arena arena;
  std::vector<std::string_view> kept;
  for (std::size_t size = 0; size < 600; ++size) {
    kept.push_back(arena.Keep(std::string(size, static_cast<char>('a' + size % 26))));
  }
  const std::string large(100'000, 'L');
  kept.push_back(arena.Keep(large));
  kept.push_back(arena.Keep("after"));
  for (std::size_t size = 0; size < 600; ++size) {
    ASSERT_EQ(kept[size], std::string(size, static_cast<char>('a' + size % 26)));
  }
  EXPECT_EQ(kept[600], large);
  EXPECT_EQ(kept[601], "after");
}

}  // namespace
}  // namespace gpumon::models
