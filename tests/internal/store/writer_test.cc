#include "internal/store/writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "internal/http/gzip_stream.h"
#include "tests/fakes/process/wait.h"
#include "tests/internal/store/lines.h"

namespace gpumon::store {
namespace {

using process::ReadFile;
using process::ScratchDirectory;
using std::chrono::days;

constexpr char kFirst[] = "health-metrics-20260301.jsonl";
const std::atomic<bool> kGoOn{false};

bool Exists(const std::string& path) {
  return std::filesystem::exists(path);
}

class WriterTest : public ::testing::Test {
 protected:
  std::string File(const std::string& name) const { return folder_.path() + '/' + name; }
  std::string TimesOfMarch(ReadReport* report = nullptr) const {
    return Times(folder_.path(), "2026-03-01T00:00:00Z", "2026-03-31T00:00:00Z", report);
  }

  ScratchDirectory folder_;
  Writer writer_{folder_.path()};
};

TEST_F(WriterTest, ALineGoesToTheFileOfTheUtcDayOfItsTime) {
  const std::vector<Line> lines = {LineOf("2026-03-01T23:59:59.999Z"),
                                   LineOf("2026-03-02T00:00:00Z")};
  ASSERT_TRUE(writer_.Append(lines));
  EXPECT_EQ(ReadFile(File(kFirst)), lines[0].text + '\n');
  EXPECT_EQ(ReadFile(File("health-metrics-20260302.jsonl")), lines[1].text + '\n');
}

TEST_F(WriterTest, MakesTheFolderWhereItIsMissing) {
  Writer writer(File("a/b/c"));
  ASSERT_TRUE(writer.Append(std::vector{LineOf("2026-03-01T01:00:00Z")}));
  EXPECT_TRUE(Exists(File("a/b/c/") + kFirst));
}

TEST_F(WriterTest, MakesTheFolderAgainWhereItWasRemovedOrReplaced) {
  Writer writer(File("a"));
  const auto append = [&] { return writer.Append(std::vector{LineOf("2026-03-01T01:00:00Z")}); };
  ASSERT_TRUE(append());
  std::filesystem::remove_all(File("a"));
  ASSERT_TRUE(append());
  EXPECT_TRUE(Exists(File("a/") + kFirst));
  std::filesystem::rename(File("a"), File("b"));
  ASSERT_TRUE(append());
  EXPECT_TRUE(Exists(File("a/") + kFirst));
  EXPECT_EQ(Writer(File("a")).Open().error().code, Code::kForbidden)
      << "it has the lock of this one";
}

TEST_F(WriterTest, ATornLastLineLosesItselfAlone) {
  ASSERT_TRUE(writer_.Append(std::vector{LineOf("2026-03-01T01:00:00Z")}));
  std::ofstream(File(kFirst), std::ios::app) << LineOf("2026-03-01T02:00:00Z").text.substr(0, 90);
  ReadReport report;
  EXPECT_EQ(TimesOfMarch(&report), "2026-03-01T01:00:00Z ");
  EXPECT_EQ(report.bad_lines, 1U);
  ASSERT_TRUE(writer_.Append(std::vector{LineOf("2026-03-01T03:00:00Z")}));
  EXPECT_EQ(TimesOfMarch(&report), "2026-03-01T01:00:00Z 2026-03-01T03:00:00Z ");
  EXPECT_EQ(report.bad_lines, 1U);
}

TEST_F(WriterTest, TheSecondWriterOfAFolderIsRefused) {
  ASSERT_TRUE(writer_.Open());
  Writer second(folder_.path());
  const auto opened = second.Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kForbidden);
  EXPECT_NE(opened.error().message.find("another collector"), std::string::npos);
}

TEST_F(WriterTest, ADayIsCompressedAndDeletedWhenItEndedMoreDaysAgo) {
  ASSERT_TRUE(
      writer_.Append(std::vector{LineOf("2026-03-01T12:00:00Z"), LineOf("2026-03-02T12:00:00Z"),
                                 LineOf("2026-03-03T12:00:00Z")}));
  // The first ended a day and a moment ago, the second a moment.
  auto report = writer_.Upkeep(At("2026-03-03T00:00:01Z"), days(1), days(7), kGoOn);
  EXPECT_EQ(report.compressed, 1U);
  EXPECT_TRUE(report.problems.empty());
  EXPECT_FALSE(Exists(File(kFirst)));
  EXPECT_TRUE(Exists(File("health-metrics-20260301.jsonl.gz")));
  EXPECT_TRUE(Exists(File("health-metrics-20260302.jsonl")));
  EXPECT_EQ(TimesOfMarch(), "2026-03-01T12:00:00Z 2026-03-02T12:00:00Z 2026-03-03T12:00:00Z ");
  EXPECT_EQ(writer_.Upkeep(At("2026-03-08T23:59:59Z"), days(1), days(7), kGoOn).deleted, 0U);
  EXPECT_EQ(writer_.Upkeep(At("2026-03-09T00:00:01Z"), days(1), days(7), kGoOn).deleted, 1U);
  EXPECT_EQ(TimesOfMarch(), "2026-03-02T12:00:00Z 2026-03-03T12:00:00Z ");
}

TEST_F(WriterTest, ACrashBetweenCompressingAndRemovingDoublesNothing) {
  ASSERT_TRUE(writer_.Append(std::vector{LineOf("2026-03-01T12:00:00Z")}));
  const std::string plain = ReadFile(File(kFirst));
  writer_.Upkeep(At("2026-03-05T00:00:00Z"), days(1), days(7), kGoOn);
  std::ofstream(File(kFirst)) << plain;  // it was never removed
  EXPECT_EQ(TimesOfMarch(), "2026-03-01T12:00:00Z ");
  writer_.Upkeep(At("2026-03-05T00:00:00Z"), days(1), days(7), kGoOn);
  EXPECT_FALSE(Exists(File(kFirst)));
  EXPECT_EQ(TimesOfMarch(), "2026-03-01T12:00:00Z ");
}

TEST_F(WriterTest, ACrashWhileCompressingLeavesThePlainFile) {
  ASSERT_TRUE(writer_.Append(std::vector{LineOf("2026-03-01T12:00:00Z")}));
  std::ofstream(File("health-metrics-20260301.jsonl.gz.tmp")) << "half";
  EXPECT_EQ(TimesOfMarch(), "2026-03-01T12:00:00Z ");
  EXPECT_EQ(writer_.Upkeep(At("2026-03-05T00:00:00Z"), days(1), days(7), kGoOn).compressed, 1U);
  EXPECT_EQ(TimesOfMarch(), "2026-03-01T12:00:00Z ");
}

TEST_F(WriterTest, ALateLineOfACompressedDayIsReadTooAndOnce) {
  ASSERT_TRUE(writer_.Append(std::vector{LineOf("2026-03-01T12:00:00Z")}));
  writer_.Upkeep(At("2026-03-05T00:00:00Z"), days(1), days(7), kGoOn);
  ASSERT_TRUE(writer_.Append(std::vector{LineOf("2026-03-01T13:00:00Z")}));
  EXPECT_FALSE(Exists(File(kFirst)));
  EXPECT_EQ(TimesOfMarch(), "2026-03-01T12:00:00Z 2026-03-01T13:00:00Z ");
}

TEST_F(WriterTest, FilesOfOthersAreLeftAlone) {
  for (const char* const name : {"health-metrics-2026030.jsonl", "health-metrics-20261301.jsonl",
                                 "notes.txt", "health-metrics-20260301.jsonl.bak"}) {
    std::ofstream(File(name)) << "x";
  }
  const auto report = writer_.Upkeep(At("2026-12-01T00:00:00Z"), days(1), days(7), kGoOn);
  EXPECT_EQ(report.deleted + report.compressed, 0U);
  EXPECT_TRUE(Exists(File("notes.txt")));
}

// Files may grow no further: what a full disk does to a write.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_F(WriterTest, WhatDoesNotFitLeavesNoPartOfALineBehind) {
  ASSERT_TRUE(writer_.Append(std::vector{LineOf("2026-03-01T12:00:00Z")}));
  const std::string before = ReadFile(File(kFirst));
  {
    const FullDisk full(before.size() + 50);
    const auto appended = writer_.Append(std::vector{LineOf("2026-03-01T13:00:00Z")});
    ASSERT_FALSE(appended);
    EXPECT_NE(appended.error().message.find("cannot be written"), std::string::npos)
        << appended.error().message;
    EXPECT_EQ(ReadFile(File(kFirst)), before);
  }
  EXPECT_TRUE(writer_.Append(std::vector{LineOf("2026-03-01T14:00:00Z")}));
  EXPECT_EQ(TimesOfMarch(), "2026-03-01T12:00:00Z 2026-03-01T14:00:00Z ");
}

TEST_F(WriterTest, ADiskWithoutRoomLeavesDaysUncompressed) {
  std::vector<Line> lines;
  for (int i = 0; i < 200; ++i) lines.push_back(LineOf("2026-03-01T12:00:00Z"));
  ASSERT_TRUE(writer_.Append(lines));
  {
    const FullDisk full(64);
    const auto report = writer_.Upkeep(At("2026-03-05T00:00:00Z"), days(1), days(7), kGoOn);
    EXPECT_EQ(report.compressed, 0U);
    EXPECT_EQ(report.problems.size(), 1U);
  }
  EXPECT_FALSE(Exists(File("health-metrics-20260301.jsonl.gz.tmp")));
  EXPECT_TRUE(Exists(File(kFirst)));
}

}  // namespace
}  // namespace gpumon::store
