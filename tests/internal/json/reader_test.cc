#include "internal/json/reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gpumon::json {
namespace {

// The events as one line of text; ends the reading at a string "stop".
class Recorder final : public Handler {
 public:
  bool Null() override { return Add("null"); }
  bool Bool(bool value) override { return Add(value ? "true" : "false"); }
  bool Number(std::string_view text) override { return Add("#" + std::string(text)); }
  bool String(std::string_view text) override {
    last = text;
    return Add("'" + std::string(text) + "'") && text != "stop";
  }
  bool Key(std::string_view name) override { return Add(std::string(name) + ":"); }
  bool BeginObject() override { return Add("{"); }
  bool EndObject() override { return Add("}"); }
  bool BeginArray() override { return Add("["); }
  bool EndArray() override { return Add("]"); }

  std::string events;
  std::string_view last;

 private:
  bool Add(const std::string& event) {
    events += (events.empty() ? "" : " ") + event;
    return true;
  }
};

std::string Events(std::string_view text) {
  Recorder recorder;
  const Result<void> read = Read(text, recorder);
  return read ? recorder.events : "error: " + read.error().message;
}

TEST(ReaderTest, GivesEventsInTheOrderOfTheText) {
  EXPECT_EQ(Events(R"( {"a": [1, -2.5e3, true, false, null], "b": {"c": "x"}} )"),
            "{ a: [ #1 #-2.5e3 true false null ] b: { c: 'x' } }");
  EXPECT_EQ(Events("17"), "#17");
  EXPECT_EQ(Events(R"("")"), "''");
}

TEST(ReaderTest, ResolvesEscapes) {
  EXPECT_EQ(Events(R"("a\"\\\/\n\u00e9\ud83d\ude00")"), "'a\"\\/\n\xc3\xa9\xf0\x9f\x98\x80'");
  EXPECT_EQ(Events(R"("\u0000")"), std::string("'\0'", 3));
}

TEST(ReaderTest, RefusesWhatIsNotOneJsonText) {
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "[1",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "'a'",
                                      "\"a",
                                      "\"\x01\"",
                                      "01",
                                      "1.",
                                      ".5",
                                      "+1",
                                      "NaN",
                                      "Infinity",
                                      "-",
                                      "nul",
                                      "[1] [2]",
                                      "1 2",
                                      "\xef\xbb\xbf{}",
                                      "[1 2]",
                                      "{\"a\" 1}",
                                      "\"\\x\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00x\"",
                                      "1e400",
                                      "/**/1"}) {
    EXPECT_EQ(Events(text).substr(0, 15), "error: not JSON") << text;
  }
}

TEST(ReaderTest, RefusesWhatStandsBehindANul) {
  EXPECT_EQ(Events(std::string_view("1\0 2", 4)),
            "error: not JSON: a NUL byte at byte 1 (line 1, column 2)");
}

TEST(ReaderTest, SaysWhereTheMistakeIs) {
  EXPECT_EQ(Events("{\n  \"a\": 1,\n  \"b\": x}"),
            "error: not JSON: Invalid value at byte 19 (line 3, column 8)");
}

TEST(ReaderTest, StopsAtTheDepthCap) {
  Recorder recorder;
  EXPECT_TRUE(Read(std::string(8, '[') + std::string(8, ']'), recorder, {.max_depth = 8}));
  const Result<void> read =
      Read(std::string(9, '[') + std::string(9, ']'), recorder, {.max_depth = 8});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message.substr(0, 38), "not JSON we read: deeper than 8 levels");
}

TEST(ReaderTest, SurvivesAMillionBrackets) {
  EXPECT_EQ(Events(std::string(1000000, '[')).substr(0, 6), "error:");
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_EQ(Events(objects).substr(0, 6), "error:");
}

TEST(ReaderTest, SurvivesHostileNumbers) {
  const std::string digits(300, '9');
  const std::string fraction = "0." + std::string(100000, '7');
  EXPECT_EQ(Events(fraction), "#" + fraction);
  EXPECT_FALSE(Events("[" + digits + digits + "]").empty());
  EXPECT_FALSE(Events("[1e" + digits + "]").empty());
  EXPECT_FALSE(Events("[1e-" + digits + "]").empty());
  EXPECT_FALSE(Events("[-" + digits + "." + digits + "e-" + digits + "]").empty());
}

TEST(ReaderTest, EndsWhereTheHandlerSaysSo) {
  EXPECT_EQ(Events(R"(["a","stop","b"])").substr(0, 22), "error: refused at byte");
}

TEST(ReaderTest, InSituStringsAreViewsIntoTheText) {
  std::string text = R"(["a\nb"])";
  Recorder recorder;
  ASSERT_TRUE(ReadInSitu(text, recorder));
  EXPECT_EQ(recorder.last, "a\nb");
  EXPECT_GE(recorder.last.data(), text.data());
  EXPECT_LT(recorder.last.data(), text.data() + text.size());
}

}  // namespace
}  // namespace gpumon::json
