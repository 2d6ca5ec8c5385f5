#include "internal/prom/admission.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace gpumon::prom {
namespace {

class AdmissionTest : public ::testing::Test {
 protected:
  Deadline Later() { return Deadline::After(clock_, Millis(60000)); }
  SystemClock clock_;
};

TEST_F(AdmissionTest, LetsInSoManyAndTheRestInTheirOrder) {
  Admission admission(2, clock_);
  std::string order;
  for (const char name : {'a', 'b', 'c', 'd'}) {
    admission.Enter(Later(), [&order, name](Result<void> turn) {
      EXPECT_TRUE(turn);
      order += name;
    });
  }
  EXPECT_EQ(order, "ab");
  admission.Leave();
  EXPECT_EQ(order, "abc");
  admission.Leave();
  EXPECT_EQ(order, "abcd");
  admission.Leave();
  admission.Leave();
  admission.Enter(Later(), [&order](const Result<void>&) { order += 'e'; });
  EXPECT_EQ(order, "abcde");
}

TEST_F(AdmissionTest, EndsAWaiterAtItsDeadline) {
  Admission admission(1, clock_);
  admission.Enter(Later(), [](const Result<void>&) {});
  std::promise<Result<void>> late;
  admission.Enter(Later(), [](const Result<void>&) {});
  admission.Enter(Deadline::After(clock_, Millis(20)),
                  [&late](Result<void> turn) { late.set_value(std::move(turn)); });
  const Result<void> turn = late.get_future().get();
  ASSERT_FALSE(turn);
  EXPECT_EQ(turn.error().code, Code::kUpstreamTimeout);
}

TEST_F(AdmissionTest, StoppingEndsThoseWhoWaitAndThoseWhoCome) {
  Admission admission(1, clock_);
  std::vector<Code> codes;
  const auto note = [&codes](const Result<void>& turn) {
    codes.push_back(turn ? Code::kOk : turn.error().code);
  };
  admission.Enter(Later(), note);
  admission.Enter(Later(), note);
  admission.Stop();
  admission.Enter(Later(), note);
  EXPECT_EQ(codes, (std::vector<Code>{Code::kOk, Code::kDraining, Code::kDraining}));
  admission.Leave();
}

TEST_F(AdmissionTest, NeverLetsInMoreThanTheLimit) {
  constexpr int kEach = 300;
  Admission admission(3, clock_);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<int> turns{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        std::promise<void> entered;
        admission.Enter(Later(), [&](const Result<void>&) {
          const int now = ++inside;
          int seen = most.load();
          while (now > seen && !most.compare_exchange_weak(seen, now)) {
          }
          ++turns;
          entered.set_value();
        });
        entered.get_future().wait();
        --inside;
        admission.Leave();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turns.load(), 4 * kEach);
  EXPECT_LE(most.load(), 3);
}

}  // namespace
}  // namespace gpumon::prom
