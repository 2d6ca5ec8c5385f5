#include "internal/gpu/activity.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "internal/gpu/activity_books.h"
#include "internal/gpu/activity_plan.h"
#include "internal/gpu/range_plan.h"
#include "tests/internal/gpu/refresh_rig.h"

namespace gpumon::gpu {
namespace {

using prom::FakeSeries;
using Up = ActivityTarget::Up;

const schema::Exporter& NvidiaGpu() {
  return *schema::Registry::BuiltIn().Find("nvidia_gpu");
}

// Two hours: 24 cells of five minutes, 20 scrapes each.
constexpr double kStart = 10'000;
constexpr double kEnd = kStart + 7200;
constexpr double kCell = 300;
constexpr std::size_t kCells = 24;
constexpr double kScrapes = 20;

ActivityWant TwoHours() {
  ActivityWant want;
  want.start = kStart;
  want.end = kEnd;
  want.temperature = 75;
  want.throttle_bits = 0xE8;
  return want;
}

std::map<std::string, std::string> Plan(const std::string& exporter) {
  Subject subject;
  subject.exporter = schema::Registry::BuiltIn().Find(exporter);
  subject.jobs = {"gpu"};
  std::map<std::string, std::string> queries;
  for (const ActivityQuery& query : PlanActivity({&subject, 1}, TwoHours(), kCell)) {
    queries[query.name] = query.promql;
  }
  return queries;
}

TEST(ActivityPlanTest, ThresholdsAreInTheExportersUnits) {
  const auto plan = Plan("nvidia_gpu");
  EXPECT_EQ(plan.at("activity/nvidia_gpu/nvidia_gpu_temperature_celsius"),
            "count by(job,instance)(max_over_time(nvidia_gpu_temperature_celsius"
            "{minor_number=\"\"}[300000ms]) > 75)");
  EXPECT_NE(plan.at("activity/nvidia_gpu/nvidia_gpu_throttle_reasons").find(" >= 8)"),
            std::string::npos);
  EXPECT_EQ(plan.at("activity/up"),
            "sum by(job,instance)(count_over_time(up{job=~\"gpu\"}[300000ms]))");
}

TEST(ActivityPlanTest, ACodeOrACountIsAskedForItsChangesAndForNewSeries) {
  const auto plan = Plan("dcgm");
  const std::string& xid = plan.at("activity/dcgm/DCGM_FI_DEV_XID_ERRORS");
  EXPECT_NE(xid.find("changes(DCGM_FI_DEV_XID_ERRORS[600000ms]) > 0"), std::string::npos) << xid;
  EXPECT_NE(xid.find(" unless (DCGM_FI_DEV_XID_ERRORS offset 300000ms > 0)"), std::string::npos)
      << xid;
  EXPECT_TRUE(plan.contains("activity/dcgm/DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"));
  EXPECT_FALSE(plan.contains("activity/dcgm/DCGM_FI_DEV_GPU_UTIL"));
}

TEST(ActivityPlanTest, WhoIsGoneIsAskedOfThatWhichIsNotShownAtTheStartOrRightAfterIt) {
  Subject subject;
  subject.exporter = &NvidiaGpu();
  subject.jobs = {"gpu"};
  ActivityWant want = TwoHours();
  EXPECT_TRUE(PlanGone({&subject, 1}, want).empty());
  want.before = 86'400;
  const auto plan = PlanGone({&subject, 1}, want);
  ASSERT_EQ(plan.size(), 1U);
  const std::string& promql = plan[0].promql;
  for (const char* const part :
       {"[86400000ms:10800000ms] offset 300000ms", ") and on(job,instance) up{job=~\"gpu\"}",
        "[3600000ms] offset 300000ms) + 6400)", " unless ((max by("}) {
    EXPECT_NE(promql.find(part), std::string::npos) << part << " in " << promql;
  }
  EXPECT_EQ(GoneAt(want), kStart + kCell);
}

TEST(ActivityPlanTest, OfTargetsAloneNoReadingsAreAsked) {
  Subject subject;
  subject.exporter = &NvidiaGpu();
  subject.jobs = {"gpu"};
  ActivityWant want = TwoHours();
  want.targets_only = true;
  EXPECT_EQ(PlanActivity({&subject, 1}, want, kCell).size(), 3U);
}

TEST(ActivityPlanTest, FlagsThatDoNotCountAreNotAskedFor) {
  const auto plan = Plan("gpud");
  EXPECT_TRUE(plan.contains("activity/gpud/accelerator_nvidia_clock_hw_slowdown_thermal"));
  EXPECT_NE(plan.at("activity/gpud/accelerator_nvidia_clock_hw_slowdown_thermal").find(" > 0)"),
            std::string::npos);
}

TEST(RangePlanTest, TargetsOfASpanAreAskedForByTheirInstance) {
  Subject subject;
  subject.exporter = &NvidiaGpu();
  subject.jobs = {"gpu"};
  RangePart gpus;
  gpus.quantities.set(static_cast<std::size_t>(models::Quantity::kXidLast));
  const auto promql = [&](const RangePart& part) {
    return PlanRange({&subject, 1}, part, 15, {}, {"10.0.0.1:9400", "b"}).front().promql;
  };
  EXPECT_NE(promql(gpus).find(R"(instance=~"10\\.0\\.0\\.1:9400|b")"), std::string::npos)
      << promql(gpus);
  const std::string processes = promql({models::Part::kProcesses});
  EXPECT_NE(processes.find(R"(instance=~"(?:10\\.0\\.0\\.1|b)(?::[0-9]+)?")"), std::string::npos)
      << processes;
}

class ActivityBooksTest : public ::testing::Test {
 protected:
  // A number for each cell.
  static FakeSeries Cells(prom::Labels labels, const std::vector<double>& values) {
    FakeSeries series{std::move(labels), {}};
    for (std::size_t k = 0; k < values.size(); ++k) {
      if (values[k] < 0) continue;  // no sample
      series.points.push_back({kStart + kCell * static_cast<double>(k + 1), values[k]});
    }
    return series;
  }
  static std::vector<double> All(double value) { return std::vector<double>(kCells, value); }
  static prom::Labels Target(const std::string& instance) {
    return {{"job", "gpu"}, {"instance", instance}};
  }
  static prom::Labels Gpu(const std::string& instance, const std::string& uuid) {
    return {{"job", "gpu"}, {"instance", instance}, {"node", "n-" + instance}, {"uuid", uuid}};
  }

