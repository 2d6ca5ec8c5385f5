// The GPUs of a machine, as a fake NVML acts them out.
#include "internal/exporter/live_collector.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>
#include <thread>

#include "internal/exporter/demo_collector.h"
#include "tests/fakes/nvml/smi_script.h"
#include "tests/fakes/nvml/stage.h"
#include "tests/fakes/process/proc_folder.h"
#include "tests/internal/exporter/strict_page.h"

namespace gpumon::exporter {
namespace {

using process::ProcFolder;
using process::ScratchDirectory;
using process::WaitUntil;

constexpr const char* kFull = R"(gpu
name NVIDIA H100 80GB HBM3
uuid GPU-00000000-0000-0000-0000-000000000001
bus 0 65 0
memory 1000 100 600 300
utilization 45 18
temperature 65
power 180500
limit 450000
energy 5000
pstate 2
fan 30
throttle 4
clock 1500 1980 2619
max_clock 2000 1990 2620
corrected 1 2
uncorrected 3 4
rows 5 6 1 0
encoder 7
decoder 8
replays 9
field 82 71
field 91 18
field 38 1
field 45 2
field 52 3
field 59 4
field 138 10
field 139 20
field 197 5000000000
field 198 6000000000
mig 0
events
)";
// Of the first board.
constexpr const char* kIdentity = R"({node="n1",gpu="0",gpu_name="NVIDIA H100 80GB HBM3",)"
                                  R"(uuid="GPU-00000000-0000-0000-0000-000000000001"})";

class LiveCollectorTest : public ::testing::Test {
 protected:
  ~LiveCollectorTest() override { unsetenv(fake_nvml::kScriptVariable); }

  void Act(const std::string& script) {
    const std::string next = folder_.Write("next", "live\ndriver 570.86.15\ncuda 12080\n" + script);
    ASSERT_EQ(rename(next.c_str(), folder_.File("script").c_str()), 0);
    setenv(fake_nvml::kScriptVariable, folder_.File("script").c_str(), 1);
  }

  LiveCollector& Make() {
    options_.node = "n1";
    options_.version = "1.2.3";
    if (options_.reader.nvml_library.empty()) options_.reader.nvml_library = fake_nvml::kLibrary;
    options_.reader.host = {proc_.path(), folder_.Write("passwd", "alice:x:1000:\n"),
                            [](std::string_view command) {
                              return std::string(command.substr(0, command.find(" --token")));
                            }};
    options_.reader.xid_pause = Millis(5);
    return collector_.emplace(options_);
  }

  StrictPage Scrape() {
    std::string text;
    EXPECT_TRUE(collector_->Collect(SystemClock().Wall(), text));
    StrictPage page = ReadStrictly(text);
    EXPECT_EQ(page.problem, "") << text;
    return page;
  }

  static double One(const StrictPage& page, std::string_view family) {
    const auto series = page.Family(family);
    return series.size() == 1 ? series[0]->value : -1;
  }

