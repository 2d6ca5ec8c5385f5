#include "internal/telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <thread>

#include "tests/fakes/clock/fake_clock.h"

namespace gpumon::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsTest : public testing::Test {
 protected:
  // The value of a series by its whole name with labels; nothing when it is not there.
  std::optional<std::string> Value(const std::string& series) {
    std::istringstream lines(metrics_.Text());
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(series + " ")) return line.substr(series.size() + 1);
    }
    return std::nullopt;
  }
  std::size_t Count(const std::string& prefix) {
    std::istringstream lines(metrics_.Text());
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) count += line.starts_with(prefix) ? 1U : 0U;
    return count;
  }

  FakeClock clock_;
  Metrics metrics_{clock_, "1.2.3"};
};

TEST_F(MetricsTest, SaysWhatIsRunning) {
  EXPECT_EQ(Value("gpu_monitoring_build_info{version=\"1.2.3\"}"), "1");
  clock_.Advance(Millis(1500));
  EXPECT_EQ(Value("gpu_monitoring_uptime_seconds"), "1.5");
  for (const char* name :
       {"process_cpu_seconds_total", "process_start_time_seconds", "process_virtual_memory_bytes",
        "process_resident_memory_bytes", "process_resident_memory_max_bytes", "process_threads",
        "process_open_fds", "process_max_fds"}) {
    const auto value = Value(name);
    ASSERT_TRUE(value) << name;
    EXPECT_GT(std::stod(*value), 0) << name;
  }
}

TEST_F(MetricsTest, CountsRequestsByPatternMethodAndStatus) {
  metrics_.CountRequest("/api/v1/gpu/metrics", "GET", 200, 0.003);
  metrics_.CountRequest("/api/v1/gpu/metrics", "GET", 200, 0.2);
  metrics_.CountRequest("/api/v1/gpu/metrics", "GET", 502, 9);
  metrics_.CountRequest("", "GET", 404, 0);
  const std::string series = "gpu_monitoring_http_requests_total{method=\"GET\",route=";
  EXPECT_EQ(Value(series + "\"/api/v1/gpu/metrics\",status=\"200\"}"), "2");
  EXPECT_EQ(Value(series + "\"/api/v1/gpu/metrics\",status=\"502\"}"), "1");
  EXPECT_EQ(Value(series + "\"none\",status=\"404\"}"), "1");
  const std::string histogram = "gpu_monitoring_http_request_duration_seconds";
  const std::string route = "{route=\"/api/v1/gpu/metrics\"";
  EXPECT_EQ(Value(histogram + "_count" + route + "}"), "3");
  EXPECT_EQ(Value(histogram + "_bucket" + route + ",le=\"0.005\"}"), "1");
  EXPECT_EQ(Value(histogram + "_bucket" + route + ",le=\"0.25\"}"), "2");
  EXPECT_EQ(Value(histogram + "_bucket" + route + ",le=\"+Inf\"}"), "3");
}

TEST_F(MetricsTest, WhatAClientSendsCannotGrowTheText) {
  for (int i = 0; i < 5000; ++i) {
    const std::string text = "x" + std::to_string(i);
    metrics_.CountRequest(text, text, i, 0.1);
    metrics_.CountQuery(text, text, 0.1, 1);
    metrics_.CountRefresh(text, text, 0.1);
    metrics_.CountDropped(text, 1);
    metrics_.CountShed(text);
  }
  EXPECT_LE(Count("gpu_monitoring_http_requests_total"), 1001U);
  EXPECT_LE(Count("gpu_monitoring_http_request_duration_seconds_count"), 101U);
  EXPECT_LE(Count("gpu_monitoring_dropped_samples_total"), 101U);
  EXPECT_EQ(Value("gpu_monitoring_sheds_total{reason=\"other\"}"), "4900");
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("method=\"x")));
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("status=\"5000\"")));
}

