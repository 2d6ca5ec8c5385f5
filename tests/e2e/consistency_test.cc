// An answer is of one scrape, whatever happens to Prometheus while it is made.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "internal/base/text.h"
#include "tests/e2e/generations.h"
#include "tests/e2e/load.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using fault::Reply;
using process::Scaled;
using process::WaitUntil;
using Kind = Reply::Fault;

#ifdef GPUMON_SANITIZED
constexpr std::size_t kAnswers = 10'000;
#else
constexpr std::size_t kAnswers = 100'000;
#endif
// Answers from one fault to the next.
constexpr std::size_t kAnswersPerFault = kAnswers / 250;

constexpr Millis kTtl{50};
const Millis kTimeout = Scaled(Millis(400));
// How old an answer may be that does not call itself stale, when it is asked for: the cache's time
// and a refresh, which ends with its time, and what a busy machine adds.
const Millis kOldest = kTtl + kTimeout + Scaled(Millis(300));

// What goes wrong with some queries of a set: a set that fails whole is not asked for again for a
// second, and then there is nothing to mix. `salt` is another one for each query.
using Trouble = Reply (*)(const fault::Request& request, std::size_t salt);
constexpr Trouble kTroubles[] = {
    [](const fault::Request& request, std::size_t) { return GenerationReply(request); },
    [](const fault::Request& request, std::size_t salt) {
      return GenerationReply(request).After(Millis(salt % 120));
    },
    [](const fault::Request& request, std::size_t salt) {
      return salt % 5 == 0 ? fault::HttpStatus(500) : GenerationReply(request);
    },
    [](const fault::Request& request, std::size_t salt) {
      return salt % 7 == 0 ? fault::Broken(Kind::kHang) : GenerationReply(request);
    },
    [](const fault::Request& request, std::size_t salt) {
      return salt % 3 == 0 ? fault::Broken(Kind::kReset) : GenerationReply(request);
    },
    [](const fault::Request& request, std::size_t salt) {
      return salt % 3 == 0 ? GenerationReply(request).CutAfter(salt % 1000)
                           : GenerationReply(request);
    },
    [](const fault::Request& request, std::size_t salt) {
      return GenerationReply(request).InPieces(salt % 700 + 1);
    },
    [](const fault::Request& request, std::size_t salt) {
      return salt % 2 == 0 ? GenerationReply(request).SlowlyClosed(Millis(20))
                           : GenerationReply(request).ThenClosed();
    },
    [](const fault::Request& request, std::size_t salt) {
      return salt % 2 == 0 ? fault::HttpStatus(503) : GenerationReply(request);
    },
    [](const fault::Request& request, std::size_t salt) {
      return salt % 4 == 0 ? fault::Json("{}") : GenerationReply(request);
    }};

TEST(GenerationsTest, AMixtureOfTwoScrapesOrTwoGpusIsSeen) {
  const auto read = [](const FaultServer::Script& script) {
    FaultServer upstream(script);
    const ApiServer server(upstream.url(), {{"CACHE_TTL", "0s"}});
    EXPECT_TRUE(server.AwaitReady());
    const Reading gpus = ReadGenerations(server.Get(kMetrics).Json());
    const Reading processes = ReadGenerations(server.Get(kProcesses).Json());
    EXPECT_EQ(gpus.rows, kGenerationGpus);
    EXPECT_EQ(processes.rows, kGenerationGpus);
    EXPECT_EQ(gpus.nulls + processes.nulls, 0U);
    return std::vector<bool>{gpus.wrong.empty(), processes.wrong.empty()};
  };
  const auto swapped = [](const fault::Request& request, const char* label) {
    Reply reply = GenerationReply(request);
    const std::string one = std::string("\"") + label + "0\"";
    const std::string other = std::string("\"") + label + "1\"";
    const std::size_t at = reply.body.find(other);
    if (at == std::string::npos) return reply;
    reply.body.replace(reply.body.find(one), one.size(), other);
    reply.body.replace(reply.body.find(other, at), other.size(), one);
    return reply;
  };
  using Right = std::vector<bool>;
  EXPECT_EQ(read([](const auto& request) { return GenerationReply(request); }),
            Right({true, true}));
  EXPECT_EQ(read([](const auto& request) {
              const bool one = Asks(request, "nvidia_gpu_temperature_celsius");
              return GenerationReply(request, one ? kGenerationTime : Millis(0));
            }),
            Right({false, true}));
  EXPECT_EQ(read([](const auto& request) {
              const bool one = Asks(request, "nvidia_gpu_process_cpu_percent");
              return GenerationReply(request, one ? -kGenerationTime : Millis(0));
            }),
            Right({true, false}));
  EXPECT_EQ(read([](const auto& request) { return GenerationReply(request, 5 * kGenerationTime); }),
            Right({false, false}));
  EXPECT_EQ(read([&](const auto& request) { return swapped(request, "T"); }), Right({false, true}));
  EXPECT_EQ(read([&](const auto& request) { return swapped(request, "p"); }), Right({true, false}));
}

