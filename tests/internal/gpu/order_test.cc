// Whatever order series come in, the answer has the same bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "internal/gpu/join.h"
#include "internal/schema/registry.h"
#include "internal/wire/encode.h"
#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {
namespace {

using prom::FakeSample;
using prom::Labels;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr char kBareUuid[] = "0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a8";

const schema::Exporter& Named(const std::string& name) {
  return *schema::Registry::BuiltIn().Find(name);
}

// What one exporter says.
struct Said {
  const schema::Exporter* exporter;
  std::vector<FakeSample> samples;
  std::vector<FakeSample> times;

  void Add(const std::string& name, double value, Labels labels) {
    labels.emplace_back("__name__", name);
    std::sort(labels.begin(), labels.end());
    samples.push_back({std::move(labels), value});
  }
  void AddTime(double at, Labels labels) {
    std::sort(labels.begin(), labels.end());
    times.push_back({std::move(labels), at});
  }
};

Labels With(Labels labels, const Labels& more) {
  labels.insert(labels.end(), more.begin(), more.end());
  return labels;
}

// Two scrapers of one exporter: duplicates that disagree. GPU 1 is shared, GPU 2 divided.
Said DcgmOfTwoScrapers() {
  Said said{&Named("dcgm"), {}, {}};
  for (int scraper = 0; scraper < 2; ++scraper) {
    for (int gpu = 0; gpu < 4; ++gpu) {
      const Labels labels = {{"Hostname", "n" + std::to_string(gpu / 3)},
                             {"UUID", "GPU-" + std::string(kBareUuid) + std::to_string(gpu)},
                             {"gpu", std::to_string(gpu % 3)},
                             {"instance", "10.0.0." + std::to_string(scraper) + ":9400"},
                             {"job", "dcgm"}};
      said.AddTime(990 + (gpu % 2 == 0 ? scraper : 0), labels);
      said.Add("DCGM_FI_DEV_GPU_TEMP", 40 + gpu + scraper, labels);
      said.Add("DCGM_FI_DEV_POWER_USAGE", scraper == 0 ? 9.22e18 : 70 + gpu, labels);
      said.Add("DCGM_FI_DEV_FB_FREE", scraper == 1 ? -1 : 1000, labels);
      said.Add("DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", scraper + 1, labels);
      said.Add("DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL", scraper + 5, labels);
      if (gpu == 2) {
        for (const char* instance : {"1", "2", "10"}) {
          const Labels its = With(labels, {{"GPU_I_ID", instance}, {"GPU_I_PROFILE", "1g.10gb"}});
          said.Add("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.5 + scraper / 10.0, its);
          said.Add("DCGM_FI_DEV_FB_USED", 10 + scraper, its);
        }
        continue;
      }
      said.Add("DCGM_FI_DEV_GPU_UTIL", 50 + scraper, labels);
      said.Add("DCGM_FI_DEV_FB_USED", 500 + scraper, labels);
      if (gpu != 1) continue;
      for (const char* pod : {"a", "b", "c"}) {
        const Labels its = With(labels, {{"namespace", "web"}, {"pod", pod}, {"container", "x"}});
        said.Add("DCGM_FI_DEV_GPU_UTIL", 10 + scraper, its);
        said.Add("DCGM_FI_DEV_FB_USED", 100 + pod[0], its);
        said.Add("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.3, its);
      }
    }
  }
  return said;
}

std::vector<Said> MixedExporters() {
  std::vector<Said> all = {
      DcgmOfTwoScrapers(),      {&Named("nvidia_smi"), {}, {}}, {&Named("nvidia_gpu"), {}, {}},
      {&Named("gpud"), {}, {}}, {&Named("nvitop"), {}, {}},     {&Named("hami"), {}, {}}};
  for (int gpu = 0; gpu < 5; ++gpu) {
    const std::string digit = std::to_string(gpu);
    const Labels bare = {{"uuid", kBareUuid + digit}};
    all[1].Add("nvidia_smi_gpu_info", 1, With(bare, {{"index", digit}, {"name", "H100"}}));
    all[1].Add("nvidia_smi_power_draw_watts", 300 + gpu, bare);
    all[1].Add("nvidia_smi_mig_info", 1, With(bare, {{"gpu_instance_id", "1"}, {"profile", "p"}}));
    all[1].Add("nvidia_smi_mig_memory_used_bytes", 7, With(bare, {{"gpu_instance_id", "1"}}));
    const Labels named = {{"gpu_id", digit}, {"gpu_name", "H100"}, {"hostname", "n0"}};
    all[2].Add("nvidia_gpu_memory_used_bytes", 42, named);
    const Labels component = {{"gpud_component", "x"}, {"uuid", "GPU-" + (kBareUuid + digit)}};
    for (const char* job : {"one", "two"}) {
      const Labels its = With(component, {{"job", job}});
      all[3].Add("accelerator_nvidia_clock_hw_slowdown", gpu % 2, its);
      all[3].Add("accelerator_nvidia_clock_hw_slowdown_thermal", job[0] == 'o' ? 1 : 0, its);
      all[3].Add("accelerator_nvidia_clock_hw_slowdown_power_brake", gpu == 3 ? kNaN : 0, its);
    }
    const Labels device = {{"devicename", "H100"},
                           {"hostname", "n0"},
                           {"index", gpu == 4 ? "4:0" : digit},
                           {"uuid", (gpu == 4 ? "MIG-" : "GPU-") + (kBareUuid + digit)}};
    all[4].Add("gpu_utilization_Percentage", gpu == 0 ? kNaN : 10 + gpu, device);
    all[4].Add("gpu_power_usage_W", kNaN, device);
    const Labels shared = {{"device_uuid", "GPU-" + (kBareUuid + digit)}};
    all[5].Add("hami_host_gpu_memory_used_bytes", 9, With(shared, {{"node", "n0"}}));
    all[5].Add("hami_host_gpu_memory_controller_utilization_ratio", 3, shared);
    for (const char* pod : {"p", "q"}) {
      all[5].Add("hami_container_device_utilization_ratio", 60 + gpu * 15,
                 With(shared, {{"exported_namespace", "t"}, {"exported_pod", pod}}));
    }
  }
  return all;
}

// The whole answer that a client gets.
std::string BytesOf(const std::vector<Said>& said, const std::vector<FakeSample>& targets,
                    const std::vector<std::size_t>& order) {
  std::vector<const schema::Exporter*> exporters;
  for (const Said& one : said) exporters.push_back(one.exporter);
  UnitEvidence evidence;
  Join<models::GpuMetrics> join(exporters, evidence, 1000);
  join.AddTargets(prom::MakeInstantVector(targets));
  for (const std::size_t i : order) {
    join.AddTimes(i, prom::MakeInstantVector(said[i].times));
    join.Add(i, prom::MakeInstantVector(said[i].samples), std::nullopt);
  }
  const auto snapshot = join.Finish(CommandStyle::kFull);
  const wire::Table table(*snapshot);
  std::string bytes = wire::EncodeList(table, wire::WholePage(table), "m").body;
  for (const auto& coverage : snapshot->coverage) {
    bytes += std::to_string(coverage.rows) + '/' + std::to_string(coverage.losers) + ' ';
  }
  return bytes;
}

TEST(OrderTest, AThousandShufflesOfMixedExportersGiveTheSameBytes) {
  std::vector<Said> said = MixedExporters();
  std::vector<FakeSample> targets = {{{{"instance", "10.0.0.0:9400"}, {"job", "dcgm"}}, 1},
                                     {{{"instance", "10.0.0.1:9400"}, {"job", "dcgm"}}, 1}};
  std::vector<std::size_t> order(said.size());
  std::iota(order.begin(), order.end(), 0U);
  const std::string expected = BytesOf(said, targets, order);
  EXPECT_NE(expected.find(R"("pod":"b")"), std::string::npos) << expected;
  std::mt19937 random(20240101);
  for (int i = 0; i < 1000; ++i) {
    for (Said& one : said) {
      std::shuffle(one.samples.begin(), one.samples.end(), random);
      std::shuffle(one.times.begin(), one.times.end(), random);
    }
    std::shuffle(targets.begin(), targets.end(), random);
    std::shuffle(order.begin(), order.end(), random);
    ASSERT_EQ(BytesOf(said, targets, order), expected) << "shuffle " << i;
  }
}

}  // namespace
}  // namespace gpumon::gpu
