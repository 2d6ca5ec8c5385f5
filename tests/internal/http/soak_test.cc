// Clients that leave early beside clients that check every answer.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/internal/http/serving.h"

namespace gpumon::http {
namespace {

// GPUMON_SOAK_SECONDS makes it longer: scripts/sanitize.sh asks for a minute.
Millis Duration() {
  const char* seconds = std::getenv("GPUMON_SOAK_SECONDS");
  return seconds == nullptr ? Millis(2000) : Millis(1000 * std::atoi(seconds));
}

struct Counts {
  std::atomic<std::uint64_t> right{0};
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<std::uint64_t> lost{0};
};

std::string Path(std::mt19937& random, const std::string& tag) {
  return (random() % 2 == 0 ? "/tag/" : "/later/") + tag;
}

// Keeps its connection, sends up to three requests at once, checks each answer.
void Normal(std::uint16_t port, unsigned seed, SteadyTime until, Counts& counts) {
  std::mt19937 random(seed);
  RawClient client(port);
  for (int i = 0; std::chrono::steady_clock::now() < until; ++i) {
    std::vector<std::string> tags;
    std::string requests;
    for (auto n = 1 + random() % 3; n > 0; --n) {
      tags.push_back("n" + std::to_string(seed) + "-" + std::to_string(i) + "-" +
                     std::to_string(n));
      requests += Get(Path(random, tags.back()));
    }
    client.Send(requests);
    for (const std::string& tag : tags) {
      const auto answer = client.Read();
      if (!answer) {
        ++counts.lost;
        return;
      }
      ++(answer->body == tag ? counts.right : counts.wrong);
    }
  }
}

// Asks and leaves at once: closing, resetting or half-closing; what comes back must be its own.
void Leaving(std::uint16_t port, unsigned seed, SteadyTime until, Counts& counts) {
  std::mt19937 random(seed);
  for (int i = 0; std::chrono::steady_clock::now() < until; ++i) {
    RawClient client(port);
    const std::string tag = "e" + std::to_string(seed) + "-" + std::to_string(i);
    client.Send(random() % 8 == 0 ? Get("/big") : Get(Path(random, tag)));
    switch (random() % 4) {
      case 0:
        client.Reset();
        break;
      case 1:
        client.Close();
        break;
      case 2:
        client.EndSending();
        break;
      default: {
        const auto answer = client.Read();
        if (answer && answer->body.size() < 100 && answer->body != tag) ++counts.wrong;
      }
    }
  }
}

TEST(SoakTest, NeverAnswersTheWrongClient) {
  Limits limits;
  limits.connection_max_age = Millis(600'000);
  Serving serving(limits);
  Counts counts;
  const SteadyTime until = std::chrono::steady_clock::now() + Duration();
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { Normal(serving.port, i, until, counts); });
    threads.emplace_back([&, i] { Leaving(serving.port, 100 + i, until, counts); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counts.wrong, 0U);
  EXPECT_EQ(counts.lost, 0U);
  EXPECT_GT(counts.right, 50U);
  RecordProperty("answers", std::to_string(counts.right));
  serving.server().BeginDrain();
  EXPECT_TRUE(serving.server().AwaitDrained(Millis(20'000)));
  EXPECT_EQ(serving.server().stats().in_flight, 0U);
}

}  // namespace
}  // namespace gpumon::http
