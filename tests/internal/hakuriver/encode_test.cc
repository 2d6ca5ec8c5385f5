#include "internal/hakuriver/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "internal/hakuriver/answers.h"
#include "tests/fakes/hakuriver/fake_texts.h"

namespace gpumon::hakuriver {
namespace {

using testing::HasSubstr;
using testing::Not;

template <class T>
std::string Json(const T& value) {
  json::Writer writer;
  Write(value, writer);
  return writer.Take();
}

TEST(HakuEncode, ATaskIsTheSameOfEachGenerationAndTellsNoSecret) {
  const FakeTask fake{.id = kFailedTask,
                      .status = "failed",
                      .gpus = {0, 3},
                      .exit_code = 1,
                      .error_message = "exit 1"};
  const std::string golden =
      R"({"task_id":"7193847561234567171","status":"failed","assigned_node":"gn01",)"
      R"("required_cores":4,"required_memory_bytes":8589934592,"required_gpus":[0,3],)"
      R"("submitted_at":"2026-03-01T08:15:00.418233","started_at":"2026-03-01T08:15:02.418233",)"
      R"("completed_at":"2026-03-01T09:14:00.418233","time_zone":null,"exit_code":1,)"
      R"("error_message":"exit 1","container_name":"pytorch-2.4","target_numa_node_id":null,)"
      R"("ssh_port":null,"name":null,"owner_username":null,"task_type":"command",)"
      R"("batch_id":"7193847561234567171","command":"python",)"
      R"("arguments":["train.py","--epochs","3"],"env_vars":["HF_TOKEN"],)"
      R"("approval_status":null})";
  EXPECT_EQ(Json(*ReadTask(TaskText(Generation::kB, fake, false))), golden);
  const std::string old = Json(*ReadTask(TaskText(Generation::kA, fake, false)));
  EXPECT_THAT(old, HasSubstr(R"("container_name":null)"));
  EXPECT_THAT(old, Not(HasSubstr("hf_not_for_you")));
}

TEST(HakuEncode, UnknownIsNullAndATimeWithAZoneIsUtc) {
  const auto nodes = ReadNodes(
      R"([{"hostname":"a","last_heartbeat":"2026-03-01T11:15:02+02:00","cpu_percent":23.5,)"
      R"("gpu_info":[{"gpu_id":0,"power_usage_mw":231450,"fan_speed":-1}]}])");
  ASSERT_TRUE(nodes);
  EXPECT_EQ(Json(nodes->front()),
            R"({"hostname":"a","status":null,"url":null,"total_cores":null,"cores_in_use":null,)"
            R"("available_cores":null,"last_heartbeat":"2026-03-01T09:15:02Z","time_zone":"UTC",)"
            R"("cpu_percent":23.5,"memory_percent":null,"memory_used_bytes":null,)"
            R"("memory_total_bytes":null,"current_avg_temp":null,"current_max_temp":null,)"
            R"("numa_topology":{},"gpu_info":[{"gpu_id":0,"name":null,"driver_version":null,)"
            R"("pci_bus_id":null,"utilization":null,"memory_utilization":null,)"
            R"("memory_used_bytes":null,"memory_total_bytes":null,"memory_free_bytes":null,)"
            R"("temperature":null,"fan_speed":null,"power":231.45,"power_limit":null,)"
            R"("graphics_clock":null,"memory_clock":null}],"runner_version":null,)"
            R"("vm_capable":null})");
}

TEST(HakuEncode, WhatAnOfflineNodeMeasuredLastIsUnknown) {
  const auto nodes =
      ReadNodes(R"([{"hostname":"a","status":"offline","cpu_percent":97.0,"memory_percent":88.0,)"
                R"("memory_used_bytes":7,"memory_total_bytes":9,"current_avg_temp":80.5,)"
                R"("current_max_temp":91.0,"gpu_info":[{"gpu_id":0,"name":"NVIDIA L40S",)"
                R"("gpu_utilization":99,"temperature":88,"memory_total_mib":46068.0,)"
                R"("power_limit_mw":350000}]}])");
  ASSERT_TRUE(nodes);
  const std::string text = Json(nodes->front());
  EXPECT_THAT(text, HasSubstr(R"("cpu_percent":null,"memory_percent":null,)"
                              R"("memory_used_bytes":null,"memory_total_bytes":9,)"
                              R"("current_avg_temp":null,"current_max_temp":null)"));
  EXPECT_THAT(text, HasSubstr(R"("gpu_id":0,"name":"NVIDIA L40S")"));
  EXPECT_THAT(text, HasSubstr(R"("utilization":null)"));
  EXPECT_THAT(text, HasSubstr(R"("temperature":null)"));
  EXPECT_THAT(text, HasSubstr(R"("memory_total_bytes":48305799168)"));
  EXPECT_THAT(text, HasSubstr(R"("power_limit":350)"));
}

TEST(HakuEncode, ASampleSaysWhetherItHolds) {
  auto health = ReadHealth(R"({"nodes":[[)" + SampleText(true, 0) + R"(]],"aggregate":[)" +
                           AggregateText(0) + "]}");
  ASSERT_TRUE(health);
  EXPECT_THAT(Json(health->newest()[0]),
              HasSubstr(R"("hostname":"gn01","status":"online","fresh":false,)"));
  EXPECT_EQ(Json(health->aggregates[0]),
            R"({"total_nodes":2,"online_nodes":1,"total_cores":64,)"
            R"("total_memory_bytes":274877906944,"used_memory_bytes":177566760960,)"
            R"("avg_cpu_percent":60.25,"avg_memory_percent":64.6,"max_avg_cpu_temp":80.5,)"
            R"("max_max_cpu_temp":91,"last_updated":"2026-03-01T09:15:00.418233",)"
            R"("time_zone":null})");
}

TEST(HakuEncode, AVpsHasItsPort) {
  const FakeTask fake{.id = kRunningVps, .type = "vps", .ssh_port = 40022};
  const auto list = ReadVps('[' + VpsText(Generation::kC, fake, true) + ']');
  ASSERT_TRUE(list);
  EXPECT_THAT(Json(list->front()), HasSubstr(R"("ssh_port":40022,"name":"dev-box")"));
}

}  // namespace
}  // namespace gpumon::hakuriver
