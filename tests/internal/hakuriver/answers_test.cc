#include "internal/hakuriver/answers.h"

#include <gtest/gtest.h>

namespace gpumon::hakuriver {
namespace {

TEST(Answers, SentinelsAndNullsOfANodeAreUnknown) {
  const auto nodes = ReadNodes(R"([{"hostname":"gn02","status":"offline","total_cores":32,
    "cores_in_use":"N/A","available_cores":0,"last_heartbeat":null,"numa_topology":null,
    "gpu_info":[{"gpu_id":0,"name":"NVIDIA L40S","gpu_utilization":-1,"fan_speed":-1,
    "temperature":-1,"power_usage_mw":-1,"power_limit_mw":350000,"memory_used_mib":1.5,
    "memory_total_mib":"46068"}],"cpu_percent":"23.5"}])");
  ASSERT_TRUE(nodes) << nodes.error().message;
  ASSERT_EQ(nodes->size(), 1U);
  const Node& node = nodes->front();
  EXPECT_FALSE(node.online());
  EXPECT_EQ(node.cores_in_use, std::nullopt);
  EXPECT_EQ(node.available_cores, 0);
  EXPECT_FALSE(node.last_heartbeat.known());
  EXPECT_EQ(node.load.cpu_percent, 23.5);
  EXPECT_EQ(node.load.memory_percent, std::nullopt);
  ASSERT_EQ(node.gpus.size(), 1U);
  const Gpu& gpu = node.gpus.front();
  EXPECT_EQ(gpu.utilization_percent, std::nullopt);
  EXPECT_EQ(gpu.fan_percent, std::nullopt);
  EXPECT_EQ(gpu.temperature_celsius, std::nullopt);
  EXPECT_EQ(gpu.power_watts, std::nullopt);
  EXPECT_EQ(gpu.power_limit_watts, 350.0);
  EXPECT_EQ(gpu.memory_used_bytes, 1572864);
  EXPECT_EQ(gpu.memory_total_bytes, std::int64_t{46068} << 20U);
}

TEST(Answers, AListOfSomethingElseIsNoEmptyList) {
  const std::string other = R"([5,null,"x",{"a":[]},[[]]])";
  EXPECT_EQ(ReadNodes(other).error().code, Code::kUpstreamInvalid);
  EXPECT_EQ(ReadTasks(other).error().code, Code::kUpstreamInvalid);
  EXPECT_EQ(ReadVps(other).error().code, Code::kUpstreamInvalid);
  EXPECT_EQ(ReadNodes("[]")->size(), 0U);
  EXPECT_EQ(ReadTasks(R"([7,{"task_id":"1"}])")->size(), 1U)
      << "one row that is odd hides no other";
}

TEST(Answers, IdsStayWholeAsNumbersAndAsTexts) {
  const auto number = ReadTask(R"({"task_id":9223372036854775807,"batch_id":7193847561234567169})");
  const auto text = ReadTask(R"({"task_id":"9223372036854775807","batch_id":null})");
  ASSERT_TRUE(number && text);
  EXPECT_EQ(number->id, "9223372036854775807");
  EXPECT_EQ(text->id, "9223372036854775807");
  EXPECT_EQ(number->batch_id, "7193847561234567169");
  EXPECT_EQ(text->batch_id, "");
  EXPECT_FALSE(ReadTask(R"({"task_id":7.5e18})"));
  EXPECT_FALSE(ReadTask(R"({"task_id":"x"})"));
  EXPECT_FALSE(ReadTask("{}"));
}

TEST(Answers, ATimeWithoutAZoneIsNoInstant) {
  struct Case {
    const char* json;
    const char* text;
    bool no_zone;
  };
  constexpr Case kCases[] = {
      {R"("2026-03-01T09:15:02.418233")", "2026-03-01T09:15:02.418233", true},
      {R"("2026-03-01 09:15:02")", "2026-03-01 09:15:02", true},
      {R"("2026-03-01T09:15:02+02:00")", "2026-03-01T09:15:02+02:00", false},
      {R"("0001-01-01T00:00:00Z")", "", false},
      {R"("yesterday")", "", false},
      {R"("1772356502")", "", false},
      {"1772356502", "2026-03-01T09:15:02Z", false},
      {"0", "", false},
      {"null", "", false},
      {"[]", "", false},
  };
  for (const Case& one : kCases) {
    const auto task = ReadTask(std::string(R"({"task_id":"1","started_at":)") + one.json + '}');
    ASSERT_TRUE(task);
    EXPECT_EQ(task->started_at.text, one.text) << one.json;
    EXPECT_EQ(task->started_at.no_zone(), one.no_zone) << one.json;
    EXPECT_EQ(task->started_at.utc.has_value(), *one.text != 0 && !one.no_zone) << one.json;
  }
}

