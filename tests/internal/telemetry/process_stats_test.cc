#include "internal/telemetry/process_stats.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "internal/base/mutex.h"

namespace gpumon::telemetry {
namespace {

TEST(ProcessStatsTest, SaysWhatTheKernelSays) {
  const auto stats = ReadProcessStats();
  ASSERT_TRUE(stats) << stats.error().message;
  EXPECT_GT(stats->cpu_seconds, 0);
  EXPECT_GT(stats->resident_bytes, 100U * 1024);
  EXPECT_GE(stats->peak_resident_bytes, stats->resident_bytes);
  EXPECT_GE(stats->virtual_bytes, stats->resident_bytes);
  EXPECT_GE(stats->threads, 1U);
  EXPECT_GE(stats->open_fds, 3U);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(stats->max_fds, limit.rlim_cur);
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  // The boot time is known to the second only.
  EXPECT_LE(stats->start_time_seconds, now.count() + 2);
  EXPECT_GT(stats->start_time_seconds, now.count() - 3600);
}

TEST(ProcessStatsTest, CountsDescriptors) {
  const auto before = ReadProcessStats();
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const auto with = ReadProcessStats();
  close(fd);
  const auto after = ReadProcessStats();
  ASSERT_TRUE(before && with && after);
  EXPECT_EQ(with->open_fds, before->open_fds + 1);
  EXPECT_EQ(after->open_fds, before->open_fds);
}

TEST(ProcessStatsTest, CountsThreads) {
  // A sanitizer starts a thread of its own beside the first one.
  std::thread([] {}).join();
  const auto before = ReadProcessStats();
  Mutex mutex;
  CondVar wake;
  bool leave = false;
  std::thread thread([&] {
    MutexLock lock(mutex);
    while (!leave) wake.Wait(mutex);
  });
  const auto with = ReadProcessStats();
  {
    MutexLock lock(mutex);
    leave = true;
  }
  wake.NotifyAll();
  thread.join();
  ASSERT_TRUE(before && with);
  EXPECT_EQ(with->threads, before->threads + 1);
}

TEST(ProcessStatsTest, CpuTimeOnlyGrows) {
  const auto before = ReadProcessStats();
  std::vector<unsigned> work(1 << 16);
  for (unsigned round = 0; round < 200; ++round) {
    for (unsigned& value : work) value = value * 31 + round;
  }
  const auto after = ReadProcessStats();
  ASSERT_TRUE(before && after);
  EXPECT_GT(after->cpu_seconds, before->cpu_seconds) << work[7];
}

}  // namespace
}  // namespace gpumon::telemetry
