#include "internal/fleet/ledger.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "internal/fleet/idle.h"
#include "internal/fleet/parts.h"
#include "tests/internal/fleet/fleet_rows.h"

namespace gpumon::fleet {
namespace {

using Instant = std::vector<FakeGpu>;

class LedgerTest : public ::testing::Test {
 protected:
  // What becomes of these instants, `step` ms apart, in a window that ends at `end`.
  std::vector<Account> Keep(LedgerBy by, const std::vector<Instant>& instants, std::int64_t step,
                            std::int64_t end, std::string_view prices = "") {
    prices_ = *Prices::Parse(prices);
    Ledger ledger(by, 0, step, end, prices_);
    for (std::size_t i = 0; i < instants.size(); ++i) {
      const auto rows = Rows(instants[i]);
      ledger.Add(i, PartsOf(*rows, processes_.get(), rules_));
    }
    auto accounts = ledger.Finish();
    gaps_ = ledger.gpus_with_gaps();
    return accounts;
  }

  // "key: busy idle_held free unhealthy unknown" of each.
  static std::string Text(const std::vector<Account>& accounts) {
    std::string text;
    for (const Account& account : accounts) {
      std::string key;
      for (const std::string& part : account.key) key += (key.empty() ? "" : "/") + part;
      while (key.ends_with('/')) key.pop_back();
      text += key + ":";
      for (const State state :
           {State::kBusy, State::kIdleHeld, State::kFree, State::kUnhealthy, State::kUnknown}) {
        text += " " + std::to_string(account.millis[static_cast<std::size_t>(state)]);
      }
      text += "; ";
    }
    return text;
  }

