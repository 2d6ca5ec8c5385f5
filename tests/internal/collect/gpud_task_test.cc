#include "internal/collect/gpud_task.h"

#include <gtest/gtest.h>

#include "internal/base/text.h"

namespace gpumon::collect {
namespace {

gpud::Host TwoGpus() {
  gpud::Host host;
  host.machine.version = "v0.5.1";
  host.machine.hostname = "n1";
  host.machine.product = "NVIDIA H100";
  host.machine.gpus = {{"GPU-1", "0000:3b:00.0", 0}, {"GPU-2", "0000:5e:00.0", 1}};
  host.machine.facts = {{"kernelVersion", "6.1"}};
  const auto add = [&](const char* name, const char* uuid, double value, const char* label = "") {
    host.metrics.push_back({name, uuid, label, value, WallTime()});
  };
  add("accelerator_nvidia_temperature_current_celsius", "GPU-1", 60);
  add("accelerator_nvidia_power_current_usage_milli_watts", "GPU-1", 300'500);
  add("accelerator_nvidia_memory_used_bytes", "GPU-1", 1048576);
  add("accelerator_nvidia_utilization_gpu_util_percent", "GPU-1", 50);
  add("accelerator_nvidia_temperature_current_celsius", "GPU-2", 90);
  add("accelerator_nvidia_clock_hw_slowdown", "GPU-2", 0);
  add("accelerator_nvidia_clock_hw_slowdown_thermal", "GPU-2", 1);
  add("cpu_used_percent", "", 12.5);
  add("memory_total_bytes", "", 64.0 * 1024 * 1024 * 1024);
  add("disk_used_bytes", "", 25, "/");
  add("disk_total_bytes", "", 100, "/");
  add("cpu_load_average", "", 1, "1m0s");
  add("cpu_load_average", "", 5, "5m0s");
  add("cpu_load_average", "", 15, "15m0s");
  host.states = {{"accelerator-nvidia-error-xid", "Unhealthy", "XID 79", {"REBOOT_SYSTEM"}, {}},
                 {"cpu", "Healthy", "ok", {}, {}},
                 {"disk", "Initializing", "", {}, {}}};
  host.events = {{"accelerator-nvidia-error-xid", *ParseTime("2026-03-01T08:40:12Z"), "Fatal",
                  "XID 79(GPU has fallen off the bus) detected on PCI:0000:5e:00"},
                 {"cpu", *ParseTime("2026-03-01T10:00:00Z"), "Info", "later than now"}};
  return host;
}

TEST(GpudTaskTest, TheHostIsOneTask) {
  const fleet::HealthRules rules;
  const auto snapshot = TaskOf(TwoGpus(), *ParseTime("2026-03-01T09:00:00Z"), rules);
  EXPECT_EQ(snapshot.task_id, "gpud/n1");
  EXPECT_EQ(snapshot.instance_type, "2x NVIDIA H100");
  EXPECT_TRUE(snapshot.gpud_healthy);
  EXPECT_EQ(snapshot.gpud_version, "v0.5.1");
  ASSERT_EQ(snapshot.gpu_metrics.size(), 2U);
  EXPECT_EQ(snapshot.gpu_metrics[0].power_draw_w, 300.5);
  EXPECT_EQ(snapshot.gpu_metrics[0].memory_used_mb, 1);
  EXPECT_FALSE(snapshot.gpu_metrics[0].max_clock_mhz);
  EXPECT_TRUE(snapshot.gpu_metrics[0].xid_events.empty());
  ASSERT_EQ(snapshot.gpu_metrics[1].xid_events.size(), 1U) << "by its bus id";
  EXPECT_EQ(snapshot.gpu_metrics[1].gpu_index, 1);
  ASSERT_TRUE(snapshot.system_metrics);
  EXPECT_EQ(snapshot.system_metrics->cpu_usage_pct, 12.5);
  EXPECT_EQ(snapshot.system_metrics->memory_total_gb, 64);
  EXPECT_EQ(snapshot.system_metrics->disk_usage_pct, 25);
  EXPECT_FALSE(snapshot.system_metrics->network_rx_mbps);
  EXPECT_EQ((*snapshot.system_metrics->load_average)[2], 15);
}

TEST(GpudTaskTest, StatesAndEventsHaveFlowsWords) {
  const fleet::HealthRules rules;
  const auto snapshot = TaskOf(TwoGpus(), *ParseTime("2026-03-01T09:00:00Z"), rules);
  std::string states;
  for (const auto& state : snapshot.health_states) {
    states += state.component + '=' + state.health + '/' + state.severity + ' ';
  }
  EXPECT_NE(states.find("accelerator-nvidia-error-xid=unhealthy/critical "), std::string::npos);
  EXPECT_NE(states.find(" cpu=healthy/info "), std::string::npos) << states;
  EXPECT_NE(states.find(" disk=unknown/info "), std::string::npos) << states;
  EXPECT_NE(states.find("clock=unhealthy"), std::string::npos)
      << "it is held back by heat: " << states;
  EXPECT_EQ(snapshot.events.front().level, "error");
  for (const auto& event : snapshot.events) EXPECT_NE(event.message, "later than now");
}

TEST(GpudTaskTest, WithoutAStateNobodyKnowsHowTheHostIs) {
  const fleet::HealthRules rules;
  for (const std::vector<gpud::State>& states :
       {std::vector<gpud::State>{}, std::vector<gpud::State>{{"cpu", "", "", {}, {}}}}) {
    gpud::Host host = TwoGpus();
    host.states = states;
    const auto snapshot = TaskOf(host, *ParseTime("2026-03-01T09:00:00Z"), rules);
    EXPECT_EQ(snapshot.health_status, "unknown");
    EXPECT_FALSE(snapshot.health_score);
    EXPECT_EQ(snapshot.gpu_metrics.size(), 2U);
  }
}

TEST(GpudTaskTest, AHostHasNoGpuWhereNothingOfOneIsTold) {
  gpud::Host none;
  none.machine.facts = {{"hostname", "n1"}};
  none.states = {{"cpu", "Healthy", "", {}, {}}};
  EXPECT_TRUE(TellsOfNoGpu(none));
  EXPECT_FALSE(TellsOfNoGpu(TwoGpus()));
  EXPECT_FALSE(TellsOfNoGpu({})) << "it tells nothing at all";
  std::vector<gpud::Host> hosts(6, none);
  hosts[0].machine.facts.emplace_back("gpuDriverVersion", "570.86");
  hosts[1].machine.product = "NVIDIA H100";
  hosts[2].states.push_back({"accelerator-nvidia-gpu-counts", "Unhealthy", "", {}, {}});
  hosts[3].metrics.push_back({"accelerator_nvidia_memory_used_bytes", "GPU-1", "", 1, {}});
  hosts[4].states.clear();
  hosts[5].machine.facts.clear();
  for (const gpud::Host& host : hosts) EXPECT_FALSE(TellsOfNoGpu(host));
}

TEST(GpudTaskTest, AHostThatTellsNothingIsUnknown) {
  const fleet::HealthRules rules;
  const auto snapshot = TaskOf({}, *ParseTime("2026-03-01T09:00:00Z"), rules);
  EXPECT_EQ(snapshot.health_status, "unknown");
  EXPECT_FALSE(snapshot.health_score);
  EXPECT_FALSE(snapshot.system_metrics);
}

}  // namespace
}  // namespace gpumon::collect
