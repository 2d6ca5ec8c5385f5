#include "internal/checks/mac_gpu.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/fakes/process/wait.h"

// The texts are put together after what is published of these programs' output.
namespace gpumon::checks {
namespace {

using models::Quantity;

constexpr const char* kDisplays = R"({"SPDisplaysDataType":[
 {"_name":"Apple M2 Max","spdisplays_mtlgpufamilysupport":"spdisplays_metal3",
  "spdisplays_ndrvs":[{"_name":"Color LCD"}],"spdisplays_vendor":"sppci_vendor_Apple",
  "sppci_bus":"spdisplays_builtin","sppci_cores":"38","sppci_device_type":"spdisplays_gpu",
  "sppci_model":"Apple M2 Max"},
 {"sppci_device_type":"spdisplays_display","_name":"Apple Display"},
 {"_name":"Radeon","sppci_model":"AMD Radeon","spdisplays_vendor":"sppci_vendor_amd",
  "sppci_device_type":"spdisplays_gpu"}]})";

constexpr const char* kAccelerator =
    R"text(+-o AGXAcceleratorG14X  <class AGXAcceleratorG14X, id 0x1000004f5, registered, matched>
    {
      "IOReportLegend" = ({"IOReportChannels"=((1,2,"In use system memory"))})
      "model" = "Apple M2 Max"
      "PerformanceStatistics" = {"In use system memory (driver)"=5,"Alloc system memory"=9000,"Tiler Utilization %"=10,"recoveryCount"=0,"Renderer Utilization %"=11,"Device Utilization %"=16,"In use system memory"=2363801600}
      "gpu-core-count" = 38
    }
)text";

constexpr const char* kPower = R"(Machine model: Mac14,6
*** Sampled system activity (Mon Jul 28 10:30:00 2025 +0000) (503.12ms elapsed) ***

**** GPU usage ****

GPU HW active frequency: 444 MHz
GPU HW active residency:  20.50% (444 MHz:  20% 612 MHz:   0%)
GPU SW requested state: (P1 : 100%)
GPU idle residency:  79.50%
GPU Power: 1234 mW
)";

TEST(MacGpuTest, TheGpusThatAppleMadeAreListed) {
  const auto gpus = ReadSystemProfiler(kDisplays);
  ASSERT_TRUE(gpus) << gpus.error().message;
  ASSERT_EQ(gpus->size(), 1U);
  EXPECT_EQ(*(*gpus)[0].name, "Apple M2 Max");
}

TEST(MacGpuTest, WhatIsNoListOfDisplaysIsSaidToBeNone) {
  for (const char* const text : {"", "{}", "[]", "<plist>", R"({"SPDisplaysDataType":null})"}) {
    EXPECT_EQ(ReadSystemProfiler(text).error().code, Code::kUpstreamInvalid) << text;
  }
  EXPECT_EQ(ReadSystemProfiler(R"({"SPDisplaysDataType":[null,7,{}]})").error().code,
            Code::kNotFound);
}

TEST(MacGpuTest, TheRegistryTellsUtilizationAndMemory) {
  std::vector<nvml::Gpu> gpus(1);
  ReadIoreg(kAccelerator, gpus);
  EXPECT_EQ(*gpus[0].values[Quantity::kUtilization], 16);
  EXPECT_EQ(*gpus[0].values[Quantity::kMemoryUsed], 2363801600);
  EXPECT_FALSE(gpus[0].values[Quantity::kTemperature]);
}

TEST(MacGpuTest, ARegistryThatCannotBeMatchedGivesNothing) {
  std::vector<nvml::Gpu> gpus(1);
  ReadIoreg(std::string(kAccelerator) + kAccelerator, gpus);
  EXPECT_FALSE(gpus[0].values[Quantity::kUtilization]);
  ReadIoreg("", gpus);
  ReadIoreg("\"PerformanceStatistics\" = {\"Device Utilization %\"=101", gpus);
  ReadIoreg("\"PerformanceStatistics\" = {\"Device Utilization %\"=x}", gpus);
  EXPECT_FALSE(gpus[0].values[Quantity::kUtilization]);
}

TEST(MacGpuTest, PowerIsInWattsAndFillsWhatTheRegistryLacks) {
  std::vector<nvml::Gpu> gpus(1);
  ReadPowermetrics(kPower, gpus);
  EXPECT_DOUBLE_EQ(*gpus[0].values[Quantity::kPower], 1.234);
  EXPECT_EQ(*gpus[0].graphics_clock, 444);
  EXPECT_EQ(*gpus[0].values[Quantity::kUtilization], 20.5);
  gpus[0].values[Quantity::kUtilization] = 16;
  ReadPowermetrics(kPower, gpus);
  EXPECT_EQ(*gpus[0].values[Quantity::kUtilization], 16);
  std::vector<nvml::Gpu> two(2);
  ReadPowermetrics(kPower, two);
  EXPECT_FALSE(two[0].values[Quantity::kPower]);
}

TEST(MacGpuTest, TheMemorySizeIsANumberOfBytes) {
  EXPECT_EQ(ReadMemorySize("34359738368\n"), 34359738368);
  EXPECT_FALSE(ReadMemorySize("sysctl: unknown oid"));
  EXPECT_FALSE(ReadMemorySize("0"));
}

class MacToolsTest : public ::testing::Test {
 protected:
  std::string Tool(const std::string& name, const std::string& text) {
    const std::string path = folder_.Write(name, "#!/bin/sh\ncat <<'END'\n" + text + "\nEND\n");
    chmod(path.c_str(), 0700);
    return path;
  }
  Result<std::vector<nvml::Gpu>> Ask(const MacTools& tools) {
    return AskMac(tools, clock_, Deadline::After(clock_, Millis(30'000)), steps_);
  }

  const SystemClock clock_{};
  const process::ScratchDirectory folder_{};
  std::vector<std::string> steps_;
};

TEST_F(MacToolsTest, EachProgramAddsWhatItKnows) {
  const MacTools tools{Tool("system_profiler", kDisplays), Tool("ioreg", kAccelerator),
                       Tool("sysctl", "34359738368"), Tool("powermetrics", kPower), true};
  const auto gpus = Ask(tools);
  ASSERT_TRUE(gpus) << gpus.error().message;
  const nvml::Readings& values = gpus->at(0).values;
  EXPECT_EQ(*values[Quantity::kUtilization], 16);
  EXPECT_EQ(*values[Quantity::kMemoryTotal], 34359738368);
  EXPECT_DOUBLE_EQ(*values[Quantity::kPower], 1.234);
}

TEST_F(MacToolsTest, WithoutRootPowerIsUnknownAndTheStepsSayWhy) {
  const MacTools tools{Tool("system_profiler", kDisplays), Tool("ioreg", kAccelerator),
                       "/no/sysctl", Tool("powermetrics", kPower), false};
  const auto gpus = Ask(tools);
  ASSERT_TRUE(gpus) << gpus.error().message;
  EXPECT_FALSE(gpus->at(0).values[Quantity::kPower]);
  EXPECT_FALSE(gpus->at(0).values[Quantity::kMemoryTotal]);
  EXPECT_NE(steps_.back().find("it needs root: power is unknown"), std::string::npos);
}

}  // namespace
}  // namespace gpumon::checks