  HealthRules rules_;
  Prices prices_;
  std::shared_ptr<models::Snapshot> processes_;
  std::size_t gaps_ = 0;
};

TEST_F(LedgerTest, EachInstantStandsForTheTimeUntilTheNext) {
  EXPECT_EQ(Text(Keep(LedgerBy::kFleet,
                      {{{.uuid = "a", .utilization = 50}}, {{.uuid = "a", .utilization = 0}}},
                      10'000, 15'000)),
            ": 10000 0 5000 0 0; ");
  EXPECT_EQ(gaps_, 0U);
}

TEST_F(LedgerTest, StatesAreThoseOfTheSummary) {
  EXPECT_EQ(Text(Keep(LedgerBy::kFleet,
                      {{{.uuid = "a", .utilization = 10},
                        {.uuid = "b", .utilization = 9.9, .pods = {"p"}},
                        {.uuid = "c", .utilization = 0, .memory_percent = 6},
                        {.uuid = "d", .utilization = 0, .memory_percent = 5},
                        {.uuid = "e", .utilization = 90, .xid = 79},
                        {.uuid = "f"},
                        {.uuid = "g", .utilization = 0, .memory_percent = {}}}},
                      1000, 1000)),
            ": 1000 2000 1000 1000 2000; ");
}

TEST_F(LedgerTest, WhoIsNotSeenIsUnknownAndNeverIdle) {
  const std::vector<Instant> instants = {
      {{.uuid = "a", .node = "x", .utilization = 50}},
      {{.uuid = "a", .node = "x", .utilization = 50}, {.uuid = "b", .node = "y", .utilization = 0}},
      {{.uuid = "b", .node = "y", .utilization = 0}}};
  EXPECT_EQ(Text(Keep(LedgerBy::kNode, instants, 1000, 3000)),
            "x: 2000 0 0 0 1000; y: 0 0 2000 0 1000; ");
  EXPECT_EQ(gaps_, 2U);
  // Whoever held it before does not hold what nobody saw.
  EXPECT_EQ(Text(Keep(LedgerBy::kPod, {{{.uuid = "a", .utilization = 50, .pods = {"p"}}}, {}}, 1000,
                      2000)),
            ": 0 0 0 0 1000; team/p: 1000 0 0 0 0; ");
}

TEST_F(LedgerTest, SharesOfAGpuAddUpToIt) {
  const std::vector<Instant> instants = {
      {{.uuid = "a", .utilization = 50, .pods = {"p", "q", "r"}}}};
  EXPECT_EQ(Text(Keep(LedgerBy::kPod, instants, 1000, 1000)),
            "team/p: 334 0 0 0 0; team/q: 333 0 0 0 0; team/r: 333 0 0 0 0; ");
  EXPECT_EQ(Text(Keep(LedgerBy::kNamespace, instants, 1000, 1000)), "team: 1000 0 0 0 0; ");
}

TEST_F(LedgerTest, InstancesShareTheTimeOfTheirGpu) {
  const std::vector<Instant> instants = {
      {{.uuid = "a", .utilization = {}, .divided = true},
       {.uuid = "a", .utilization = 80, .pods = {"p"}, .instance = "1"},
       {.uuid = "a", .utilization = 0, .instance = "2"}}};
  EXPECT_EQ(Text(Keep(LedgerBy::kFleet, instants, 1000, 1000)), ": 500 0 500 0 0; ");
  EXPECT_EQ(Text(Keep(LedgerBy::kPod, instants, 1000, 1000)),
            ": 0 0 500 0 0; team/p: 500 0 0 0 0; ");
}

TEST_F(LedgerTest, OneUuidOnTwoNodesIsTwoGpus) {
  EXPECT_EQ(Text(Keep(LedgerBy::kNode,
                      {{{.uuid = "a", .node = "x", .utilization = 50},
                        {.uuid = "a", .node = "y", .utilization = 0}}},
                      1000, 1000)),
            "x: 1000 0 0 0 0; y: 0 0 1000 0 0; ");
}

TEST_F(LedgerTest, UsersAreThoseOfProcesses) {
  processes_ = Processes("alice", {"a"});
  const std::vector<Instant> instants = {
      {{.uuid = "a", .utilization = 0}, {.uuid = "b", .utilization = 0}}};
  EXPECT_EQ(Text(Keep(LedgerBy::kUser, instants, 1000, 1000)),
            ": 0 0 1000 0 0; alice: 0 1000 0 0 0; ");
}

TEST_F(LedgerTest, CostsNeedAPriceForEachOfItsGpus) {
  const std::vector<Instant> instants = {
      {{.uuid = "a", .utilization = 50}, {.uuid = "b", .utilization = 0, .pods = {"p"}}}};
  const auto accounts = Keep(LedgerBy::kFleet, instants, 3'600'000, 3'600'000, "H*=2, *=1");
  ASSERT_EQ(accounts.size(), 1U);
  EXPECT_DOUBLE_EQ(accounts[0].cost, 4);
  EXPECT_DOUBLE_EQ(accounts[0].idle_cost, 2);
  const auto without = Keep(LedgerBy::kFleet, instants, 1000, 1000, "A100=2");
  EXPECT_TRUE(std::isnan(without[0].cost));
}

// 58 hours in six-minute steps, of prices that are not exact in binary.
TEST_F(LedgerTest, CostsAreOfWholeMilliseconds) {
  const std::vector<Instant> instants(
      580, {{.uuid = "a", .utilization = 0, .pods = {"p"}}, {.uuid = "b", .utilization = 50}});
  for (const auto& [prices, cost] : {std::pair("H*=2.5", 290.0), std::pair("H*=0.1", 11.6)}) {
    const auto accounts = Keep(LedgerBy::kFleet, instants, 360'000, 580 * 360'000, prices);
    ASSERT_EQ(accounts.size(), 1U);
    EXPECT_EQ(accounts[0].cost, cost);
    EXPECT_EQ(accounts[0].idle_cost, cost / 2);
  }
}

TEST_F(LedgerTest, PricesSayWhatIsWrong) {
  EXPECT_EQ(Prices::Parse("H100").error().message.substr(0, 17), "\"H100\" must be MO");
  EXPECT_FALSE(Prices::Parse("H100=-1").has_value());
  EXPECT_FALSE(Prices::Parse("=1").has_value());
  EXPECT_FALSE(Prices::Parse("H100=1e7").has_value());
  EXPECT_TRUE(Prices::Parse(" ").has_value());
}

// Whatever happens to a fleet: what groups have adds up to the GPUs times the window.
TEST_F(LedgerTest, AddsUpForRandomFleets) {
  std::mt19937 random(20240101);
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  for (int world = 0; world < 200; ++world) {
    const int gpus = 1 + below(40);
    const std::int64_t step = 1 + below(100'000);
    const std::int64_t end = step * below(20) + 1 + below(static_cast<int>(step));
    const auto count = static_cast<std::size_t>((end + step - 1) / step);
    std::vector<Instant> instants(count);
    std::set<int> seen;
    for (Instant& instant : instants) {
      for (int g = 0; g < gpus; ++g) {
        if (below(5) == 0) continue;
        seen.insert(g);
        FakeGpu gpu{.uuid = std::to_string(g), .node = "n" + std::to_string(below(3))};
        if (below(4) > 0) gpu.utilization = below(2) * 50;
        if (below(9) == 0) gpu.xid = 79;
        for (int pod = below(4); pod > 0; --pod) gpu.pods.push_back("p" + std::to_string(pod));
        const int parts = below(3) == 0 ? 1 + below(7) : 0;
        gpu.divided = parts > 0;
        instant.push_back(gpu);
        for (int part = 0; part < parts; ++part) {
          gpu.instance = std::to_string(part);
          instant.push_back(gpu);
        }
      }
    }
    for (const LedgerBy by : {LedgerBy::kFleet, LedgerBy::kNode, LedgerBy::kModel, LedgerBy::kGpu,
                              LedgerBy::kNamespace, LedgerBy::kPod, LedgerBy::kUser}) {
      std::int64_t sum = 0;
      for (const Account& account : Keep(by, instants, step, end)) sum += account.total();
      ASSERT_EQ(sum, static_cast<std::int64_t>(seen.size()) * end) << "world " << world;
    }
  }
}

TEST_F(LedgerTest, IdleHoldersAreNamedWithTheirTime) {
  const std::vector<Instant> instants = {{{.uuid = "a", .utilization = 50, .pods = {"p"}}},
                                         {{.uuid = "a", .utilization = 0, .pods = {"p"}}},
                                         {},
                                         {{.uuid = "a", .utilization = 0, .pods = {"p"}},
                                          {.uuid = "b", .utilization = 0, .memory_percent = 50},
                                          {.uuid = "c", .utilization = 0}}};
  IdleHolders holders(0, 1000, 4000, prices_);
  for (std::size_t i = 0; i < instants.size(); ++i) {
    holders.Add(i, PartsOf(*Rows(instants[i]), nullptr, rules_));
  }
  const auto times = holders.Finish();
  ASSERT_EQ(times.size(), 2U);
  EXPECT_EQ(times[0].pod, "p");
  EXPECT_EQ(times[0].idle, 2000);  // not the gap
  EXPECT_EQ(times[0].busy, 1000);
  EXPECT_EQ(times[0].since, 1U);
  EXPECT_EQ(times[1].uuid, "b");
  EXPECT_EQ(times[1].pod, "");
  EXPECT_EQ(times[1].since, 3U);
}

TEST_F(LedgerTest, IdleIsNotSinceBeforeFiveUnknownMinutes) {
  constexpr std::int64_t kMinute = 60'000;
  for (const std::size_t gap : {1U, 4U, 5U, 60U}) {
    IdleHolders holders(0, kMinute, 100 * kMinute, prices_);
    for (std::size_t i = 0; i < 100; ++i) {
      const bool is_gap = i >= 10 && i < 10 + gap;
      const Instant held = {{.uuid = "a", .utilization = 0, .pods = {"p"}}};
      holders.Add(i, PartsOf(*Rows(is_gap ? Instant() : held), nullptr, rules_));
    }
    const auto times = holders.Finish();
    ASSERT_EQ(times.size(), 1U);
    EXPECT_EQ(times[0].since, gap < 5 ? 0U : 10 + gap) << gap;
    EXPECT_EQ(times[0].idle, static_cast<std::int64_t>(100 - gap) * kMinute);
  }
}

TEST_F(LedgerTest, WhoLetGoIsNotIdleNow) {
  IdleHolders holders(0, 1000, 2000, prices_);
  holders.Add(0, PartsOf(*Rows({{.uuid = "a", .utilization = 0, .pods = {"p"}}}), nullptr, rules_));
  holders.Add(1, PartsOf(*Rows({{.uuid = "a", .utilization = 0}}), nullptr, rules_));
  const auto times = holders.Finish();
  ASSERT_EQ(times.size(), 1U);
  EXPECT_FALSE(times[0].since);
}

}  // namespace
}  // namespace gpumon::fleet
