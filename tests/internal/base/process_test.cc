#include "internal/base/process.h"

#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

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

TEST(WritePortFileTest, WritesTheWholeNumberOrSaysNo) {
  std::string folder = (std::filesystem::temp_directory_path() / "gpumon-port-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  EXPECT_TRUE(WritePortFile(folder + "/port", 8080));
  std::ifstream file(folder + "/port");
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "8080");
  EXPECT_FALSE(WritePortFile(folder + "/no/such/folder", 8080));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gpumon
