// Every number that the server shows is the one Prometheus holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "internal/base/text.h"
#include "tests/e2e/programs.h"

namespace gpumon::e2e {
namespace {

using json::Value;
using process::WaitUntil;

constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr double kMiB = 1024.0 * 1024;

struct Metric {
  const char* name;
  const char* field;
  double unit;              // shown = sample / unit
  const char* exact_field;  // the sample itself, or ""
};
constexpr std::array kGpuMetrics = {
    Metric{"nvidia_gpu_utilization_percent", "utilization", 1, ""},
    Metric{"nvidia_gpu_used_memory_bytes", "memory_used", kGiB, "memory_used_bytes"},
    Metric{"nvidia_gpu_total_memory_bytes", "memory_total", kGiB, "memory_total_bytes"},
    Metric{"nvidia_gpu_free_memory_bytes", "memory_free", kGiB, "memory_free_bytes"},
    Metric{"nvidia_gpu_memory_utilization_percent", "memory_utilization", 1, ""},
    Metric{"nvidia_gpu_temperature_celsius", "temperature", 1, ""},
};
constexpr std::array kProcessMetrics = {
    Metric{"nvidia_gpu_process_gpu_memory_bytes", "gpu_memory", kMiB, "gpu_memory_bytes"},
    Metric{"nvidia_gpu_process_cpu_percent", "cpu", 1, ""},
    Metric{"nvidia_gpu_process_memory_percent", "memory", 1, ""},
};

using Key = std::tuple<std::string, std::string, std::string>;  // node, gpu, pid
struct Sample {
  double value = 0;
  double at = 0;
};
// What Prometheus holds at one instant: metric -> row -> sample.
using World = std::map<std::string, std::map<Key, Sample>>;

std::string TextOf(const Value& value) {
  return value.AsString() == nullptr ? std::string() : *value.AsString();
}

double SampleValue(const Value& series) {
  return std::strtod(TextOf(series["value"][1]).c_str(), nullptr);
}

template <class Metrics>
World Ask(const Prometheus& prometheus, const Metrics& metrics, const std::string& node_label,
          const std::string& time) {
  World world;
  const auto key_of = [&](const Value& series) {
    const Value& labels = series["metric"];
    return Key(TextOf(labels[node_label]), TextOf(labels["gpu"]), TextOf(labels["pid"]));
  };
  for (const Metric& metric : metrics) {
    const std::string name = metric.name;
    const Value samples = prometheus.Query(name, time);
    for (const Value& series : samples.elements()) {
      world[name][key_of(series)].value = SampleValue(series);
    }
    const Value times = prometheus.Query("timestamp(" + name + ")", time);
    for (const Value& series : times.elements()) {
      world[name][key_of(series)].at = SampleValue(series);
    }
  }
  return world;
}

Key KeyOf(const Value& row) {
  const Value& pid = row["pid"];
  return {TextOf(row["node_name"]), TextOf(row["gpu_id"]),
          pid.is_null() ? "" : *pid.AsNumberText()};
}

// The field is the sample, bit for bit after its unit, or null where there is none.
void ExpectField(const Value& row, const std::string& field, std::optional<double> expected) {
  const auto shown = row[field].AsDouble();
  if (!expected) {
    EXPECT_TRUE(row[field].is_null()) << field;
    return;
  }
  ASSERT_TRUE(shown.has_value()) << field << " is not a number";
  EXPECT_EQ(*shown, *expected) << field;
}

template <class Metrics>
void ExpectRow(const Value& row, const Metrics& metrics, const World& world, double as_of) {
  const Key key = KeyOf(row);
  double newest = 0;
  double oldest = as_of;
  for (const Metric& metric : metrics) {
    std::optional<double> value;
    const auto samples = world.find(metric.name);
    if (samples != world.end()) {
      const auto found = samples->second.find(key);
      if (found != samples->second.end()) {
        value = found->second.value;
        newest = std::max(newest, found->second.at);
        oldest = std::min(oldest, found->second.at);
      }
    }
    ExpectField(row, metric.field, value ? std::optional(*value / metric.unit) : std::nullopt);
    if (*metric.exact_field != '\0') ExpectField(row, metric.exact_field, value);
  }
  const WallTime time{Millis(std::llround(newest * 1000))};
  EXPECT_EQ(TextOf(row["timestamp"]), FormatTime(time));
  ASSERT_TRUE(row["sample_age_seconds"].AsDouble().has_value());
  EXPECT_NEAR(*row["sample_age_seconds"].AsDouble(), as_of - oldest, 1e-3);
}

template <class Metrics>
void ExpectTruth(const Answer& answer, const Metrics& metrics, const World& world, double as_of) {
  ASSERT_EQ(answer.status, 200) << answer.Text();
  const Value document = answer.Json();
  std::set<Key> expected;
  for (const auto& [metric, samples] : world) {
    for (const auto& sample : samples) expected.insert(sample.first);
  }
  std::set<Key> shown;
  for (const Value& row : document["data"].elements()) {
    const Key key = KeyOf(row);
    EXPECT_TRUE(shown.insert(key).second) << "row twice";
    SCOPED_TRACE(std::get<0>(key) + '/' + std::get<1>(key) + '/' + std::get<2>(key));
    EXPECT_EQ(row["gpu_index"].AsInteger(), std::atoi(std::get<1>(key).c_str()));
    ExpectRow(row, metrics, world, as_of);
  }
  EXPECT_EQ(shown, expected);
  EXPECT_EQ(document["meta"]["total"].AsInteger(), static_cast<std::int64_t>(expected.size()));
  EXPECT_EQ(document["meta"]["stale"].AsBool(), false);
  EXPECT_EQ(document["meta"]["partial"].AsBool(), false);
}

std::string MillisText(std::int64_t millis) {
  std::string fraction = std::to_string(1000 + millis % 1000);
  fraction[0] = '.';
  return std::to_string(millis / 1000) + fraction;
}

std::int64_t NowMillis() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A fleet with every oddity the exporter has (14 GPUs or more), at several instants.
void CompareLiveFleet(bool honor_labels, const std::string& target_labels,
                      const std::string& node_label) {
  const Exporter exporter({"--nodes", "3", "--gpus-per-node", "6", "--seed", "7"});
  const auto prometheus = Prometheus::Scraping(exporter.port(), honor_labels, target_labels);
  const ApiServer server(prometheus->url());
  const auto scraped = [&] {
    const auto found = prometheus->Query("count_over_time(nvidia_gpu_utilization_percent[1m])",
                                         MillisText(NowMillis()));
    return found.size() > 0 && SampleValue(found[0]) >= 2;
  };
  ASSERT_TRUE(WaitUntil(scraped, Millis(20'000)));

  const std::int64_t now = NowMillis();
  for (const std::int64_t back : {0, 333, 1000}) {
    const std::string at = MillisText(now - back);
    SCOPED_TRACE("at=" + at);
    const double as_of = static_cast<double>(now - back) / 1000;
    const World gpus = Ask(*prometheus, kGpuMetrics, node_label, at);
    ASSERT_GE(gpus.at(kGpuMetrics[0].name).size(), 14U);
    const Answer metrics = server.Get("/api/v1/gpu/metrics?at=" + at);
    ExpectTruth(metrics, kGpuMetrics, gpus, as_of);
    EXPECT_EQ(TextOf(metrics.Json()["meta"]["as_of"]), FormatTime(WallTime(Millis(now - back))));
    const World processes = Ask(*prometheus, kProcessMetrics, node_label, at);
    ASSERT_FALSE(processes.empty());
    ExpectTruth(server.Get("/api/v1/gpu/processes?at=" + at), kProcessMetrics, processes, as_of);
  }
}

TEST(TruthTest, ShowsALiveFleetAsPrometheusHoldsIt) {
  CompareLiveFleet(true, "", "node");
}

TEST(TruthTest, ShowsTheExportersNodeWhereTheTargetHasOneOfItsOwn) {
  CompareLiveFleet(false, "node: scraper", "exported_node");
}

// Worlds in one TSDB, each ten minutes after the one before: far beyond the look-back of five.
constexpr std::int64_t kFirstWorld = 1704110400;
constexpr std::int64_t kBetweenWorlds = 600;
constexpr std::size_t kMetrics = kGpuMetrics.size() + kProcessMetrics.size();
constexpr std::size_t kSubsets = std::size_t{1} << kMetrics;
constexpr int kGpusPerWorld = 2;

std::int64_t TimeOf(std::size_t world) {
  return kFirstWorld + static_cast<std::int64_t>(world) * kBetweenWorlds;
}

const Metric& MetricAt(std::size_t i) {
  return i < kGpuMetrics.size() ? kGpuMetrics[i] : kProcessMetrics[i - kGpuMetrics.size()];
}

// Never 0, different everywhere, and possible: total > used.
double ValueOf(std::size_t metric, int gpu, std::size_t world) {
  const double base = 1 + static_cast<double>(world % 64) / 8 + gpu;
  const std::string name = MetricAt(metric).name;
  if (name == "nvidia_gpu_total_memory_bytes") return 80 * kGiB + base;
  return name.find("_bytes") != std::string::npos ? base * kGiB + 4096 : base + 0.25;
}

// World i lacks the metrics whose bits are set in i.
bool Lacks(std::size_t world, std::size_t metric) {
  return (world >> metric & 1U) != 0;
}

std::string LabelsOf(std::size_t metric, int gpu) {
  std::string labels = "node=\"n1\",gpu=\"" + std::to_string(gpu) + '"';
  if (metric >= kGpuMetrics.size()) labels += ",pid=\"42\",process_name=\"p\"";
  return labels;
}

std::string AllWorlds() {
  std::string text;
  for (std::size_t metric = 0; metric < kMetrics; ++metric) {
    const std::string name = MetricAt(metric).name;
    text += "# TYPE " + name + " gauge\n";
    for (int gpu = 0; gpu < kGpusPerWorld; ++gpu) {
      for (std::size_t world = 0; world < kSubsets; ++world) {
        if (Lacks(world, metric)) continue;
        text += name + '{' + LabelsOf(metric, gpu) + "} " +
                FormatNumber(ValueOf(metric, gpu, world)) + ' ' + std::to_string(TimeOf(world)) +
                '\n';
      }
    }
  }
  return text + "# EOF\n";
}

std::string TextOrNothing(const Value* value) {
  return value == nullptr ? std::string() : TextOf(*value);
}

// Fields [first, first + count) of the metrics of a list, in one world.
void ExpectWorld(const Answer& answer, std::size_t world, std::size_t first, std::size_t count) {
  SCOPED_TRACE("world " + std::to_string(world));
  ASSERT_EQ(answer.status, 200) << answer.Text();
  const Value document = answer.Json();
  bool any = false;
  for (std::size_t i = first; i < first + count; ++i) any |= !Lacks(world, i);
  const std::size_t rows = any ? kGpusPerWorld : 0;
  ASSERT_EQ(document["data"].size(), rows) << answer.Text();
  ASSERT_TRUE(document["data"].is_array());
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = first; i < first + count; ++i) {
      const Metric& metric = MetricAt(i);
      const Value& shown = document["data"][row][metric.field];
      if (Lacks(world, i)) {
        ASSERT_NE(document["data"][row].Find(metric.field), nullptr) << metric.field;
        EXPECT_TRUE(shown.is_null()) << metric.field;
        EXPECT_EQ(TextOrNothing(document["meta"]["null_reasons"].Find(metric.field)),
                  "not_exported");
      } else {
        const double sample = ValueOf(i, static_cast<int>(row), world);
        EXPECT_EQ(shown.AsDouble(), sample / metric.unit) << metric.field;
        EXPECT_EQ(document["meta"]["null_reasons"].Find(metric.field), nullptr) << metric.field;
      }
    }
    for (const auto& [name, value] : document["data"][row].members()) {
      if (name == "gpu_index" || name == "sample_age_seconds") continue;  // 0 is true of them
      EXPECT_NE(value.AsDouble(), 0.0) << name << " is 0";
    }
  }
}

TEST(TruthTest, NoFieldBecomesZeroWhateverMetricsAreMissing) {
  const auto prometheus = Prometheus::Holding(AllWorlds());
  const ApiServer server(prometheus->url(), {{"LOG_LEVEL", "error"}});
  for (std::size_t world = 0; world < kSubsets && !HasFailure(); ++world) {
    const std::string at = "at=" + std::to_string(TimeOf(world) + 7);
    ExpectWorld(server.Get("/api/v1/gpu/metrics?" + at), world, 0, kGpuMetrics.size());
    ExpectWorld(server.Get("/api/v1/gpu/processes?" + at), world, kGpuMetrics.size(),
                kProcessMetrics.size());
  }
}

TEST(TruthTest, ShowsTheTimesOfTheSamplesNotOfTheQuestion) {
  const auto prometheus = Prometheus::Holding(
      "# TYPE nvidia_gpu_utilization_percent gauge\n"
      "nvidia_gpu_utilization_percent{node=\"n1\",gpu=\"0\",job=\"a\"} 0 1704110400.123\n"
      "# TYPE nvidia_gpu_temperature_celsius gauge\n"
      "nvidia_gpu_temperature_celsius{node=\"n1\",gpu=\"0\",job=\"b\"} 41 1704110407.25\n"
      "# EOF\n");
  const ApiServer server(prometheus->url());
  const Answer answer = server.Get("/api/v1/gpu/metrics?at=2024-01-01T12:01:00Z");
  ASSERT_EQ(answer.status, 200) << answer.Text();
  const Value document = answer.Json();
  ASSERT_EQ(document["data"].size(), 1U);
  const Value& row = document["data"][0];
  EXPECT_EQ(TextOf(row["timestamp"]), "2024-01-01T12:00:07.250Z");
  EXPECT_NEAR(row["sample_age_seconds"].AsDouble().value_or(0), 59.877, 1e-9);
  EXPECT_EQ(TextOf(document["meta"]["as_of"]), "2024-01-01T12:01:00Z");
  EXPECT_EQ(row["utilization"].AsDouble(), 0.0) << "a real 0 is shown";
  // After the look-back nothing is there, and that is no error.
  const Answer later = server.Get("/api/v1/gpu/metrics?at=2024-01-01T12:10:00Z");
  EXPECT_EQ(later.status, 200);
  EXPECT_EQ(later.Json()["data"].size(), 0U);
  EXPECT_NE(later.body.find("Prometheus has no series of a known GPU exporter"), std::string::npos);
}

TEST(TruthTest, ImpossibleValuesAreNullWithTheirReason) {
  const std::string labels = "{node=\"n1\",gpu=\"0\"} ";
  const std::string good = "{node=\"n1\",gpu=\"1\"} ";
  const std::string time = " 1704110400\n";
  const auto prometheus = Prometheus::Holding(
      "# TYPE nvidia_gpu_utilization_percent gauge\nnvidia_gpu_utilization_percent" + labels +
      "250" + time + "nvidia_gpu_utilization_percent" + good + "25" + time +
      "# TYPE nvidia_gpu_used_memory_bytes gauge\nnvidia_gpu_used_memory_bytes" + labels + "-5" +
      time + "# TYPE nvidia_gpu_temperature_celsius gauge\nnvidia_gpu_temperature_celsius" +
      labels + "NaN" + time + "nvidia_gpu_temperature_celsius" + good + "55" + time +
      "# TYPE nvidia_gpu_free_memory_bytes gauge\nnvidia_gpu_free_memory_bytes" + labels + "+Inf" +
      time + "# EOF\n");
  const ApiServer server(prometheus->url());
  const Answer answer = server.Get("/api/v1/gpu/metrics?at=1704110401");
  ASSERT_EQ(answer.status, 200) << answer.Text();
  const Value document = answer.Json();
  ASSERT_EQ(document["data"].size(), 2U) << answer.Text();
  const Value& row = document["data"][0];
  for (const char* field : {"utilization", "memory_used", "temperature", "memory_free"}) {
    EXPECT_TRUE(row[field].is_null()) << field;
  }
  EXPECT_EQ(TextOrNothing(row["null_reasons"].Find("utilization")), "invalid_value");
  EXPECT_EQ(TextOrNothing(row["null_reasons"].Find("temperature")), "invalid_value");
  EXPECT_EQ(document["data"][1]["utilization"].AsDouble(), 25.0);
  EXPECT_NE(answer.body.find("4 impossible values dropped"), std::string::npos) << answer.Text();
}

}  // namespace
}  // namespace gpumon::e2e
