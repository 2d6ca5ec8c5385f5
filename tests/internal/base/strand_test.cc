#include "internal/base/strand.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "internal/base/log.h"

namespace gpumon {
namespace {

TEST(StrandTest, RunsTasksInOrderAndNeverTwoAtOnce) {
  std::vector<int> order;  // without a lock: that is what a strand is for
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  ThreadPool pool(3, "pool");
  Strand strand(pool);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(strand.Post([&, i] {
      if (++inside > 1) overlapped = true;
      order.push_back(i);
      --inside;
    }));
  }
  std::promise<void> last;
  strand.Post([&] { last.set_value(); });
  last.get_future().wait();
  ASSERT_EQ(order.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  EXPECT_FALSE(overlapped);
}

TEST(StrandTest, TasksOfSeveralThreadsAllRun) {
  int ran = 0;
  ThreadPool pool(2, "pool");
  Strand strand(pool);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) strand.Post([&] { ++ran; });
    });
  }
  for (auto& thread : threads) thread.join();
  std::promise<int> count;
  strand.Post([&] { count.set_value(ran); });
  EXPECT_EQ(count.get_future().get(), 1000);
}

TEST(StrandTest, ATaskMayPostAndThrow) {
  log::SetLevel(log::Level::kOff);
  std::promise<void> reached;
  ThreadPool pool(1, "pool");
  Strand strand(pool);
  strand.Post([&] {
    strand.Post([&] { reached.set_value(); });
    throw std::runtime_error("thrown");
  });
  strand.Post([] { throw 42; });  // NOLINT: any type may be thrown
  reached.get_future().wait();
}

TEST(StrandTest, OthersOfTheExecutorComeInBetween) {
  std::vector<int> order;
  {
    ThreadPool pool(1, "pool");
    Strand strand(pool);
    std::promise<void> start;
    pool.Post([&, started = start.get_future().share()] { started.wait(); });
    strand.Post([&] { order.push_back(1); });
    strand.Post([&] { order.push_back(3); });
    pool.Post([&] { order.push_back(2); });
    start.set_value();
    std::promise<void> last;
    strand.Post([&] { last.set_value(); });
    last.get_future().wait();
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(StrandTest, AStoppedExecutorRefusesAndLetsGoOfWhatWaits) {
  const auto held = std::make_shared<int>(1);
  ThreadPool pool(1, "pool");
  Strand strand(pool);
  std::promise<void> running;
  std::promise<void> go;
  strand.Post([&, gone = go.get_future().share()] {
    running.set_value();
    gone.wait();
  });
  running.get_future().wait();
  EXPECT_TRUE(strand.Post([held] {}));
  std::thread stop([&] { pool.Stop(); });
  // From now on the pool takes nothing: only then may the task end.
  while (pool.Post([] {})) std::this_thread::yield();
  go.set_value();
  stop.join();
  EXPECT_FALSE(strand.Post([held] {}));
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace gpumon
