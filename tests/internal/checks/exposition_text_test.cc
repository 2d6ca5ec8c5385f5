#include "internal/checks/exposition_text.h"

#include <gtest/gtest.h>

namespace gpumon::checks {
namespace {

TEST(ExpositionTextTest, SamplesHaveTheirLabelsAndValues) {
  const auto text = ReadExposition(
      "# HELP a What it is.\n# TYPE a gauge\n"
      "a 1\n"
      "b{x=\"1\",y=\"two, \\\"quoted\\\"\\\\ }\\n\",} 2.5e3 1700000000000\r\n"
      "  c { x = \"z\" } +Inf\nd{} NaN\ne -0.5");
  EXPECT_EQ(text.bad_lines, 0U);
  ASSERT_EQ(text.samples.size(), 3U);
  EXPECT_EQ(text.samples[0].name, "a");
  EXPECT_EQ(text.samples[0].value, 1);
  EXPECT_EQ(text.samples[1].value, 2500);
  EXPECT_EQ(text.samples[1].Label("y"), "two, \"quoted\"\\ }\n");
  EXPECT_EQ(text.samples[1].Label("z"), "");
  EXPECT_EQ(text.samples[2].value, -0.5);
}

TEST(ExpositionTextTest, WhatIsNoSampleIsCounted) {
  const auto text = ReadExposition(
      "<html>\na{x=\"1\" 2\nb{x=1} 2\nc{x=\"1\n{} 1\nd one\ne\nf 1x\n\n\xff\xfe 1\n");
  EXPECT_EQ(text.bad_lines, 8U);
  EXPECT_EQ(text.samples.size(), 1U);
}

TEST(ExpositionTextTest, EveryCutOfATextEnds) {
  const std::string whole = "a{x=\"1\",y=\"\\\\\"} 2.5\nb 1\n";
  for (std::size_t i = 0; i <= whole.size(); ++i) {
    EXPECT_LE(ReadExposition(std::string_view(whole).substr(0, i)).samples.size(), 2U);
  }
}

}  // namespace
}  // namespace gpumon::checks