// Judges the answers of one load, on its thread.
class Judge {
 public:
  void See(const Answer& answer, SteadyTime sent) {
    ++answers;
    if (answer.status != 200) return Refuse("status " + std::to_string(answer.status), answer);
    // Most answers are the bytes of the one before.
    if (answer.body != body_) {
      body_ = answer.body;
      reading_ = ReadGenerations(answer.Json());
      snapshots.insert(reading_.generation);
      partial += reading_.partial ? 1U : 0U;
    }
    if (!reading_.wrong.empty()) return Refuse(reading_.wrong, answer);
    if (reading_.rows == 0) return Refuse("no rows", answer);
    if (reading_.nulls > 0 && !reading_.partial) return Refuse("nulls that nobody told of", answer);
    if (reading_.stale) {
      ++stale;
      return;
    }
    const auto asked = std::chrono::floor<Millis>(std::chrono::system_clock::now() -
                                                  (std::chrono::steady_clock::now() - sent));
    if (asked - reading_.as_of > kOldest) {
      Refuse("not stale, but of " + std::to_string((asked - reading_.as_of).count()) + " ms ago",
             answer);
    }
  }

  std::size_t answers = 0;
  std::size_t stale = 0;
  std::size_t partial = 0;
  std::set<std::int64_t> snapshots;
  std::size_t wrong = 0;
  std::string first_wrong;

 private:
  void Refuse(const std::string& why, const Answer& answer) {
    if (++wrong == 1) first_wrong = why + ": " + answer.Text();
  }

  std::string body_;
  Reading reading_;
};

// Four loads of sixteen clients each: GPUs whole and chosen, processes, and one field less.
class Viewers {
 public:
  explicit Viewers(std::uint16_t port) {
    for (const char* const target : {"/api/v1/gpu/metrics", "/api/v1/gpu/metrics?sort=-temperature",
                                     "/api/v1/gpu/processes", "/api/v1/gpu/metrics?node=n*"}) {
      judges.push_back(std::make_unique<Judge>());
      loads_.push_back(std::make_unique<Load>(
          LoadOptions{.port = port,
                      .clients = 16,
                      .target = target,
                      .pause = Millis(10),
                      .seen = [judge = judges.back().get()](const Answer& answer, SteadyTime sent) {
                        judge->See(answer, sent);
                      }}));
    }
  }

  std::size_t answered() const {
    std::size_t sum = 0;
    for (const auto& load : loads_) sum += load->answered();
    return sum;
  }
  void Stop() {
    for (const auto& load : loads_) {
      const LoadReport report = load->Stop();
      EXPECT_EQ(report.dropped + report.refused, 0U) << report.Text();
    }
  }

  std::vector<std::unique_ptr<Judge>> judges;

 private:
  std::vector<std::unique_ptr<Load>> loads_;
};

