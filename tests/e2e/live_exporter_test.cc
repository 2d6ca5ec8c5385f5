// From NVML to the API: what a driver tells is what the server shows.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <optional>
#include <set>

#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/kubelet/kubelet.h"
#include "tests/fakes/nvml/fake_nvml.h"
#include "tests/fakes/process/proc_folder.h"

namespace gpumon::e2e {
namespace {

using json::Value;
using process::ProcFolder;
using process::WaitUntil;

constexpr const char* kDriver =
    "live\ndriver 570.86.15\ncuda 12080\ncommand 42 /usr/bin/python x\n";
// All that the driver tells of anything.
constexpr const char* kFull = R"(gpu
name NVIDIA H100 80GB HBM3
uuid GPU-00000000-0000-0000-0000-000000000001
bus 0 65 0
memory 85899345920 1073741824 42949672960 41875931136
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
field 138 10
field 139 20
field 197 5000000000
field 198 6000000000
mig 0
events
compute 42 1073741824
)";
// Hardly anything.
constexpr const char* kBare = R"(gpu
name Tesla K80
uuid GPU-00000000-0000-0000-0000-000000000002
temperature 40
compute 43 -
)";
constexpr const char* kMig = R"(gpu
name NVIDIA A100
uuid GPU-00000000-0000-0000-0000-000000000003
memory 85899345920 0 75161927680 10737418240
mig 1
instance 1 0 10737418240 1073741824 MIG-00000000-0000-0000-0000-00000000000a NVIDIA A100 MIG 1g.10gb
)";

// gpu-exporter over the fake NVML, scraped by a Prometheus, asked by a server.
class LiveExporterTest : public ::testing::Test {
 protected:
  void Act(const std::string& script) const {
    const std::string next = folder_.Write("next", kDriver + script);
    ASSERT_EQ(rename(next.c_str(), folder_.File("script").c_str()), 0);
  }

