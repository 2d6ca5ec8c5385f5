// Everything that can happen to Prometheus, one after the other at random; a model says of each
// answer whether it may be.
//   GPUMON_CHAOS_SECONDS=600 GPUMON_CHAOS_SEED=7 e2e_test --gtest_filter='ChaosTest.*'
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/chaos_model.h"
#include "tests/e2e/generations.h"
#include "tests/e2e/load.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using process::Scaled;
using process::WaitUntil;
using Steady = std::chrono::steady_clock;

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Of each client, between an answer and its next request.
constexpr Millis kPause{40};

struct Client {
  Asked asked;
  std::size_t part;
  std::size_t count;
  const char* target;
};
constexpr Client kClients[] = {
    {Asked::kList, 0, 6, "/api/v1/gpu/metrics"},
    {Asked::kList, 0, 2, "/api/v1/gpu/metrics?sort=-temperature"},
    {Asked::kNeverStale, 0, 3, "/api/v1/gpu/metrics?stale=never"},
    {Asked::kNeverPartial, 0, 2, "/api/v1/gpu/metrics?partial=abort"},
    {Asked::kList, 1, 4, "/api/v1/gpu/processes"},
    {Asked::kNeverStale, 1, 2, "/api/v1/gpu/processes?stale=never"},
    {Asked::kProbe, 0, 1, "/livez"},
    {Asked::kProbe, 0, 1, "/readyz"},
    {Asked::kHealth, 0, 1, "/api/healthz"},
};

// Notes the answers of one load, on its thread.
class Notes {
 public:
  Notes(Asked asked, std::size_t part) : asked_(asked), part_(part) {}

  void See(const Answer& answer, SteadyTime sent) {
    SeenAnswer seen;
    seen.asked = asked_;
    seen.part = part_;
    seen.sent = sent;
    seen.came = Steady::now();
    seen.status = answer.status;
    if (asked_ != Asked::kProbe && asked_ != Asked::kHealth) ReadList(answer, seen);
    all.push_back(std::move(seen));
  }

  std::vector<SeenAnswer> all;

 private:
  void ReadList(const Answer& answer, SeenAnswer& seen) {
    if (answer.status != 200) {
      const json::Value document = answer.Json();
      seen.code = TextOf(document["code"]);
      const bool envelope = document["success"].AsBool() == false && document["data"].is_null() &&
                            !TextOf(document["error"]).empty();
      if (!envelope) seen.wrong = "no envelope: " + answer.Text();
      return;
    }
    if (answer.body != body_) {
      body_ = answer.body;
      reading_ = ReadGenerations(answer.Json());
    }
    seen.stale = reading_.stale;
    seen.partial = reading_.partial;
    seen.as_of = seen.came - (std::chrono::system_clock::now() - reading_.as_of);
    seen.wrong = reading_.wrong;
    if (reading_.rows != kGenerationGpus) seen.wrong += "not all rows";
    if (reading_.nulls > 0 && !reading_.partial) seen.wrong += "nulls that nobody told of";
  }

  const Asked asked_;
  const std::size_t part_;
  std::string body_;
  Reading reading_;
};

// All clients; those of the past ask for another instant each time, so nobody has a snapshot of it.
class Crowd {
 public:
  explicit Crowd(const ApiServer& server) : server_(server) {
    for (const Client& client : kClients) {
      notes_.push_back(std::make_unique<Notes>(client.asked, client.part));
      loads_.push_back(std::make_unique<Load>(
          LoadOptions{.port = server.port(),
                      .clients = client.count,
                      .target = client.target,
                      .pause = kPause,
                      .seen = [notes = notes_.back().get()](const Answer& answer, SteadyTime sent) {
                        notes->See(answer, sent);
                      }}));
    }
    past_ = std::thread([this] { AskForThePast(); });
  }

  std::vector<SeenAnswer> Stop() {
    stopping_ = true;
    past_.join();
    for (const auto& load : loads_) {
      const LoadReport report = load->Stop();
      EXPECT_EQ(report.dropped + report.refused, 0U) << report.Text();
    }
    std::vector<SeenAnswer> all = std::move(past_notes_.all);
    for (const auto& notes : notes_) {
      all.insert(all.end(), notes->all.begin(), notes->all.end());
    }
    std::sort(all.begin(), all.end(),
              [](const SeenAnswer& a, const SeenAnswer& b) { return a.came < b.came; });
    return all;
  }

 private:
  void AskForThePast() {
    for (std::int64_t at = 1'704'110'400; !stopping_; at += 15) {
      const auto sent = Steady::now();
      past_notes_.See(server_.Get("/api/v1/gpu/metrics?at=" + std::to_string(at)), sent);
      WaitUntil([&] { return stopping_.load(); }, kPause);
    }
  }

  const ApiServer& server_;
  std::vector<std::unique_ptr<Notes>> notes_;
  std::vector<std::unique_ptr<Load>> loads_;
  std::atomic<bool> stopping_{false};
  Notes past_notes_{Asked::kPast, 0};
  std::thread past_;
};

