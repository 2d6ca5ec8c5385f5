#include "internal/exporter/demo_collector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "tests/internal/exporter/strict_page.h"

namespace gpumon::exporter {
namespace {

constexpr std::int64_t kNow = 1'795'345'000;

class Demo {
 public:
  explicit Demo(Surroundings surroundings = Surroundings::kAll, FleetOptions options = {})
      : fleet_(*Fleet::Make(options)), collector_(fleet_, surroundings, "1.2.3") {}

  std::string Text(std::int64_t millis) const {
    std::string text;
    EXPECT_TRUE(collector_.Collect(WallTime(Millis(millis)), text).has_value());
    return text;
  }
  StrictPage Page(std::int64_t unix_seconds) const {
    StrictPage page = ReadStrictly(Text(unix_seconds * 1000));
    EXPECT_EQ(page.problem, "");
    return page;
  }
  // "node/gpu" of the GPU with that trait.
  std::string Gpu(Trait trait) const {
    for (const NodeSpec& node : fleet_.nodes()) {
      const auto it = std::find(node.traits.begin(), node.traits.end(), trait);
      if (it != node.traits.end())
        return node.name + '/' + std::to_string(it - node.traits.begin());
    }
    ADD_FAILURE() << "no GPU has the trait";
    return "";
  }

