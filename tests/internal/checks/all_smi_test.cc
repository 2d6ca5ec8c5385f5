#include "internal/checks/all_smi.h"

#include <gtest/gtest.h>

#include "tests/fakes/fault/fault_server.h"

namespace gpumon::checks {
namespace {

using models::Quantity;

constexpr const char* kToday = R"(# TYPE all_smi_up gauge
all_smi_up{instance="mac1",hostname="mac1"} 1
all_smi_gpu_utilization{gpu="Apple M2 Max",instance="mac1",gpu_uuid="M2-1",gpu_index="0"} 25.5
all_smi_gpu_memory_used_bytes{gpu="Apple M2 Max",instance="mac1",gpu_uuid="M2-1",gpu_index="0"} 8589934592
all_smi_gpu_memory_total_bytes{gpu="Apple M2 Max",instance="mac1",gpu_uuid="M2-1",gpu_index="0"} 34359738368
all_smi_gpu_power_consumption_watts{gpu="Apple M2 Max",instance="mac1",gpu_uuid="M2-1",gpu_index="0"} 9.4
all_smi_gpu_frequency_mhz{gpu="Apple M2 Max",instance="mac1",gpu_uuid="M2-1",gpu_index="0"} 0
all_smi_process_memory_used_bytes{pid="7781",name="/usr/bin/python",user="bob",device_id="0",gpu_index="0",device_uuid="M2-1",command="python serve.py --key=x"} 1048576
all_smi_process_memory_used_bytes{pid="7",name="x",device_uuid="other"} 1
)";

constexpr const char* kOfTheTime =
    R"(all_smi_gpu_info{gpu="NVIDIA H200",instance="n",uuid="GPU-2",index="1",type="GPU",driver_version="550.54.15",cuda_version="12.4"} 1
all_smi_gpu_utilization{gpu="NVIDIA H200",instance="n",uuid="GPU-2",index="1"} 0
all_smi_gpu_temperature_celsius{gpu="NVIDIA H200",instance="n",uuid="GPU-2",index="1"} 0
all_smi_gpu_memory_used_bytes{gpu="NVIDIA H200",instance="n",uuid="GPU-2",index="1"} 0
all_smi_gpu_utilization{gpu="NVIDIA H200",instance="n",uuid="GPU-1",index="0"} 7
all_smi_gpu_temperature_celsius{gpu="NVIDIA H200",instance="n",uuid="GPU-1",index="0"} 47
all_smi_process_memory_used_bytes{pid="9",name="python",device_id="0",device_uuid="GPU-1"} 5
)";

class AllSmiTest : public ::testing::Test {
 protected:
  Result<AllSmiAnswer> Ask(const std::string& url, Millis limit = Millis(30'000)) {
    steps_.clear();
    return AskAllSmi(url, clock_, Deadline::After(clock_, limit), steps_);
  }

  const SystemClock clock_{};
  std::vector<std::string> steps_;
};

TEST_F(AllSmiTest, TodaysLabelsAreRead) {
  const auto answer = ReadAllSmi(kToday);
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->gpus.size(), 1U);
  const nvml::Gpu& gpu = answer->gpus[0];
  EXPECT_EQ(*gpu.name, "Apple M2 Max");
  EXPECT_EQ(*gpu.uuid, "M2-1");
  EXPECT_EQ(*gpu.values[Quantity::kUtilization], 25.5);
  EXPECT_EQ(*gpu.values[Quantity::kMemoryTotal], 34359738368);
  EXPECT_EQ(*gpu.values[Quantity::kPower], 9.4);
  // Today it leaves out what it does not know.
  EXPECT_EQ(*gpu.values[Quantity::kSmClock], 0);
  EXPECT_FALSE(gpu.values[Quantity::kTemperature]);
  EXPECT_FALSE(answer->gpus[0].software.driver_version);
  ASSERT_TRUE(gpu.processes);
  ASSERT_EQ(gpu.processes->size(), 1U);
  EXPECT_EQ((*gpu.processes)[0].name, "python");
  EXPECT_EQ(*(*gpu.processes)[0].used_memory, 1048576U);
}

TEST_F(AllSmiTest, TheLabelsOfBeforeAreReadAndItsZerosAreNoReadings) {
  const auto answer = ReadAllSmi(kOfTheTime);
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->gpus.size(), 2U);
  EXPECT_EQ(answer->gpus[0].index, 0U);
  EXPECT_EQ(*answer->gpus[0].values[Quantity::kTemperature], 47);
  EXPECT_EQ(answer->gpus[0].processes->size(), 1U);
  EXPECT_EQ(answer->gpus[1].index, 1U);
  EXPECT_EQ(*answer->gpus[1].values[Quantity::kUtilization], 0);
  EXPECT_FALSE(answer->gpus[1].values[Quantity::kTemperature]);
  EXPECT_FALSE(answer->gpus[1].processes);
  EXPECT_EQ(*answer->gpus[1].software.driver_version, "550.54.15");
  EXPECT_EQ(*answer->gpus[1].software.cuda_version, "12.4");
}

