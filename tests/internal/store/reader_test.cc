#include "internal/store/reader.h"

#include <gtest/gtest.h>

#include <fstream>

#include "internal/http/gzip_stream.h"
#include "tests/fakes/process/wait.h"
#include "tests/internal/store/lines.h"

namespace gpumon::store {
namespace {

class ReaderTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) const { folder_.Write(name, text); }
  std::string Gzip(const std::string& text) const { return http::GzipWriter().Add(text, true); }

  process::ScratchDirectory folder_;
};

TEST_F(ReaderTest, LinesAreChosenByTheirTimeNotByTheirFile) {
  Write("health-metrics-20260301.jsonl", LineOf("2026-03-01T10:00:00Z").text + '\n' +
                                             LineOf("2026-03-02T00:30:00Z").text + '\n' +
                                             LineOf("2026-03-01T12:00:00.001Z").text + '\n');
  EXPECT_EQ(Times(folder_.path(), "2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z"),
            "2026-03-01T10:00:00Z ");
  EXPECT_EQ(Times(folder_.path(), "2026-03-02T00:00:00Z", "2026-03-02T12:00:00Z"),
            "2026-03-02T00:30:00Z ");
}

TEST_F(ReaderTest, TimesAreReadAsFlowWroteThem) {
  Write("health-metrics-20260301.jsonl",
        "{\"task_id\":\"a\",\"timestamp\":\"2026-03-01T10:00:00\"}\n"
        "{\"task_id\":\"a\",\"timestamp\":\"2026-03-01T11:00:00+00:00Z\"}\n");
  ReadReport report;
  EXPECT_EQ(Times(folder_.path(), "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", &report),
            "2026-03-01T10:00:00Z 2026-03-01T11:00:00Z ");
  EXPECT_EQ(report.bad_lines, 0U);
}

TEST_F(ReaderTest, BadLinesArePassedOverAndCounted) {
  Write("health-metrics-20260301.jsonl", "{\n\nnull\n" + LineOf("2026-03-01T10:00:00Z").text +
                                             "\n{\"task_id\":1}\n" + std::string(100, '\0') + "\n" +
                                             LineOf("2026-03-01T11:00:00Z").text);
  ReadReport report;
  EXPECT_EQ(Times(folder_.path(), "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", &report),
            "2026-03-01T10:00:00Z 2026-03-01T11:00:00Z ");
  EXPECT_EQ(report.bad_lines, 4U);
  EXPECT_TRUE(report.problems.empty());
}

TEST_F(ReaderTest, ALineThatIsTooLongIsABadOne) {
  Write("health-metrics-20260301.jsonl",
        std::string(kMaxLineBytes + 1, 'x') + '\n' + LineOf("2026-03-01T10:00:00Z").text + '\n');
  ReadReport report;
  EXPECT_EQ(Times(folder_.path(), "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", &report),
            "2026-03-01T10:00:00Z ");
  EXPECT_EQ(report.bad_lines, 1U);
}

TEST_F(ReaderTest, CompressedFilesAreReadMemberByMember) {
  std::string many;
  for (int i = 0; i < 2000; ++i) many += LineOf("2026-03-01T10:00:00Z").text + '\n';
  Write("health-metrics-20260301.jsonl.gz",
        Gzip(many) + Gzip(LineOf("2026-03-01T11:00:00Z").text + '\n'));
  const std::string times = Times(folder_.path(), "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
  EXPECT_EQ(times.size(), 2001 * std::string("2026-03-01T10:00:00Z ").size());
  EXPECT_TRUE(times.ends_with("2026-03-01T11:00:00Z "));
}

TEST_F(ReaderTest, OfABrokenCompressedFileComesWhatThereIsAndAProblem) {
  std::string many;
  for (int i = 0; i < 2000; ++i) many += LineOf("2026-03-01T10:00:00Z").text + '\n';
  const std::string whole = Gzip(many);
  Write("health-metrics-20260301.jsonl.gz", whole.substr(0, whole.size() / 2));
  ReadReport report;
  EXPECT_FALSE(
      Times(folder_.path(), "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", &report).empty());
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_NE(report.problems[0].find("broken"), std::string::npos);
}

TEST_F(ReaderTest, AFolderThatIsNotThereIsNotFound) {
  const auto read = ReadLines(
      folder_.path() + "/none", {}, {}, "", [] { return true; },
      [](const LineHead&) { return true; });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kNotFound);
}

TEST_F(ReaderTest, EndsWhenNobodyWaitsAnyMore) {
  Write("health-metrics-20260301.jsonl", LineOf("2026-03-01T10:00:00Z").text + '\n');
  const auto read = ReadLines(
      folder_.path(), At("2026-03-01T00:00:00Z"), At("2026-03-02T00:00:00Z"), "",
      [] { return false; }, [](const LineHead&) { return true; });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kOverloaded);
}

}  // namespace
}  // namespace gpumon::store
