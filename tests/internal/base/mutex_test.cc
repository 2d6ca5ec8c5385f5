#include "internal/base/mutex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace gpumon {
namespace {

TEST(MutexTest, LetsOneInAtATime) {
  Mutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) {
        const MutexLock lock(mutex);
        ++count;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count, 4000);
}

TEST(CondVarTest, WakesWhoWaits) {
  Mutex mutex;
  CondVar changed;
  bool ready = false;
  std::thread waker([&] {
    {
      const MutexLock lock(mutex);
      ready = true;
    }
    changed.NotifyAll();
  });
  {
    const MutexLock lock(mutex);
    while (!ready) changed.Wait(mutex);
    EXPECT_TRUE(ready);
  }
  waker.join();
}

TEST(CondVarTest, SaysWhenTheTimePassedFirst) {
  Mutex mutex;
  CondVar never;
  const MutexLock lock(mutex);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  // A wait may wake without cause, but not before the time for ever.
  while (never.WaitUntil(mutex, until)) {
  }
  EXPECT_GE(std::chrono::steady_clock::now(), until);
}

}  // namespace
}  // namespace gpumon
