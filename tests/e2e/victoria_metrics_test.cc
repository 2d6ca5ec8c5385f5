// Through VictoriaMetrics, as Debian has it and with its defaults, the server shows what it shows
// through Prometheus. What it makes of every exporter's text: CaptureTest.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

using json::Value;

constexpr std::int64_t kEnd = 1'795'345'000;

// An answer without what tells when and how it was made.
std::string DataOf(const Answer& answer) {
  EXPECT_EQ(answer.status, 200) << answer.Text();
  EXPECT_EQ(answer.Json()["meta"]["partial"].AsBool(), false) << answer.Text();
  const std::size_t begin = answer.body.find("\"data\":");
  return answer.body.substr(begin, answer.body.rfind(",\"message\":") - begin);
}

TEST(VictoriaMetricsTest, ThePastIsWhatItIsThroughPrometheus) {
  const auto past =
      process::Run(ExporterProgram(), {"--demo", "--nodes", "2", "--past", "1h", "--past-step",
                                       "30s", "--past-end", std::to_string(kEnd)});
  ASSERT_EQ(past.exit_code, 0) << past.errors;
  const auto prometheus = Prometheus::Holding(past.output);
  const auto victoria_metrics = VictoriaMetrics::Holding(past.output);
  const ApiServer expected(prometheus->url(), {{"LOG_LEVEL", "error"}});
  const ApiServer server(victoria_metrics->url(), {{"LOG_LEVEL", "error"}});
  // Not at the time of a sample: whether what is five minutes old counts is the upstream's.
  const std::string at = "at=" + std::to_string(kEnd - 1213);
  const std::string window =
      "start=" + std::to_string(kEnd - 2413) + "&end=" + std::to_string(kEnd - 613) + "&step=1m";
  for (const std::string& target :
       {"/api/v1/gpu/metrics?" + at, "/api/v1/gpu/processes?" + at, "/api/v1/gpu/health?" + at,
        "/api/v1/gpu/history?metric=utilization&" + window,
        "/api/v1/gpu/history?metric=memory_used&" + window}) {
    const std::string data = DataOf(expected.Get(target));
    EXPECT_GT(data.size(), 2000U) << target;
    EXPECT_EQ(DataOf(server.Get(target)), data) << target;
  }
}

TEST(VictoriaMetricsTest, WhatATargetShowedIsGoneWhenItIsDown) {
  auto exporter = std::make_unique<fault::FaultServer>([](const fault::Request&) {
    return fault::HttpStatus(200,
                             "nvidia_gpu_temperature_celsius{node=\"n1\",gpu=\"0\"} 50\n"
                             "nvidia_gpu_utilization_percent{node=\"n1\",gpu=\"0\"} 7\n",
                             "text/plain");
  });
  const auto upstream = VictoriaMetrics::Scraping(exporter->port(), true);
  const ApiServer server(upstream->url(), {{"CACHE_TTL", "0s"}});
  Value row;
  ASSERT_TRUE(process::WaitUntil(
      [&] {
        const Value rows = server.Get(kMetrics).Json()["data"];
        if (rows.size() == 1) row = rows[0];
        return rows.size() == 1;
      },
      Millis(20'000)));
  EXPECT_EQ(row["temperature"].AsDouble(), 50);
  // Without nocache=1 samples come when they are 30 s old.
  EXPECT_LT(row["sample_age_seconds"].AsDouble().value_or(99), 20);
  exporter.reset();
  Answer answer;
  EXPECT_TRUE(process::WaitUntil(
      [&] {
        answer = server.Get(kMetrics);
        return answer.Json()["data"].size() == 0 && Holds(answer.body, "a scrape target is down");
      },
      Millis(20'000)))
      << answer.Text();
}

}  // namespace
}  // namespace gpumon::e2e