// What is there grows too old not to be called stale.
void OutlastFreshness(FaultServer& upstream) {
  upstream.GoDown();
  const auto until = std::chrono::steady_clock::now() + 2 * kOldest;
  WaitUntil([&] { return std::chrono::steady_clock::now() >= until; }, 4 * kOldest);
}

TEST(ConsistencyTest, OfAHundredThousandAnswersUnderFaultsNoneIsOfTwoScrapes) {
  std::atomic<std::size_t> trouble{0};
  std::atomic<std::size_t> requests{0};
  FaultServer upstream([&](const fault::Request& request) {
    return kTroubles[trouble](request, requests++ * 7919);
  });
  const ApiServer server(upstream.url(),
                         {{"CACHE_TTL", std::to_string(kTtl.count()) + "ms"},
                          {"PROMETHEUS_TIMEOUT", std::to_string(kTimeout.count()) + "ms"},
                          {"MAX_STALE", "10m"},
                          {"LOG_LEVEL", "off"}});
  ASSERT_TRUE(server.AwaitReady());
  ASSERT_EQ(server.Get(kMetrics).status, 200);
  ASSERT_EQ(server.Get(kProcesses).status, 200);
  std::mt19937 random(20240101);
  Viewers viewers(server.port());
  for (std::size_t target = 0; target < kAnswers && !HasFailure(); target += kAnswersPerFault) {
    EXPECT_TRUE(WaitUntil([&] { return viewers.answered() >= target; }, Millis(30'000)));
    trouble = random() % 2 == 0 ? 0 : random() % std::size(kTroubles);
    upstream.ComeBack();
    if (random() % 60 == 0) upstream.GoDown();
    if (target / kAnswersPerFault % 125 == 60) OutlastFreshness(upstream);
  }
  EXPECT_TRUE(WaitUntil([&] { return viewers.answered() >= kAnswers; }, Millis(30'000)));
  viewers.Stop();
  std::size_t stale = 0;
  std::size_t partial = 0;
  std::set<std::int64_t> snapshots;
  for (const auto& judge : viewers.judges) {
    EXPECT_EQ(judge->wrong, 0U) << "of " << judge->answers << ", the first: " << judge->first_wrong;
    stale += judge->stale;
    partial += judge->partial;
    snapshots.merge(judge->snapshots);
  }
  // The faults have been felt, and there was something to mix.
  EXPECT_GT(stale, 0U);
  EXPECT_GT(partial, 0U);
  EXPECT_GT(snapshots.size(), kAnswers / 5000);
  std::printf("%zu snapshots, %zu partial ones, %zu stale answers\n", snapshots.size(), partial,
              stale);
}

// Prometheus's clock is set while it is asked, or is an hour from ours: what is shown is of the
// time it has then.
TEST(ConsistencyTest, AClockThatJumpsTearsNoRow) {
  std::atomic<int> behind_s{0};
  FaultServer upstream([&](const fault::Request& request) {
    const std::time_t now = std::time(nullptr) - behind_s;
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 64> date{};
    (void)std::strftime(date.data(), date.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return GenerationReply(request).With("Date", date.data());
  });
  const ApiServer server(upstream.url(), {{"CACHE_TTL", "0s"}});
  ASSERT_TRUE(server.AwaitReady());
  const auto lag = [&] {
    const Reading reading = ReadGenerations(server.Get(kMetrics).Json());
    EXPECT_EQ(reading.wrong, "");
    EXPECT_EQ(reading.rows, kGenerationGpus);
    EXPECT_EQ(reading.nulls, 0U);
    return std::chrono::duration<double>(std::chrono::system_clock::now() - reading.as_of).count();
  };
  EXPECT_LT(lag(), 20);
  for (const int jump : {30, 3600, -3600, 0}) {
    behind_s = jump;
    EXPECT_TRUE(WaitUntil([&] { return std::abs(lag() - jump) < 10; }, Millis(15'000))) << jump;
  }
}

}  // namespace
}  // namespace gpumon::e2e
