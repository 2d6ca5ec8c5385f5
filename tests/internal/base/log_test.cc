#include "internal/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "internal/base/text.h"

namespace gpumon::log {
namespace {

using testing::HasSubstr;

// What `write` puts on standard error.
template <class F>
std::string Captured(F write) {
  testing::internal::CaptureStderr();
  write();
  Flush(Millis(10'000));
  return testing::internal::GetCapturedStderr();
}

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { SetLevel(Level::kInfo); }
};

TEST_F(LogTest, PlainValuesStandBare) {
  EXPECT_EQ(Quoted("GET"), "GET");
  EXPECT_EQ(Quoted("/api/v1/gpu"), "/api/v1/gpu");
}

TEST_F(LogTest, OtherValuesAreQuotedAndEscaped) {
  EXPECT_EQ(Quoted(""), "\"\"");
  EXPECT_EQ(Quoted("a b"), "\"a b\"");
  EXPECT_EQ(Quoted("a=b"), "\"a=b\"");
  EXPECT_EQ(Quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(Quoted("a\nb\rc\x1b[31m\x7f"), "\"a\\nb\\x0dc\\x1b[31m\\x7f\"");
  EXPECT_EQ(Quoted(std::string_view("\0", 1)), "\"\\x00\"");
  EXPECT_EQ(Quoted("a\xD8\x9C"), "\"a\\xd8\\x9c\"") << "U+061C";
  EXPECT_EQ(Quoted("\xff"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(Quoted("Zürich"), "\"Zürich\"");
}

TEST_F(LogTest, OneEventIsOneLineWhateverComes) {
  std::string nasty;
  for (int c = 0; c < 256; ++c) nasty += static_cast<char>(c);
  nasty += "{} %s \xC2\x85 \xE2\x80\xA8 \xE2\x80\xAE";
  const std::string line = Captured([&] { Info(nasty, {{"value", nasty}, {"key", nasty}}); });
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(line.back(), '\n');
  EXPECT_TRUE(IsValidUtf8(line));
  for (const char c : line.substr(0, line.size() - 1)) {
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
  // C1 controls, the Unicode line ends and the right-to-left override act on terminals too.
  EXPECT_EQ(line.find("\xC2\x85"), std::string::npos);
  EXPECT_EQ(line.find("\xE2\x80\xA8"), std::string::npos);
  EXPECT_EQ(line.find("\xE2\x80\xAE"), std::string::npos);
}

TEST_F(LogTest, WritesTimeLevelMessageAndFields) {
  const std::string line = Captured([] {
    Warning("upstream slow", {{"query", "up"},
                              {"status", 200},
                              {"seconds", 0.25},
                              {"big", std::uint64_t{18446744073709551615U}},
                              {"stale", true},
                              {"text", std::string("x y")}});
  });
  EXPECT_TRUE(
      std::regex_match(line, std::regex(R"(time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=warn )"
                                        R"(msg="upstream slow" query=up status=200 seconds=0\.25 )"
                                        R"(big=18446744073709551615 stale=true text="x y"\n)")))
      << line;
}

TEST_F(LogTest, WritesOnlyWhatTheLevelLets) {
  SetLevel(Level::kWarning);
  EXPECT_FALSE(Enabled(Level::kInfo));
  EXPECT_TRUE(Enabled(Level::kError));
  EXPECT_EQ(Captured([] { Info("no"); }), "");
  EXPECT_THAT(Captured([] { Error("yes"); }), HasSubstr("msg=yes"));
  SetLevel(Level::kOff);
  EXPECT_EQ(Captured([] { Error("no"); }), "");
  SetLevel(Level::kDebug);
  EXPECT_THAT(Captured([] { Debug("yes"); }), HasSubstr("level=debug"));
}

TEST_F(LogTest, LinesOfManyThreadsKeepEachOnesOrder) {
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  const std::string text = Captured([] {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < kLines; ++i) Info("line", {{"thread", t}, {"i", i}});
      });
    }
    for (auto& thread : threads) thread.join();
  });
  std::vector<int> next(kThreads, 0);
  const std::regex shape(R"(time=\S+ level=info msg=line thread=(\d) i=(\d+))");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(line, parts, shape)) << line;
    EXPECT_EQ(std::stoi(parts[2]), next[static_cast<std::size_t>(std::stoi(parts[1]))]++);
  }
  EXPECT_EQ(next, std::vector<int>(kThreads, kLines));
  EXPECT_EQ(Dropped(), 0U);
}

TEST_F(LogTest, OffIsALevelToSetNotToWriteAt) {
  EXPECT_FALSE(Enabled(Level::kOff));
  EXPECT_EQ(Captured([] { Write(Level::kOff, "no"); }), "");
}

TEST_F(LogTest, ReadsLevelsByName) {
  EXPECT_EQ(ParseLevel("debug").value(), Level::kDebug);
  EXPECT_EQ(ParseLevel("info").value(), Level::kInfo);
  EXPECT_EQ(ParseLevel("warn").value(), Level::kWarning);
  EXPECT_EQ(ParseLevel("error").value(), Level::kError);
  EXPECT_EQ(ParseLevel("off").value(), Level::kOff);
  for (const char* text : {"", "INFO", "loud", "warning"}) {
    EXPECT_FALSE(ParseLevel(text)) << text;
  }
}

}  // namespace
}  // namespace gpumon::log