// Until the time is over and each of `ways` has had its turn; the first is there already.
std::vector<ChaosPhase> RunChaos(FaultServer& upstream, const std::vector<ChaosWay>& ways,
                                 std::uint64_t seed, std::chrono::seconds length) {
  constexpr SteadyTime kEver = SteadyTime::max() - std::chrono::hours(1);
  std::mt19937_64 random(seed);
  const auto between = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  std::vector<ChaosPhase> phases = {
      {&ways.front(), Steady::now() - std::chrono::minutes(1), kEver}};
  const auto turn = [&](const ChaosWay& way) {
    const Millis time(between(1, 20) == 1 ? between(4000, 7000) : between(200, 800));
    const auto begin = Steady::now();
    way.begin(upstream);
    phases.back().end = Steady::now();
    phases.push_back({&way, begin, kEver});
    WaitUntil([&] { return Steady::now() >= begin + time; }, 2 * time);
  };
  const auto end = Steady::now() + length;
  std::vector<const ChaosWay*> deck;
  bool through = false;
  while (!through || Steady::now() < end) {
    if (deck.empty()) {
      for (const ChaosWay& way : ways) deck.push_back(&way);
      std::shuffle(deck.begin(), deck.end(), random);
    }
    turn(*deck.back());
    deck.pop_back();
    through |= deck.empty();
    // So that there is something to lose.
    if (between(0, 1) == 0) turn(ways.front());
  }
  return phases;
}

// Of a Prometheus that answers, then fails for five seconds, then answers again.
class ChaosModelTest : public testing::Test {
 protected:
  ChaosModelTest() {
    good_.answers = true;
    good_.fails = false;
    bad_.status = 502;
    bad_.code = "upstream_error";
  }

