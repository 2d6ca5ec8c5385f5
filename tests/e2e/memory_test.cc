// What answers of Prometheus without an end cost.
#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <string>

#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;

std::size_t PeakResidentKiB(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (file >> word) {
    std::size_t kib = 0;
    if (word == "VmHWM:" && file >> kib) return kib;
  }
  return 0;
}

TEST(MemoryTest, AGzipBombCostsNoMoreMemoryThanTheCapAllows) {
  FaultServer upstream;
  upstream.SetReply(fault::GzipBomb(std::size_t{64} << 20U));
  ApiServer server(upstream.url(), {{"PROMETHEUS_MAX_RESPONSE_BYTES", "4MiB"}});
  const std::size_t before = PeakResidentKiB(server.process().pid());
  ExpectEnvelope(server.Get(kMetrics), 502, "upstream_too_large");
#ifndef GPUMON_SANITIZED
  // Eight queries at once, each at most 2.5 times its cap.
  EXPECT_LT(PeakResidentKiB(server.process().pid()), before + 8 * 10 * 1024);
#endif
  EXPECT_GT(before, 0U);
}

TEST(MemoryTest, EndlessAnswersCostTwoAndAHalfTimesTheCapTogether) {
  FaultServer upstream;
  upstream.SetReply(fault::Endless());
  ApiServer server(upstream.url());
  const std::size_t before = PeakResidentKiB(server.process().pid());
  ExpectEnvelope(server.Get(kMetrics), 502, "upstream_too_large");
#ifndef GPUMON_SANITIZED
  EXPECT_LT(PeakResidentKiB(server.process().pid()), before + 5 * 64 * 1024 / 2);
#endif
  EXPECT_GT(before, 0U);
}

TEST(MemoryTest, SoDoBombsThatWereAskedForCompressed) {
  FaultServer upstream;
  upstream.SetReply(fault::GzipBomb(std::size_t{200} << 20U));
  ApiServer server(upstream.url(), {{"PROMETHEUS_GZIP", "on"}});
  const std::size_t before = PeakResidentKiB(server.process().pid());
  for (int i = 0; i < 2; ++i) {
    ExpectEnvelope(server.Get(kMetrics + ("?at=" + std::to_string(1'700'000'000 + i))), 502,
                   "upstream_too_large");
  }
#ifndef GPUMON_SANITIZED
  EXPECT_LT(PeakResidentKiB(server.process().pid()), before + 5 * 64 * 1024 / 2);
#endif
  EXPECT_GT(before, 0U);
}

constexpr std::size_t kNodes = 1000;
constexpr std::size_t kGpusPerNode = 16;
constexpr std::size_t kManyProcesses = 50'000;

// `count` samples of one value, each of another GPU or, with `processes`, of another process.
fault::Reply Many(const fault::Request& request, bool processes, const std::string& value) {
  const std::size_t count = processes ? kManyProcesses : kNodes * kGpusPerNode;
  const std::string time = request.Param("time");
  std::string samples;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t gpu = i % (kNodes * kGpusPerNode);
    std::string labels = R"("gpu":")" + std::to_string(gpu % kGpusPerNode) +
                         R"(","node":"gpu-node-)" + std::to_string(gpu / kGpusPerNode) + '"';
    const std::string number = std::to_string(i + 1);
    labels += processes ? R"(,"command":"python train.py --seed )" + number + R"(","pid":")" +
                              number + R"(","process_name":"python","user":"alice")"
                        : R"(,"gpu_name":"NVIDIA H100 80GB HBM3","uuid":"GPU-)" + number + '"';
    samples += (i == 0 ? "" : ",") + SampleText(labels, time, value);
  }
  return VectorOf(samples);
}

fault::Reply VeryLargeFleet(const fault::Request& request) {
  const std::string query = request.Param("query");
  const bool processes = query.find("nvidia_gpu_process_") != std::string::npos;
  if (query.rfind("nvidia_gpu_process_", 0) == 0) return Many(request, true, "1073741824");
  if (query.rfind("nvidia_gpu_", 0) == 0) {
    return Many(request, false, query.find("bytes") == std::string::npos ? "50" : "1073741824");
  }
  if (query.rfind("count_values", 0) == 0 || query.find("timestamp(") == std::string::npos) {
    return FleetReply(request);
  }
  return Many(request, processes, request.Param("time"));
}

TEST(MemoryTest, SixteenThousandGpusAndFiftyThousandProcesses) {
  FaultServer upstream(VeryLargeFleet);
  ApiServer server(upstream.url(), {{"CACHE_TTL", "500ms"}, {"LOG_LEVEL", "off"}});
  ASSERT_TRUE(server.AwaitReady());
  for (int i = 0; i < 2; ++i) {
    const Answer gpus = server.Get(kMetrics);
    ASSERT_EQ(gpus.status, 200) << gpus.body.substr(0, 1000);
    const Answer processes = server.Get(kProcesses);
    ASSERT_EQ(processes.status, 200) << processes.body.substr(0, 1000);
    const Answer one = server.Get(std::string(kMetrics) + "?node=gpu-node-999");
    EXPECT_EQ(one.Json()["data"].size(), kGpusPerNode) << one.body.substr(0, 1000);
    if (i > 0) continue;
    EXPECT_EQ(gpus.Json()["data"].size(), kNodes * kGpusPerNode);
    EXPECT_EQ(gpus.Json()["meta"]["partial"].AsBool(), false);
    EXPECT_EQ(processes.Json()["data"].size(), kManyProcesses);
  }
  const ApiServer cached(upstream.url(), {{"CACHE_TTL", "60s"}, {"LOG_LEVEL", "off"}});
  ASSERT_TRUE(cached.AwaitReady());
  for (int i = 0; i < 20; ++i) {
    const Answer one = cached.Get(std::string(kMetrics) + "?limit=100&sort=-utilization");
    ASSERT_EQ(one.status, 200);
    EXPECT_LT(one.seconds * 1000, static_cast<double>(process::Scaled(Millis(500)).count()));
  }
  const std::size_t peak = PeakResidentKiB(server.process().pid());
#ifndef GPUMON_SANITIZED
  EXPECT_LT(peak, 256U * 1024);
#endif
  EXPECT_GT(peak, 0U);
}

}  // namespace
}  // namespace gpumon::e2e
