#include "internal/checks/gpu_look.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "internal/checks/gpu.h"
#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/nvml/smi_script.h"
#include "tests/fakes/nvml/stage.h"

namespace gpumon::checks {
namespace {

using fake_nvml::kRtx4090;
using fake_nvml::SmiScript;
using fake_nvml::Stage;

constexpr const char* kSystem =
    "driver 535.183.01\ncuda 12020\ncommand 1234 python\ncommand 5678 backend.ai-agent\n";
constexpr const char* kSmiGpu =
    "--query-gpu=*) echo '0, 535.183.01, Disabled, NVIDIA L40S, GPU-9, 0, 1, 45, 18, 46068, 3072, "
    "1, 1, 65, N/A, 180.50, 350.00, 350.00, 1, 1, 1, 1, 1, 1, P0, 30, 0x0, 0, 0, 0, 0' ;;\n";

class GpuLookTest : public ::testing::Test {
 protected:
  GpuLookTest() {
    // Nothing of the machine that runs the tests.
    options_.nvml_library = "/no/such/libnvidia-ml.so.1";
    options_.nvidia_smi = "/no/such/nvidia-smi";
    options_.mac.system_profiler = "/no/such/system_profiler";
  }

  GpuLook Look(Millis limit = Millis(30'000)) {
    return LookAtGpus(options_, clock_, Deadline::After(clock_, limit));
  }

  const SystemClock clock_{};
  GpuOptions options_;
};

TEST_F(GpuLookTest, NvmlGivesTheDocumentsBlock) {
  const Stage stage(std::string(kSystem) + kRtx4090 +
                    "compute 1234 2147483648\ncompute 5678 1073741824\n");
  options_.nvml_library = fake_nvml::kLibrary;
  const auto details = std::make_shared<GpuDetails>();
  EXPECT_EQ(details->Get(), "");
  const auto rows =
      MakeGpuProbe(options_, details)(clock_, Deadline::After(clock_, Millis(30'000)));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "NVIDIA GPU 0");
  EXPECT_EQ(rows[0].outcome.details, "RTX 4090 - GPU: 45%, Mem: 12.5%");
  EXPECT_EQ(details->Get(),
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

TEST_F(GpuLookTest, EachGpuIsARow) {
  const Stage stage(std::string(kRtx4090) + kRtx4090 +
                    "gpu\nerror nvmlDeviceGetHandleByIndex_v2 15\n");
  options_.nvml_library = fake_nvml::kLibrary;
  const auto rows = GpuRows(Look());
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].name, "NVIDIA GPU 1");
  EXPECT_EQ(rows[1].outcome.status, Status::kHealthy);
  EXPECT_EQ(rows[2].outcome.status, Status::kUnhealthy);
  EXPECT_EQ(rows[2].outcome.details, "GPU - GPU is lost");
}

TEST_F(GpuLookTest, NvidiaSmiIsAskedWhereNvmlCannotBeLoaded) {
  const SmiScript smi(kSmiGpu);
  options_.nvidia_smi = smi.path();
  const GpuLook look = Look();
  EXPECT_EQ(look.source, "nvidia-smi");
  EXPECT_EQ(look.maker, "NVIDIA");
  EXPECT_FALSE(look.error);
  EXPECT_EQ(GpuRows(look)[0].outcome.details, "L40S - GPU: 45%, Mem: 6.7%");
  EXPECT_NE(look.steps.at(0).find("is not installed"), std::string::npos);
}

TEST_F(GpuLookTest, NvidiaSmiIsNotAskedWhereNvmlAnswers) {
  const Stage stage(kRtx4090);
  const SmiScript smi(kSmiGpu);
  options_.nvml_library = fake_nvml::kLibrary;
  options_.nvidia_smi = smi.path();
  EXPECT_EQ(Look().source, "NVML");
  EXPECT_EQ(smi.Calls(), "");
}

TEST_F(GpuLookTest, NvidiaSmiIsFoundInPath) {
  const SmiScript smi(kSmiGpu);
  const std::string before = std::getenv("PATH");
  setenv("PATH", (smi.folder() + ':' + before).c_str(), 1);
  options_.nvidia_smi = GpuOptions().nvidia_smi;
  const GpuLook look = Look();
  setenv("PATH", before.c_str(), 1);
  EXPECT_EQ(look.source, "nvidia-smi");
}

TEST_F(GpuLookTest, WithNeitherThereIsNoHardware) {
  const GpuLook look = Look();
  ASSERT_TRUE(look.error);
  EXPECT_EQ(look.error->code, Code::kNotFound);
  EXPECT_EQ(look.error->message,
            "NVML: /no/such/libnvidia-ml.so.1 is not installed; install the NVIDIA driver; "
            "/no/such/nvidia-smi is not there");
  EXPECT_EQ(GpuRows(look)[0].outcome.details, "No supported GPU hardware detected");
}

TEST_F(GpuLookTest, ADriverOfAnotherVersionIsNotMissingHardware) {
  const Stage stage("error nvmlInit_v2 18\n");
  options_.nvml_library = fake_nvml::kLibrary;
  const GpuLook look = Look();
  ASSERT_TRUE(look.error);
  EXPECT_EQ(look.error->code, Code::kUnavailable);
  EXPECT_NE(look.error->message.find("driver/library version mismatch"), std::string::npos);
  EXPECT_EQ(GpuRows(look)[0].outcome.status, Status::kUnhealthy);
}

TEST_F(GpuLookTest, ABrokenDriverThatOnlyNvidiaSmiMeetsIsSaid) {
  const SmiScript smi("*) exit 18 ;;\n");
  options_.nvidia_smi = smi.path();
  EXPECT_EQ(Look().error->code, Code::kUnavailable);
}

TEST_F(GpuLookTest, NvmlWithoutAGpuIsNoHardware) {
  const Stage stage(kSystem);
  options_.nvml_library = fake_nvml::kLibrary;
  EXPECT_EQ(Look().error->code, Code::kNotFound);
}

TEST_F(GpuLookTest, WhatThereIsNoTimeForIsUnknown) {
  const Stage stage(kRtx4090);
  options_.nvml_library = fake_nvml::kLibrary;
  const FakeClock clock;
  const GpuLook look = LookAtGpus(options_, clock, Deadline(clock.Steady()));
  ASSERT_EQ(look.gpus.size(), 1U);
  const auto rows = GpuRows(look);
  EXPECT_EQ(rows[0].outcome.status, Status::kUnknown);
  EXPECT_EQ(rows[0].outcome.details, "GPU - there was no time left");
}

TEST_F(GpuLookTest, AllSmiIsAskedAloneWhereItIsNamed) {
  const Stage stage(kRtx4090);
  options_.nvml_library = fake_nvml::kLibrary;
  fault::FaultServer server([](const fault::Request&) {
    return fault::HttpStatus(
        200, "all_smi_gpu_utilization{gpu=\"Apple M2 Max\",gpu_uuid=\"a\",gpu_index=\"0\"} 25.5\n",
        "text/plain");
  });
  options_.all_smi_url = server.url();
  const GpuLook look = Look();
  EXPECT_EQ(look.source, "all-smi");
  const auto rows = GpuRows(look);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "Apple GPU 0");
  EXPECT_EQ(rows[0].outcome.details, "Apple M2 Max - GPU: 25.5%, Mem: N/A");
  EXPECT_EQ(DetailedGpuText(look),
            "GPU Summary: Apple Silicon GPUs available\n"
            "\n"
            "GPU 0: Apple M2 Max\n"
            "  Driver: N/A\n"
            "  Memory: N/A\n"
            "  Utilization: GPU 25.5%, Memory N/A\n"
            "  Temperature: N/A\n"
            "  Power: N/A / N/A\n"
            "  Processes: N/A\n");
}

TEST_F(GpuLookTest, GpusOfSeveralHostsAreNamedWithTheirs) {
  fault::FaultServer server([](const fault::Request&) {
    return fault::HttpStatus(
        200,
        "all_smi_gpu_info{gpu=\"NVIDIA H100\",instance=\"h1\",gpu_uuid=\"g\",gpu_index=\"0\","
        "driver_version=\"570.1\",cuda_version=\"12.8\"} 1\n"
        "all_smi_gpu_utilization{gpu=\"NVIDIA H100\",instance=\"h1\",gpu_uuid=\"g\","
        "gpu_index=\"0\"} 45\n"
        "all_smi_gpu_utilization{gpu=\"Apple M2\",instance=\"mac\",uuid=\"A\",index=\"0\"} 12\n",
        "text/plain");
  });
  options_.all_smi_url = server.url();
  const GpuLook look = Look();
  const auto rows = GpuRows(look);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].name, "NVIDIA GPU 0 of h1");
  EXPECT_EQ(rows[1].name, "Apple GPU 0 of mac");
  EXPECT_NE(rows[0].outcome.extra.find("\"driver_version\":\"570.1\""), std::string::npos);
  EXPECT_NE(rows[1].outcome.extra.find("\"driver_version\":null"), std::string::npos);
  const std::string text = DetailedGpuText(look);
  EXPECT_TRUE(text.starts_with("GPU Summary: GPUs available\n")) << text;
  EXPECT_NE(text.find("\nGPU 0 of h1: NVIDIA H100\n  Driver: 570.1\n  CUDA: 12.8\n"),
            std::string::npos);
  EXPECT_NE(text.find("\nGPU 0 of mac: Apple M2\n  Driver: N/A\n  Memory"), std::string::npos);
}

TEST_F(GpuLookTest, AnNvidiaSmiThatDoesNotReachItsDriverIsUnhealthy) {
  const SmiScript smi(
      "*) echo \"NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\"; "
      "exit 9 ;;\n");
  options_.nvidia_smi = smi.path();
  const auto rows = GpuRows(Look());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].outcome.status, Status::kUnhealthy);
  EXPECT_NE(rows[0].outcome.details.find("it cannot communicate with the NVIDIA driver"),
            std::string::npos);
}

TEST_F(GpuLookTest, AnAllSmiThatIsNotThereIsUnhealthy) {
  options_.all_smi_url = fault::RefusingUrl();
  const auto rows = GpuRows(Look());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "GPU Hardware");
  EXPECT_EQ(rows[0].outcome.status, Status::kUnhealthy);
  EXPECT_EQ(rows[0].outcome.details,
            "all-smi at " + options_.all_smi_url + "/metrics: Connection refused");
  EXPECT_NE(rows[0].outcome.hint.find("all-smi api"), std::string::npos);
}