  void Scraped(const std::string& instance, const std::vector<double>& scrapes,
               const std::vector<double>& well) {
    books_->AddScrapes(prom::MakeRangeVector({Cells(Target(instance), scrapes)}), false);
    books_->AddScrapes(prom::MakeRangeVector({Cells(Target(instance), well)}), true);
  }
  void Shown(const std::string& instance, const std::string& uuid,
             const std::vector<double>& samples) {
    books_->AddSamples(NvidiaGpu(), says_node_,
                       prom::MakeRangeVector({Cells(Gpu(instance, uuid), samples)}));
  }
  void Active(const std::string& instance, std::size_t cell) {
    std::vector<double> values = All(-1);
    values[cell] = 1;
    books_->AddActive(prom::MakeRangeVector({Cells(Target(instance), values)}));
  }
  // "first-end: instances" of each span, in cells.
  std::string Spans() {
    books_->Choose();
    std::string text;
    const auto grids = books_->chosen().Grids();
    EXPECT_EQ(grids.size(), 1U);
    for (const RangeSpan& span : books_->chosen().SpansToWalk(grids[0])) {
      text += std::to_string(span.first) + "+" + std::to_string(span.count) + ":";
      for (const std::string& instance : span.instances) text += " " + instance;
      text += "; ";
    }
    return text;
  }