  const ScratchDirectory folder_;
  const ProcFolder proc_;
  LiveOptions options_;
  std::optional<LiveCollector> collector_;
};

TEST_F(LiveCollectorTest, EveryValueIsPublishedUnderTheNamesOfTheRequirement) {
  Act(kFull);
  Make();
  const StrictPage page = Scrape();
  const std::vector<std::pair<std::string, double>> expected = {
      {"nvidia_gpu_utilization_percent", 45},
      {"nvidia_gpu_used_memory_bytes", 300},
      {"nvidia_gpu_total_memory_bytes", 1000},
      {"nvidia_gpu_free_memory_bytes", 600},
      {"nvidia_gpu_memory_utilization_percent", 18},
      {"nvidia_gpu_temperature_celsius", 65},
      {"nvidia_gpu_reserved_memory_bytes", 100},
      {"nvidia_gpu_memory_temperature_celsius", 71},
      {"nvidia_gpu_power_watts", 180.5},
      {"nvidia_gpu_power_limit_watts", 450},
      {"nvidia_gpu_energy_joules_total", 5},
      {"nvidia_gpu_sm_clock_mhz", 1980},
      {"nvidia_gpu_sm_clock_max_mhz", 1990},
      {"nvidia_gpu_memory_clock_mhz", 2619},
      {"nvidia_gpu_memory_clock_max_mhz", 2620},
      {"nvidia_gpu_pstate", 2},
      {"nvidia_gpu_throttle_reasons", 4},
      {"nvidia_gpu_encoder_utilization_percent", 7},
      {"nvidia_gpu_decoder_utilization_percent", 8},
      {"nvidia_gpu_fan_speed_percent", 30},
      {"nvidia_gpu_pcie_tx_bytes_total", 5e9},
      {"nvidia_gpu_pcie_rx_bytes_total", 6e9},
      {"nvidia_gpu_pcie_replay_total", 9},
      {"nvidia_gpu_nvlink_tx_bytes_total", 10240},
      {"nvidia_gpu_nvlink_rx_bytes_total", 20480},
      {"nvidia_gpu_nvlink_errors_total", 10},
      {"nvidia_gpu_xid_last", 0},
      {"nvidia_gpu_xid_errors_total", 0},
      {"nvidia_gpu_ecc_corrected_volatile_total", 1},
      {"nvidia_gpu_ecc_corrected_aggregate_total", 2},
      {"nvidia_gpu_ecc_uncorrected_volatile_total", 3},
      {"nvidia_gpu_ecc_uncorrected_aggregate_total", 4},
      {"nvidia_gpu_row_remap_correctable", 5},
      {"nvidia_gpu_row_remap_uncorrectable", 6},
      {"nvidia_gpu_row_remap_pending", 1},
      {"nvidia_gpu_row_remap_failure", 0},
      {"nvidia_gpu_mig_mode", 0}};
  for (const auto& [name, value] : expected) {
    const auto series = page.Family(name);
    ASSERT_EQ(series.size(), 1U) << name;
    EXPECT_DOUBLE_EQ(series[0]->value, value) << name;
    EXPECT_EQ(series[0]->key, name + kIdentity);
  }
  const auto info = page.Family("nvidia_gpu_info");
  ASSERT_EQ(info.size(), 1U);
  EXPECT_EQ(info[0]->Label("driver_version"), "570.86.15");
  EXPECT_EQ(info[0]->Label("cuda_version"), "12.8");
  EXPECT_EQ(info[0]->Label("pci_bus_id"), "00000000:41:00.0");
  EXPECT_EQ(One(page, "gpu_exporter_up"), 1);
  EXPECT_EQ(One(page, "gpu_exporter_gpu_up"), 1);
  EXPECT_EQ(page.Family("gpu_exporter_info")[0]->Label("source"), "nvml");
  EXPECT_EQ(page.Family("gpu_exporter_info")[0]->Label("demo"), "false");
}

TEST_F(LiveCollectorTest, AFamilyOfTheSyntheticFleetIsTheSameHere) {
  Act(kFull);
  Make();
  const StrictPage live = Scrape();
  std::string text;
  const DemoCollector demo(*Fleet::Make({.nodes = 1, .gpus_per_node = 8, .seed = 1}),
                           Surroundings::kGpu, "1");
  ASSERT_TRUE(demo.Collect(SystemClock().Wall(), text));
  const StrictPage fleet = ReadStrictly(text);
  int shared = 0;
  for (const auto& [name, type] : fleet.types) {
    const auto here = live.types.find(name);
    if (here == live.types.end()) continue;
    ++shared;
    EXPECT_EQ(here->second, type) << name;
  }
  // What NVML tells of nothing stands in docs/EXPORTER.md: what the SMs do, and processes.
  EXPECT_EQ(shared, static_cast<int>(fleet.types.size()) - 7);
}

TEST_F(LiveCollectorTest, WhatTheDriverDoesNotTellHasNoSample) {
  Act("gpu\nuuid GPU-x\ntemperature 50\n");
  Make();
  const StrictPage page = Scrape();
  for (const auto& series : page.series) {
    if (!series.name.starts_with("nvidia_gpu_")) continue;
    EXPECT_TRUE(series.name == "nvidia_gpu_temperature_celsius" || series.name == "nvidia_gpu_info")
        << series.key;
  }
  EXPECT_EQ(page.types.count("nvidia_gpu_utilization_percent"), 0U) << "no head without a sample";
  EXPECT_EQ(One(page, "gpu_exporter_up"), 1);
}

TEST_F(LiveCollectorTest, ProcessesHaveUserCommandCpuMemoryAndPod) {
  using namespace std::string_literals;
  Act(std::string(kFull) +
      "compute 42 5000\ngraphics 42 5000\ncompute 43 -\ncompute 99 7\ncommand 42 /usr/bin/python "
      "x\n");
  proc_.Put(42, {.command = "python\0train.py\0--token=abc\0"s,
                 .uid = 1000,
                 .resident = 100'000,
                 .cgroup = "0::/kubepods/pod0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/x\n"});
  proc_.Put(43, {.command = "tool\0"s, .uid = 5, .cgroup = "0::/system.slice\n"});
  options_.holders = [](Deadline) -> Result<std::vector<models::DeviceHolder>> {
    return std::vector<models::DeviceHolder>{{"ml",
                                              "bert-0",
                                              "trainer",
                                              "nvidia.com/gpu",
                                              {"GPU-00000000-0000-0000-0000-000000000001"}}};
  };
  Make();
  const StrictPage page = Scrape();
  const auto memory = page.Family("nvidia_gpu_process_gpu_memory_bytes");
  ASSERT_EQ(memory.size(), 2U) << "of 43 the driver does not know it";
  EXPECT_EQ(memory[0]->key,
            R"(nvidia_gpu_process_gpu_memory_bytes{node="n1",gpu="0",pid="42",)"
            R"(process_name="python",user="alice",command="python train.py",)"
            R"(exported_namespace="ml",exported_pod="bert-0",exported_container="trainer"})");
  EXPECT_EQ(memory[0]->value, 5000);
  EXPECT_EQ(memory[1]->Label("pid"), "99");
  EXPECT_EQ(memory[1]->Label("user"), "") << "this kernel does not know it";
  const auto percent = page.Family("nvidia_gpu_process_memory_percent");
  ASSERT_EQ(percent.size(), 2U);
  EXPECT_EQ(percent[0]->value, 10);
  EXPECT_EQ(percent[1]->Label("user"), "5");
  EXPECT_EQ(percent[1]->Label("process_name"), "tool") << "the driver does not tell it";
  EXPECT_EQ(percent[1]->Label("exported_pod"), "") << "a program of the host";
  EXPECT_EQ(page.Family("nvidia_gpu_process_cpu_percent").size(), 2U);
  EXPECT_EQ(page.Family("nvidia_gpu_utilization_percent")[0]->Label("exported_pod"), "bert-0");
  EXPECT_EQ(page.Family("nvidia_gpu_energy_joules_total")[0]->Label("exported_pod"), "")
      << "a counter would break off whenever a job ends";
  EXPECT_EQ(One(page, "gpu_exporter_kubelet_up"), 1);
}

TEST_F(LiveCollectorTest, AKubeletThatIsNotThereIsNotSpokenOfAndOneThatFailsIs) {
  Act(kFull);
  Code code = Code::kNotFound;
  options_.holders = [&code](Deadline) -> Result<std::vector<models::DeviceHolder>> {
    return Error(code, "no");
  };
  Make();
  EXPECT_TRUE(Scrape().Family("gpu_exporter_kubelet_up").empty());
  code = Code::kUpstreamTimeout;
  const StrictPage page = Scrape();
  EXPECT_EQ(One(page, "gpu_exporter_kubelet_up"), 0);
  EXPECT_EQ(One(page, "nvidia_gpu_utilization_percent"), 45);
}

TEST_F(LiveCollectorTest, AGpuThatPodsShareIsNobodysAlone) {
  Act(kFull);
  options_.holders = [](Deadline) -> Result<std::vector<models::DeviceHolder>> {
    return std::vector<models::DeviceHolder>{
        {"a", "p", "c", "nvidia.com/gpu", {"GPU-00000000-0000-0000-0000-000000000001::0"}},
        {"a", "q", "c", "nvidia.com/gpu", {"GPU-00000000-0000-0000-0000-000000000001::1"}}};
  };
  Make();
  const StrictPage page = Scrape();
  const auto series = page.Family("nvidia_gpu_utilization_percent");
  ASSERT_EQ(series.size(), 1U) << "a sum must not count it twice";
  EXPECT_EQ(series[0]->Label("exported_pod"), "");
}

TEST_F(LiveCollectorTest, MigInstancesHaveTheirMemoryAndTheirProcesses) {
  Act("gpu\nname A100\nuuid GPU-a\nmemory 100 0 40 60\nmig 1\n"
      "instance 1 0 30 10 MIG-x NVIDIA A100 MIG 1g.10gb\n"
      "instance 2 0 50 50 MIG-y NVIDIA A100 MIG 2g.20gb\ncompute 7 5 1 0\ncompute 7 6 2 0\n");
  options_.holders = [](Deadline) -> Result<std::vector<models::DeviceHolder>> {
    return std::vector<models::DeviceHolder>{
        {"lab", "nb", "main", "nvidia.com/mig-2g.20gb", {"MIG-y"}}};
  };
  Make();
  const StrictPage page = Scrape();
  EXPECT_EQ(One(page, "nvidia_gpu_mig_mode"), 1);
  EXPECT_EQ(One(page, "nvidia_gpu_used_memory_bytes"), 60) << "the board's own, once";
  const auto used = page.Family("nvidia_gpu_mig_used_memory_bytes");
  ASSERT_EQ(used.size(), 2U);
  EXPECT_EQ(used[0]->key,
            R"(nvidia_gpu_mig_used_memory_bytes{node="n1",gpu="0",gpu_name="A100",uuid="GPU-a",)"
            R"(gpu_instance_id="1",compute_instance_id="0",mig_profile="1g.10gb",)"
            R"(mig_uuid="MIG-x"})");
  EXPECT_EQ(used[0]->value, 10);
  EXPECT_EQ(used[1]->Label("exported_pod"), "nb");
  const auto processes = page.Family("nvidia_gpu_process_gpu_memory_bytes");
  ASSERT_EQ(processes.size(), 2U);
  EXPECT_EQ(processes[0]->Label("gpu_instance_id"), "1");
  EXPECT_EQ(processes[0]->Label("exported_pod"), "");
  EXPECT_EQ(processes[1]->Label("exported_pod"), "nb");
}

TEST_F(LiveCollectorTest, XidErrorsAreCountedBetweenScrapesAndSurviveANewStart) {
  Act(std::string("xid 0 13\n") + kFull);
  Make();
  EXPECT_EQ(One(Scrape(), "nvidia_gpu_xid_errors_total"), 0) << "that was before";
  Act(std::string("xid 0 13\nxid 0 31\nxid 0 48\n") + kFull);
  StrictPage page;
  EXPECT_TRUE(WaitUntil(
      [&] {
        page = Scrape();
        return One(page, "nvidia_gpu_xid_errors_total") == 2;
      },
      Millis(20'000)));
  EXPECT_EQ(One(page, "nvidia_gpu_xid_last"), 48);
  Act(std::string("generation 1\nxid 0 13\nxid 0 31\nxid 0 48\n") + kFull);
  page = Scrape();
  EXPECT_EQ(One(page, "gpu_exporter_driver_reopened_total"), 1);
  EXPECT_EQ(One(page, "nvidia_gpu_xid_errors_total"), 2);
  EXPECT_EQ(One(page, "nvidia_gpu_xid_last"), 48);
}

TEST_F(LiveCollectorTest, ACleanupDoesNotHideWhatItFollows) {
  Act(kFull);
  Make();
  Scrape();
  Act(std::string("xid 0 48\nxid 0 45\n") + kFull);
  StrictPage page;
  EXPECT_TRUE(WaitUntil(
      [&] {
        page = Scrape();
        return One(page, "nvidia_gpu_xid_errors_total") == 2;
      },
      Millis(20'000)));
  EXPECT_EQ(One(page, "nvidia_gpu_xid_last"), 48);
}

TEST_F(LiveCollectorTest, WhatAsksForAResetIsNotHiddenByWhatProgramsDoThen) {
  options_.reader.asks_for_reset = [](unsigned code) { return code == 48 || code == 79; };
  Act(kFull);
  Make();
  Scrape();
  std::string events;
  const auto shown_after = [&](const std::string& more, double count) {
    events += more;
    Act(events + kFull);
    StrictPage page;
    EXPECT_TRUE(WaitUntil(
        [&] {
          page = Scrape();
          return One(page, "nvidia_gpu_xid_errors_total") == count;
        },
        Millis(20'000)));
    return One(page, "nvidia_gpu_xid_last");
  };
  EXPECT_EQ(shown_after("xid 0 31\n", 1), 31);
  EXPECT_EQ(shown_after("xid 0 48\nxid 0 43\n", 3), 48);
  EXPECT_EQ(shown_after("xid 0 79\nxid 0 13\n", 5), 79);
}

TEST_F(LiveCollectorTest, ADriverThatWasResetCostsNoScrape) {
  Act(kFull);
  Make();
  EXPECT_EQ(One(Scrape(), "gpu_exporter_driver_reopened_total"), 0);
  Act("generation 1\n" + std::string(kFull));
  const StrictPage page = Scrape();
  EXPECT_EQ(One(page, "gpu_exporter_up"), 1);
  EXPECT_EQ(One(page, "gpu_exporter_driver_reopened_total"), 1);
  EXPECT_EQ(One(page, "nvidia_gpu_temperature_celsius"), 65);
}

TEST_F(LiveCollectorTest, ADriverThatIsGoneShowsNothingOfBeforeAndComesBack) {
  Act(kFull);
  Make();
  Scrape();
  Act("generation 1\nerror nvmlInit_v2 9\n" + std::string(kFull));
  StrictPage page = Scrape();
  EXPECT_EQ(One(page, "gpu_exporter_up"), 0);
  EXPECT_EQ(One(page, "gpu_exporter_driver_hanging"), 0);
  EXPECT_GE(One(page, "gpu_exporter_last_read_age_seconds"), 0);
  for (const auto& series : page.series) EXPECT_FALSE(series.name.starts_with("nvidia_gpu_"));
  Act("generation 2\n" + std::string(kFull));
  page = Scrape();
  EXPECT_EQ(One(page, "gpu_exporter_up"), 1);
  EXPECT_EQ(One(page, "nvidia_gpu_temperature_celsius"), 65);
}

TEST_F(LiveCollectorTest, ALostGpuIsSaidAndTheOthersAreThere) {
  const std::string second = "gpu\nname B\nuuid GPU-b\ntemperature 40\n";
  Act(kFull + second);
  options_.reader.reopen_pause = Millis(3'600'000);
  Make();
  Scrape();
  Act(std::string(kFull) + second + "error nvmlDeviceGetUUID 15\n");
  StrictPage page = Scrape();
  const auto up = page.Family("gpu_exporter_gpu_up");
  ASSERT_EQ(up.size(), 2U);
  EXPECT_EQ(up[0]->value, 1);
  EXPECT_EQ(up[1]->key, R"(gpu_exporter_gpu_up{node="n1",gpu="1",uuid="GPU-b"})");
  EXPECT_EQ(up[1]->value, 0);
  EXPECT_EQ(page.ByGpu("nvidia_gpu_temperature_celsius"),
            (std::map<std::string, double>{{"n1/0", 65}}));
  EXPECT_EQ(page.Family("nvidia_gpu_info").size(), 1U);
  EXPECT_EQ(One(page, "gpu_exporter_driver_reopened_total"), 0) << "not again so soon";
}

TEST_F(LiveCollectorTest, ForALostGpuNvmlIsStartedAgainOnceInAWhile) {
  Act(std::string(kFull) + "error nvmlDeviceGetUUID 15\n");
  options_.reader.reopen_pause = Millis(0);
  Make();
  Scrape();
  Act(kFull);
  const StrictPage page = Scrape();
  EXPECT_EQ(One(page, "gpu_exporter_driver_reopened_total"), 1);
  EXPECT_EQ(One(page, "gpu_exporter_gpu_up"), 1);
  EXPECT_EQ(One(page, "nvidia_gpu_temperature_celsius"), 65);
}

TEST_F(LiveCollectorTest, AHangingDriverHoldsNoScrapeUpAndNothingOldIsShown) {
  const std::string hang = folder_.File("hang");
  const std::string second =
      "gpu\nname B\nuuid GPU-b\ntemperature 40\nhang nvmlDeviceGetPowerUsage " + hang + '\n';
  Act(kFull + second);
  options_.read_limit = process::Scaled(Millis(300));
  Make();
  StrictPage page;
  // A slow machine may take longer than that for the first.
  ASSERT_TRUE(
      WaitUntil([&] { return One(page = Scrape(), "gpu_exporter_up") == 1; }, Millis(20'000)));
  EXPECT_EQ(page.Family("nvidia_gpu_temperature_celsius").size(), 2U);
  folder_.Write("hang", "");
  page = Scrape();
  EXPECT_EQ(One(page, "gpu_exporter_up"), 0);
  EXPECT_EQ(page.ByGpu("nvidia_gpu_temperature_celsius"),
            (std::map<std::string, double>{{"n1/0", 65}}))
      << "it was read before the other hung";
  // Then that is as old as the rest.
  EXPECT_TRUE(WaitUntil(
      [&] {
        page = Scrape();
        return page.Family("nvidia_gpu_temperature_celsius").empty();
      },
      Millis(20'000)));
  EXPECT_EQ(One(page, "gpu_exporter_up"), 0);
  EXPECT_EQ(One(page, "gpu_exporter_driver_hanging"), 1);
  EXPECT_GT(One(page, "gpu_exporter_last_read_age_seconds"), 0.1);
  EXPECT_TRUE(page.Family("gpu_exporter_gpu_up").empty());
  ASSERT_EQ(unlink(hang.c_str()), 0);
  EXPECT_TRUE(
      WaitUntil([&] { return One(page = Scrape(), "gpu_exporter_up") == 1; }, Millis(20'000)));
  EXPECT_EQ(page.Family("nvidia_gpu_temperature_celsius").size(), 2U);
}

std::ptrdiff_t Threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

TEST_F(LiveCollectorTest, AThreadThatHangsIsLeftBehind) {
  const std::string hang = folder_.Write("hang", "");
  Act("hang nvmlDeviceGetCount_v2 " + hang + '\n' + kFull);
  options_.read_limit = Millis(50);
  Make();
  EXPECT_TRUE(collector_->FindGpus()) << "it may come back";
  EXPECT_EQ(One(Scrape(), "gpu_exporter_driver_hanging"), 1);
  EXPECT_TRUE(Scrape().Family("gpu_exporter_last_read_age_seconds").empty()) << "never";
  const SteadyTime begin = SystemClock().Steady();
  collector_.reset();
  EXPECT_LT(SystemClock().Steady() - begin, process::Scaled(Millis(10'000)));
  const std::ptrdiff_t left = Threads();
  ASSERT_EQ(unlink(hang.c_str()), 0);  // the thread finds that it is to end
  EXPECT_TRUE(WaitUntil([&] { return Threads() < left; }, Millis(20'000)));
}

TEST_F(LiveCollectorTest, WithoutAnythingOfNvidiaThereIsNothingToPublish) {
  options_.reader.nvml_library = folder_.File("none.so");
  options_.reader.smi.program = folder_.File("none");
  Make();
  const auto found = collector_->FindGpus();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kNotFound);
  EXPECT_NE(found.error().message.find("install the NVIDIA driver"), std::string::npos);
  EXPECT_NE(found.error().message.find(folder_.File("none")), std::string::npos);
}

TEST_F(LiveCollectorTest, ADriverOfAnotherVersionIsWaitedFor) {
  Act("error nvmlInit_v2 18\n");
  Make();
  EXPECT_TRUE(collector_->FindGpus());
  EXPECT_EQ(One(Scrape(), "gpu_exporter_up"), 0);
  Act(kFull);
  EXPECT_EQ(One(Scrape(), "gpu_exporter_up"), 1);
}

TEST_F(LiveCollectorTest, NvidiaSmiTellsWhereNvmlCannotBeHad) {
  const fake_nvml::SmiScript smi(R"(
--query-gpu=*) echo "0, 570.86.15, Disabled, NVIDIA L4, GPU-l4, 00000000:3B:00.0, 1, 64, 12, 23034, 100, 22934, [N/A], 55, [N/A], 58.10, 72.00, 72.00, 2040, 2040, 6250, 6251, 2040, 2040, P0, [N/A], 0x0000000000000004, 0, 0, 0, 0" ;;
--query-compute-apps=*) echo "GPU-l4, 42, 512, /usr/bin/python" ;;
*) echo "CUDA Version : 12.8" ;;
)");
  options_.reader.nvml_library = folder_.File("none.so");
  options_.reader.smi.program = smi.path();
  options_.reader.smi.limit = process::Scaled(Millis(20'000));
  options_.read_limit = process::Scaled(Millis(30'000));
  proc_.Put(42, {.command = "python", .uid = 1000});
  Make();
  EXPECT_TRUE(collector_->FindGpus());
  const StrictPage page = Scrape();
  EXPECT_EQ(page.Family("gpu_exporter_info")[0]->Label("source"), "nvidia-smi");
  EXPECT_EQ(One(page, "nvidia_gpu_utilization_percent"), 64);
  EXPECT_EQ(One(page, "nvidia_gpu_power_watts"), 58.1);
  EXPECT_EQ(One(page, "nvidia_gpu_throttle_reasons"), 4);
  EXPECT_TRUE(page.Family("nvidia_gpu_fan_speed_percent").empty());
  EXPECT_TRUE(page.Family("nvidia_gpu_xid_last").empty());
  EXPECT_EQ(One(page, "nvidia_gpu_process_gpu_memory_bytes"), 512 * 1048576.0);
  EXPECT_EQ(page.Family("nvidia_gpu_process_gpu_memory_bytes")[0]->Label("user"), "alice");
}

TEST_F(LiveCollectorTest, WhatNvmlLacksNvidiaSmiTells) {
  const fake_nvml::SmiScript smi(R"(
--query-gpu=index,uuid,memory.total,*) echo "0, GPU-y, 900, 1, 2, 3"; echo "1, GPU-x, 23034, 100, 22934, 99.5" ;;
)");
  Act("gpu\nuuid GPU-x\ntemperature 50\nutilization 5 6\npower 70000\nlimit 90000\n"
      "clock 1 2 3\nmax_clock 4 5 6\npstate 0\nfan 20\nthrottle 0\ncorrected 0 0\n"
      "uncorrected 0 0\nfield 82 60\nmig 0\n");
  options_.reader.smi.program = smi.path();
  options_.reader.smi.limit = process::Scaled(Millis(20'000));
  options_.reader.smi.pause = Millis(0);
  Make();
  EXPECT_TRUE(Scrape().Family("nvidia_gpu_total_memory_bytes").empty()) << "nobody waits for it";
  StrictPage page;
  ASSERT_TRUE(WaitUntil(
      [&] { return One(page = Scrape(), "nvidia_gpu_total_memory_bytes") == 23034 * 1048576.0; },
      Millis(30'000)));
  EXPECT_EQ(page.Family("nvidia_gpu_total_memory_bytes")[0]->key,
            R"(nvidia_gpu_total_memory_bytes{node="n1",gpu="0",uuid="GPU-x"})");
  EXPECT_EQ(One(page, "nvidia_gpu_used_memory_bytes"), 100 * 1048576.0);
  EXPECT_EQ(One(page, "nvidia_gpu_power_watts"), 70) << "NVML tells that";
  EXPECT_EQ(One(page, "gpu_exporter_up"), 1);
  EXPECT_EQ(page.Family("gpu_exporter_info")[0]->Label("source"), "nvml");
  std::vector<std::string> columns;
  for (const auto* const one : page.Family("gpu_exporter_nvidia_smi_tells")) {
    EXPECT_EQ(one->value, 1);
    EXPECT_EQ(one->Label("uuid"), "GPU-x");
    columns.push_back(one->Label("column"));
  }
  EXPECT_EQ(columns, (std::vector<std::string>{"memory.total", "memory.used", "memory.free",
                                               "memory.reserved"}));
  Act(kFull);
  page = Scrape();
  EXPECT_EQ(One(page, "nvidia_gpu_total_memory_bytes"), 1000);
  EXPECT_TRUE(page.Family("gpu_exporter_nvidia_smi_tells").empty());
}

TEST_F(LiveCollectorTest, ALibraryWithoutAFunctionLacksItsValue) {
  const fake_nvml::SmiScript smi(
      fake_nvml::EachCell("GPU-00000000-0000-0000-0000-000000000001", "77"));
  Act(kFull);
  options_.reader.nvml_library = fake_nvml::kOldLibrary;
  options_.reader.smi.program = smi.path();
  options_.reader.smi.limit = process::Scaled(Millis(20'000));
  options_.reader.smi.pause = Millis(0);
  Make();
  StrictPage page;
  ASSERT_TRUE(
      WaitUntil([&] { return One(page = Scrape(), "nvidia_gpu_memory_temperature_celsius") == 77; },
                Millis(30'000)));
  EXPECT_EQ(One(page, "nvidia_gpu_reserved_memory_bytes"), 77 * 1048576.0);
  EXPECT_EQ(One(page, "nvidia_gpu_temperature_celsius"), 65);
  EXPECT_TRUE(page.Family("nvidia_gpu_energy_joules_total").empty()) << "both lack it";
  EXPECT_EQ(smi.Calls().find("fan.speed"), std::string::npos) << "NVML tells that";
}

}  // namespace
}  // namespace gpumon::exporter