  // What the model says of one answer that was asked for `sent_ms` after the start, and took 5 ms.
  // `age_ms`: of its snapshot, which somebody else has been shown.
  bool Allows(int sent_ms, SeenAnswer answer, int age_ms = 50) {
    ChaosModel model({{&good_, start_, At(10'000)},
                      {&bad_, At(10'000), At(15'000)},
                      {&good_, At(15'000), At(60'000)}},
                     limits_);
    SeenAnswer before;
    before.status = 200;
    before.sent = At(9'880);
    before.came = At(9'900);
    before.as_of = At(9'850);
    EXPECT_EQ(model.Judge(before), "");
    answer.sent = At(sent_ms);
    answer.came = std::max(answer.came, At(sent_ms + 5));
    answer.as_of = At(sent_ms - age_ms);
    return model.Judge(answer).empty();
  }
  SteadyTime At(int ms) const { return start_ + Millis(ms); }

  static SeenAnswer Of(int status, std::string code = {}, Asked asked = Asked::kList) {
    SeenAnswer answer;
    answer.asked = asked;
    answer.status = status;
    answer.code = std::move(code);
    return answer;
  }
  static SeenAnswer Stale(Asked asked = Asked::kList) {
    SeenAnswer answer = Of(200, "", asked);
    answer.stale = true;
    return answer;
  }
  static SeenAnswer Partial(Asked asked = Asked::kList) {
    SeenAnswer answer = Of(200, "", asked);
    answer.partial = true;
    return answer;
  }

  const SteadyTime start_ = Steady::now();
  const ChaosLimits limits_;
  ChaosWay good_;
  ChaosWay bad_;
};

TEST_F(ChaosModelTest, AllowsWhatTheFaultsAllow) {
  EXPECT_TRUE(Allows(9'950, Of(200)));
  EXPECT_TRUE(Allows(10'050, Of(200), 100)) << "it was made before";
  EXPECT_TRUE(Allows(11'000, Stale(), 1150));
  EXPECT_TRUE(Allows(11'000, Partial()));
  EXPECT_TRUE(Allows(11'000, Of(502, "upstream_error", Asked::kNeverStale)));
  EXPECT_TRUE(Allows(11'000, Of(502, "upstream_partial", Asked::kNeverPartial)));
  EXPECT_TRUE(Allows(13'000, Of(502, "upstream_error"))) << "the snapshot is too old";
  EXPECT_TRUE(Allows(15'500, Of(502, "upstream_error"))) << "the error stands for a second";
  EXPECT_TRUE(Allows(30'000, Of(200)));
  EXPECT_TRUE(Allows(12'000, Of(503, "", Asked::kHealth)));
  EXPECT_TRUE(Allows(30'000, Of(200, "", Asked::kHealth)));
}

TEST_F(ChaosModelTest, RefusesWhatTheyDoNot) {
  EXPECT_FALSE(Allows(9'950, Stale())) << "nothing has failed yet";
  EXPECT_FALSE(Allows(9'950, Partial()));
  EXPECT_FALSE(Allows(9'950, Of(502, "upstream_error", Asked::kNeverStale)));
  EXPECT_FALSE(Allows(11'000, Of(502, "upstream_error"))) << "there is a snapshot";
  EXPECT_FALSE(Allows(13'000, Of(504, "upstream_error")));
  EXPECT_FALSE(Allows(13'000, Of(502, "upstream_timeout")));
  EXPECT_FALSE(Allows(13'000, Of(500, "internal")));
  EXPECT_FALSE(Allows(13'000, Of(200))) << "whole, but of a time when nobody answered";
  EXPECT_FALSE(Allows(12'000, Of(200), 2'050)) << "longer than the cache's time after it was made";
  EXPECT_FALSE(Allows(13'000, Of(200), 3'000)) << "old and not called stale";
  EXPECT_FALSE(Allows(14'000, Stale(), 4'000)) << "older than MAX_STALE";
  EXPECT_FALSE(Allows(11'000, Stale(Asked::kNeverStale), 1150));
  EXPECT_FALSE(Allows(11'000, Partial(Asked::kNeverPartial)));
  EXPECT_FALSE(Allows(30'000, Stale())) << "it is long over";
  EXPECT_FALSE(Allows(30'000, Of(502, "upstream_error", Asked::kNeverStale)));
  EXPECT_FALSE(Allows(12'000, Of(503, "", Asked::kProbe)));
  EXPECT_FALSE(Allows(9'000, Of(503, "", Asked::kHealth)));
  EXPECT_FALSE(Allows(14'900, Of(200, "", Asked::kHealth)));
  SeenAnswer late = Of(200);
  late.came = At(32'100);
  EXPECT_FALSE(Allows(30'000, late)) << "after PROMETHEUS_TIMEOUT";
  SeenAnswer torn = Of(200);
  torn.wrong = "torn";
  EXPECT_FALSE(Allows(30'000, torn));
}

std::string KindOf(const SeenAnswer& answer) {
  static constexpr const char* kNames[] = {"list", "stale=never", "partial=abort",
                                           "at=",  "healthz",     "probe"};
  std::string kind = std::string(kNames[static_cast<std::size_t>(answer.asked)]) + ' ' +
                     std::to_string(answer.status);
  if (!answer.code.empty()) kind += ' ' + answer.code;
  if (answer.stale) kind += " stale";
  if (answer.partial) kind += " partial";
  return kind;
}

TEST(ChaosTest, EveryAnswerIsOneThatTheFaultsAllow) {
  const std::uint64_t seed = FromEnvironment("GPUMON_CHAOS_SEED", std::random_device{}());
  const std::chrono::seconds length(FromEnvironment("GPUMON_CHAOS_SECONDS", 60));
  std::printf("GPUMON_CHAOS_SEED=%llu\n", static_cast<unsigned long long>(seed));
  SCOPED_TRACE("GPUMON_CHAOS_SEED=" + std::to_string(seed));
  ChaosLimits limits;
  limits.slack = Scaled(limits.slack);
  const auto text = [](Millis time) { return std::to_string(time.count()) + "ms"; };
  const std::vector<ChaosWay> ways = ChaosWays();
  FaultServer upstream;
  ways.front().begin(upstream);
  const ApiServer server(upstream.url(), {{"CACHE_TTL", text(limits.ttl)},
                                          {"PROMETHEUS_TIMEOUT", text(limits.timeout)},
                                          {"MAX_STALE", text(limits.max_stale)},
                                          {"PROMETHEUS_MAX_RESPONSE_BYTES", "1MiB"},
                                          {"LOG_LEVEL", "off"}});
  ASSERT_TRUE(server.AwaitReady());
  Crowd crowd(server);
  ChaosModel model(RunChaos(upstream, ways, seed, length), limits);
  const std::vector<SeenAnswer> all = crowd.Stop();

  std::map<std::string, std::size_t> kinds;
  std::size_t wrong = 0;
  for (const SeenAnswer& answer : all) {
    ++kinds[KindOf(answer)];
    const std::string why = model.Judge(answer);
    if (why.empty() || ++wrong > 5) continue;
    const auto ago = [&](SteadyTime time) {
      return std::to_string(std::chrono::duration_cast<Millis>(answer.came - time).count()) +
             " ms ago";
    };
    ADD_FAILURE() << KindOf(answer) << ": " << why << "; asked " << ago(answer.sent)
                  << (answer.status == 200 ? ", of " + ago(answer.as_of) : "") << "; "
                  << model.WaysBetween(answer.sent - std::chrono::seconds(8), answer.came);
  }
  EXPECT_EQ(wrong, 0U) << "of " << all.size();
  for (const auto& [kind, count] : kinds) std::printf("%8zu %s\n", count, kind.c_str());
  for (const char* const kind :
       {"list 200", "list 200 stale", "list 200 partial", "partial=abort 502 upstream_partial",
        "healthz 200", "healthz 503"}) {
    EXPECT_GT(kinds[kind], 0U) << kind;
  }
}

}  // namespace
}  // namespace gpumon::e2e