  void Start(const std::string& script) {
    using namespace std::string_literals;
    Act(script);
    proc_.Put(42, {.command = "python\0train.py\0--token\0hunter2secret\0"s,
                   .uid = 1000,
                   .resident = 152'000,
                   .user = 0,
                   .started = 0,
                   .cgroup = "0::/kubepods/pod0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/x\n"});
    exporter_.emplace(
        ExporterProgram(),
        std::vector<std::string>{
            "--nvml-library", fake_nvml::kLibrary, "--listen-addr", "127.0.0.1", "--port", "0",
            "--port-file", folder_.File("port"), "--proc-path", proc_.path(), "--passwd-file",
            folder_.Write("passwd", "alice:x:1000:\n"), "--pod-resources", folder_.File("socket"),
            "--pod-logs", folder_.File("logs"), "--read-limit", "2s"},
        Environment{{"NODE_NAME", "gpu-node-1"},
                    {fake_nvml::kScriptVariable, folder_.File("script")}});
    std::string port;
    WaitUntil(
        [&] {
          port = process::ReadFile(folder_.File("port"));
          return !port.empty() || !exporter_->Running();
        },
        Millis(20'000));
    ASSERT_FALSE(port.empty()) << exporter_->Errors();
    prometheus_ = Prometheus::Scraping(static_cast<std::uint16_t>(std::atoi(port.c_str())), false);
    server_.emplace(prometheus_->url(), Environment{{"CACHE_TTL", "500ms"}});
  }

  // The rows of `path` once they satisfy `done`.
  Value Rows(const std::string& path, const std::function<bool(const Value&)>& done) const {
    Value rows;
    EXPECT_TRUE(WaitUntil(
        [&] {
          const auto answer = json::ParseDocument(server_->Get(path).body);
          if (!answer) return false;
          rows = (*answer)["data"];
          return rows.is_array() && done(rows);
        },
        Millis(60'000)))
        << path << ": " << server_->Get(path).body;
    return rows;
  }
  static std::function<bool(const Value&)> AtLeast(std::size_t count) {
    return [count](const Value& rows) { return rows.size() >= count; };
  }

  const ScratchDirectory folder_;
  const ProcFolder proc_;
  std::optional<ChildProcess> exporter_;
  std::unique_ptr<Prometheus> prometheus_;
  std::optional<ApiServer> server_;
};

double NumberOf(const Value& value) {
  const std::string* const text = value.AsNumberText();
  return text == nullptr ? -1 : std::strtod(text->c_str(), nullptr);
}

TEST_F(LiveExporterTest, TheServerReadsAllThatTheDriverTells) {
  const fake_kubelet::Kubelet kubelet(
      folder_.File("socket"),
      fake_kubelet::Encode({{"ml-team",
                             "bert-0",
                             "trainer",
                             "nvidia.com/gpu",
                             {"GPU-00000000-0000-0000-0000-000000000001"}}}));
  Start(std::string(kFull) + kBare);
  const Value rows = Rows(kMetrics, AtLeast(2));
  const Value& full = rows[0];
  for (const auto& [field, value] :
       std::vector<std::pair<const char*, double>>{{"gpu_index", 0},
                                                   {"utilization", 45},
                                                   {"memory_used", 39},
                                                   {"memory_total", 80},
                                                   {"memory_free", 40},
                                                   {"memory_utilization", 18},
                                                   {"temperature", 65},
                                                   {"memory_reserved_bytes", 1073741824},
                                                   {"memory_temperature", 71},
                                                   {"power", 180.5},
                                                   {"power_limit", 450},
                                                   {"energy", 5},
                                                   {"sm_clock", 1980},
                                                   {"sm_clock_max", 1990},
                                                   {"memory_clock", 2619},
                                                   {"pstate", 2},
                                                   {"fan", 30},
                                                   {"encoder_utilization", 7},
                                                   {"decoder_utilization", 8},
                                                   {"nvlink_errors", 1},
                                                   {"xid_last", 0},
                                                   {"ecc_corrected_volatile", 1},
                                                   {"pcie_replay", 9},
                                                   {"ecc_corrected_aggregate", 2},
                                                   {"row_remap_pending", 1},
                                                   {"ecc_uncorrected_volatile", 3},
                                                   {"row_remap_failure", 0},
                                                   {"ecc_uncorrected_aggregate", 4},
                                                   {"row_remap_correctable", 5},
                                                   {"row_remap_uncorrectable", 6}}) {
    EXPECT_EQ(NumberOf(full[field]), value) << field;
  }
  EXPECT_EQ(TextOf(full["node_name"]), "gpu-node-1");
  EXPECT_EQ(TextOf(full["gpu_name"]), "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(TextOf(full["uuid"]), "GPU-00000000-0000-0000-0000-000000000001");
  EXPECT_EQ(TextOf(full["driver_version"]), "570.86.15");
  EXPECT_EQ(TextOf(full["pci_bus_id"]), "00000000:41:00.0");
  EXPECT_EQ(TextOf(full["throttle_reasons"][0]), "sw_power_cap");
  EXPECT_EQ(TextOf(full["workloads"][0]["pod"]), "bert-0");
  EXPECT_EQ(TextOf(full["workloads"][0]["namespace"]), "ml-team");
  EXPECT_EQ(TextOf(full["workloads"][0]["container"]), "trainer");

  // Absent is not zero.
  const Value& bare = rows[1];
  EXPECT_EQ(NumberOf(bare["temperature"]), 40);
  for (const char* const field :
       {"utilization", "memory_used", "memory_total", "memory_free", "memory_utilization", "power",
        "power_limit", "energy", "sm_clock", "fan", "throttle_reasons", "xid_last",
        "ecc_corrected_volatile", "row_remap_failure", "pcie_replay", "nvlink_errors"}) {
    EXPECT_TRUE(bare[field].is_null()) << field;
  }

  const Value processes = Rows(kProcesses, AtLeast(1));
  ASSERT_EQ(processes.size(), 1U) << "of the other the driver knows no memory, nor the kernel it";
  const Value& process = processes[0];
  EXPECT_EQ(TextOf(process["node_name"]), "gpu-node-1");
  EXPECT_EQ(NumberOf(process["gpu_index"]), 0);
  EXPECT_EQ(NumberOf(process["pid"]), 42);
  EXPECT_EQ(TextOf(process["process_name"]), "python");
  EXPECT_EQ(TextOf(process["user"]), "alice");
  EXPECT_EQ(TextOf(process["command"]), "python train.py --token ***");
  EXPECT_EQ(NumberOf(process["gpu_memory"]), 1024);
  EXPECT_EQ(NumberOf(process["cpu"]), 0);
  EXPECT_NEAR(NumberOf(process["memory"]), 15.2, 1e-9);
  EXPECT_EQ(TextOf(process["pod"]), "bert-0");
  EXPECT_EQ(TextOf(process["namespace"]), "ml-team");
  EXPECT_EQ(TextOf(process["container"]), "trainer");
}

TEST_F(LiveExporterTest, AMigInstanceIsARowAndALostGpuIsNone) {
  Start(std::string(kMig) + kBare);
  const auto of_instance = [](const Value& rows) -> const Value* {
    for (const Value& row : rows.elements()) {
      if (row["mig"].is_object()) return &row;
    }
    return nullptr;
  };
  const Value rows = Rows(kMetrics, [&](const Value& all) { return of_instance(all) != nullptr; });
  const Value& instance = *of_instance(rows);
  EXPECT_EQ(TextOf(instance["mig"]["profile"]), "1g.10gb");
  EXPECT_EQ(TextOf(instance["mig"]["uuid"]), "MIG-00000000-0000-0000-0000-00000000000a");
  EXPECT_EQ(NumberOf(instance["memory_used"]), 1);
  EXPECT_EQ(NumberOf(instance["memory_total"]), 10);
  EXPECT_EQ(NumberOf(instance["memory_free"]), 9);

  const auto has_k80 = [](const Value& all) {
    for (const Value& row : all.elements()) {
      if (TextOf(row["gpu_name"]) == "Tesla K80") return true;
    }
    return false;
  };
  Rows(kMetrics, has_k80);
  Act(std::string(kMig) + kBare + "error nvmlDeviceGetUUID 15\n");
  Rows(kMetrics, [&](const Value& all) { return !has_k80(all); });
}

TEST_F(LiveExporterTest, NothingOldIsShownWhileTheDriverHangs) {
  Start(std::string(kFull));
  Rows(kMetrics, AtLeast(1));
  folder_.Write("hang", "");
  Act(std::string(kFull) + "hang nvmlDeviceGetUUID " + folder_.File("hang") + '\n');
  Rows(kMetrics, [](const Value& rows) { return rows.size() == 0; });
  ASSERT_EQ(unlink(folder_.File("hang").c_str()), 0);
  Act(kFull);
  Rows(kMetrics, AtLeast(1));
}

}  // namespace
}  // namespace gpumon::e2e