TEST(Answers, AStatusNobodyKnowsIsKeptAsItIs) {
  const auto task = ReadTask(R"({"task_id":1,"status":"hibernating","exit_code":-9})");
  ASSERT_TRUE(task);
  EXPECT_EQ(task->status, "hibernating");
  EXPECT_FALSE(task->active());
  EXPECT_EQ(task->exit_code, -9);
}

TEST(Answers, ElementsOfOtherTypesArePassedOver) {
  const auto nodes =
      ReadNodes(R"([null,7,"x",[],{"hostname":null},{"hostname":"a","gpu_info":{}}])");
  ASSERT_TRUE(nodes);
  ASSERT_EQ(nodes->size(), 1U);
  EXPECT_EQ(nodes->front().hostname, "a");
  const auto tasks = ReadTasks(R"([null,{"task_id":null},{"task_id":3,"arguments":7}])");
  ASSERT_TRUE(tasks);
  EXPECT_EQ(tasks->size(), 1U);
}

TEST(Answers, BytesThatAreNoUtf8AreReplaced) {
  const auto nodes = ReadNodes("[{\"hostname\":\"a\xff\"}]");
  ASSERT_TRUE(nodes) << nodes.error().message;
  EXPECT_EQ(nodes->front().hostname, "a\xef\xbf\xbd");
}

TEST(Answers, WhatIsNoAnswerIsSaid) {
  EXPECT_EQ(ReadNodes("{}").error().message, "its nodes are no list");
  EXPECT_EQ(ReadNodes("null").error().message, "its nodes are no list");
  EXPECT_EQ(ReadTasks(" <html>").error().message, "it is a web page");
  for (const char* const junk : {R"([{"component":5},null,3])", "[3]",
                                 R"({"nodes":[[{"component":5}],[]]})", R"({"nodes":[7]})"}) {
    const auto health = ReadHealth(junk);
    ASSERT_FALSE(health) << junk;
    EXPECT_EQ(health.error().message, "none of its nodes has a hostname") << junk;
  }
  EXPECT_TRUE(ReadHealth("[]"));
  EXPECT_TRUE(ReadHealth(R"({"nodes":[[],[]],"aggregate":[]})")) << "before the first sample";
  EXPECT_EQ(ReadHealth("7").error().message, "its health is neither a history nor a node");
  EXPECT_NE(ReadTask(R"({"task_id":1,"task_id":2})").error().message.find("task_id"),
            std::string::npos);
  EXPECT_NE(ReadTask(R"({"task_id":)").error().message.find("no JSON"), std::string::npos);
}

TEST(Answers, HealthOfBothShapesIsTheSame) {
  const auto one = ReadHealth(R"([{"hostname":"a","status":"online","cpu_percent":5}])");
  const auto all = ReadHealth(
      R"({"nodes":[[{"hostname":"a","status":"online","cpu_percent":5}]],
          "aggregate":[{"totalNodes":1,"lastUpdated":"2026-03-01T09:15:02"}]})");
  ASSERT_TRUE(one && all);
  ASSERT_EQ(one->newest().size(), 1U);
  ASSERT_EQ(all->newest().size(), 1U);
  EXPECT_EQ(one->newest()[0].load.cpu_percent, all->newest()[0].load.cpu_percent);
  EXPECT_TRUE(one->aggregates.empty());
  EXPECT_EQ(all->aggregates[0].total_nodes, 1);
  const auto none = ReadHealth(R"({"nodes":[],"aggregate":[]})");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->newest().empty());
}

}  // namespace
}  // namespace gpumon::hakuriver
