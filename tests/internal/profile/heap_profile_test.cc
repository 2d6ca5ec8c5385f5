#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "internal/profile/profile.h"

namespace gpumon::profile {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

#if GPUMON_HAS_GPERFTOOLS

TEST(HeapProfileTest, SaysHowToSwitchSamplingOn) {
  ASSERT_EQ(unsetenv("TCMALLOC_SAMPLE_PARAMETER"), 0);
  const auto profile = HeapProfile();
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().code, Code::kUnavailable);
  EXPECT_THAT(profile.error().message, HasSubstr("TCMALLOC_SAMPLE_PARAMETER=524288"));
}

// tcmalloc reads the variable before main, so the test runs itself again with it.
TEST(HeapProfileTest, GivesAProfileWhenSamplingIsOn) {
  if (std::getenv("GPUMON_HEAP_PROFILE_CHILD") != nullptr) {
    std::vector<std::vector<char>> held;
    for (int i = 0; i < 64; ++i) held.emplace_back(std::size_t{1} << 20U, 'x');
    const auto profile = HeapProfile();
    ASSERT_TRUE(profile) << profile.error().message;
    EXPECT_THAT(*profile, StartsWith("heap profile:"));
    EXPECT_THAT(*profile, HasSubstr("MAPPED_LIBRARIES"));
    // At least one allocation site: "count: bytes [count: bytes] @ addresses".
    EXPECT_THAT(*profile, HasSubstr("] @ 0x"));
    ASSERT_EQ(held.size(), 64U);
    return;
  }
  const std::string self = "/proc/self/exe";
  const std::string filter = "--gtest_filter=HeapProfileTest.GivesAProfileWhenSamplingIsOn";
  std::vector<char*> argv = {const_cast<char*>(self.c_str()), const_cast<char*>(filter.c_str()),
                             nullptr};
  std::vector<std::string> variables = {"TCMALLOC_SAMPLE_PARAMETER=65536",
                                        "GPUMON_HEAP_PROFILE_CHILD=1"};
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  pid_t child = 0;
  ASSERT_EQ(posix_spawn(&child, self.c_str(), nullptr, nullptr, argv.data(), envp.data()), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(HeapProfileTest, TheProgramRunsOnTcmalloc) {
  std::ifstream maps("/proc/self/maps");
  const std::string text{std::istreambuf_iterator<char>(maps), {}};
  EXPECT_THAT(text, HasSubstr("libtcmalloc"));
}

long ResidentPages() {
  std::ifstream statm("/proc/self/statm");
  long size = 0;
  long resident = 0;
  statm >> size >> resident;
  return resident;
}

TEST(HeapProfileTest, ReleaseMemoryGivesFreedMemoryBack) {
  {
    std::vector<std::vector<char>> held;
    for (int i = 0; i < 4096; ++i) held.emplace_back(std::size_t{16} << 10U, 'x');
  }
  const long before = ResidentPages();
  ReleaseMemory();
  const long half = (32L << 20U) / sysconf(_SC_PAGESIZE);
  EXPECT_LT(ResidentPages(), before - half);
}

#else

TEST(HeapProfileTest, SaysThatThisBuildHasNoTcmalloc) {
  const auto profile = HeapProfile();
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().code, Code::kUnavailable);
  EXPECT_THAT(profile.error().message, HasSubstr("no tcmalloc"));
}

#endif

}  // namespace
}  // namespace gpumon::profile