TEST_F(GpuLookTest, WhoDoesNotAnswerInTimeIsUnhealthyWithANextStep) {
  const SmiScript smi("*) sleep 60 ;;\n");
  options_.nvidia_smi = smi.path();
  auto rows = GpuRows(Look(Millis(300)));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].outcome.status, Status::kUnhealthy);
  EXPECT_NE(rows[0].outcome.details.find("did not end in time"), std::string::npos);
  EXPECT_NE(rows[0].outcome.hint.find("the driver hangs"), std::string::npos);

  fault::FaultServer silent;
  silent.SetReply(fault::Broken(fault::Reply::Fault::kHang));
  options_.all_smi_url = silent.url();
  rows = GpuRows(Look(Millis(300)));
  EXPECT_EQ(rows[0].outcome.status, Status::kUnhealthy);
  EXPECT_EQ(rows[0].outcome.details,
            "all-smi at " + silent.url() + "/metrics: No answer within 1 s");
  EXPECT_NE(rows[0].outcome.hint.find("all-smi hangs"), std::string::npos);
  EXPECT_EQ(rows[0].outcome.steps.size(), 1U);
}

TEST_F(GpuLookTest, OnMacosItsOwnProgramsAreAsked) {
  const process::ScratchDirectory folder;
  options_.mac.system_profiler =
      folder.Write("system_profiler",
                   "#!/bin/sh\necho '{\"SPDisplaysDataType\":[{\"sppci_model\":\"Apple M1\"}]}'\n");
  chmod(options_.mac.system_profiler.c_str(), 0700);
  options_.mac.ioreg = folder.Write(
      "ioreg", "#!/bin/sh\necho '\"PerformanceStatistics\" = {\"Device Utilization %\"=16}'\n");
  chmod(options_.mac.ioreg.c_str(), 0700);
  const GpuLook look = Look();
  EXPECT_EQ(look.source, "macOS");
  const auto rows = GpuRows(look);
  EXPECT_EQ(rows[0].name, "Apple GPU 0");
  EXPECT_EQ(rows[0].outcome.details, "Apple M1 - GPU: 16%, Mem: N/A");
  EXPECT_EQ(rows[0].outcome.status, Status::kHealthy);
}

}  // namespace
}  // namespace gpumon::checks
