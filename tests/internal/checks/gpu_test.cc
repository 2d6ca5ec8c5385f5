#include "internal/checks/gpu.h"

#include <gtest/gtest.h>

#include "internal/checks/gpu_numbers.h"
#include "internal/json/document.h"

namespace gpumon::checks {
namespace {

using models::Quantity;
using nvml::Absence;
using nvml::Absent;

constexpr double kMiB = 1024.0 * 1024.0;

nvml::Process ProcessOf(std::uint32_t pid, std::string name, std::uint64_t mib) {
  nvml::Process process;
  process.pid = pid;
  process.name = std::move(name);
  process.used_memory = mib << 20U;
  return process;
}

// The GPU of the document's example.
GpuLook Example() {
  GpuLook look;
  look.maker = "NVIDIA";
  look.source = "NVML";
  look.software.driver_version = std::string("535.183.01");
  look.software.cuda_version = std::string("12.2");
  nvml::Gpu gpu;
  gpu.name = std::string("NVIDIA GeForce RTX 4090");
  gpu.uuid = std::string("GPU-1");
  gpu.serial = Absent{Absence::kNoPermission, "no permission"};
  gpu.values[Quantity::kMemoryUsed] = 3072 * kMiB;
  gpu.values[Quantity::kMemoryTotal] = 24564 * kMiB;
  gpu.values[Quantity::kUtilization] = 45;
  gpu.values[Quantity::kMemoryUtilization] = 18;
  gpu.values[Quantity::kTemperature] = 65;
  gpu.values[Quantity::kPower] = 180.5;
  gpu.values[Quantity::kPowerLimit] = 450;
  gpu.values[Quantity::kEccCorrectedVolatile] = Absent{Absence::kNotSupported, "not supported"};
  gpu.processes = std::vector<nvml::Process>{ProcessOf(1234, "python", 2048),
                                             ProcessOf(5678, "backend.ai-agent", 1024)};
  look.gpus.push_back({std::move(gpu), Millis(156), WallTime(Millis(1753698600000))});
  return look;
}

Outcome OutcomeWith(Quantity quantity, double value) {
  GpuLook look = Example();
  look.gpus[0].gpu.values[quantity] = value;
  return GpuRows(look).at(0).outcome;
}

TEST(GpuTest, TheDetailedTextIsTheDocuments) {
  EXPECT_EQ(DetailedGpuText(Example()),
            "GPU Summary: NVIDIA GPUs available\n"
            "\n"
            "GPU 0: NVIDIA GeForce RTX 4090\n"
            "  Driver: 535.183.01\n"
            "  CUDA: 12.2\n"
            "  Memory: 3072/24564 MB (12.5%)\n"
            "  Utilization: GPU 45%, Memory 18%\n"
            "  Temperature: 65°C\n"
            "  Power: 180.5W / 450.0W\n"
            "  Processes:\n"
            "    PID 1234: python (2048MB)\n"
            "    PID 5678: backend.ai-agent (1024MB)\n");
}

TEST(GpuTest, TheRowIsTheDocuments) {
  const auto rows = GpuRows(Example());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "NVIDIA GPU 0");
  EXPECT_EQ(rows[0].took, Millis(156));
  EXPECT_EQ(rows[0].outcome.status, Status::kHealthy);
  EXPECT_EQ(rows[0].outcome.details, "RTX 4090 - GPU: 45%, Mem: 12.5%");
  EXPECT_EQ(rows[0].outcome.error, "");
  EXPECT_EQ(rows[0].outcome.hint, "");
}

TEST(GpuTest, AbsentValuesAreNotInvented) {
  GpuLook look;
  look.maker = "NVIDIA";
  nvml::Gpu bare;
  bare.values[Quantity::kTemperature] = 40;
  nvml::Gpu idle = bare;
  idle.index = 1;
  idle.values[Quantity::kMemoryUsed] = 5 * kMiB;
  idle.values[Quantity::kPower] = 20;
  idle.processes = std::vector<nvml::Process>{};
  look.gpus = {{bare, Millis(0), {}}, {idle, Millis(0), {}}};
  EXPECT_EQ(DetailedGpuText(look),
            "GPU Summary: NVIDIA GPUs available\n"
            "\n"
            "GPU 0: N/A\n"
            "  Driver: N/A\n"
            "  CUDA: N/A\n"
            "  Memory: N/A\n"
            "  Utilization: GPU N/A, Memory N/A\n"
            "  Temperature: 40°C\n"
            "  Power: N/A / N/A\n"
            "  Processes: N/A\n"
            "\n"
            "GPU 1: N/A\n"
            "  Driver: N/A\n"
            "  CUDA: N/A\n"
            "  Memory: 5/N/A MB (N/A)\n"
            "  Utilization: GPU N/A, Memory N/A\n"
            "  Temperature: 40°C\n"
            "  Power: 20.0W / N/A\n"
            "  Processes: none\n");
  EXPECT_EQ(GpuRows(look)[1].outcome.details, "GPU - GPU: N/A, Mem: N/A");
  EXPECT_EQ(GpuRows(look)[1].outcome.status, Status::kHealthy);
}

TEST(GpuTest, LimitsAreMetAboveThemOnly) {
  struct Row {
    Quantity quantity;
    double value;
    Status status;
    const char* error;
  };
  for (const Row& row :
       {Row{Quantity::kTemperature, 85, Status::kHealthy, ""},
        Row{Quantity::kTemperature, 86, Status::kDegraded, "temperature 86°C is above 85°C"},
        Row{Quantity::kTemperature, 95, Status::kDegraded, "temperature 95°C is above 85°C"},
        Row{Quantity::kTemperature, 96, Status::kUnhealthy, "temperature 96°C is above 95°C"},
        Row{Quantity::kMemoryUsed, 22107.6 * kMiB, Status::kHealthy, ""},
        Row{Quantity::kMemoryUsed, 23000 * kMiB, Status::kDegraded, "memory 93.6% is above 90%"},
        Row{Quantity::kPower, 427.5, Status::kHealthy, ""},
        Row{Quantity::kPower, 430, Status::kDegraded, "power of its limit 95.6% is above 95%"}}) {
    const Outcome outcome = OutcomeWith(row.quantity, row.value);
    EXPECT_EQ(outcome.status, row.status) << row.value;
    EXPECT_EQ(outcome.error, row.error);
    EXPECT_EQ(outcome.hint.empty(), row.status == Status::kHealthy);
  }
}

TEST(GpuTest, TheWorstOfSeveralCounts) {
  GpuLook look = Example();
  look.gpus[0].gpu.values[Quantity::kTemperature] = 97;
  look.gpus[0].gpu.values[Quantity::kPower] = 449;
  const Outcome outcome = GpuRows(look)[0].outcome;
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.error, "temperature 97°C is above 95°C; power of its limit 99.8% is above 95%");
}

