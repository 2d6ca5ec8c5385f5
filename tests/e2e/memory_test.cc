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

}  // namespace
}  // namespace gpumon::e2e