TEST_F(MetricsTest, KeepsTheTextValidWhateverALabelHolds) {
  metrics_.CountShed("a\"b\\c\nd\xff");
  metrics_.CountShed(std::string(10'000, 'y'));
  EXPECT_THAT(metrics_.Text(), HasSubstr("{reason=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD\"} 1\n"));
  EXPECT_EQ(Value("gpu_monitoring_sheds_total{reason=\"" + std::string(128, 'y') + "\"}"), "1");
}

TEST_F(MetricsTest, ADurationThatIsNoneCountsAsZero) {
  for (const double seconds : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    metrics_.CountRefresh("gpus", "ok", seconds);
  }
  EXPECT_EQ(Value("gpu_monitoring_refresh_duration_seconds_sum{part=\"gpus\"}"), "0");
  EXPECT_EQ(Value("gpu_monitoring_refresh_duration_seconds_count{part=\"gpus\"}"), "3");
}

TEST_F(MetricsTest, CountsQueriesRefreshesAndWhatTheyLost) {
  metrics_.CountQuery("nvidia_gpu_power", "ok", 0.02, 1000);
  metrics_.CountQuery("nvidia_gpu_power", "upstream_timeout", 9, 0);
  metrics_.CountRefresh("gpus", "ok", 0.05);
  metrics_.CountDropped("bad_value", 3);
  metrics_.CountDropped("bad_value", 4);
  metrics_.CountStaleServed();
  const std::string query = "{query=\"nvidia_gpu_power\"";
  EXPECT_EQ(Value("gpu_monitoring_upstream_queries_total" + query + ",result=\"ok\"}"), "1");
  EXPECT_EQ(
      Value("gpu_monitoring_upstream_queries_total" + query + ",result=\"upstream_timeout\"}"),
      "1");
  EXPECT_EQ(Value("gpu_monitoring_upstream_query_duration_seconds_count" + query + "}"), "2");
  EXPECT_EQ(Value("gpu_monitoring_upstream_response_bytes_total"), "1000");
  EXPECT_EQ(Value("gpu_monitoring_refreshes_total{part=\"gpus\",result=\"ok\"}"), "1");
  EXPECT_EQ(Value("gpu_monitoring_dropped_samples_total{reason=\"bad_value\"}"), "7");
  EXPECT_EQ(Value("gpu_monitoring_stale_served_total"), "1");
}

TEST_F(MetricsTest, ShowsTheReadingsOfTheMoment) {
  EXPECT_FALSE(Value("gpu_monitoring_http_connections"));
  Readings now{.connections = 3, .in_flight = 2, .refused = 5, .log_lines_dropped = 9, .parts = {}};
  now.parts.push_back({.name = "gpus", .age = 1.25, .rows = 400});
  now.parts.push_back({.name = "processes", .age = std::nullopt, .rows = 0});
  metrics_.SetReadings([&] { return now; });
  EXPECT_EQ(Value("gpu_monitoring_http_connections"), "3");
  EXPECT_EQ(Value("gpu_monitoring_http_in_flight"), "2");
  EXPECT_EQ(Value("gpu_monitoring_http_refused_total"), "5");
  EXPECT_EQ(Value("gpu_monitoring_log_lines_dropped_total"), "9");
  EXPECT_EQ(Value("gpu_monitoring_snapshot_age_seconds{part=\"gpus\"}"), "1.25");
  EXPECT_EQ(Value("gpu_monitoring_snapshot_rows{part=\"gpus\"}"), "400");
  // Not taken yet: no age, and no 0 rows.
  EXPECT_FALSE(Value("gpu_monitoring_snapshot_age_seconds{part=\"processes\"}"));
  EXPECT_FALSE(Value("gpu_monitoring_snapshot_rows{part=\"processes\"}"));
  now.refused = 7;
  now.connections = 0;
  EXPECT_EQ(Value("gpu_monitoring_http_refused_total"), "7");
  EXPECT_EQ(Value("gpu_monitoring_http_connections"), "0");
  metrics_.SetReadings({});
  EXPECT_EQ(Value("gpu_monitoring_http_refused_total"), "7");
}

TEST_F(MetricsTest, EveryFamilyHasHelpAndTypeAndOurPrefix) {
  metrics_.CountRequest("/livez", "GET", 200, 0.001);
  std::istringstream lines(metrics_.Text());
  std::string line;
  std::string helped;
  while (std::getline(lines, line)) {
    if (line.starts_with("# HELP ")) {
      helped = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(helped.starts_with("gpu_monitoring_") || helped.starts_with("process_")) << line;
      EXPECT_TRUE(line.ends_with('.')) << line;
    } else if (line.starts_with("# TYPE ")) {
      EXPECT_EQ(line.substr(7, helped.size() + 1), helped + " ");
      EXPECT_EQ(line.ends_with(" counter"), helped.ends_with("_total")) << line;
    } else {
      EXPECT_TRUE(line.starts_with(helped)) << line;
    }
  }
  EXPECT_FALSE(helped.empty());
}

TEST_F(MetricsTest, MayBeUsedFromManyThreads) {
  metrics_.SetReadings([] { return Readings{.connections = 1}; });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 500; ++n) {
        metrics_.CountRequest("/r" + std::to_string(n % 7), "GET", 200 + i, 0.001);
        metrics_.CountStaleServed();
        if (n % 100 == 0) {
          EXPECT_THAT(metrics_.Text(), HasSubstr("http_requests_total"));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(Value("gpu_monitoring_stale_served_total"), "2000");
}

}  // namespace
}  // namespace gpumon::telemetry
