#include "internal/checks/columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpumon::checks {
namespace {

using testing::ElementsAre;

TEST(ColumnsTest, WidthIsWhatATerminalTakes) {
  EXPECT_EQ(DisplayWidth(""), 0U);
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("✓ ✗ ⚠"), 5U);
  EXPECT_EQ(DisplayWidth("한글"), 4U);
  EXPECT_EQ(DisplayWidth("日本"), 4U);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1U);
  EXPECT_EQ(DisplayWidth("🚀"), 2U);
  EXPECT_EQ(DisplayWidth("°C"), 2U);
}

TEST(ColumnsTest, PaddingCountsColumns) {
  EXPECT_EQ(Padded("한", 4), "한  ");
  EXPECT_EQ(Padded("abcd", 3), "abcd");
}

TEST(ColumnsTest, LinesBreakAtBlanksWhereThereAreSome) {
  EXPECT_THAT(Wrapped("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrapped("one two three", 8), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrapped("abcdefgh", 3), ElementsAre("abc", "def", "gh"));
  EXPECT_THAT(Wrapped("한글한글", 5), ElementsAre("한글", "한글"));
  EXPECT_THAT(Wrapped("", 5), ElementsAre(""));
  EXPECT_THAT(Wrapped("한", 1), ElementsAre("한")) << "one that never fits is there once";
}

TEST(ColumnsTest, WhatATerminalWouldActOnIsAQuestionMark) {
  EXPECT_EQ(Shown("a\x1b[0m\tb\x7f"), "a?[0m?b?");
  EXPECT_EQ(Shown("\xFF"), "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace gpumon::checks
