#include "internal/base/text.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

namespace gpumon {
namespace {

std::string Time(std::string_view text) {
  const auto time = ParseTime(text);
  return time ? FormatTime(*time) : "no time";
}

TEST(Utf8Test, AcceptsEveryLengthAndTheEdges) {
  for (const char* text :
       {"", "a", "\x7f", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "Zürich 温度"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
    EXPECT_EQ(ToValidUtf8(text), text);
  }
  EXPECT_TRUE(IsValidUtf8(std::string_view("\0", 1)));
}

TEST(Utf8Test, RefusesWhatIsNoCharacter) {
  for (const char* text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xE0\xA0", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xFE", "\xFF", "ok\xFFok", "\xC2\x41"}) {
    EXPECT_FALSE(IsValidUtf8(text));
    EXPECT_TRUE(IsValidUtf8(ToValidUtf8(text)));
  }
}

TEST(Utf8Test, ReplacesEachBadByteAndKeepsTheRest) {
  EXPECT_EQ(ToValidUtf8("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(ToValidUtf8("\xC2\x41"), "\xEF\xBF\xBD\x41");
  EXPECT_EQ(ToValidUtf8("\xE0\xA0"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(TextTest, KnowsWhatATerminalActsOnInsteadOfShowingIt) {
  for (const char* hidden : {"\x01", "\x1b", "\n", "\x7f", "\xC2\x80", "\xC2\x9B", "\xC2\x9F",
                             "\xD8\x9C", "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xA8",
                             "\xE2\x80\xAA", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x81\xA9",
                             "\xE2\x80\x8B", "\xE2\x81\xA0", "\xEF\xBB\xBF", "\xF3\xA0\x81\x81"}) {
    const std::string text = hidden;
    EXPECT_EQ(HiddenCharacterLength(text), text.size()) << testing::PrintToString(text);
    EXPECT_EQ(ReplaceHidden("a" + text + text + "b", "?"), "a??b");
  }
  for (const char* shown : {"", " ", "~", "\xC2\xA0", "\xC3\xA9", "\xD8\x9B", "\xE2\x80\x8D",
                            "\xE2\x80\xA6", "\xE2\x81\xAA", "\xF0\x9F\x98\x80", "\xC2", "\xE2\x80",
                            "\xEF\xBB", "\xF3\xA0\x81", "\xF3\xA0\x82\x80"}) {
    EXPECT_EQ(HiddenCharacterLength(shown), 0U) << testing::PrintToString(shown);
    EXPECT_EQ(ReplaceHidden(shown, "?"), shown);
  }
}

TEST(TextTest, CutsBetweenCharacters) {
  EXPECT_EQ(Front("abc", 3), "abc");
  EXPECT_EQ(Front("abc", 2), "ab");
  EXPECT_EQ(Front("a\xC3\xA9", 2), "a");
  EXPECT_EQ(Front("a\xF0\x9F\x98\x80", 4), "a");
  EXPECT_EQ(Front("\xC3\xA9", 0), "");
  EXPECT_EQ(Front("\x80\x80\x80", 2), "") << "no character begins there";
}

TEST(TextTest, CountsCharactersAndWhatIsNone) {
  EXPECT_EQ(FrontCharacters("abc", 2), "ab");
  EXPECT_EQ(FrontCharacters("\xC3\xA9\xF0\x9F\x98\x80z", 2), "\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(FrontCharacters("\x80\x80\xC3", 2), "\x80\x80") << "a byte that is no character is one";
  EXPECT_EQ(FrontCharacters("a", 5), "a");
}

TEST(TextTest, IgnoresTheCaseOfAsciiOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("Content-Type", "content-tYPE"));
  EXPECT_TRUE(EqualsIgnoreCase("", ""));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("@", "`"));
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));
  EXPECT_FALSE(EqualsIgnoreCase("\xC3\x84", "\xC3\xA4"));
}

TEST(TimeTest, WritesMillisecondsOnlyWhenTheyAreNotZero) {
  EXPECT_EQ(FormatTime(WallTime(Millis(1704110400000))), "2024-01-01T12:00:00Z");
  EXPECT_EQ(FormatTime(WallTime(Millis(1704110400250))), "2024-01-01T12:00:00.250Z");
  EXPECT_EQ(FormatTime(WallTime(Millis(1704110400007))), "2024-01-01T12:00:00.007Z");
  EXPECT_EQ(FormatTime(WallTime(Millis(0))), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(WallTime(Millis(951782400000))), "2000-02-29T00:00:00Z");
}

TEST(TimeTest, ReadsRfc3339WithAnyOffset) {
  EXPECT_EQ(Time("2024-01-01T12:00:00Z"), "2024-01-01T12:00:00Z");
  EXPECT_EQ(Time("2024-01-01t12:00:00z"), "2024-01-01T12:00:00Z");
  EXPECT_EQ(Time("2024-01-01T12:00:00.25Z"), "2024-01-01T12:00:00.250Z");
  EXPECT_EQ(Time("2024-01-01T12:00:00.123456789Z"), "2024-01-01T12:00:00.123Z");
  EXPECT_EQ(Time("2024-01-01T12:00:00+05:30"), "2024-01-01T06:30:00Z");
  EXPECT_EQ(Time("2024-01-01T12:00:00-08:00"), "2024-01-01T20:00:00Z");
  EXPECT_EQ(Time("2024-02-29T23:59:59Z"), "2024-02-29T23:59:59Z");
  EXPECT_EQ(Time("1970-01-01T00:00:00Z"), "1970-01-01T00:00:00Z");
}

TEST(TimeTest, ReadsUnixSeconds) {
  EXPECT_EQ(Time("1704110400"), "2024-01-01T12:00:00Z");
  EXPECT_EQ(Time("1704110400.25"), "2024-01-01T12:00:00.250Z");
  EXPECT_EQ(Time("0"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(Time("9999999999"), "2286-11-20T17:46:39Z");
  EXPECT_EQ(Time("253402300799"), "9999-12-31T23:59:59Z");
}

TEST(TimeTest, RefusesEverythingElse) {
  for (const char* text : {
           "",
           " ",
           "now",
           "-1",
           "+1",
           "1e9",
           "inf",
           "nan",
           "0x10",
           "1.2.3",
           "2024-01-01",
           "2024-01-01T12:00:00",
           "2024-01-01 12:00:00Z",
           "2023-02-29T00:00:00Z",
           "2024-13-01T00:00:00Z",
           "2024-00-01T00:00:00Z",
           "2024-01-32T00:00:00Z",
           "2024-01-01T24:00:00Z",
           "2024-01-01T12:60:00Z",
           "2024-01-01T12:00:60Z",
           "2024-01-01T12:00:00.Z",
           "2024-01-01T12:00:00+24:00",
           "2024-01-01T12:00:00+05:60",
           "2024-01-01T12:00:00+0530",
           "2024-01-01T12:00:00Zx",
           "1969-12-31T23:59:59Z",
           "9999-12-31T23:59:59.9999Z",
           "9999-12-31T23:59:59-00:01",
           "10000-01-01T00:00:00Z",
           "253402300800",
           "99999999999999999999",
           "1704110400.",
           ".5",
           ".",
       }) {
    EXPECT_EQ(Time(text), "no time") << text;
  }
}

TEST(TimeTest, WhatItWritesItReads) {
  for (const std::int64_t ms :
       {0LL, 1LL, 999LL, 1704110400001LL, 4102444799999LL, 7258118400000LL, 253402300799999LL}) {
    const WallTime time{Millis(ms)};
    EXPECT_EQ(ParseTime(FormatTime(time)), time) << ms;
  }
}

TEST(NumberTest, WritesTheShortestTextThatReadsBack) {
  EXPECT_EQ(FormatNumber(0), "0");
  EXPECT_EQ(FormatNumber(-0.0), "-0");
  EXPECT_EQ(FormatNumber(85), "85");
  EXPECT_EQ(FormatNumber(0.1), "0.1");
  EXPECT_EQ(FormatNumber(15.7), "15.7");
  EXPECT_EQ(FormatNumber(std::nan("")), "NaN");
  EXPECT_EQ(FormatNumber(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(FormatNumber(-std::numeric_limits<double>::infinity()), "-Inf");
  for (const double value : {1e308, 5e-324, 1.0 / 3, 123456789012345678.0, -2.5e-7}) {
    EXPECT_EQ(std::strtod(FormatNumber(value).c_str(), nullptr), value);
  }
}

TEST(GlobTest, AStarStandsForAnyRun) {
  EXPECT_TRUE(GlobMatch("*", ""));
  EXPECT_TRUE(GlobMatch("*", "anything"));
  EXPECT_TRUE(GlobMatch("node-*", "node-12"));
  EXPECT_TRUE(GlobMatch("node-*", "node-"));
  EXPECT_TRUE(GlobMatch("*-gpu", "a-gpu-gpu"));
  EXPECT_TRUE(GlobMatch("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(GlobMatch("**a**", "bab"));
  EXPECT_TRUE(GlobMatch("", ""));
}

TEST(GlobTest, NothingElseIsSpecial) {
  EXPECT_TRUE(GlobMatch("a.b", "a.b"));
  EXPECT_FALSE(GlobMatch("a.b", "axb"));
  EXPECT_FALSE(GlobMatch("a?", "ab"));
  EXPECT_FALSE(GlobMatch("[ab]", "a"));
  EXPECT_FALSE(GlobMatch("", "a"));
  EXPECT_FALSE(GlobMatch("a", ""));
  EXPECT_FALSE(GlobMatch("node", "node-1"));
  EXPECT_FALSE(GlobMatch("node-*x", "node-12"));
  EXPECT_FALSE(GlobMatch("A*", "abc"));
}

TEST(GlobTest, AHostilePatternEnds) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "a*";
  EXPECT_FALSE(GlobMatch(pattern + "b", std::string(256, 'a')));
}

TEST(NearestWordTest, FindsTheNearestThatIsNear) {
  const std::array<std::string_view, 4> words = {"node", "gpu", "utilization", "--url"};
  EXPECT_EQ(NearestWord("nodes", words), "node");
  EXPECT_EQ(NearestWord("utilisation", words), "utilization");
  EXPECT_EQ(NearestWord("cpu", words), "gpu");
  EXPECT_EQ(NearestWord("temperature", words), "");
  EXPECT_EQ(NearestWord("--", words), "");
  EXPECT_EQ(NearestWord("", words), "");
  EXPECT_EQ(NearestWord("x", std::vector<std::string>{}), "");
}

TEST(NearestWordTest, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("abc", ""), 3U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
  EXPECT_EQ(EditDistance("port", "prot"), 2U);
}

}  // namespace
}  // namespace gpumon
