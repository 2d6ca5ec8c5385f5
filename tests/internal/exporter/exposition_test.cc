#include "internal/exporter/exposition.h"

#include <gtest/gtest.h>

#include "tests/internal/exporter/strict_page.h"

namespace gpumon::exporter {
namespace {

TEST(ExpositionTest, WritesHelpTypeAndSamples) {
  std::string text;
  Exposition out(text);
  out.Begin({"a_total", MetricType::kCounter, "What a counts."});
  std::string labels;
  AppendLabel(labels, "node", "n");
  AppendLabel(labels, "gpu", std::int64_t{-3});
  out.Sample(labels, 7);
  out.Begin({"b", MetricType::kGauge, "What b is."});
  out.Sample("", 0.25);
  EXPECT_EQ(text,
            "# HELP a_total What a counts.\n# TYPE a_total counter\n"
            "a_total{node=\"n\",gpu=\"-3\"} 7\n"
            "# HELP b What b is.\n# TYPE b gauge\nb 0.25\n");
}

TEST(ExpositionTest, JoinsTwoLabelBlocksWhereverOneIsEmpty) {
  std::string text;
  Exposition out(text);
  out.Begin({"a", MetricType::kGauge, "A."});
  text.clear();
  out.Sample(R"(x="1")", R"(y="2")", 1);
  out.Sample(R"(x="1")", "", 1);
  out.Sample("", R"(y="2")", 1);
  EXPECT_EQ(text, "a{x=\"1\",y=\"2\"} 1\na{x=\"1\"} 1\na{y=\"2\"} 1\n");
}

TEST(ExpositionTest, EscapesWhatWouldEndALabelOrALine) {
  std::string block;
  AppendLabel(block, "command", "C:\\x \"y\"\nz");
  EXPECT_EQ(block, R"(command="C:\\x \"y\"\nz")");
  const StrictPage page = ReadStrictly("# HELP a A.\n# TYPE a gauge\na{" + block + "} 1\n");
  ASSERT_EQ(page.problem, "");
  EXPECT_EQ(page.series[0].Label("command"), "C:\\x \"y\"\nz");
}

TEST(ExpositionTest, WritesNumbersThatReadBackTheSame) {
  std::string text;
  Exposition out(text);
  out.Begin({"a", MetricType::kGauge, "A."});
  for (const double value : {0.0, 85520809984.0, 1e15, 1e300, 0.1, -2.5, 9007199254740993.0}) {
    text.clear();
    out.Sample("", value);
    EXPECT_EQ(std::stod(text.substr(2)), value) << text;
  }
  text.clear();
  out.Sample("", 85520809984.0);
  EXPECT_EQ(text, "a 85520809984\n");
}

// The reader that judges the fleet's page must be able to say no.
TEST(StrictPageTest, RefusesBrokenPages) {
  const std::string head = "# HELP a A.\n# TYPE a gauge\n";
  EXPECT_EQ(ReadStrictly(head + "a 1\n").problem, "");
  for (const std::string& text : {
           std::string("a 1\n"),                                      // no family
           head + "a 1",                                              // unfinished line
           head + "a 1\na 1\n",                                       // series twice
           head + "b 1\n",                                            // other family
           head + "a{x=\"1\",x=\"2\"} 1\n",                           // label twice
           head + "a{x=\"\\t\"} 1\n",                                 // unknown escape
           head + "a{x=\"1\"\n",                                      // unfinished labels
           head + "a NaN\n",                                          // not finite
           head + "a 1 x\n",                                          // rubbish behind the value
           head + head,                                               // family twice
           head + "a{x=\"\xff\"} 1\n",                                // not UTF-8
           std::string("# TYPE a gauge\na 1\n"),                      // no help
           std::string("# HELP a A.\n# TYPE a counter\na 1\n"),       // counter without _total
           std::string("# HELP a_total A.\n# TYPE a_total gauge\n"),  // gauge with _total
           std::string("# HELP a_total A.\n# TYPE a_total counter\na_total -1\n"),
       }) {
    EXPECT_NE(ReadStrictly(text).problem, "") << text;
  }
}

}  // namespace
}  // namespace gpumon::exporter