 private:
  Fleet fleet_;
  DemoCollector collector_;
};

std::set<std::string> GpusWith(const std::map<std::string, double>& by_gpu, auto predicate) {
  std::set<std::string> gpus;
  for (const auto& [gpu, value] : by_gpu) {
    if (predicate(value)) gpus.insert(gpu);
  }
  return gpus;
}

TEST(DemoCollectorTest, SameSeedAndTimeGiveTheSameBytes) {
  EXPECT_EQ(Demo().Text(kNow * 1000), Demo().Text(kNow * 1000));
  EXPECT_NE(Demo().Text(kNow * 1000), Demo().Text(kNow * 1000 + 30'000));
  EXPECT_NE(Demo().Text(kNow * 1000), Demo(Surroundings::kAll, {.seed = 2}).Text(kNow * 1000));
}

TEST(DemoCollectorTest, SaysThatItIsADemo) {
  const StrictPage page = Demo().Page(kNow);
  const auto info = page.Family("gpu_exporter_info");
  ASSERT_EQ(info.size(), 1U);
  EXPECT_EQ(info[0]->Label("demo"), "true");
  EXPECT_EQ(info[0]->Label("version"), "1.2.3");
  EXPECT_EQ(info[0]->value, 1);
}

TEST(DemoCollectorTest, EveryPageIsWellFormed) {
  for (const FleetOptions& options : {FleetOptions{.nodes = 4, .gpus_per_node = 8, .seed = 1},
                                      FleetOptions{.nodes = 1, .gpus_per_node = 1, .seed = 3},
                                      FleetOptions{.nodes = 3, .gpus_per_node = 1, .seed = 0},
                                      FleetOptions{.nodes = 1, .gpus_per_node = 200, .seed = 5}}) {
    const Demo demo(Surroundings::kAll, options);
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(ReadStrictly(demo.Text(kNow * 1000 + i * 345'678)).problem, "");
    }
  }
}

TEST(DemoCollectorTest, SurroundingsDecideHowMuchIsPublished) {
  const auto families = [](Surroundings surroundings) {
    return Demo(surroundings).Page(kNow).types;
  };
  const auto none = families(Surroundings::kNone);
  EXPECT_EQ(none.size(), 10U);  // the nine and the info
  const auto gpu = families(Surroundings::kGpu);
  EXPECT_TRUE(gpu.contains("nvidia_gpu_power_watts"));
  EXPECT_FALSE(gpu.contains("node_load1"));
  const auto all = families(Surroundings::kAll);
  EXPECT_TRUE(all.contains("node_load1"));
  EXPECT_TRUE(all.contains("kube_pod_info"));
  EXPECT_TRUE(std::includes(all.begin(), all.end(), gpu.begin(), gpu.end()));
  EXPECT_TRUE(std::includes(gpu.begin(), gpu.end(), none.begin(), none.end()));

  EXPECT_EQ(*ParseSurroundings("none"), Surroundings::kNone);
  EXPECT_EQ(*ParseSurroundings("gpu"), Surroundings::kGpu);
  EXPECT_EQ(*ParseSurroundings("all"), Surroundings::kAll);
  EXPECT_FALSE(ParseSurroundings("ALL").has_value());
}

TEST(DemoCollectorTest, TheNineMetricsCarryTheirLabels) {
  const StrictPage page = Demo().Page(kNow);
  const Demo demo;
  for (const char* family :
       {"nvidia_gpu_utilization_percent", "nvidia_gpu_used_memory_bytes",
        "nvidia_gpu_total_memory_bytes", "nvidia_gpu_free_memory_bytes",
        "nvidia_gpu_memory_utilization_percent", "nvidia_gpu_temperature_celsius"}) {
    const auto series = page.Family(family);
    ASSERT_GE(series.size(), 30U) << family;
    for (const Series* each : series) {
      for (const char* label : {"node", "gpu", "gpu_name", "uuid"}) {
        EXPECT_NE(each->Label(label), "") << each->key;
      }
      const bool held = each->labels.contains("exported_pod");
      EXPECT_EQ(each->labels.contains("exported_namespace"), held);
      EXPECT_EQ(each->labels.contains("exported_container"), held);
    }
  }
  for (const char* family :
       {"nvidia_gpu_process_gpu_memory_bytes", "nvidia_gpu_process_cpu_percent",
        "nvidia_gpu_process_memory_percent"}) {
    const auto series = page.Family(family);
    ASSERT_FALSE(series.empty()) << family;
    for (const Series* each : series) {
      for (const char* label : {"node", "gpu", "pid", "process_name", "user", "command"}) {
        EXPECT_NE(each->Label(label), "") << each->key;
      }
    }
  }
}

TEST(DemoCollectorTest, MemoryUsedAndFreeMakeTheTotal) {
  const Demo demo(Surroundings::kNone);
  for (int i = 0; i < 50; ++i) {
    const StrictPage page = demo.Page(kNow + i * 97);
    const auto used = page.ByGpu("nvidia_gpu_used_memory_bytes");
    const auto free = page.ByGpu("nvidia_gpu_free_memory_bytes");
    for (const auto& [gpu, total] : page.ByGpu("nvidia_gpu_total_memory_bytes")) {
      ASSERT_EQ(used.at(gpu) + free.at(gpu), total) << gpu;
    }
  }
}

TEST(DemoCollectorTest, CountersNeverFall) {
  const Demo demo;
  std::mt19937_64 random(7);
  const auto counters = [&](std::int64_t millis) {
    const StrictPage page = ReadStrictly(demo.Text(millis));
    std::map<std::string, double> values;
    for (const Series& series : page.series) {
      // A pod's restarts belong to that pod; all else lives as long as the fleet.
      if (page.types.at(series.name) == "counter") values[series.key] = series.value;
    }
    return values;
  };
  std::size_t grown = 0;
  for (int i = 0; i < 102; ++i) {
    const auto start = static_cast<std::int64_t>(kNow * 1000 + random() % 90'000'000'000ULL);
    const auto before = counters(start);
    const auto after =
        counters(start + 1 + static_cast<std::int64_t>(random() % (1ULL << (i % 34))));
    for (const auto& [key, value] : before) {
      const auto it = after.find(key);
      if (it == after.end()) continue;  // the GPU is away, or the pod has gone
      ASSERT_GE(it->second, value) << key;
      if (it->second > value) ++grown;
    }
  }
  EXPECT_GT(grown, 1000U);
}

TEST(DemoCollectorTest, EnergyGrowsByThePower) {
  const Demo demo(Surroundings::kGpu);
  for (const std::int64_t start : {kNow, kNow + 5000, kNow + 50'000}) {
    std::map<std::string, double> joules;
    for (int i = 0; i < 60; ++i) {
      for (const auto& [gpu, watts] : demo.Page(start + i).ByGpu("nvidia_gpu_power_watts")) {
        joules[gpu] += watts;
      }
    }
    const auto before = demo.Page(start).ByGpu("nvidia_gpu_energy_joules_total");
    const auto after = demo.Page(start + 60).ByGpu("nvidia_gpu_energy_joules_total");
    for (const auto& [gpu, energy] : before) {
      if (!after.contains(gpu)) continue;
      // A job that begins or ends between two samples makes them differ by up to a second.
      EXPECT_NEAR(after.at(gpu) - energy, joules[gpu], 1100) << gpu;
    }
  }
}

TEST(DemoCollectorTest, OnlyTheHotGpuIsHotAndThrottlesForHeat) {
  const Demo demo;
  constexpr int kThermal = 0x20 | 0x40;
  bool throttled = false;
  bool cool = false;
  for (int i = 0; i < 20; ++i) {
    const StrictPage page = demo.Page(kNow + i * 30);
    EXPECT_EQ(
        GpusWith(page.ByGpu("nvidia_gpu_temperature_celsius"), [](double c) { return c >= 82; }),
        std::set{demo.Gpu(Trait::kHot)});
    const auto slowed = GpusWith(page.ByGpu("nvidia_gpu_throttle_reasons"), [](double mask) {
      return (static_cast<int>(mask) & kThermal) != 0;
    });
    if (slowed.empty()) {
      cool = true;
    } else {
      throttled = true;
      EXPECT_EQ(slowed, std::set{demo.Gpu(Trait::kHot)});
      const double clock = page.ByGpu("nvidia_gpu_sm_clock_mhz").at(demo.Gpu(Trait::kHot));
      EXPECT_LT(clock, 0.6 * page.ByGpu("nvidia_gpu_sm_clock_max_mhz").at(demo.Gpu(Trait::kHot)));
    }
  }
  EXPECT_TRUE(throttled);
  EXPECT_TRUE(cool);
}

TEST(DemoCollectorTest, OneGpuIsHeldAllDayAndNeverWorks) {
  const Demo demo;
  std::set<std::string> idle;
  for (int i = 0; i < 40; ++i) {
    const StrictPage page = demo.Page(kNow + i * 300);
    std::set<std::string> now;
    for (const Series* each : page.Family("nvidia_gpu_utilization_percent")) {
      if (each->Label("exported_pod").empty() || each->value != 0) continue;
      now.insert(each->Label("node") + '/' + each->Label("gpu"));
    }
    std::set<std::string> both;
    std::set_intersection(now.begin(), now.end(), idle.begin(), idle.end(),
                          std::inserter(both, both.end()));
    idle = i == 0 ? now : both;
  }
  EXPECT_EQ(idle, std::set{demo.Gpu(Trait::kIdleHeld)});
  EXPECT_GT(demo.Page(kNow).ByGpu("nvidia_gpu_used_memory_bytes").at(demo.Gpu(Trait::kIdleHeld)),
            5e9);
}

TEST(DemoCollectorTest, OneHeldGpuListsNoProcess) {
  const Demo demo;
  for (int i = 0; i < 40; ++i) {
    const StrictPage page = demo.Page(kNow + i * 61);
    std::set<std::string> held;
    for (const Series* each : page.Family("nvidia_gpu_utilization_percent")) {
      if (!each->Label("exported_pod").empty())
        held.insert(each->Label("node") + '/' + each->Label("gpu"));
    }
    for (const auto& [gpu, bytes] : page.ByGpu("nvidia_gpu_process_gpu_memory_bytes")) {
      EXPECT_EQ(held.erase(gpu), 1U) << "a process on a free GPU: " << gpu;
    }
    EXPECT_EQ(held, std::set{demo.Gpu(Trait::kNoProcesses)});
    EXPECT_GT(page.ByGpu("nvidia_gpu_utilization_percent").at(demo.Gpu(Trait::kNoProcesses)), 20);
  }
}

TEST(DemoCollectorTest, OneGpuHasNoTemperature) {
  const Demo demo;
  for (int i = 0; i < 20; ++i) {
    const StrictPage page = demo.Page(kNow + i * 61);
    const auto temperatures = page.ByGpu("nvidia_gpu_temperature_celsius");
    std::set<std::string> without;
    for (const auto& [gpu, value] : page.ByGpu("nvidia_gpu_utilization_percent")) {
      if (!temperatures.contains(gpu)) without.insert(gpu);
    }
    EXPECT_EQ(without, std::set{demo.Gpu(Trait::kNoTemperature)});
    EXPECT_FALSE(page.ByGpu("nvidia_gpu_memory_temperature_celsius")
                     .contains(demo.Gpu(Trait::kNoTemperature)));
  }
}

TEST(DemoCollectorTest, OneGpuVanishesAndReturns) {
  const Demo demo;
  const std::string gpu = demo.Gpu(Trait::kVanishing);
  const std::string node = gpu.substr(0, gpu.find('/'));
  int changes = 0;
  bool was = true;
  for (int i = 0; i < 72; ++i) {
    const StrictPage page = demo.Page(kNow + i * 20);
    const bool is = page.ByGpu("nvidia_gpu_utilization_percent").contains(gpu);
    std::size_t series = 0;
    for (const Series& each : page.series) {
      if (each.name.starts_with("nvidia_gpu_") &&
          each.Label("node") + '/' + each.Label("gpu") == gpu)
        ++series;
    }
    EXPECT_EQ(series > 0, is) << "all of its series go together";
    EXPECT_EQ(page.ByGpu("nvidia_gpu_utilization_percent").size(), is ? 32U : 31U);
    for (const Series* each : page.Family("kube_node_status_allocatable")) {
      if (each->Label("resource") != "nvidia_com_gpu") continue;
      EXPECT_EQ(each->value, !is && each->Label("node") == node ? 7 : 8) << each->key;
    }
    if (i > 0 && is != was) ++changes;
    was = is;
  }
  EXPECT_EQ(changes, 4) << "24 minutes hold two absences of 3 minutes";
}

TEST(DemoCollectorTest, OneGpuReportsXidErrors) {
  const Demo demo;
  const auto nonzero = [](double value) { return value != 0; };
  const StrictPage before = demo.Page(kNow);
  const StrictPage after = demo.Page(kNow + 600);
  const std::string gpu = demo.Gpu(Trait::kXid);
  EXPECT_EQ(GpusWith(before.ByGpu("nvidia_gpu_xid_last"), nonzero), std::set{gpu});
  EXPECT_EQ(GpusWith(before.ByGpu("nvidia_gpu_xid_errors_total"), nonzero), std::set{gpu});
  EXPECT_NE(before.ByGpu("nvidia_gpu_xid_last").at(gpu), after.ByGpu("nvidia_gpu_xid_last").at(gpu))
      << "or nobody would see it";
  EXPECT_EQ(before.ByGpu("nvidia_gpu_xid_errors_total").at(gpu) + 1,
            after.ByGpu("nvidia_gpu_xid_errors_total").at(gpu));
}

TEST(DemoCollectorTest, OneGpuCollectsEccErrors) {
  const Demo demo;
  const StrictPage before = demo.Page(kNow);
  const StrictPage after = demo.Page(kNow + 1200);
  const std::set expected{demo.Gpu(Trait::kEcc)};
  const auto old_counts = before.ByGpu("nvidia_gpu_ecc_corrected_aggregate_total");
  std::set<std::string> grown;
  for (const auto& [gpu, count] : after.ByGpu("nvidia_gpu_ecc_corrected_aggregate_total")) {
    if (old_counts.contains(gpu) && count > old_counts.at(gpu)) grown.insert(gpu);
  }
  EXPECT_EQ(grown, expected);
  const auto nonzero = [](double value) { return value != 0; };
  EXPECT_EQ(GpusWith(after.ByGpu("nvidia_gpu_row_remap_pending"), nonzero), expected);
  EXPECT_EQ(GpusWith(after.ByGpu("nvidia_gpu_ecc_uncorrected_aggregate_total"), nonzero), expected);
}

TEST(DemoCollectorTest, OnePodIsPendingForWantOfGpus) {
  const Demo demo;
  for (int i = 0; i < 30; ++i) {
    const StrictPage page = demo.Page(kNow + i * 601);
    std::vector<std::string> pending;
    std::map<std::string, double> phases;
    for (const Series* each : page.Family("kube_pod_status_phase")) {
      phases[each->Label("uid")] += each->value;
      if (each->Label("phase") == "Pending" && each->value == 1)
        pending.push_back(each->Label("pod"));
    }
    for (const auto& [uid, sum] : phases) EXPECT_EQ(sum, 1) << uid;
    ASSERT_EQ(pending.size(), 1U);
    const auto unschedulable = page.Family("kube_pod_status_unschedulable");
    ASSERT_EQ(unschedulable.size(), 1U);
    EXPECT_EQ(unschedulable[0]->Label("pod"), pending[0]);
    for (const Series* each : page.Family("kube_pod_container_resource_requests")) {
      if (each->Label("pod") != pending[0] || each->Label("resource") != "nvidia_com_gpu") continue;
      EXPECT_GT(each->value, 8) << "more than any node has";
      EXPECT_EQ(each->Label("node"), "");
    }
  }
}

TEST(DemoCollectorTest, PodsOfGpusAreThePodsOfTheCluster) {
  const Demo demo;
  const StrictPage page = demo.Page(kNow);
  std::set<std::string> running;
  for (const Series* each : page.Family("kube_pod_status_phase")) {
    if (each->Label("phase") == "Running" && each->value == 1) {
      running.insert(each->Label("namespace") + '/' + each->Label("pod"));
    }
  }
  std::set<std::string> holders;
  for (const Series* each : page.Family("nvidia_gpu_utilization_percent")) {
    if (!each->Label("exported_pod").empty()) {
      holders.insert(each->Label("exported_namespace") + '/' + each->Label("exported_pod"));
    }
  }
  EXPECT_EQ(holders, running);
}

TEST(DemoCollectorTest, EveryReplicaSetOfAPodHasADeployment) {
  const Demo demo;
  const StrictPage page = demo.Page(kNow);
  std::set<std::string> owned;
  for (const Series* each : page.Family("kube_replicaset_owner")) {
    EXPECT_EQ(each->Label("owner_kind"), "Deployment");
    EXPECT_TRUE(each->Label("replicaset").starts_with(each->Label("owner_name") + '-'));
    owned.insert(each->Label("namespace") + '/' + each->Label("replicaset"));
  }
  std::set<std::string> named;
  for (const Series* each : page.Family("kube_pod_owner")) {
    if (each->Label("owner_kind") == "ReplicaSet") {
      named.insert(each->Label("namespace") + '/' + each->Label("owner_name"));
    }
  }
  EXPECT_FALSE(named.empty());
  EXPECT_EQ(owned, named);
}

TEST(DemoCollectorTest, AFailedJobIsAlwaysListed) {
  const Demo demo;
  for (int i = 0; i < 10; ++i) {
    const StrictPage page = demo.Page(kNow + i * 601);
    int failed = 0;
    for (const Series* each : page.Family("kube_job_status_failed")) {
      if (each->value > 0 && each->Label("reason") == "BackoffLimitExceeded") ++failed;
    }
    EXPECT_GE(failed, 1);
    EXPECT_EQ(page.Family("kube_job_failed").size(), static_cast<std::size_t>(failed));
  }
}

TEST(DemoCollectorTest, CommandsHoldWhatMustBeMaskedAndEscaped) {
  const Demo demo;
  bool token = false;
  bool quote = false;
  bool line_feed = false;
  bool backslash = false;
  for (int i = 0; i < 30; ++i) {
    const StrictPage page = demo.Page(kNow + i * 400);
    for (const Series* each : page.Family("nvidia_gpu_process_cpu_percent")) {
      const std::string command = each->Label("command");
      token = token || command.find("--token=demo-") != std::string::npos;
      quote = quote || command.find('"') != std::string::npos;
      line_feed = line_feed || command.find('\n') != std::string::npos;
      backslash = backslash || command.find('\\') != std::string::npos;
      EXPECT_EQ(command.find("{secret}"), std::string::npos);
    }
  }
  EXPECT_TRUE(token && quote && line_feed && backslash);
}

TEST(DemoCollectorTest, CpuTimeOfACoreAddsUpToTheClock) {
  const Demo demo;
  const StrictPage before = demo.Page(kNow);
  const StrictPage after = demo.Page(kNow + 300);
  std::map<std::string, double> spent;
  for (const Series* each : before.Family("node_cpu_seconds_total")) {
    spent[each->Label("node") + '/' + each->Label("cpu")] -= each->value;
  }
  for (const Series* each : after.Family("node_cpu_seconds_total")) {
    spent[each->Label("node") + '/' + each->Label("cpu")] += each->value;
  }
  EXPECT_EQ(spent.size(), 4U * 16U);
  for (const auto& [cpu, seconds] : spent) EXPECT_NEAR(seconds, 300, 0.1) << cpu;
}

}  // namespace
}  // namespace gpumon::exporter
