#include "handlers/window.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/handlers/fixture.h"
#include "tests/internal/fleet/fleet_rows.h"

namespace gpumon::handlers {
namespace {

constexpr WallTime kNow{Millis(1'704'110'400'500)};  // 2024-01-01T12:00:00.5Z

class WindowTest : public HandlersTest {
 protected:
  // "start end step" in seconds before now, or what is wrong.
  static std::string Parse(const std::string& query, std::size_t gpus = 10,
                           const WindowDefaults& defaults = {}) {
    const auto parameters = Parameters::Parse(query, LedgerSpecs());
    if (!parameters) return parameters.error().message;
    const auto window = ParseWindow(*parameters, kNow, gpus, defaults);
    if (!window) return window.error().message;
    const auto text = [](std::int64_t millis) { return std::to_string(millis / 1000); };
    return text(kNow.time_since_epoch().count() - window->start) + " " +
           text(kNow.time_since_epoch().count() - window->end) + " " + text(window->step);
  }
  static std::span<const ParameterSpec> LedgerSpecs() {
    for (const RouteRow& route : Routes()) {
      if (route.path == "/api/v1/gpu/ledger") return route.parameters();
    }
    return {};
  }

  void WalkThrough(const std::vector<std::vector<fleet::FakeGpu>>& instants,
                   std::shared_ptr<models::Snapshot> processes = fleet::Processes("", {})) {
    for (const auto& instant : instants) walk_.push_back({fleet::Rows(instant), processes});
    auto now = fleet::Rows(instants.back());
    Serve(now);
  }
};

TEST_F(WindowTest, StepFollowsTheLength) {
  EXPECT_EQ(Parse(""), "86400 0 300");
  EXPECT_EQ(Parse("window=7d"), "604800 0 1800");
  EXPECT_EQ(Parse("window=1h"), "3600 0 15");
  EXPECT_EQ(Parse("window=10s"), "10 0 10");
  EXPECT_EQ(Parse("window=7d", 100'000), "604800 0 86400");
}

TEST_F(WindowTest, StepFollowsTheNumberOfPointsOfAnAnswerThatHoldsThemAll) {
  const WindowDefaults history{.points = 200'000};
  EXPECT_EQ(Parse("window=7d", 0, history), "604800 0 1800");
  EXPECT_EQ(Parse("window=7d", 500, history), "604800 0 1800");
  EXPECT_EQ(Parse("window=7d", 1'000, history), "604800 0 3600");
  EXPECT_EQ(Parse("window=7d&step=30m", 1'000, history), "604800 0 1800") << "who names one has it";
  EXPECT_EQ(Parse("window=7d", 1'000'000, history), "604800 0 604800");
}

TEST_F(WindowTest, TheStepThatIsNamedIsTaken) {
  std::vector<fleet::FakeGpu> gpus;
  for (int i = 0; i < 600; ++i) gpus.push_back({.uuid = "GPU-" + std::to_string(i)});
  auto present = fleet::Rows(gpus);
  present->as_of = 1704110400;
  Serve(present);
  Serve(OneNode());
  for (const std::string route : {"history?metric=utilization&", "ledger?", "idle?", "missing?"}) {
    const std::string path = "/api/v1/gpu/" + route + "window=7d&step=";
    const auto refused = Get(path + "1s");
    EXPECT_EQ(refused.status(), 400) << route;
    const json::Value json = refused.json();
    const std::string& error = *json["error"].AsString();
    const std::size_t at = error.find("the nearest step that is allowed is ");
    ASSERT_NE(at, std::string::npos) << error;
    const std::string step = error.substr(error.rfind(' ') + 1);
    EXPECT_EQ(Get(path + step).status(), 200) << route << step;
  }
}

TEST_F(WindowTest, EndsAreTimesOrLengths) {
  EXPECT_EQ(Parse("start=1704106800&end=1704108600"), "3600 1800 15");
  EXPECT_EQ(Parse("at=1704108600&window=30m"), "3600 1800 15");
  EXPECT_EQ(Parse("start=2024-01-01T11:00:00Z&step=600"), "3600 0 600");
}

TEST_F(WindowTest, WhatCannotBeIsRefusedWithTheNextStep) {
  EXPECT_EQ(Parse("window=7d&step=1m", 1000),
            "parameter 'step' asks for 10080 instants, and no more than 1000 are answered at once "
            "for 1000 GPUs; the nearest step that is allowed is 605s");
  EXPECT_EQ(Parse("window=7d&step=605s", 1000), "604800 0 605");
  EXPECT_EQ(Parse("window=7d&step=15m", 1000), "604800 0 900");
  EXPECT_EQ(Parse("start=1704110400&window=1h"),
            "parameter 'window' contradicts 'start'; give one of them");
  EXPECT_EQ(Parse("start=1704110401"), "parameter 'start' does not lie before the window's end");
  EXPECT_EQ(Parse("end=1704110500"), "parameter 'end' lies in the future; give a past instant");
  EXPECT_EQ(Parse("end=1704110400&at=1704110400"), "parameter 'at' means the same as 'end'");
  EXPECT_EQ(Parse("start=1"), "parameter 'start' lies more than 400d before the window's end");
  EXPECT_EQ(Parse("window=1x"),
            "parameter 'window' has a wrong value; allowed: a duration from 1s to 400d, like 30s, "
            "5m, 12h or 7d");
  EXPECT_EQ(Parse("step=0"),
            "parameter 'step' has a wrong value; allowed: a duration from 1s to 400d, like 30s, "
            "5m, 12h or 7d");
}

TEST_F(WindowTest, TheLedgerSaysWhereTimeWent) {
  clock_.Set(kNow);
  WalkThrough({{{.uuid = "a", .utilization = 50, .pods = {"p"}}, {.uuid = "b", .utilization = 0}},
               {{.uuid = "a", .utilization = 0, .pods = {"p"}}}});
  const auto answer = Get("/api/v1/gpu/ledger?window=20s&step=10s&by=pod");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  const auto json = answer.json();
  ASSERT_EQ(json["data"].elements().size(), 2U);
  const auto& nobody = json["data"].elements()[0];
  const auto& pod = json["data"].elements()[1];
  EXPECT_TRUE(nobody["pod"].is_null());
  EXPECT_EQ(*nobody["free_seconds"].AsNumberText(), "10.0");
  EXPECT_EQ(*nobody["unknown_seconds"].AsNumberText(), "10.0");
  EXPECT_EQ(*pod["pod"].AsString(), "p");
  EXPECT_EQ(*pod["busy_seconds"].AsNumberText(), "10.0");
  EXPECT_EQ(*pod["idle_held_seconds"].AsNumberText(), "10.0");
  EXPECT_EQ(*pod["busy_percent"].AsNumberText(), "50.0");
  EXPECT_EQ(*json["meta"]["window"]["start"].AsString(), "2024-01-01T11:59:40Z");
  EXPECT_EQ(*json["meta"]["window"]["step_seconds"].AsNumberText(), "10.0");
  ASSERT_EQ(json["warnings"].elements().size(), 1U);
  EXPECT_EQ(*json["warnings"].elements()[0].AsString(),
            "1 of 2 GPUs were not seen at every instant of the window: that time is unknown");
  ASSERT_EQ(walks_.size(), 1U);
  EXPECT_EQ(walks_[0].steps, 2U);
  EXPECT_EQ(walks_[0].parts.size(), 2U);
  // Whatever a GPU shows, it is one.
  for (const auto quantity :
       {models::Quantity::kTemperature, models::Quantity::kPower, models::Quantity::kSmClock}) {
    EXPECT_TRUE(walks_[0].parts[0].quantities.test(static_cast<std::size_t>(quantity)));
  }
}

TEST_F(WindowTest, FiltersChooseGpusBeforeTimeIsCounted) {
  clock_.Set(kNow);
  WalkThrough({{{.uuid = "a", .node = "x", .model = "A100", .utilization = 50},
                {.uuid = "b", .node = "y", .utilization = 0}}});
  const auto total = [&](const std::string& query) {
    const auto json = Get("/api/v1/gpu/ledger?window=10s&step=10s&" + query).json();
    std::string sum;
    for (const auto& row : json["data"].elements()) sum += *row["total_seconds"].AsNumberText();
    return sum;
  };
  EXPECT_EQ(total("by=fleet"), "20.0");
  EXPECT_EQ(total("node=x"), "10.0");
  EXPECT_EQ(walks_.back().nodes, std::vector<std::string>{"x"});
  EXPECT_EQ(total("node=*"), "20.0");
  EXPECT_TRUE(walks_.back().nodes.empty());
  EXPECT_EQ(total("model=A100&node=y"), "");
  EXPECT_EQ(total("uuid=b"), "10.0");
}

TEST_F(WindowTest, IdleGpusHaveTheirHolders) {
  clock_.Set(kNow);
  settings_.gpu_prices = *fleet::Prices::Parse("H100=3600");
  WalkThrough({{{.uuid = "a", .utilization = 50, .pods = {"p"}}},
               {{.uuid = "a", .utilization = 0, .pods = {"p"}}}},
              fleet::Processes("alice", {"a"}));
  const auto json = Get("/api/v1/gpu/idle?window=20s&step=10s").json();
  ASSERT_EQ(json["data"].elements().size(), 1U);
  const auto& row = json["data"].elements()[0];
  EXPECT_EQ(*row["pod"].AsString(), "p");
  EXPECT_EQ(*row["users"].elements()[0].AsString(), "alice");
  EXPECT_EQ(*row["idle_since"].AsString(), "2024-01-01T11:59:50Z");
  EXPECT_EQ(*row["idle_now"].AsNumberText(), "1");
  EXPECT_EQ(*row["idle_percent"].AsNumberText(), "50.0");
  EXPECT_EQ(*row["idle_cost"].AsNumberText(), "10.0");
  const auto csv = Get("/api/v1/gpu/idle?window=20s&step=10s&format=csv&fields=pod,idle_seconds");
  EXPECT_EQ(csv.body(), "pod,idle_seconds\r\np,10\r\n");
}

TEST_F(WindowTest, ErrorsOfTheWalkAreTheAnswers) {
  clock_.Set(kNow);
  WalkThrough({{{.uuid = "a", .utilization = 50}}});
  walk_fails_ = Status{Code::kUpstreamTimeout, "the time for this request ended"};
  for (const char* const route : {"/api/v1/gpu/ledger", "/api/v1/gpu/idle"}) {
    const auto answer = Get(route);
    EXPECT_EQ(answer.status(), 504);
    EXPECT_EQ(*answer.json()["code"].AsString(), "upstream_timeout");
  }
  EXPECT_EQ(Get("/api/v1/gpu/ledger?step=1s&window=400d").status(), 400);
  source_.gpus = Error(Code::kUpstreamUnreachable, "Prometheus cannot be reached");
  EXPECT_EQ(Get("/api/v1/gpu/idle").status(), 502);
}

}  // namespace
}  // namespace gpumon::handlers
