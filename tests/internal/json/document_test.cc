#include "internal/json/document.h"

#include <gtest/gtest.h>

namespace gpumon::json {
namespace {

Value Parse(std::string_view text) {
  Result<Value> value = ParseDocument(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

TEST(DocumentTest, ReadsEveryKindOfValue) {
  const Value value =
      Parse(R"({"n":null,"b":true,"i":-9007199254740993,"d":2.5,"s":"x","a":[1,2]})");
  EXPECT_TRUE(value["n"].is_null());
  EXPECT_EQ(value["b"].AsBool(), true);
  EXPECT_EQ(value["i"].AsInteger(), -9007199254740993);
  EXPECT_EQ(value["d"].AsDouble(), 2.5);
  EXPECT_EQ(*value["d"].AsNumberText(), "2.5");
  EXPECT_EQ(*value["s"].AsString(), "x");
  EXPECT_EQ(value["a"].size(), 2U);
  EXPECT_EQ(value["a"][1].AsInteger(), 2);
  EXPECT_EQ(value.members().front().first, "n");
  EXPECT_EQ(value.size(), 6U);
}

TEST(DocumentTest, GivesNullForWhatIsNotThere) {
  const Value value = Parse(R"({"a":[1]})");
  EXPECT_TRUE(value["b"]["c"][7].is_null());
  EXPECT_TRUE(value["a"][1].is_null());
  EXPECT_EQ(value.Find("b"), nullptr);
  EXPECT_NE(value.Find("a"), nullptr);
  EXPECT_EQ(value["a"].AsString(), nullptr);
  EXPECT_EQ(value["a"].AsBool(), std::nullopt);
  EXPECT_EQ(value.AsDouble(), std::nullopt);
}

TEST(DocumentTest, ANumberWithAFractionIsNoInteger) {
  EXPECT_EQ(Parse("2.0").AsInteger(), std::nullopt);
  EXPECT_EQ(Parse("1e3").AsInteger(), std::nullopt);
  EXPECT_EQ(Parse("9223372036854775808").AsInteger(), std::nullopt);
  EXPECT_EQ(Parse("1e3").AsDouble(), 1000.0);
}

TEST(DocumentTest, RefusesTheSameNameTwice) {
  const Result<Value> value = ParseDocument(R"({"a":1,"a":2})");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().message.substr(0, 34), "the same name \"a\" twice at byte 10");
}

TEST(DocumentTest, RefusesTruncatedTextAtEveryByte) {
  const std::string_view text = R"({"a":[1,{"b":"c"}],"d":true})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(ParseDocument(text.substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace gpumon::json