TEST(GpuTest, AGpuThatIsLostIsUnhealthyAndOneThatIsForbiddenUnknown) {
  struct Row {
    Absent why;
    Status status;
  };
  for (const Row& row : {Row{{Absence::kGpuLost, "GPU is lost"}, Status::kUnhealthy},
                         Row{{Absence::kError, "unknown error"}, Status::kUnhealthy},
                         Row{{Absence::kNoPermission, "no permission"}, Status::kUnknown},
                         Row{{Absence::kNotAsked, "there was no time left"}, Status::kUnknown}}) {
    GpuLook look = Example();
    nvml::Gpu other;
    other.index = 1;
    other.unreadable = row.why;
    look.gpus.push_back({other, Millis(1), {}});
    const auto rows = GpuRows(look);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].outcome.status, Status::kHealthy);
    EXPECT_EQ(rows[1].name, "NVIDIA GPU 1");
    EXPECT_EQ(rows[1].outcome.status, row.status);
    EXPECT_EQ(rows[1].outcome.details, "GPU - " + row.why.text);
    EXPECT_NE(DetailedGpuText(look).find("\nGPU 1: N/A\n  Error: " + row.why.text + '\n'),
              std::string::npos);
  }
}

TEST(GpuTest, AGpuOfWhichNothingCanBeReadIsUnknownUnlessItWasLost) {
  GpuLook look = Example();
  nvml::Gpu& gpu = look.gpus[0].gpu;
  gpu.values = {};
  gpu.values[Quantity::kTemperature] = Absent{Absence::kNotSupported, "not supported"};
  EXPECT_EQ(GpuRows(look)[0].outcome.status, Status::kUnknown);
  gpu.values[Quantity::kTemperature] = Absent{Absence::kGpuLost, "GPU is lost"};
  EXPECT_EQ(GpuRows(look)[0].outcome.status, Status::kUnhealthy);
  EXPECT_EQ(GpuRows(look)[0].outcome.details, "RTX 4090 - GPU is lost");
}

