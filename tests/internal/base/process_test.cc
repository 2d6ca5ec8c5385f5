#include "internal/base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace gpumon {
namespace {

void WriteToClosedOutput() {
  close(STDOUT_FILENO);
  OpenStandardDescriptors();
  const bool is_taken = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
  const bool is_lost = write(STDOUT_FILENO, "x", 1) < 0;
  _exit(is_taken && is_lost ? 0 : 1);
}

TEST(OpenStandardDescriptorsDeathTest, WhatIsWrittenToAClosedOutputIsNotTakenForWritten) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(WriteToClosedOutput(), testing::ExitedWithCode(0), "");
}

TEST(EndingSignalsTest, ASignalIsAValueAndEndsNothing) {
  const EndingSignals signals;
  EXPECT_EQ(signals.Await(Millis(0)), 0);
  kill(getpid(), SIGTERM);
  EXPECT_EQ(signals.Await(), SIGTERM);
  kill(getpid(), SIGINT);
  EXPECT_EQ(signals.Await(Millis(10'000)), SIGINT);
}

// In a process of its own: nothing here ends by itself.
void WaitForEver(int sent_before, int sent_after) {
  const EndingSignals signals;
  if (sent_before != 0) kill(getpid(), sent_before);
  signals.EndAtOnceOnNext();
  if (sent_after != 0) kill(getpid(), sent_after);
  std::thread waiting([] {
    while (true) pause();
  });
  waiting.join();
}

TEST(EndingSignalsDeathTest, TheNextOneEndsAProcessThatWaitsForAThread) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(WaitForEver(0, SIGTERM), testing::ExitedWithCode(1), "");
  EXPECT_EXIT(WaitForEver(0, SIGINT), testing::ExitedWithCode(1), "");
  EXPECT_EXIT(WaitForEver(SIGTERM, 0), testing::ExitedWithCode(1), "");
}

std::string ReadLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

TEST(WritePortFileTest, WritesTheWholeNumber) {
  std::string folder = (std::filesystem::temp_directory_path() / "gpumon-port-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  EXPECT_TRUE(WritePortFile(folder + "/port", 8080));
  EXPECT_EQ(ReadLine(folder + "/port"), "8080");
  std::filesystem::remove_all(folder);
}

TEST(WritePortFileTest, SaysWhyItCannotAndLeavesNothing) {
  std::string folder = (std::filesystem::temp_directory_path() / "gpumon-port-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto nowhere = WritePortFile(folder + "/no/such/folder", 8080);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, Code::kInvalidParameter);
  EXPECT_NE(nowhere.error().message.find("No such file or directory"), std::string::npos);
  std::filesystem::create_directory(folder + "/taken");
  const auto taken = WritePortFile(folder + "/taken", 8080);
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("is a folder"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder + "/taken.tmp"));
  std::filesystem::remove_all(folder);
}

TEST(WritePortFileTest, NeverTakesThePlaceOfWhatIsNoFile) {
  std::string folder = (std::filesystem::temp_directory_path() / "gpumon-port-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string pipe = folder + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::ofstream(folder + "/file") << "old\n";
  std::filesystem::create_symlink(folder + "/pipe", folder + "/to-pipe");
  std::filesystem::create_symlink(folder + "/file", folder + "/to-file");
  std::filesystem::create_symlink(folder + "/nothing", folder + "/to-nothing");
  for (const std::string name : {"pipe", "to-pipe", "to-file", "to-nothing"}) {
    const std::string kind = name == "pipe" ? "a pipe" : "a link";
    const std::string path = folder + "/" + name;
    const auto type = std::filesystem::symlink_status(path).type();
    const auto written = WritePortFile(path, 8080);
    ASSERT_FALSE(written) << name;
    EXPECT_EQ(written.error().code, Code::kInvalidParameter);
    EXPECT_EQ(written.error().message,
              "--port-file: " + path + " is " + kind +
                  "; name a new file, or a regular one that may be replaced");
    EXPECT_EQ(std::filesystem::symlink_status(path).type(), type) << name;
    EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
  }
  EXPECT_EQ(ReadLine(folder + "/file"), "old");
  EXPECT_TRUE(WritePortFile(folder + "/file", 8080)) << "one of an earlier run";
  EXPECT_EQ(ReadLine(folder + "/file"), "8080");
  std::filesystem::remove_all(folder);
}

TEST(CheckPortFileTest, RefusesWhatWritingWouldAndWritesNothing) {
  std::string folder = (std::filesystem::temp_directory_path() / "gpumon-port-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/file") << "old\n";
  ASSERT_EQ(mkfifo((folder + "/busy.tmp").c_str(), 0600), 0);
  std::filesystem::create_symlink(folder + "/file", folder + "/link");
  for (const std::string& path :
       {folder, folder + "/", folder + "/nowhere/port", folder + "/file/port", folder + "/file/",
        folder + "/link", folder + "/busy", folder + "/" + std::string(252, 'a'),
        std::string("/dev/null")}) {
    const auto checked = CheckPortFile(path);
    const auto written = WritePortFile(path, 8080);
    ASSERT_FALSE(checked) << path;
    ASSERT_FALSE(written) << path;
    EXPECT_EQ(checked.error().code, Code::kInvalidParameter);
    EXPECT_EQ(checked.error().message, written.error().message);
  }
  for (const std::string name : {"new", "file"}) EXPECT_TRUE(CheckPortFile(folder + "/" + name));
  EXPECT_EQ(ReadLine(folder + "/file"), "old");
  EXPECT_FALSE(std::filesystem::exists(folder + "/new"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/new.tmp"));
  std::ofstream(folder + "/new.tmp") << "of an earlier run\n";
  EXPECT_TRUE(CheckPortFile(folder + "/new"));
  EXPECT_EQ(ReadLine(folder + "/new.tmp"), "of an earlier run");
  const std::string shut = folder + "/shut";
  ASSERT_EQ(mkdir(shut.c_str(), 0500), 0);
  // A privileged user may write there all the same.
  const auto checked = CheckPortFile(shut + "/port");
  const auto written = WritePortFile(shut + "/port", 8080);
  ASSERT_EQ(checked.has_value(), written.has_value());
  if (!checked) {
    EXPECT_EQ(checked.error().message, written.error().message);
  }
  std::filesystem::remove_all(folder);
}

TEST(WritePortFileTest, WritesThroughNothingThatHasItsUnfinishedName) {
  std::string folder = (std::filesystem::temp_directory_path() / "gpumon-port-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/others") << "theirs\n";
  std::filesystem::create_symlink(folder + "/others", folder + "/port.tmp");
  EXPECT_TRUE(WritePortFile(folder + "/port", 8080));
  EXPECT_EQ(ReadLine(folder + "/others"), "theirs");
  EXPECT_EQ(ReadLine(folder + "/port"), "8080");
  ASSERT_EQ(mkfifo((folder + "/port.tmp").c_str(), 0600), 0);
  EXPECT_FALSE(WritePortFile(folder + "/port", 8081));
  EXPECT_TRUE(std::filesystem::is_fifo(folder + "/port.tmp"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gpumon
