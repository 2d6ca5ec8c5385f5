#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <future>
#include <memory>
#include <thread>

#include "internal/profile/profile.h"

namespace gpumon::profile {
namespace {

using testing::HasSubstr;

// Starts a profile; the future is set by its `done`.
std::future<Result<std::string>> Start(CpuProfiler& profiler, Millis duration) {
  auto promise = std::make_shared<std::promise<Result<std::string>>>();
  profiler.Start(
      duration, [promise](Result<std::string> profile) { promise->set_value(std::move(profile)); });
  return promise->get_future();
}

#if GPUMON_HAS_GPERFTOOLS

// Keeps one thread busy while it lives, so that there is something to sample.
class Burner {
 public:
  Burner() : thread_([this] { Burn(); }) {}
  ~Burner() {
    stop_ = true;
    thread_.join();
  }

 private:
  void Burn() {
    while (!stop_) {
      for (int i = 0; i < 1000; ++i) value_ = value_ * 31 + static_cast<unsigned>(i);
    }
  }
  std::atomic<bool> stop_{false};
  volatile unsigned value_ = 1;
  std::thread thread_;
};

TEST(CpuProfilerTest, GivesAProfileInTheLegacyFormat) {
  CpuProfiler profiler;
  const Burner burner;
  const auto profile = Start(profiler, Millis(300)).get();
  ASSERT_TRUE(profile) << profile.error().message;
  // Header words: 0, 3, version 0, sampling period in microseconds, 0.
  ASSERT_GT(profile->size(), 10 * sizeof(std::uintptr_t));
  std::uintptr_t words[5];
  std::memcpy(words, profile->data(), sizeof words);
  EXPECT_EQ(words[0], 0U);
  EXPECT_EQ(words[1], 3U);
  EXPECT_EQ(words[3], 10'000U);
  EXPECT_THAT(*profile, HasSubstr("internal_profile_test"));  // the map of its code at the end
  // A sample: count, depth, addresses.
  std::uintptr_t sample[2];
  std::memcpy(sample, profile->data() + sizeof words, sizeof sample);
  EXPECT_GT(sample[0], 0U);
  EXPECT_GT(sample[1], 0U);
}

TEST(CpuProfilerTest, RunsOneAtATime) {
  CpuProfiler profiler;
  auto first = Start(profiler, Millis(60'000));
  const auto second = Start(profiler, Millis(1)).get();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kTooManyRequests);
  EXPECT_THAT(second.error().message, HasSubstr("a profile is running"));
  profiler.Cancel();
  EXPECT_FALSE(first.get());
}

TEST(CpuProfilerTest, TheNextMayStartOnceTheFirstIsDone) {
  CpuProfiler profiler;
  std::promise<Result<std::string>> second;
  profiler.Start(Millis(1), [&](const Result<std::string>& first) {
    EXPECT_TRUE(first);
    profiler.Start(Millis(1), [&](Result<std::string> p) { second.set_value(std::move(p)); });
  });
  EXPECT_TRUE(second.get_future().get());
}

TEST(CpuProfilerTest, WhatNobodyWaitsForEndsWithAnErrorAndTheNextMayStart) {
  CpuProfiler profiler;
  std::promise<Result<std::string>> unwanted;
  profiler.Start(
      Millis(3'600'000), [&](Result<std::string> p) { unwanted.set_value(std::move(p)); },
      [] { return false; });
  const auto result = unwanted.get_future().get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kBadRequest);
  EXPECT_THAT(result.error().message, HasSubstr("ended early"));
  EXPECT_TRUE(Start(profiler, Millis(1)).get());
}

TEST(CpuProfilerTest, CancelEndsARunningProfileAndRefusesTheNext) {
  CpuProfiler profiler;
  auto running = Start(profiler, Millis(3'600'000));
  profiler.Cancel();
  const auto result = running.get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kDraining);
  const auto later = Start(profiler, Millis(1)).get();
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, Code::kDraining);
}

TEST(CpuProfilerTest, TheDestructorAnswersWhoWaits) {
  auto profiler = std::make_unique<CpuProfiler>();
  auto running = Start(*profiler, Millis(3'600'000));
  profiler.reset();
  EXPECT_EQ(running.get().error().code, Code::kDraining);
}

#else

TEST(CpuProfilerTest, SaysThatThisBuildHasNoProfiler) {
  CpuProfiler profiler;
  const auto profile = Start(profiler, Millis(1)).get();
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().code, Code::kUnavailable);
  EXPECT_THAT(profile.error().message, HasSubstr("no gperftools"));
  profiler.Cancel();
}

#endif

}  // namespace
}  // namespace gpumon::profile
