// The past that gpu-exporter --past writes, in a real Prometheus: what it answers for a past
// instant is what the fleet was then.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/exporter/demo_collector.h"
#include "internal/exporter/fleet.h"
#include "tests/e2e/programs.h"
#include "tests/internal/exporter/strict_page.h"

namespace gpumon::e2e {
namespace {

using exporter::Fleet;
using exporter::FleetState;
using json::Value;

constexpr std::int64_t kEnd = 1'795'345'000;
constexpr std::int64_t kStep = 299;

using SeriesKey =
    std::map<std::string, std::string>;  // labels and __name__, those of the target not

std::string TextOf(const Value& value) {
  return value.AsString() == nullptr ? std::string() : *value.AsString();
}

std::string PastOf(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"--demo"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto written = process::Run(ExporterProgram(), arguments);
  EXPECT_EQ(written.exit_code, 0) << written.errors;
  return written.output;
}

WallTime TimeOf(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

// What a scrape of the fleet at that instant leaves in Prometheus.
std::map<SeriesKey, double> Scraped(const Fleet& fleet, std::int64_t at) {
  std::string page;
  EXPECT_TRUE(exporter::DemoCollector(fleet, exporter::Surroundings::kAll, "1.2.3")
                  .Collect(TimeOf(at), page));
  std::map<SeriesKey, double> series;
  for (const exporter::Series& each : exporter::ReadStrictly(page).series) {
    SeriesKey key = each.labels;
    std::erase_if(key, [](const auto& label) { return label.second.empty(); });
    key["__name__"] = each.name;
    series[key] = each.value;
  }
  return series;
}

// All that Prometheus holds for an instant; every series is of the target.
std::map<SeriesKey, double> Held(const Prometheus& prometheus, const std::string& selector,
                                 std::int64_t at) {
  std::map<SeriesKey, double> series;
  const Value result = prometheus.Query(selector, std::to_string(at));
  for (const Value& each : result.elements()) {
    SeriesKey key;
    for (const auto& [name, value] : each["metric"].members()) key[name] = TextOf(value);
    EXPECT_EQ(key["job"], "gpu-exporter");
    EXPECT_EQ(key["instance"], "demo");
    key.erase("job");
    key.erase("instance");
    series[key] = std::strtod(TextOf(each["value"][1]).c_str(), nullptr);
  }
  return series;
}

// Of everything but counters of nodes, which have instants of their own between.
constexpr char kOfThePage[] =
    R"({__name__=~"nvidia_.+|kube_.+|node_.+",__name__!~"node_.+_total"})";

class PastTest : public testing::Test {
 protected:
  PastTest()
      : prometheus_(
            Prometheus::Holding(PastOf({"--past", "6h", "--past-end", std::to_string(kEnd)}))) {}

  const Fleet fleet_ = *Fleet::Make({});
  const std::unique_ptr<Prometheus> prometheus_;
};

TEST_F(PastTest, APastInstantIsWhatTheFleetWasAtTheLastScrape) {
  std::set<std::string> names;
  for (int step = 0; step < 70; step += 9) {
    const std::int64_t scraped = kEnd - step * kStep;
    const auto page = Scraped(fleet_, scraped);
    // Until the next scrape: nothing is lost early, and what has ended is kept for a second.
    for (const std::int64_t later : {2, 150, 298}) {
      const auto held = Held(*prometheus_, kOfThePage, scraped + later);
      EXPECT_GT(held.size(), 1500U);
      for (const auto& [key, value] : held) {
        const auto said = page.find(key);
        ASSERT_NE(said, page.end()) << testing::PrintToString(key) << " at " << scraped;
        EXPECT_EQ(value, said->second) << testing::PrintToString(key) << " at " << scraped;
        names.insert(key.at("__name__"));
      }
      for (const auto& [key, value] : page) {
        if (!key.at("__name__").starts_with("nvidia_")) continue;
        EXPECT_TRUE(held.contains(key)) << testing::PrintToString(key) << " at " << scraped;
      }
    }
  }
  EXPECT_GT(names.size(), 75U);
}

TEST_F(PastTest, HasNoGapAndCountersOfNodesHaveRates) {
  constexpr std::int64_t kHours = 5 * 3600;
  const auto number = [&](const std::string& promql) {
    const Value result = prometheus_->Query(promql, std::to_string(kEnd));
    return result.size() == 1 ? std::atoi(TextOf(result[0]["value"][1]).c_str()) : -1;
  };
  // Subqueries look at multiples of their step.
  const auto looks = [](std::int64_t step) { return kEnd / step - (kEnd - kHours - 1) / step; };
  EXPECT_EQ(number("count_over_time(up{job=\"gpu-exporter\",instance=\"demo\"}[5h:13s])"),
            looks(13));
  for (const auto& [counter, series] :
       {std::pair<std::string, int>{"node_network_receive_bytes_total", 4},
        {"node_cpu_seconds_total{mode=\"idle\"}", 4 * 16}}) {
    const std::string rates = "((count(rate(" + counter + "[5m])))[5h:61s])";
    EXPECT_EQ(number("count_over_time" + rates), looks(61)) << counter;
    EXPECT_EQ(number("min_over_time" + rates), series) << counter;
  }
}

// A fleet that is started long after its past was made has a second one, of a few seconds maybe,
// and nothing until the first scrape: what is told of CPUs is no less true there.
TEST(PastEndsTest, CpusAreAsBusyWhereItEndsAsAnywhere) {
  std::string past = PastOf({"--past", "1h", "--past-end", std::to_string(kEnd)});
  past.erase(past.rfind("# EOF"));
  past += PastOf({"--past", "20s", "--past-end", std::to_string(kEnd + 20)});
  const auto prometheus = Prometheus::Holding(past);
  const ApiServer server(prometheus->url(), {{"LOG_LEVEL", "error"}});
  const Answer answer =
      server.Get("/api/v1/gpu/history?metric=cpu&aggregate=cluster&step=15s&start=" +
                 std::to_string(kEnd - 1800) + "&end=" + std::to_string(kEnd + 315));
  ASSERT_EQ(answer.status, 200) << answer.Text();
  const Value row = answer.Json()["data"][0];
  EXPECT_GT(row["avg"].size(), 130U);
  std::size_t known = 0;
  for (const Value& value : row["avg"].elements()) {
    if (value.is_null()) continue;
    ++known;
    // Between no load and a full one; see node_families.cc.
    EXPECT_GE(value.AsDouble().value_or(-1), 7) << known;
    EXPECT_LE(value.AsDouble().value_or(-1), 72) << known;
  }
  EXPECT_GT(known, 130U);
}

TEST_F(PastTest, TheApiShowsThePastFleet) {
  const ApiServer server(prometheus_->url(), {{"LOG_LEVEL", "error"}});
  for (int step = 3; step < 70; step += 16) {
    const std::int64_t scraped = kEnd - step * kStep;
    const FleetState state = fleet_.At(TimeOf(scraped));
    std::map<std::string, const exporter::GpuState*> gpus;
    for (const exporter::GpuState& gpu : state.gpus) {
      const std::string& node = state.nodes[static_cast<std::size_t>(gpu.node)].spec->name;
      if (gpu.present) gpus[node + '/' + std::to_string(gpu.index)] = &gpu;
    }
    const Answer answer = server.Get("/api/v1/gpu/metrics?at=" + std::to_string(scraped + 7));
    ASSERT_EQ(answer.status, 200) << answer.Text();
    const Value document = answer.Json();
    EXPECT_EQ(document["data"].size(), gpus.size());
    for (const Value& row : document["data"].elements()) {
      const std::string name = TextOf(row["node_name"]) + '/' + TextOf(row["gpu_id"]);
      SCOPED_TRACE(name + " at " + std::to_string(scraped));
      ASSERT_TRUE(gpus.contains(name));
      const exporter::GpuState& gpu = *gpus[name];
      EXPECT_EQ(row["utilization"].AsDouble(), gpu.utilization);
      const std::string pod = gpu.pod < 0 ? "" : state.pods[static_cast<std::size_t>(gpu.pod)].name;
      EXPECT_EQ(TextOf(row["workloads"][0]["pod"]), pod);
    }
  }
}

TEST(PastAndPresentTest, AreTheSameSeries) {
  const Exporter exporter;
  const SystemClock clock;
  const auto now =
      std::chrono::floor<std::chrono::seconds>(clock.Wall().time_since_epoch()).count();
  const auto prometheus = Prometheus::Scraping(
      exporter.port(), true, "instance: \"demo\"",
      PastOf({"--past", "1h", "--past-job", "gpu", "--past-end", std::to_string(now - 60)}));
  const std::string series = "nvidia_gpu_power_watts";
  const auto count = [&](const std::string& promql) {
    const auto at = std::chrono::floor<std::chrono::seconds>(clock.Wall().time_since_epoch());
    const Value result = prometheus->Query(promql, std::to_string(at.count()));
    return result.size() == 1 ? std::atoi(TextOf(result[0]["value"][1]).c_str()) : 0;
  };
  // Scraped now, and there an hour ago.
  ASSERT_TRUE(process::WaitUntil(
      [&] {
        return count("count(timestamp(" + series + ") > " + std::to_string(now - 60) + ')') >= 31;
      },
      Millis(30'000)));
  EXPECT_GE(count("count(" + series + " and " + series + " offset 50m)"), 30)
      << "one GPU may be away at either time";
  EXPECT_LE(count("count(count_over_time(" + series + "[1h]))"), 32) << "no GPU is two series";
}

}  // namespace
}  // namespace gpumon::e2e
