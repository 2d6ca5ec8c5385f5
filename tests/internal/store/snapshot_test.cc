#include "internal/store/snapshot.h"

#include <gtest/gtest.h>

#include <set>

#include "internal/base/text.h"
#include "internal/json/document.h"
#include "internal/store/stored_time.h"

namespace gpumon::store {
namespace {

Snapshot Whole() {
  Snapshot snapshot;
  snapshot.id = NewId();
  snapshot.task_id = "team/train-0";
  snapshot.task_name = "train-0";
  snapshot.instance_id = "n1";
  snapshot.instance_type = "8x NVIDIA H100";
  snapshot.timestamp = *ParseTime("2026-03-01T09:15:00.250Z");
  snapshot.machine_info = {{"source", "prometheus"}};
  GpuReading gpu;
  gpu.gpu_index = 3;
  gpu.uuid = "GPU-1";
  gpu.name = "NVIDIA \"H100\"\n";
  gpu.temperature_c = 61;
  gpu.ecc_errors = 0;
  gpu.xid_events = {"XID 79: GPU has fallen off the bus"};
  gpu.nvlink_status = "healthy";
  gpu.processes = {{42, "python", 512.5}};
  snapshot.gpu_metrics = {gpu};
  snapshot.system_metrics = SystemReading();
  snapshot.system_metrics->load_average = {1, 2, 3};
  snapshot.health_states = {{"xid", "unhealthy", "GPU 3: XID 79", "critical", snapshot.timestamp}};
  snapshot.events = {{snapshot.timestamp, "xid", "error", "GPU 3: XID 79"}};
  snapshot.health_score = 0.5;
  snapshot.health_status = "critical";
  return snapshot;
}

TEST(SnapshotTest, ALineIsOneLineAndReadsBackAsItWas) {
  const Snapshot before = Whole();
  const std::string line = EncodeLine(before);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto after = DecodeLine(line);
  ASSERT_TRUE(after);
  EXPECT_EQ(EncodeLine(*after), line);
  EXPECT_EQ(after->gpu_metrics[0].name, before.gpu_metrics[0].name);
  EXPECT_EQ(after->timestamp, before.timestamp);
}

TEST(SnapshotTest, ALineHasTheKeysOfFlowsStoreAndItsTimes) {
  const auto line = json::ParseDocument(EncodeLine(Whole()));
  for (const char* const key :
       {"id", "task_id", "task_name", "instance_id", "instance_type", "timestamp", "gpud_healthy",
        "gpud_version", "machine_info", "gpu_metrics", "system_metrics", "health_states", "events",
        "health_score", "health_status"}) {
    EXPECT_NE(line->Find(key), nullptr) << key;
  }
  EXPECT_EQ(*(*line)["timestamp"].AsString(), "2026-03-01T09:15:00.250+00:00");
  const auto& gpu = (*line)["gpu_metrics"][0];
  EXPECT_EQ(gpu["temperature_c"].AsDouble(), 61);
  EXPECT_EQ(gpu["ecc_errors"].AsDouble(), 0);
  EXPECT_NE(gpu.Find("power_draw_w"), nullptr);
  EXPECT_TRUE(gpu["power_draw_w"].is_null()) << "what nobody measured is no zero";
  EXPECT_EQ(gpu["processes"][0]["gpu_index"].AsInteger(), 3);
}

TEST(SnapshotTest, AnElementHasTheKeysOfTheRequirement) {
  Snapshot snapshot = Whole();
  snapshot.system_metrics.reset();
  const auto element = json::ParseDocument(EncodeElement(snapshot));
  EXPECT_EQ(*(*element)["timestamp"].AsString(), "2026-03-01T09:15:00.250Z");
  EXPECT_EQ(*(*element)["id"].AsString(), snapshot.id);
  EXPECT_EQ(*(*element)["instance_type"].AsString(), "8x NVIDIA H100");
  EXPECT_TRUE((*element)["system_metrics"].is_object());
  EXPECT_EQ((*element)["system_metrics"].size(), 0U);
  EXPECT_EQ((*element)["gpud_metrics"]["gpu_metrics"].size(), 1U);
  EXPECT_EQ((*element)["gpud_metrics"]["health_score"].AsDouble(), 0.5);
}

TEST(SnapshotTest, LinesOfFlowAreReadWithItsOtherNames) {
  const auto snapshot = DecodeLine(
      R"({"task_id":"task-1","timestamp":"2026-03-01T09:15:00.123456+00:00","gpu_metrics":)"
      R"([{"index":1,"temperature":70,"power_draw":300,"gpu_utilization":55},7],)"
      R"("something":{"else":[1]},"health_score":0.9})");
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  ASSERT_EQ(snapshot->gpu_metrics.size(), 1U);
  EXPECT_EQ(snapshot->gpu_metrics[0].gpu_index, 1);
  EXPECT_EQ(snapshot->gpu_metrics[0].temperature_c, 70);
  EXPECT_EQ(snapshot->gpu_metrics[0].power_draw_w, 300);
  EXPECT_EQ(snapshot->gpu_metrics[0].gpu_utilization_pct, 55);
  EXPECT_EQ(snapshot->id, "");
}

TEST(SnapshotTest, TimesOfFlowAreReadHoweverItWroteThem) {
  for (const std::string text : {"2026-03-01T09:15:00.250+00:00Z", "2026-03-01T09:15:00.250",
                                 "2026-03-01T10:15:00.250+01:00", "2026-03-01T09:15:00.250Z"}) {
    const auto snapshot = DecodeLine(R"({"task_id":"a","timestamp":")" + text + R"("})");
    ASSERT_TRUE(snapshot) << text;
    EXPECT_EQ(FormatTime(snapshot->timestamp), "2026-03-01T09:15:00.250Z") << text;
  }
  for (const std::string text : {"1772356500Z", "2026-03-01T09:15:00ZZ", "2026-03-01", "T", ""}) {
    EXPECT_FALSE(ParseStoredTime(text)) << text;
  }
}

TEST(SnapshotTest, WhatIsNoSnapshotIsRefused) {
  for (const char* const line :
       {"", "[]", "{", R"({"task_id":"a"})", R"({"timestamp":"2026-03-01T09:15:00Z"})",
        R"({"task_id":"a","timestamp":"yesterday"})"}) {
    EXPECT_FALSE(DecodeLine(line)) << line;
  }
}

TEST(SnapshotTest, IdsAreTheirOwn) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(NewId());
  EXPECT_EQ(ids.size(), 1000U);
  EXPECT_EQ(ids.begin()->size(), 32U);
}

}  // namespace
}  // namespace gpumon::store
