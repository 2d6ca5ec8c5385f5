// The probe against a real Prometheus.
#include <gtest/gtest.h>

#include <csignal>

#include "internal/checks/web.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/child_process.h"
#include "tests/internal/checks/fixture.h"
#include "tests/internal/checks/web_client.h"

namespace gpumon::checks {
namespace {

TEST(PrometheusServerTest, IsHealthyOnceItIsReadyAndRefusesWhenItHasEnded) {
  const process::ScratchDirectory folder;
  const std::string url = fault::RefusingUrl();
  const std::string config = folder.Write("prometheus.yml", "scrape_configs: []\n");
  process::ChildProcess prometheus(
      GPUMON_TOOLS "/usr/bin/prometheus",
      {"--config.file=" + config, "--storage.tsdb.path=" + folder.File("data"),
       "--web.listen-address=" + url.substr(std::string_view("http://").size())});
  const Probe probe =
      PrometheusProbe(RealClient(), {.name = "Prometheus", .url = url, .slow_after = Millis(0)});
  Outcome outcome;
  EXPECT_TRUE(process::WaitUntil([&] { return (outcome = Ask(probe)).status == Status::kHealthy; },
                                 Millis(30'000)))
      << outcome.error << '\n'
      << prometheus.Errors();
  EXPECT_EQ(outcome.details, "Healthy endpoint accessible");
  // Another service in its place is not taken for one that is asked for.
  EXPECT_EQ(
      Ask(GrafanaProbe(RealClient(), {.name = "Grafana", .url = url, .slow_after = Millis(0)}))
          .details,
      "HTTP 404");
  EXPECT_EQ(
      Ask(EtcdProbe(RealClient(), {.name = "etcd", .url = url, .slow_after = Millis(0)})).status,
      Status::kDegraded);
  prometheus.Signal(SIGTERM);
  ASSERT_TRUE(prometheus.Wait(Millis(30'000)));
  EXPECT_EQ(Ask(probe).details, "Connection refused");
}

}  // namespace
}  // namespace gpumon::checks
