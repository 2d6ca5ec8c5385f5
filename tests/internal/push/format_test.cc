#include "internal/push/format.h"

#include <gtest/gtest.h>

#include "internal/base/text.h"
#include "internal/json/document.h"
#include "internal/store/snapshot.h"

namespace gpumon::push {
namespace {

std::string LineOf(const std::string& task, const std::string& time, double temperature) {
  store::Snapshot snapshot;
  snapshot.id = task + time;
  snapshot.task_id = task;
  snapshot.task_name = "name\"\\";
  snapshot.instance_id = "n1";
  snapshot.instance_type = "8x H100";
  snapshot.timestamp = *ParseTime(time);
  store::GpuReading gpu;
  gpu.gpu_index = 0;
  gpu.uuid = "GPU-1";
  gpu.temperature_c = temperature;
  gpu.memory_used_mb = 2;
  snapshot.gpu_metrics = {gpu};
  snapshot.health_score = 0.5;
  snapshot.health_status = "critical";
  return store::EncodeLine(snapshot);
}

Batch TwoTimes() {
  return {"key",
          {LineOf("a/b", "2026-03-01T00:00:00Z", 60), LineOf("a/b", "2026-03-01T00:01:00Z", 61)}};
}

std::string Header(const fetch::Request& request, const std::string& name) {
  for (const auto& [its, value] : request.headers) {
    if (its == name) return value;
  }
  return {};
}

TEST(FormatTest, JsonIsTheRequirementsShapeWithTheTokenAndTheKey) {
  const auto requests = RequestsOf({"https://x/ingest", "secret", Format::kJson}, TwoTimes());
  ASSERT_EQ(requests.size(), 1U);
  const auto& request = requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://x/ingest");
  EXPECT_EQ(Header(request, "Authorization"), "Bearer secret");
  EXPECT_EQ(Header(request, "Idempotency-Key"), "key");
  EXPECT_EQ(Header(request, "User-Agent"), "flow-compute/1.0");
  const auto body = json::ParseDocument(request.body);
  ASSERT_TRUE(body);
  EXPECT_EQ(*(*body)["source"].AsString(), "flow-compute");
  EXPECT_EQ(*(*body)["version"].AsString(), "1.0");
  ASSERT_EQ((*body)["metrics"].size(), 2U);
  EXPECT_EQ(*(*body)["metrics"][1]["id"].AsString(), "a/b2026-03-01T00:01:00Z");
  EXPECT_EQ(RequestsOf({"https://x/ingest", "secret", Format::kJson}, TwoTimes())[0].body,
            request.body);
}

TEST(FormatTest, PushgatewayGetsTheNewestOfEachTask) {
  Batch batch = TwoTimes();
  batch.lines.push_back(LineOf("plain-node", "2026-03-01T00:01:00Z", 70));
  const auto requests = RequestsOf({"http://g:9091", "", Format::kPushgateway}, batch);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].method, "PUT");
  EXPECT_EQ(requests[0].url, "http://g:9091/metrics/job/flow-compute/task_id@base64/YS9i");
  EXPECT_EQ(requests[1].url, "http://g:9091/metrics/job/flow-compute/task_id/plain-node");
  const std::string& text = requests[0].body;
  EXPECT_NE(text.find("# TYPE flow_gpu_temperature_celsius gauge\n"), std::string::npos);
  EXPECT_NE(text.find("flow_gpu_temperature_celsius{gpu=\"0\",uuid=\"GPU-1\","
                      "task_name=\"name\\\"\\\\\",node=\"n1\"} 61\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("flow_gpu_memory_used_bytes{"), std::string::npos);
  EXPECT_NE(text.find("} 2097152\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("flow_gpu_power_watts"), std::string::npos) << "nobody measured it";
}

TEST(FormatTest, GroupingPartsAreEncodedWhereTheyMustBe) {
  EXPECT_EQ(GroupingPart("task_id", "node-1.x_~"), "/task_id/node-1.x_~");
  EXPECT_EQ(GroupingPart("task_id", ""), "/task_id@base64/=");
  EXPECT_EQ(GroupingPart("task_id", "/var/tmp"), "/task_id@base64/L3Zhci90bXA");
  EXPECT_EQ(GroupingPart("task_id", ".."), "/task_id@base64/Li4");
  EXPECT_EQ(GroupingPart("task_id", "\xfb\xff?"), "/task_id@base64/-_8_");
}

TEST(FormatTest, DatadogGetsSeriesOfTheVersionInThePath) {
  const auto v2 = RequestsOf({"https://d/api/v2/series", "k", Format::kDatadog},
                             {"key", {TwoTimes().lines[0]}});
  ASSERT_EQ(v2.size(), 1U);
  EXPECT_EQ(Header(v2[0], "DD-API-KEY"), "k");
  EXPECT_EQ(Header(v2[0], "Authorization"), "");
  const auto body = json::ParseDocument(v2[0].body);
  ASSERT_TRUE(body);
  const auto& series = (*body)["series"];
  ASSERT_EQ(series.size(), 6U);
  EXPECT_EQ(*series[0]["metric"].AsString(), "flow.health_score");
  EXPECT_EQ(series[0]["type"].AsInteger(), 3);
  EXPECT_EQ(series[0]["points"][0]["timestamp"].AsInteger(), 1772323200);
  EXPECT_EQ(series[0]["points"][0]["value"].AsDouble(), 0.5);
  EXPECT_EQ(*series[0]["resources"][0]["name"].AsString(), "n1");
  EXPECT_EQ(*series[4]["metric"].AsString(), "flow.gpu.temperature_celsius");
  const auto v1 = RequestsOf({"https://d/api/v1/series", "k", Format::kDatadog},
                             {"key", {TwoTimes().lines[0]}});
  const auto old = json::ParseDocument(v1[0].body);
  EXPECT_EQ(*(*old)["series"][0]["type"].AsString(), "gauge");
  EXPECT_EQ((*old)["series"][0]["points"][0][0].AsInteger(), 1772323200);
  EXPECT_EQ(*(*old)["series"][0]["host"].AsString(), "n1");
}

}  // namespace
}  // namespace gpumon::push
