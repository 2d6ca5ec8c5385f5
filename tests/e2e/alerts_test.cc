// Alerts through the real server and a real Prometheus that evaluates rules.
#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "tests/e2e/programs.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

using json::Value;

constexpr char kAlerts[] = "/api/v1/gpu/alerts";

// Two GPUs now, the first one hot and held by a pod.
std::string HotGpu() {
  const std::string now = std::to_string(static_cast<long long>(std::time(nullptr)));
  const auto gpu = [&](const std::string& id, const std::string& more, const std::string& value) {
    return "DCGM_FI_DEV_GPU_TEMP{job=\"dcgm\",instance=\"10.0.0.1:9400\",gpu=\"" + id +
           "\",UUID=\"GPU-" + id + "\",modelName=\"H100\",Hostname=\"gpu-1\"" + more + "} " +
           value + " " + now + "\n";
  };
  return "# TYPE DCGM_FI_DEV_GPU_TEMP gauge\n" +
         gpu("0", R"(,exported_namespace="ml",exported_pod="train-0")", "91") + gpu("1", "", "40") +
         "# TYPE up gauge\nup{job=\"dcgm\",instance=\"10.0.0.1:9400\"} 1 " + now + "\n# EOF\n";
}

constexpr char kRules[] =
    "groups:\n"
    "  - name: gpu\n"
    "    rules:\n"
    "      - {alert: GpuHot, expr: DCGM_FI_DEV_GPU_TEMP > 85, labels: {severity: critical}}\n"
    "      - {alert: GpuWarm, expr: DCGM_FI_DEV_GPU_TEMP > 80, for: 1h, labels: {severity: "
    "warning}}\n"
    "      - {alert: GpuAbsent, expr: absent(DCGM_FI_DEV_GPU_TEMP)}\n"
    "      - {alert: Watchdog, expr: vector(1), labels: {severity: none}}\n";

TEST(AlertsTest, RulesThatFireAreShownWithTheirGpus) {
  const auto prometheus = Prometheus::Ruling(HotGpu(), kRules);
  ApiServer server(prometheus->url(), {{"CACHE_TTL", "0s"}});
  ASSERT_TRUE(process::WaitUntil([&] { return server.Get(kAlerts).Json()["data"].size() == 3; },
                                 Millis(20'000)))
      << server.Get(kAlerts).body;
  const Value json = server.Get(kAlerts).Json();
  const Value& hot = json["data"][0];
  EXPECT_EQ(*hot["alertname"].AsString(), "GpuHot");
  EXPECT_EQ(*hot["state"].AsString(), "firing");
  EXPECT_EQ(*hot["node_name"].AsString(), "gpu-1");
  EXPECT_EQ(*hot["gpu_id"].AsString(), "0");
  EXPECT_EQ(*hot["uuid"].AsString(), "GPU-0");
  EXPECT_EQ(*hot["pod"].AsString(), "train-0");
  EXPECT_EQ(*hot["held_by"][0].AsString(), "ml/train-0");
  EXPECT_EQ(*json["data"][1]["alertname"].AsString(), "Watchdog");
  EXPECT_EQ(*json["data"][2]["alertname"].AsString(), "GpuWarm");
  EXPECT_EQ(*json["data"][2]["state"].AsString(), "pending");
  // Since when is what Prometheus itself says.
  const std::string at = *json["meta"]["as_of"].AsString();
  const Value since = prometheus->Query("ALERTS_FOR_STATE{alertname=\"GpuHot\"}", at);
  const auto unix_time = static_cast<std::time_t>(std::stod(*since[0]["value"][1].AsString()));
  char text[32];
  std::tm parts{};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&unix_time, &parts));
  EXPECT_EQ(hot["since"].AsString()->substr(0, 19), text);

  // Before its first evaluation there were none.
  const Value before = server.Get(std::string(kAlerts) + "?at=1700000000").Json();
  EXPECT_TRUE(*before["success"].AsBool());
  EXPECT_EQ(before["data"].size(), 0U);
  EXPECT_EQ(server.Get(std::string(kAlerts) + "?state=firing&node=gpu-1").Json()["data"].size(),
            1U);
}

TEST(AlertsTest, APrometheusWithoutRulesHasNone) {
  const auto prometheus = Prometheus::Holding(HotGpu());
  ApiServer server(prometheus->url());
  ASSERT_TRUE(server.AwaitReady());
  const Answer answer = server.Get(kAlerts);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Json()["data"].size(), 0U);
  EXPECT_EQ(answer.Json()["warnings"].size(), 0U) << answer.body;
}

}  // namespace
}  // namespace gpumon::e2e