TEST(GpuTest, MachinesGetEveryFieldAndWhyItIsNull) {
  const auto extra = json::ParseDocument(GpuRows(Example())[0].outcome.extra);
  ASSERT_TRUE(extra) << extra.error().message;
  EXPECT_EQ((*extra)["gpu_index"].AsInteger(), 0);
  EXPECT_EQ(*(*extra)["gpu_name"].AsString(), "NVIDIA GeForce RTX 4090");
  EXPECT_EQ(*(*extra)["source"].AsString(), "NVML");
  EXPECT_EQ((*extra)["memory_used"].AsDouble(), 3);
  EXPECT_EQ((*extra)["memory_used_bytes"].AsDouble(), 3221225472);
  EXPECT_EQ((*extra)["temperature"].AsDouble(), 65);
  EXPECT_NEAR(*(*extra)["utilization_per_watt"].AsDouble(), 45 / 180.5, 1e-9);
  EXPECT_TRUE((*extra)["serial"].is_null());
  EXPECT_EQ(*(*extra)["null_reasons"]["serial"].AsString(), "no_permission");
  ASSERT_NE(extra->Find("ecc_corrected_volatile"), nullptr);
  EXPECT_TRUE((*extra)["ecc_corrected_volatile"].is_null());
  EXPECT_EQ(*(*extra)["null_reasons"]["ecc_corrected_volatile"].AsString(), "not_supported");
  EXPECT_EQ(extra->Find("tensor_active"), nullptr);
  EXPECT_EQ((*extra)["processes"][1]["pid"].AsInteger(), 5678);
  EXPECT_EQ(*(*extra)["processes"][1]["process_name"].AsString(), "backend.ai-agent");
}

TEST(GpuTest, WithoutPowerThereIsNoUtilizationPerWatt) {
  GpuLook look = Example();
  look.gpus[0].gpu.values[Quantity::kPower] = 0;
  const auto extra = json::ParseDocument(GpuRows(look)[0].outcome.extra);
  ASSERT_NE(extra->Find("utilization_per_watt"), nullptr);
  EXPECT_TRUE((*extra)["utilization_per_watt"].is_null());
}

TEST(GpuTest, MigInstancesStandBelowTheirGpu) {
  GpuLook look = Example();
  nvml::Gpu& gpu = look.gpus[0].gpu;
  gpu.mig_mode = true;
  nvml::MigInstance instance;
  instance.index = 3;
  instance.profile = "1g.5gb";
  instance.uuid = std::string("MIG-1");
  instance.values[Quantity::kMemoryUsed] = 13 * kMiB;
  instance.values[Quantity::kMemoryTotal] = 4864 * kMiB;
  gpu.mig_instances.push_back(instance);
  EXPECT_NE(DetailedGpuText(look).find("  MIG: 1 instances\n    MIG 3: 1g.5gb, 13/4864 MB (0.3%)"),
            std::string::npos);
  const auto extra = json::ParseDocument(GpuRows(look)[0].outcome.extra);
  EXPECT_EQ((*extra)["mig_mode"].AsBool(), true);
  EXPECT_EQ(*(*extra)["mig_instances"][0]["profile"].AsString(), "1g.5gb");
}

TEST(GpuTest, NoGpuIsUnknownWithTheDocumentsWordsAndHint) {
  GpuLook look;
  look.error = gpumon::Status{Code::kNotFound, "nvidia-smi is not in PATH"};
  const auto rows = GpuRows(look);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "GPU Hardware");
  EXPECT_EQ(rows[0].outcome.status, Status::kUnknown);
  EXPECT_EQ(rows[0].outcome.details, "No supported GPU hardware detected");
  EXPECT_EQ(rows[0].outcome.error, "nvidia-smi is not in PATH");
  EXPECT_NE(rows[0].outcome.hint.find("install NVIDIA drivers and nvidia-smi"), std::string::npos);
  EXPECT_EQ(DetailedGpuText(look), "GPU Summary: No supported GPU hardware detected\n");
}

TEST(GpuTest, ADriverThatDoesNotWorkIsUnhealthy) {
  GpuLook look;
  look.error = gpumon::Status{Code::kUnavailable, "NVML does not start: mismatch; reboot"};
  const auto rows = GpuRows(look);
  EXPECT_EQ(rows[0].outcome.status, Status::kUnhealthy);
  EXPECT_EQ(rows[0].outcome.details, "NVML does not start: mismatch; reboot");
  EXPECT_EQ(DetailedGpuText(look), "GPU Summary: NVML does not start: mismatch; reboot\n");
  look.error->code = Code::kForbidden;
  EXPECT_EQ(GpuRows(look)[0].outcome.status, Status::kUnknown);
}

TEST(GpuTest, NamesLoseTheirMakersWords) {
  EXPECT_EQ(ShortName("NVIDIA GeForce RTX 4090"), "RTX 4090");
  EXPECT_EQ(ShortName("NVIDIA H100 80GB HBM3"), "H100 80GB HBM3");
  EXPECT_EQ(ShortName("Tesla V100"), "Tesla V100");
  EXPECT_EQ(ShortName("Apple M2 Max"), "Apple M2 Max");
}

}  // namespace
}  // namespace gpumon::checks
