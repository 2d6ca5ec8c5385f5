#include "internal/base/executor.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>

namespace gpumon {
namespace {

TEST(ThreadPoolTest, RunsEveryTaskOnceOnAnotherThread) {
  std::atomic<int> ran{0};
  std::atomic<bool> elsewhere{true};
  const auto here = std::this_thread::get_id();
  {
    ThreadPool pool(3, "pool");
    for (int i = 0; i < 1000; ++i) {
      EXPECT_TRUE(pool.Post([&] {
        ++ran;
        if (std::this_thread::get_id() == here) elsewhere = false;
      }));
    }
  }
  EXPECT_EQ(ran, 1000);
  EXPECT_TRUE(elsewhere);
}

TEST(ThreadPoolTest, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    ThreadPool pool(1, "pool");
    for (int i = 0; i < 100; ++i) pool.Post([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(ThreadPoolTest, RunsTasksSideBySide) {
  ThreadPool pool(2, "pool");
  std::promise<void> first;
  std::promise<void> second;
  auto first_done = first.get_future();
  auto second_done = second.get_future();
  // Each waits for the other: one thread alone would never end this.
  pool.Post([&] {
    first.set_value();
    second_done.wait();
  });
  pool.Post([&] {
    first_done.wait();
    second.set_value();
  });
  pool.Stop();
}

TEST(ThreadPoolTest, SurvivesATaskThatThrows) {
  ThreadPool pool(1, "pool");
  pool.Post([] { throw std::runtime_error("expected by a test"); });
  pool.Post([] { throw 42; });
  std::promise<int> after;
  pool.Post([&] { after.set_value(7); });
  EXPECT_EQ(after.get_future().get(), 7);
}

TEST(ThreadPoolTest, AfterStopATaskIsRefused) {
  ThreadPool pool(2, "pool");
  pool.Stop();
  EXPECT_FALSE(pool.Post([] { ADD_FAILURE() << "ran after Stop"; }));
  pool.Stop();
}

TEST(ThreadPoolTest, ATaskMayPostAnother) {
  ThreadPool pool(1, "pool");
  std::promise<void> done;
  pool.Post([&] { pool.Post([&] { done.set_value(); }); });
  done.get_future().wait();
}

TEST(ThreadPoolTest, ManyMayStopItAtOnce) {
  ThreadPool pool(2, "pool");
  std::atomic<int> ran{0};
  for (int i = 0; i < 100; ++i) pool.Post([&] { ++ran; });
  std::vector<std::thread> stoppers;
  for (int i = 0; i < 4; ++i) {
    stoppers.emplace_back([&] {
      pool.Stop();
      EXPECT_EQ(ran, 100);
    });
  }
  for (auto& stopper : stoppers) stopper.join();
}

TEST(ThreadPoolTest, FreesATaskWhenItHasRun) {
  ThreadPool pool(1, "pool");
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  pool.Post([held = std::move(held)] {});
  pool.Stop();
  EXPECT_TRUE(watch.expired());
}

TEST(ThreadPoolTest, NamesItsThreads) {
  ThreadPool pool(1, "a-name-that-is-too-long");
  std::promise<std::string> name;
  pool.Post([&] {
    std::array<char, 16> text{};
    pthread_getname_np(pthread_self(), text.data(), text.size());
    name.set_value(text.data());
  });
  EXPECT_EQ(name.get_future().get(), "a-name-that-is-");
}

}  // namespace
}  // namespace gpumon
