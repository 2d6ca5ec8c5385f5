#include "tests/e2e/documents/examples.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace gpumon::e2e {
namespace {

Example Shown(std::vector<std::string> lines, bool cut = false) {
  Example example;
  example.lines = std::move(lines);
  example.cut = cut;
  return example;
}

TEST(ExamplesTest, ABlockHasCommandsEachWithItsLines) {
  const std::string text = "a\n```console\n$ one\n1\n2\n$ two\n...\n```\n```sh\n$ not this\n```\n";
  const auto examples = ExamplesOf(text);
  ASSERT_EQ(examples.size(), 2U);
  EXPECT_EQ(examples[0].command, "one");
  EXPECT_EQ(examples[0].lines, (std::vector<std::string>{"1", "2"}));
  EXPECT_FALSE(examples[0].cut);
  EXPECT_EQ(text.substr(examples[0].begin, examples[0].size), "1\n2\n");
  EXPECT_EQ(examples[1].command, "two");
  EXPECT_TRUE(examples[1].lines.empty());
  EXPECT_TRUE(examples[1].cut);
  EXPECT_EQ(text.substr(examples[1].begin, examples[1].size), "...\n");
}

TEST(ExamplesTest, ARowHasACommandAndItsLinesAndComesBackAsItWas) {
  const std::string row = " `a \\| b`<br><br>`...` ";
  const std::string text =
      "| requirement line | command | output |\n|---|---|---|\n| what | `x \\| y` |" + row +
      "|\n\n| other | table | here |\n";
  const auto examples = ExamplesOf(text);
  ASSERT_EQ(examples.size(), 1U);
  EXPECT_EQ(examples[0].command, "x | y");
  EXPECT_EQ(examples[0].lines, (std::vector<std::string>{"a | b", ""}));
  EXPECT_EQ(text.substr(examples[0].begin, examples[0].size), row);
  EXPECT_EQ(Pasted(examples[0], "a | b\n\nmore\n"), row);
}

TEST(ExamplesTest, ARowThatCannotBeReadIsAMistake) {
  EXPECT_THROW(ExamplesOf("| requirement line | command | output |\n|---|---|---|\n| a | b |\n"),
               std::runtime_error);
  EXPECT_THROW(ExamplesOf("```console\nno command\n```\n"), std::runtime_error);
}

TEST(ExamplesTest, NumbersAndGapsMayDifferAndWordsMayNot) {
  EXPECT_TRUE(Fits(Shown({"PING  took 1 ms"}), "PING took 12345 ms\n"));
  EXPECT_FALSE(Fits(Shown({"PING took 1 ms"}), "PONG took 1 ms\n"));
  EXPECT_FALSE(Fits(Shown({"a"}), "a\nb\n"));
  EXPECT_FALSE(Fits(Shown({"a", "b"}), "a\n"));
}

TEST(ExamplesTest, JsonHasKeysAndTypesCsvAndTablesHaveColumns) {
  EXPECT_TRUE(Fits(Shown({R"({"a":"x","b":[1]})"}), R"({"a":"y","b":[2,3]})"));
  EXPECT_FALSE(Fits(Shown({R"({"a":"x"})"}), R"({"a":1})"));
  EXPECT_TRUE(Fits(Shown({"a,b", "x,1"}), "a,b\ny,\n"));
  EXPECT_FALSE(Fits(Shown({"a,b", "x,1"}), "a,c\ny,1\n"));
  EXPECT_TRUE(Fits(Shown({"NODE  GPU  USED-MiB", "a  0  7"}), "NODE   GPU  USED-MiB\nbb  1  8\n"));
  EXPECT_FALSE(Fits(Shown({"NODE  GPU  USED-MiB", "a  0  7"}), "NODE   GPU  USED-MiB\n"));
}

TEST(ExamplesTest, WhatIsCutFitsAsFarAsItGoes) {
  EXPECT_TRUE(Fits(Shown({"a", "b"}, true), "a\nb\nc\n"));
  EXPECT_FALSE(Fits(Shown({"a", "b"}, true), "a\n"));
  EXPECT_FALSE(Fits(Shown({"a", "b"}, true), "a\nc\nc\n"));
  EXPECT_TRUE(Fits(Shown({"x 1 of ..."}), "x 23 of 45 tasks\n"));
  EXPECT_FALSE(Fits(Shown({"x 1 of ..."}), "y 23 of 45 tasks\n"));
  EXPECT_EQ(Pasted(Shown({"x 1 of ..."}), "x 2 of 45 tasks\n"), "x 2 of ...\n");
}

}  // namespace
}  // namespace gpumon::e2e