TEST_F(AllSmiTest, GpusOfSeveralHostsAreKnownApart) {
  const auto answer = ReadAllSmi(
      "all_smi_gpu_info{gpu=\"NVIDIA H100\",instance=\"h1\",gpu_index=\"0\","
      "driver_version=\"570.1\"} 1\n"
      "all_smi_gpu_utilization{gpu=\"NVIDIA H100\",instance=\"h1\",gpu_index=\"0\"} 45\n"
      "all_smi_gpu_utilization{gpu=\"Apple M2\",instance=\"a\",gpu_index=\"0\"} 12\n");
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->gpus.size(), 2U);
  EXPECT_EQ(answer->gpus[0].host, "a");
  EXPECT_FALSE(answer->gpus[0].software.driver_version);
  EXPECT_EQ(*answer->gpus[1].name, "NVIDIA H100");
  EXPECT_EQ(*answer->gpus[1].software.driver_version, "570.1");
}

TEST_F(AllSmiTest, BeforeItsFirstRoundItIsNotReady) {
  EXPECT_EQ(ReadAllSmi("all_smi_up{instance=\"a\"} 0\n").error().code, Code::kUpstreamNotReady);
}

TEST_F(AllSmiTest, WithoutAGpuThereIsNone) {
  EXPECT_EQ(ReadAllSmi("all_smi_up 1\nall_smi_cpu_utilization 3\n").error().code, Code::kNotFound);
  EXPECT_EQ(ReadAllSmi("all_smi_gpu_utilization 3\n").error().code, Code::kNotFound);
}

TEST_F(AllSmiTest, TheUrlMayNameTheServerOrTheMetrics) {
  fault::FaultServer server(
      [](const fault::Request&) { return fault::HttpStatus(200, kToday, "text/plain"); });
  for (const char* const path : {"", "/", "/metrics", "/metrics/"}) {
    EXPECT_TRUE(Ask(server.url() + path)) << path;
  }
  for (const auto& request : server.requests()) EXPECT_EQ(request.target, "/metrics");
}

TEST_F(AllSmiTest, WhatWasAskedAndWhatCameAreSteps) {
  fault::FaultServer server(
      [](const fault::Request&) { return fault::HttpStatus(200, kToday, "text/plain"); });
  ASSERT_TRUE(Ask(server.url()));
  ASSERT_EQ(steps_.size(), 2U);
  EXPECT_TRUE(steps_[0].starts_with("GET " + server.url() + "/metrics: HTTP 200, ")) << steps_[0];
  EXPECT_EQ(steps_[1], "read its metrics: 1 GPUs");
  ASSERT_FALSE(Ask(fault::RefusingUrl()));
  ASSERT_EQ(steps_.size(), 1U);
  EXPECT_NE(steps_[0].find("/metrics: Connection refused"), std::string::npos) << steps_[0];
}

TEST_F(AllSmiTest, EveryFailureIsOneSentenceWithoutThePassword) {
  using Fault = fault::Reply::Fault;
  struct Row {
    fault::Reply reply;
    const char* says;
  };
  for (const Row& row :
       {Row{fault::HttpStatus(503, "x"), ": it answered 503"},
        Row{fault::HttpStatus(200, "<html>", "text/html"), ": it has no metric of all-smi"},
        Row{fault::HttpStatus(200, "node_cpu 1\n"), ": it has no metric of all-smi"},
        Row{fault::Redirect(302, "http://127.0.0.1/"), ": it answered 302"},
        Row{fault::Huge(std::size_t{10} << 20U), ": "}, Row{fault::Broken(Fault::kReset), ": "},
        Row{fault::Broken(Fault::kTruncated, kToday), ": "},
        Row{fault::Raw("nonsense\r\n\r\n"), ": "}}) {
    fault::FaultServer server;
    server.SetReply(row.reply);
    std::string url = server.url();
    url.insert(url.find("//") + 2, "user:secret@");
    const auto answer = Ask(url);
    ASSERT_FALSE(answer);
    EXPECT_TRUE(answer.error().message.starts_with("all-smi at http://***@127.0.0.1:"))
        << answer.error().message;
    EXPECT_NE(answer.error().message.find(row.says), std::string::npos) << answer.error().message;
    EXPECT_EQ(answer.error().message.find('\n'), std::string::npos);
    ASSERT_FALSE(steps_.empty());
    EXPECT_EQ(steps_[0].find("secret"), std::string::npos) << steps_[0];
  }
}

TEST_F(AllSmiTest, NobodyThereAndNoAnswerAreKnownApart) {
  EXPECT_EQ(Ask(fault::RefusingUrl()).error().code, Code::kUpstreamUnreachable);
  fault::FaultServer silent;
  silent.SetReply(fault::Broken(fault::Reply::Fault::kHang));
  EXPECT_EQ(Ask(silent.url(), Millis(200)).error().code, Code::kUpstreamTimeout);
}

}  // namespace
}  // namespace gpumon::checks
