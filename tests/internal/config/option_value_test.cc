#include "internal/config/option_value.h"

#include <gtest/gtest.h>

namespace gpumon::config {
namespace {

TEST(OptionValueTest, ReadsDurationsInEveryUnit) {
  EXPECT_EQ(ParseDuration("500ms").value(), 500);
  EXPECT_EQ(ParseDuration("2s").value(), 2000);
  EXPECT_EQ(ParseDuration("1m").value(), 60'000);
  EXPECT_EQ(ParseDuration("3h").value(), 10'800'000);
  EXPECT_EQ(ParseDuration("0").value(), 0);
  EXPECT_EQ(ParseDuration("0s").value(), 0);
}

TEST(OptionValueTest, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "s", "5", "5 s", "-1s", "+1s", "1.5s", "1m30s", "1d", "5S", "0x5s",
                           "9223372036854775807s", "99999999999999999999s", "5s\n"}) {
    const auto result = ParseDuration(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, Code::kInvalidParameter) << text;
  }
  EXPECT_EQ(ParseDuration("5").error().message, "has no unit");
}

TEST(OptionValueTest, ANumberIsDecimalDigitsWithoutALeadingZero) {
  EXPECT_EQ(ParseInteger("0").value(), 0);
  EXPECT_EQ(ParseInteger("8080").value(), 8080);
  for (const char* text : {"080", "00", "-0", "-1", "+1", " 1", "1 ", "", "0x1", "1e3"}) {
    EXPECT_FALSE(ParseInteger(text)) << text;
  }
  EXPECT_EQ(ParseInteger("080").error().message, "has a leading zero");
  EXPECT_EQ(ParseInteger("-1").error().message, "has a sign");
  EXPECT_FALSE(ParseDuration("05s"));
  EXPECT_FALSE(ParseDuration("00"));
  EXPECT_FALSE(ParseBytes("01MiB"));
}

TEST(OptionValueTest, ReadsBytesInPowersOf1024) {
  EXPECT_EQ(ParseBytes("1048576").value(), 1 << 20);
  EXPECT_EQ(ParseBytes("1KiB").value(), 1024);
  EXPECT_EQ(ParseBytes("64MiB").value(), 64 << 20);
  EXPECT_EQ(ParseBytes("1GiB").value(), 1 << 30);
}

TEST(OptionValueTest, RefusesWhatIsNoSize) {
  for (const char* text : {"", "MiB", "-1", "1MB", "1M", "1.5GiB", "9223372036854775807GiB"}) {
    EXPECT_FALSE(ParseBytes(text)) << text;
  }
}

TEST(OptionValueTest, FormatsInTheLargestUnitThatDivides) {
  EXPECT_EQ(FormatDuration(0), "0s");
  EXPECT_EQ(FormatDuration(1500), "1500ms");
  EXPECT_EQ(FormatDuration(120'000), "2m");
  EXPECT_EQ(FormatBytes(1 << 30), "1GiB");
  EXPECT_EQ(FormatBytes(1025), "1025");
}

TEST(OptionValueTest, WhatItFormatsReadsBack) {
  for (const std::int64_t value : {1, 999, 1000, 60'000, 3'600'000, 86'400'001}) {
    EXPECT_EQ(ParseDuration(FormatDuration(value)).value(), value);
    EXPECT_EQ(ParseBytes(FormatBytes(value)).value(), value);
  }
}

TEST(OptionValueTest, ReadsListsAndDropsSpaces) {
  EXPECT_EQ(ParseList("").value(), std::vector<std::string>{});
  EXPECT_EQ(ParseList("a").value(), std::vector<std::string>{"a"});
  EXPECT_EQ(ParseList("a, b ,c").value(), (std::vector<std::string>{"a", "b", "c"}));
  for (const char* text : {",", "a,", ",a", "a,,b", "a, ,b", " "}) {
    EXPECT_FALSE(ParseList(text)) << text;
  }
}

TEST(OptionValueTest, NeverShowsASecretOrAUrlWithCredentials) {
  const OptionRow secret{.flag = "--token", .secret = true};
  EXPECT_EQ(ShownValue(secret, "hunter2").find("hunter2"), std::string::npos);
  const OptionRow url{.flag = "--url", .kind = Kind::kUrlList};
  for (const char* text : {"http://me:hunter2@x", "http://me:hun,ter2@x", "hunter2@x",
                           "http://x/?token=hunter2", "http://x/#hunter2"}) {
    EXPECT_EQ(ShownValue(url, text).find("hun"), std::string::npos) << text;
  }
  EXPECT_EQ(ShownValue(url, "http://x"), "\"http://x\"");
  // A URL may stand where none belongs.
  const OptionRow name{.flag = "--name"};
  EXPECT_EQ(ShownValue(name, "http://me:hunter2@x").find("hunter2"), std::string::npos);
  EXPECT_EQ(ShownValue(name, "me@x"), "\"me@x\"");
}

TEST(OptionValueTest, ShowsAnyValueInOnePrintableShortLine) {
  const OptionRow row{.flag = "--name"};
  EXPECT_EQ(ShownValue(row, "a\nb\x1b"), "\"a\\x0ab\\x1b\"");
  // U+009B begins a sequence on some terminals, U+202E turns what follows around.
  EXPECT_EQ(ShownValue(row,
                       "a\xC2\x9B"
                       "b\xE2\x80\xAE"),
            "\"a\\xc2\\x9bb\\xe2\\x80\\xae\"");
  EXPECT_EQ(ShownValue(row, "\xC3\xA9\xE2\x82\xAC"), "\"\xC3\xA9\xE2\x82\xAC\"");
  EXPECT_LT(ShownValue(row, std::string(10'000, 'x')).size(), 100U);
}

}  // namespace
}  // namespace gpumon::config
