#include "internal/json/writer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "internal/base/text.h"
#include "internal/json/document.h"

namespace gpumon::json {
namespace {

std::string NumberText(double value) {
  Writer writer;
  writer.Number(value);
  return writer.Take();
}

std::string StringText(std::string_view text) {
  Writer writer;
  writer.String(text);
  return writer.Take();
}

TEST(WriterTest, PutsCommasWhereTheyBelong) {
  Writer writer;
  writer.BeginObject();
  writer.Key("a");
  writer.BeginArray();
  writer.Integer(1);
  writer.Bool(true);
  writer.Null();
  writer.BeginObject();
  writer.EndObject();
  writer.EndArray();
  writer.Key("b");
  writer.String("x");
  writer.RawKey(R"("c":)");
  writer.Raw("[1,2]");
  writer.EndObject();
  EXPECT_EQ(writer.size(), writer.view().size());
  EXPECT_EQ(writer.Take(), R"({"a":[1,true,null,{}],"b":"x","c":[1,2]})");
}

TEST(WriterTest, IsEmptyAgainAfterTake) {
  Writer writer;
  writer.Integer(1);
  EXPECT_EQ(writer.Take(), "1");
  EXPECT_EQ(writer.size(), 0U);
  writer.Integer(2);
  EXPECT_EQ(writer.Take(), "2");
}

TEST(WriterTest, WritesWholeDoublesWithAFraction) {
  EXPECT_EQ(NumberText(8), "8.0");
  EXPECT_EQ(NumberText(0), "0.0");
  EXPECT_EQ(NumberText(-0.0), "-0.0");
  EXPECT_EQ(NumberText(-17179869184.0), "-17179869184.0");
  EXPECT_EQ(NumberText(9007199254740993.0), "9007199254740992.0");
}

TEST(WriterTest, WritesTheShortestDouble) {
  EXPECT_EQ(NumberText(0.1), "0.1");
  EXPECT_EQ(NumberText(1704110400.25), "1704110400.25");
  EXPECT_EQ(NumberText(5e-324), "5e-324");
  EXPECT_EQ(NumberText(1.7976931348623157e308), "1.7976931348623157e308");
}

TEST(WriterTest, WritesNullForWhatJsonHasNoNumberFor) {
  EXPECT_EQ(NumberText(std::nan("")), "null");
  EXPECT_EQ(NumberText(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(NumberText(-std::numeric_limits<double>::infinity()), "null");
}

TEST(WriterTest, EveryDoubleReadsBackAsItself) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<double>(std::uint64_t{random()});
    if (!std::isfinite(value)) continue;
    const auto read = ParseDocument(NumberText(value));
    ASSERT_TRUE(read) << NumberText(value);
    ASSERT_EQ(read->AsDouble(), value);
  }
}

TEST(WriterTest, WritesAll64BitIntegers) {
  Writer writer;
  writer.BeginArray();
  writer.Integer(std::numeric_limits<std::int64_t>::min());
  writer.Integer(std::numeric_limits<std::int64_t>::max());
  writer.Unsigned(std::numeric_limits<std::uint64_t>::max());
  writer.EndArray();
  EXPECT_EQ(writer.Take(), "[-9223372036854775808,9223372036854775807,18446744073709551615]");
}

TEST(WriterTest, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(StringText("a\"b\\c\b\f\n\r\t"), R"("a\"b\\c\b\f\n\r\t")");
  EXPECT_EQ(StringText(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(StringText(""), "\"\"");
  EXPECT_EQ(StringText({}), "\"\"");
}

TEST(WriterTest, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(StringText("gr\xc3\xbc\xc3\x9f\x65"), "\"gr\xc3\xbc\xc3\x9f\x65\"");
  EXPECT_EQ(StringText("a\xff\"b"), "\"a\xef\xbf\xbd\\\"b\"");
  EXPECT_EQ(Writer::KeyText("k\xff"), "\"k\xef\xbf\xbd\":");
}

TEST(WriterTest, AnyBytesBecomeAStringThatReadsBack) {
  std::mt19937 random(2);
  for (int i = 0; i < 5000; ++i) {
    std::string text(random() % 40, '\0');
    for (char& c : text) {
      // Mostly plain text, so that the fast path meets a bad byte at every place.
      c = static_cast<char>(random() % 4 == 0 ? random() % 256 : 'a' + random() % 26);
    }
    const std::string json = StringText(text);
    ASSERT_TRUE(IsValidUtf8(json));
    const auto read = ParseDocument(json);
    ASSERT_TRUE(read) << json;
    ASSERT_EQ(*read->AsString(), ToValidUtf8(text));
  }
}

}  // namespace
}  // namespace gpumon::json