  bool says_node_ = true;
  std::unique_ptr<ActivityBooks> books_ = std::make_unique<ActivityBooks>(TwoHours());
};

TEST_F(ActivityBooksTest, QuietTargetsAreNotLookedAt) {
  Scraped("a", All(kScrapes), All(kScrapes));
  Shown("a", "GPU-1", All(kScrapes));
  Shown("a", "GPU-2", All(2 * kScrapes));  // two pods share it
  EXPECT_EQ(Spans(), "");
  EXPECT_EQ(books_->chosen().step, 15);
  EXPECT_EQ(books_->chosen().steps, 482U) << "both ends are, and one before them";
  EXPECT_EQ(books_->chosen().At(481), kStart + 7200);
  EXPECT_EQ(books_->chosen().targets[0].gpus, 2U);
  EXPECT_EQ(books_->chosen().targets[0].node, "n-a");
  EXPECT_EQ(books_->chosen().targets[0].exporters, std::set<std::string>{"nvidia_gpu"});
  EXPECT_EQ(books_->chosen().targets[0].At(7), Up::kUp);
}

TEST_F(ActivityBooksTest, ALookCoversACellAndWhatIsSeenAfterIt) {
  Scraped("a", All(kScrapes), All(kScrapes));
  Scraped("b", All(kScrapes), All(kScrapes));
  Shown("a", "GPU-1", All(kScrapes));
  Shown("b", "GPU-2", All(kScrapes));
  Active("a", 2);
  Active("b", 10);
  Active("a", 11);
  EXPECT_EQ(Spans(), "39+44: a; 199+64: a b; ");
}

TEST_F(ActivityBooksTest, AMissingSampleIsLookedAt) {
  std::vector<double> samples = All(kScrapes);
  samples[5] = kScrapes - 1;
  Scraped("a", All(kScrapes), All(kScrapes));
  Shown("a", "GPU-1", samples);
  EXPECT_EQ(Spans(), "99+64: a; ");
  EXPECT_EQ(books_->Doubted(), std::vector<std::string>{"a"});
}

TEST_F(ActivityBooksTest, AnOutageIsLookedAtAndItsUpIsAsked) {
  std::vector<double> well = All(kScrapes);
  well[5] = 11;
  Scraped("a", All(kScrapes), well);
  Shown("a", "GPU-1", well);
  EXPECT_EQ(Spans(), "99+44: a; ");
  EXPECT_EQ(books_->Doubted(), std::vector<std::string>{"a"});
  books_->AddUp(prom::MakeRangeVector(
      {{Target("a"), {{kStart + 15, 1}, {kStart + 30, 0}}}, {Target("other"), {{kStart, 0}}}}));
  const Activity activity = books_->Take();
  EXPECT_EQ(activity.targets[0].At(1), Up::kUnknown);
  EXPECT_EQ(activity.targets[0].At(2), Up::kUp);
  EXPECT_EQ(activity.targets[0].At(3), Up::kDown);
}

TEST_F(ActivityBooksTest, TargetsThatShowOneGpuAreLookedAtTogether) {
  for (const char* const instance : {"a", "b", "c"}) {
    Scraped(instance, All(kScrapes), All(kScrapes));
  }
  Shown("a", "GPU-1", All(kScrapes));
  Shown("b", "1", All(kScrapes));
  Shown("b", "GPU-1", All(kScrapes));
  Shown("c", "GPU-3", All(kScrapes));
  Active("b", 0);
  EXPECT_EQ(Spans(), "0+43: a b; ");
}

TEST_F(ActivityBooksTest, SoAreThoseThatShareOtherGpusWithThem) {
  for (const char* const instance : {"a", "b", "c", "d"}) {
    Scraped(instance, All(kScrapes), All(kScrapes));
  }
  for (const auto& [one, other, uuid] : {std::tuple("a", "b", "GPU-1"), {"b", "c", "GPU-2"}}) {
    Shown(one, uuid, All(kScrapes));
    Shown(other, uuid, All(kScrapes));
  }
  Shown("d", "GPU-3", All(kScrapes));
  Active("c", 0);
  EXPECT_EQ(Spans(), "0+43: a b c; ");
}

TEST_F(ActivityBooksTest, OthersNodesAreLeftOut) {
  ActivityWant want = TwoHours();
  want.nodes = {"n-b"};
  books_ = std::make_unique<ActivityBooks>(want);
  Scraped("a", All(kScrapes), All(kScrapes));
  Shown("a", "GPU-1", All(kScrapes));
  Active("a", 0);
  EXPECT_EQ(Spans(), "");
  EXPECT_TRUE(books_->chosen().targets.empty());
}

TEST_F(ActivityBooksTest, TargetsWhoseNodesOthersTellMayBeOfAnyNode) {
  ActivityWant want = TwoHours();
  want.nodes = {"n-b"};
  books_ = std::make_unique<ActivityBooks>(want);
  says_node_ = false;
  Scraped("a", All(kScrapes), All(kScrapes));
  Shown("a", "GPU-1", All(kScrapes));
  Active("a", 0);
  EXPECT_EQ(Spans(), "0+43: a; ");
  EXPECT_EQ(books_->chosen().targets[0].node, "");
}

TEST_F(ActivityBooksTest, ATargetThatWasDownAllTheTimeIsOneWhereOnlyExportersAreScraped) {
  Scraped("a", All(kScrapes), All(kScrapes));
  Shown("a", "GPU-1", All(kScrapes));
  Scraped("b", All(kScrapes), All(0));
  books_->KnowJobs();
  EXPECT_EQ(Spans(), "") << "there is nothing to look at";
  ASSERT_EQ(books_->chosen().targets.size(), 2U);
  EXPECT_EQ(books_->Doubted(), std::vector<std::string>{"b"});
}

TEST_F(ActivityBooksTest, ReplicasScrapeNoMoreOften) {
  Scraped("a", All(2 * kScrapes), All(2 * kScrapes));
  Shown("a", "GPU-1", All(2 * kScrapes));
  books_->AddMostScrapes(prom::MakeRangeVector({Cells({}, All(kScrapes))}));
  EXPECT_EQ(Spans(), "");
  EXPECT_EQ(books_->chosen().step, 15);
}

TEST_F(ActivityBooksTest, SoMuchThatItIsTooMuchIsLookedAtMoreCoarsely) {
  Scraped("a", All(kScrapes), All(kScrapes));
  for (int gpu = 0; gpu < 1500; ++gpu) Shown("a", "GPU-" + std::to_string(gpu), All(kScrapes));
  for (std::size_t k = 0; k < kCells; ++k) Active("a", k);
  EXPECT_EQ(Spans(), "0+242: a; ");
  EXPECT_FALSE(books_->chosen().too_long);
  EXPECT_EQ(books_->chosen().step, 30);
  EXPECT_EQ(books_->chosen().scraped_every, 15);
}

TEST_F(ActivityBooksTest, WithoutUpNobodyKnowsOfTargets) {
  Shown("a", "GPU-1", All(kScrapes));
  EXPECT_EQ(Spans(), "");
  EXPECT_EQ(books_->chosen().targets[0].At(0), Up::kUnknown);
  EXPECT_EQ(books_->chosen().step, 15);
}

// Seconds since kStart, of instants.
std::vector<double> Times(const Activity& activity, const std::vector<std::size_t>& instants) {
  std::vector<double> times;
  for (const std::size_t i : instants) times.push_back(activity.At(i) - kStart);
  return times;
}

TEST_F(ActivityBooksTest, BothEndsAreInstantsWhateverLiesBetweenThem) {
  ActivityWant want = TwoHours();
  want.end = want.start + 100;
  want.step = 15;
  books_ = std::make_unique<ActivityBooks>(want);
  books_->Choose();
  const Activity& activity = books_->chosen();
  EXPECT_EQ(activity.begin, 1U);
  ASSERT_EQ(activity.steps, 9U);
  EXPECT_EQ(Times(activity, {0, 1, 2, 3, 8}), (std::vector<double>{-15, 0, 10, 25, 100}));
  const auto grids = activity.Grids();
  ASSERT_EQ(grids.size(), 2U) << "each of instants at equal distances";
  EXPECT_EQ(grids[0].count, 2U);
  EXPECT_EQ(grids[1].first, 2U);
  EXPECT_EQ(grids[1].count, 7U);
  for (std::size_t i = 0; i < activity.steps; ++i) EXPECT_EQ(activity.Nearest(activity.At(i)), i);
  EXPECT_EQ(activity.Nearest(kStart + 115), activity.steps);
}

class GoneTest : public ActivityBooksTest {
 protected:
  static constexpr double kBefore = 3600;  // seconds

