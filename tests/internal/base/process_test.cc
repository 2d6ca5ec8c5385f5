#include "internal/base/process.h"

#include <gtest/gtest.h>
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

TEST(WritePortFileTest, WritesTheWholeNumber) {
  std::string folder = (std::filesystem::temp_directory_path() / "gpumon-port-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  EXPECT_TRUE(WritePortFile(folder + "/port", 8080));
  std::ifstream file(folder + "/port");
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "8080");
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
  EXPECT_NE(taken.error().message.find("Is a directory"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder + "/taken.tmp"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gpumon