  GoneTest() {
    ActivityWant want = TwoHours();
    want.before = 86'400;
    books_ = std::make_unique<ActivityBooks>(want);
    // Cells are of five minutes still.
    books_->AddGone(prom::MakeInstantVector({{Target("a"), kStart - kBefore + kCell}}));
  }
  // A number for each cell: an hour, and the range.
  static FakeSeries Cells(prom::Labels labels, double before, double since) {
    FakeSeries series{std::move(labels), {}};
    for (double at = kStart - kBefore + kCell; at <= kEnd; at += kCell) {
      const double value = at <= kStart ? before : since;
      if (value >= 0) series.points.push_back({at, value});
    }
    return series;
  }
  void Scraped(const std::string& instance) {
    for (const bool well : {false, true}) {
      books_->AddScrapes(prom::MakeRangeVector({Cells(Target(instance), kScrapes, kScrapes)}),
                         well);
    }
  }
  void Shown(const std::string& instance, const std::string& uuid, std::vector<double> cells) {
    FakeSeries series{Gpu(instance, uuid), {}};
    for (std::size_t k = 0; k < cells.size(); ++k) {
      series.points.push_back({kStart - kBefore + kCell * static_cast<double>(k + 1), cells[k]});
    }
    books_->AddSamples(NvidiaGpu(), true, prom::MakeRangeVector({series}));
  }
};

TEST_F(GoneTest, WhatWasShownBeforeTheRangeIsLookedAtWhereItWent) {
  EXPECT_EQ(books_->cell(), kCell);
  EXPECT_EQ(books_->first_end(), kStart - kBefore + kCell);
  EXPECT_EQ(books_->first_end_within(), kStart + kCell);
  for (const char* const instance : {"a", "b"}) Scraped(instance);
  std::vector<double> here(36, kScrapes);
  std::vector<double> lost = here;
  std::fill(lost.begin() + 2, lost.end(), 0);
  Shown("a", "GPU-1", lost);
  Shown("a", "GPU-2", here);
  lost[3] = kScrapes - 1;
  Shown("b", "GPU-3", here);
  // The hour before is 240 instants, the third cell of it begins with the 40th.
  EXPECT_EQ(Spans(), "38+44: a; 239+2: a; ");
  EXPECT_EQ(books_->chosen().begin, 240U);
  EXPECT_EQ(books_->chosen().At(240), kStart);
  EXPECT_EQ(books_->Doubted(), std::vector<std::string>{"a"});
}

TEST_F(GoneTest, WhatElseHappenedBeforeTheRangeIsNotLookedAt) {
  for (const char* const instance : {"a", "b"}) Scraped(instance);
  std::vector<double> here(36, kScrapes);
  Shown("a", "GPU-1", here);
  here[3] = kScrapes - 1;
  Shown("b", "GPU-2", here);
  EXPECT_EQ(Spans(), "");
}

// A cell is longer than the window, and the loss in the part of it that is before.
TEST_F(ActivityBooksTest, HowAGpuWentRightBeforeAShortRangeIsLookedAt) {
  ActivityWant want = TwoHours();
  want.start = kEnd - 60;
  want.before = 86'400;
  books_ = std::make_unique<ActivityBooks>(want);
  books_->AddGone(prom::MakeInstantVector({{Target("a"), want.start - 100}}));
  Scraped("a", All(kScrapes), All(kScrapes));
  std::vector<double> lost = All(kScrapes);
  lost.back() = kScrapes / 2;
  Shown("a", "GPU-1", lost);
  Shown("a", "GPU-2", All(kScrapes));
  EXPECT_EQ(Spans(), "9+23: a; ");
  EXPECT_EQ(books_->chosen().begin, 27U);
}

TEST_F(ActivityBooksTest, WhatComesAfterTheRangeIsLookedAtToo) {
  ActivityWant want = TwoHours();
  want.after = 130;
  books_ = std::make_unique<ActivityBooks>(want);
  EXPECT_EQ(books_->last_end(), kEnd + 130);
  books_->Choose();
  const Activity& activity = books_->chosen();
  EXPECT_EQ(activity.after, 8U);
  EXPECT_EQ(Times(activity, {activity.begin, activity.last(), activity.steps - 1}),
            (std::vector<double>{0, 7200, 7320}));
}

TEST_F(ActivityBooksTest, TheTimeBetweenScrapesIsFoundWhateverIsLongAgo) {
  ActivityWant want = TwoHours();
  want.start = kEnd - 86'400;
  const auto step = [&](double most, double in_minute) {
    books_ = std::make_unique<ActivityBooks>(want);
    Scraped("a", {48}, {48});  // twelve minutes in a cell of thirty
    Shown("a", "GPU-1", {48});
    books_->AddMostScrapes(prom::MakeRangeVector({Cells({}, {most})}));
    books_->AddMostScrapes(prom::MakeRangeVector({Cells({}, {in_minute})}), true);
    books_->Choose();
    return books_->chosen().step;
  };
  EXPECT_EQ(step(20, 4), 15);
  EXPECT_EQ(step(21, 5), 15);
  EXPECT_EQ(step(10, 2), 30);
  EXPECT_EQ(step(10, 3), 30);
  EXPECT_EQ(step(5, 1), 60);
  EXPECT_EQ(step(2, 0), 150);
  EXPECT_EQ(step(1, 0), 300);
  EXPECT_EQ(step(10, 6), 10) << "the past is a minute long";
}

// Of each GPU one value, for a range at its end.
prom::FakePromClient::Answer ValueOfEach(const prom::FakePromClient::Call& call, std::size_t gpus) {
  std::vector<prom::FakeSample> samples;
  std::vector<prom::FakeSeries> series;
  for (std::size_t i = 0; i < gpus; ++i) {
    const prom::Labels labels = {{"gpu", std::to_string(i)}, {"instance", "a:1"}, {"node", "a"}};
    samples.push_back({labels, 0});
    series.push_back({labels, {{call.end, 0}}});
  }
  return call.is_range() ? prom::MakeRangeResult(series) : prom::MakeResult(samples);
}

TEST(ActivitySearchTest, AsksAsManyQueriesForManyGpus) {
  std::vector<std::size_t> queries;
  for (const std::size_t gpus : {1U, 300U}) {
    RefreshRig rig;
    rig.client().SetFunction([gpus](const auto& call) { return ValueOfEach(call, gpus); });
    auto [done, future] = MakeCallback<Activity>();
    rig.collector.FindActivity(TwoHours(), rig.In(Millis(9000)), done);
    const auto found = Await(std::move(future));
    ASSERT_TRUE(found.has_value()) << found.error().message;
    queries.push_back(rig.client().call_count());
  }
  EXPECT_EQ(queries[0], queries[1]);
  EXPECT_GT(queries[0], 4U);
}

// A scrape of each target went wrong.
TEST(ActivitySearchTest, WhenTargetsWereUpIsAskedInPiecesThatAClientTakes) {
  RefreshRig rig;
  std::atomic<int> asked = 0;
  rig.client().SetFunction([&](const auto& call) {
    if (!call.is_range()) return ValueOfEach(call, 1);
    asked += call.promql.starts_with("max by(job,instance)(up{") ? 1 : 0;
    const double value = call.promql.find("(sum_over_time(up") != std::string::npos ? 19 : 20;
    std::vector<prom::FakeSeries> series;
    for (int i = 0; i < 300; ++i) {
      series.push_back(
          {{{"gpu", "0"}, {"instance", std::to_string(i)}, {"job", "gpu"}, {"node", "n"}},
           {{call.end, value}}});
    }
    return prom::FakePromClient::Answer(prom::MakeRangeResult(series));
  });
  ActivityWant want = TwoHours();
  want.step = 1;  // 7,201 instants: 208 targets at a time
  auto [done, future] = MakeCallback<Activity>();
  rig.collector.FindActivity(want, rig.In(Millis(9000)), done);
  const auto found = Await(std::move(future));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(found->targets.size(), 300U);
  for (const ActivityTarget& target : found->targets) EXPECT_FALSE(target.up.empty());
}

TEST(ActivitySearchTest, AnAnswerOfAnotherTypeIsAnError) {
  RefreshRig rig;
  rig.SetGpus(2);  // answers a range with an instant
  auto [done, future] = MakeCallback<Activity>();
  rig.collector.FindActivity(TwoHours(), rig.In(Millis(9000)), done);
  const auto found = Await(std::move(future));
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, Code::kUpstreamInvalid);
}

}  // namespace
}  // namespace gpumon::gpu
