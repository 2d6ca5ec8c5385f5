#include "internal/nvml/library.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "internal/nvml/process_name.h"
#include "tests/fakes/nvml/stage.h"

namespace gpumon::nvml {
namespace {

using fake_nvml::kRtx4090;
using fake_nvml::Stage;
using models::Quantity;

constexpr const char* kSystem = "driver 535.183.01\nnvml 12.535.183.01\ncuda 12020\n";

// The only GPU of `script`.
Gpu ReadOne(const std::string& script, const char* library = fake_nvml::kLibrary) {
  const Stage stage(script);
  const auto nvml = Library::Open(library);
  if (!nvml) {
    ADD_FAILURE() << nvml.error().message;
    return {};
  }
  EXPECT_EQ((*nvml)->Count(), 1U);
  return (*nvml)->Read(0);
}

Status FailToOpen(const std::string& script, const char* library = fake_nvml::kLibrary) {
  const Stage stage(script);
  const auto nvml = Library::Open(library);
  return nvml ? Status{Code::kOk, "opened"} : nvml.error();
}

TEST(LibraryTest, AllThatAGpuTellsIsRead) {
  const Gpu gpu = ReadOne(std::string(kSystem) + kRtx4090 +
                          "serial 1320524012345\nenergy 5000\nmanagement_limit 500000\n"
                          "corrected 1 2\nuncorrected 3 4\nrows 5 6 1 0\n");
  EXPECT_FALSE(gpu.unreadable);
  EXPECT_EQ(*gpu.name, "NVIDIA GeForce RTX 4090");
  EXPECT_EQ(*gpu.uuid, "GPU-11111111-2222-3333-4444-555555555555");
  EXPECT_EQ(*gpu.pci_bus_id, "00000000:41:00.0");
  EXPECT_EQ(*gpu.serial, "1320524012345");
  const std::vector<std::pair<Quantity, double>> expected = {
      {Quantity::kUtilization, 45},
      {Quantity::kMemoryUtilization, 18},
      {Quantity::kMemoryTotal, 25757220864},
      {Quantity::kMemoryReserved, 402653184},
      {Quantity::kMemoryFree, 22133342208},
      {Quantity::kMemoryUsed, 3221225472},
      {Quantity::kTemperature, 65},
      {Quantity::kPower, 180.5},
      {Quantity::kPowerLimit, 450},
      {Quantity::kEnergy, 5},
      {Quantity::kSmClock, 2520},
      {Quantity::kSmClockMax, 3105},
      {Quantity::kMemoryClock, 10501},
      {Quantity::kPstate, 2},
      {Quantity::kFan, 30},
      {Quantity::kThrottleReasons, 0},
      {Quantity::kEccCorrectedVolatile, 1},
      {Quantity::kEccCorrectedAggregate, 2},
      {Quantity::kEccUncorrectedVolatile, 3},
      {Quantity::kEccUncorrectedAggregate, 4},
      {Quantity::kRowRemapCorrectable, 5},
      {Quantity::kRowRemapUncorrectable, 6},
      {Quantity::kRowRemapPending, 1},
      {Quantity::kRowRemapFailure, 0}};
  for (const auto& [quantity, value] : expected) {
    ASSERT_TRUE(gpu.values[quantity]) << static_cast<int>(quantity);
    EXPECT_DOUBLE_EQ(*gpu.values[quantity], value) << static_cast<int>(quantity);
  }
  EXPECT_EQ(*gpu.graphics_clock, 2520);
  EXPECT_EQ(*gpu.graphics_clock_max, 3105);
  EXPECT_EQ(*gpu.memory_clock_max, 10501);
  EXPECT_EQ(gpu.mig_mode.absent().why, Absence::kNotSupported);
  ASSERT_TRUE(gpu.processes);
  EXPECT_TRUE(gpu.processes->empty());
  EXPECT_EQ(gpu.values[Quantity::kTensorActive].absent().why, Absence::kNotAsked);
}

TEST(LibraryTest, TheVersionsOfTheSystemAreRead) {
  const Stage stage(kSystem);
  const auto nvml = Library::Open(fake_nvml::kLibrary);
  ASSERT_TRUE(nvml);
  const Software software = (*nvml)->ReadSoftware();
  EXPECT_EQ(*software.driver_version, "535.183.01");
  EXPECT_EQ(*software.cuda_version, "12.2");
  EXPECT_EQ(*software.nvml_version, "12.535.183.01");
  EXPECT_EQ((*nvml)->Count(), 0U);
}

TEST(LibraryTest, TheLibraryMayBeNamedByAVariable) {
  const Stage stage(kRtx4090);
  setenv(kLibraryVariable, fake_nvml::kLibrary, 1);
  const auto nvml = Library::Open();
  unsetenv(kLibraryVariable);
  ASSERT_TRUE(nvml) << nvml.error().message;
  EXPECT_EQ((*nvml)->Count(), 1U);
}

TEST(LibraryTest, ProcessesOfBothKindsAreListedOnceEach) {
  const Gpu gpu =
      ReadOne(std::string(kSystem) + "command 1234 /usr/bin/python train.py --key=x\n" + kRtx4090 +
              "compute 1234 2147483648\ncompute 7 -\n"
              "graphics 1234 2147483648\ngraphics 99 1048576 1 0\n");
  ASSERT_TRUE(gpu.processes);
  ASSERT_EQ(gpu.processes->size(), 3U);
  const Process& both = (*gpu.processes)[0];
  EXPECT_EQ(both.pid, 1234U);
  EXPECT_EQ(both.name, "python");
  EXPECT_EQ(*both.used_memory, 2147483648U);
  EXPECT_TRUE(both.compute && both.graphics);
  EXPECT_FALSE(both.gpu_instance);
  const Process& unknown = (*gpu.processes)[1];
  EXPECT_EQ(unknown.name, "");
  EXPECT_FALSE(unknown.used_memory);
  EXPECT_EQ(unknown.used_memory.absent().why, Absence::kNotSupported);
  EXPECT_FALSE(unknown.graphics);
  EXPECT_EQ((*gpu.processes)[2].gpu_instance, 1U);
  EXPECT_EQ((*gpu.processes)[2].compute_instance, 0U);
}

TEST(LibraryTest, TheOddProcessListOfSomeDriversIsPassedOver) {
  const Gpu gpu = ReadOne("driver 535.54.03\n" + std::string(kRtx4090) +
                          "compute 11 1048576\ncompute 12 2097152\n");
  ASSERT_TRUE(gpu.processes);
  ASSERT_EQ(gpu.processes->size(), 2U);
  EXPECT_EQ((*gpu.processes)[1].pid, 12U);
  EXPECT_EQ(*(*gpu.processes)[1].used_memory, 2097152U);
}

TEST(LibraryTest, ManyProcessesFit) {
  std::string script = kRtx4090;
  for (int i = 1; i <= 500; ++i) script += "compute " + std::to_string(i) + " 1\n";
  EXPECT_EQ(ReadOne(script).processes->size(), 500U);
}

TEST(LibraryTest, MigInstancesAreListedWithTheirMemory) {
  const Gpu gpu = ReadOne(
      "gpu\nname NVIDIA A100-SXM4-40GB\nmig 1\n"
      "instance 7 0 5100273664 13631488 MIG-aaa NVIDIA A100-SXM4-40GB MIG 1g.5gb\n"
      "instance 2 0 21000000000 0 MIG-bbb NVIDIA A100-SXM4-40GB MIG 3g.20gb\n");
  EXPECT_TRUE(*gpu.mig_mode);
  ASSERT_EQ(gpu.mig_instances.size(), 2U);
  const MigInstance& first = gpu.mig_instances[0];
  EXPECT_EQ(*first.uuid, "MIG-aaa");
  EXPECT_EQ(first.profile, "1g.5gb");
  EXPECT_EQ(first.gpu_instance, 7U);
  EXPECT_EQ(first.compute_instance, 0U);
  EXPECT_EQ(*first.values[Quantity::kMemoryTotal], 5100273664);
  EXPECT_EQ(*first.values[Quantity::kMemoryUsed], 13631488);
  EXPECT_EQ(gpu.mig_instances[1].index, 1U);
  EXPECT_FALSE(gpu.values[Quantity::kUtilization]);
}

TEST(LibraryTest, AGpuWithoutMigHasNoInstances) {
  const Gpu gpu = ReadOne("gpu\nmig 0\ninstance 7 0 1 0 MIG-aaa x MIG 1g.5gb\n");
  ASSERT_TRUE(gpu.mig_mode);
  EXPECT_FALSE(*gpu.mig_mode);
  EXPECT_TRUE(gpu.mig_instances.empty());
}

TEST(LibraryTest, AnOldDriverIsReadByItsOldFunctions) {
  const Gpu gpu = ReadOne(
      "driver 304.88\n" + std::string(kRtx4090) + "management_limit 400000\ncompute 5 1048576\n",
      fake_nvml::kOldLibrary);
  EXPECT_EQ(*gpu.pci_bus_id, "00000000:41:00.0");
  EXPECT_EQ(*gpu.values[Quantity::kMemoryUsed], 3221225472);
  EXPECT_EQ(*gpu.values[Quantity::kMemoryTotal], 25757220864);
  EXPECT_EQ(gpu.values[Quantity::kMemoryReserved].absent().text, "the driver has no such function");
  EXPECT_EQ(*gpu.values[Quantity::kPowerLimit], 400);
  EXPECT_EQ(*gpu.values[Quantity::kThrottleReasons], 0);
  EXPECT_EQ(gpu.values[Quantity::kEnergy].absent().why, Absence::kNotSupported);
  EXPECT_EQ(gpu.values[Quantity::kRowRemapPending].absent().why, Absence::kNotSupported);
  ASSERT_TRUE(gpu.processes);
  EXPECT_EQ((*gpu.processes)[0].pid, 5U);
  EXPECT_EQ(*(*gpu.processes)[0].used_memory, 1048576U);
}

TEST(LibraryTest, AFunctionThatTheDriverDoesNotKnowIsFollowedByTheOlderOne) {
  const Gpu gpu = ReadOne(std::string(kRtx4090) +
                          "compute 5 1048576\nmanagement_limit 300000\n"
                          "error nvmlDeviceGetMemoryInfo_v2 25\n"
                          "error nvmlDeviceGetComputeRunningProcesses_v3 13\n"
                          "error nvmlDeviceGetPciInfo_v3 13\n"
                          "error nvmlDeviceGetEnforcedPowerLimit 3\n"
                          "error nvmlDeviceGetCurrentClocksEventReasons 13\n"
                          "error nvmlDeviceGetTemperature 26\n");
  EXPECT_EQ(*gpu.values[Quantity::kMemoryTotal], 25757220864);
  EXPECT_EQ(gpu.processes->size(), 1U);
  EXPECT_EQ(*gpu.pci_bus_id, "00000000:41:00.0");
  EXPECT_EQ(*gpu.values[Quantity::kPowerLimit], 300);
  EXPECT_EQ(*gpu.values[Quantity::kThrottleReasons], 0);
  EXPECT_EQ(*gpu.values[Quantity::kTemperature], 65);
}

TEST(LibraryTest, ALibraryWithNothingButAStartHasOnlyAbsentValues) {
  const Gpu gpu = ReadOne(kRtx4090, fake_nvml::kBareLibrary);
  EXPECT_FALSE(gpu.unreadable);
  EXPECT_EQ(gpu.name.absent().why, Absence::kNotSupported);
  EXPECT_EQ(gpu.values[Quantity::kTemperature].absent().text, "the driver has no such function");
  EXPECT_FALSE(gpu.processes);
}

TEST(LibraryTest, AllOnesAreNoValue) {
  const Gpu gpu = ReadOne("gpu\npower 4294967295\nenergy 18446744073709551615\npstate 32\n");
  EXPECT_EQ(gpu.values[Quantity::kPower].absent().why, Absence::kNotSupported);
  EXPECT_EQ(gpu.values[Quantity::kEnergy].absent().why, Absence::kNotSupported);
  EXPECT_EQ(gpu.values[Quantity::kPstate].absent().why, Absence::kNotSupported);
}

TEST(LibraryTest, ALostGpuSaysSoAndTheOthersAreRead) {
  const Stage stage(std::string("gpu\nerror nvmlDeviceGetHandleByIndex_v2 15\n") + kRtx4090);
  const auto nvml = Library::Open(fake_nvml::kLibrary);
  ASSERT_TRUE(nvml);
  EXPECT_EQ((*nvml)->Count(), 2U);
  const Gpu lost = (*nvml)->Read(0);
  ASSERT_TRUE(lost.unreadable);
  EXPECT_EQ(lost.unreadable->why, Absence::kGpuLost);
  EXPECT_EQ(lost.unreadable->text, "GPU is lost");
  EXPECT_FALSE((*nvml)->Read(1).unreadable);
  EXPECT_EQ((*nvml)->Read(2).unreadable->text, "invalid argument");
}

TEST(LibraryTest, WhatFieldsTellIsRead) {
  const Gpu gpu = ReadOne(std::string(kRtx4090) +
                          "encoder 7\ndecoder 9\nreplays 3\nfield 82 71\nfield 91 18\n"
                          "field 38 1\nfield 45 2\nnarrow_field 52 4\nfield 59 8\n"
                          "field 138 10\nfield 139 20\nfield 197 5000000000\nfield 198 6\n");
  EXPECT_EQ(*gpu.values[Quantity::kEncoderUtilization], 7);
  EXPECT_EQ(*gpu.values[Quantity::kDecoderUtilization], 9);
  EXPECT_EQ(*gpu.values[Quantity::kPcieReplay], 3);
  EXPECT_EQ(*gpu.values[Quantity::kMemoryTemperature], 71);
  EXPECT_EQ(*gpu.values[Quantity::kNvlinkErrors], 15);
  EXPECT_EQ(*gpu.nvlink_sent, 10 * 1024);
  EXPECT_EQ(*gpu.nvlink_received, 20 * 1024);
  EXPECT_EQ(*gpu.pcie_sent, 5e9);
  EXPECT_EQ(*gpu.pcie_received, 6);
}

TEST(LibraryTest, WhatFieldsDoNotTellIsAbsent) {
  const Gpu none = ReadOne(kRtx4090);
  for (const auto* const reading :
       {&none.values[Quantity::kEncoderUtilization], &none.values[Quantity::kMemoryTemperature],
        &none.values[Quantity::kNvlinkErrors], &none.values[Quantity::kPcieReplay], &none.pcie_sent,
        &none.pcie_received, &none.nvlink_sent, &none.nvlink_received}) {
    EXPECT_FALSE(*reading);
    EXPECT_EQ(reading->absent().why, Absence::kNotSupported);
  }
  // A board without links may count 0 of everything.
  const Gpu linkless =
      ReadOne(std::string(kRtx4090) + "field 91 0\nfield 38 0\nfield 138 0\nfield 139 0\n");
  EXPECT_FALSE(linkless.values[Quantity::kNvlinkErrors]);
  EXPECT_FALSE(linkless.nvlink_sent);
  EXPECT_FALSE(linkless.nvlink_received);
  const Gpu narrow = ReadOne(std::string(kRtx4090) + "narrow_field 197 5\nfield 198 5\n");
  EXPECT_EQ(narrow.pcie_sent.absent().text, "a counter that is too narrow");
  EXPECT_EQ(*narrow.pcie_received, 5);
  const Gpu refused =
      ReadOne(std::string(kRtx4090) + "field 82 71\nerror nvmlDeviceGetFieldValues 4\n");
  EXPECT_EQ(refused.values[Quantity::kMemoryTemperature].absent().why, Absence::kNoPermission);
  EXPECT_FALSE(ReadOne(kRtx4090, fake_nvml::kOldLibrary).pcie_sent);
}

TEST(LibraryTest, XidErrorsAreTakenOnceAndThoseOfBeforeNever) {
  const process::ScratchDirectory folder;
  const std::string two =
      "live\n" + std::string(kRtx4090) + "events\n" + kRtx4090 + "# the second has no events\n";
  setenv(fake_nvml::kScriptVariable, folder.Write("s", "xid 0 13\n" + two).c_str(), 1);
  const auto nvml = Library::Open(fake_nvml::kLibrary);
  ASSERT_TRUE(nvml);
  EXPECT_TRUE((*nvml)->TakeXids().empty()) << "nobody watches yet";
  (*nvml)->WatchXids(2);
  EXPECT_TRUE((*nvml)->WatchesXids(0));
  EXPECT_FALSE((*nvml)->WatchesXids(1));
  EXPECT_FALSE((*nvml)->WatchesXids(2));
  EXPECT_TRUE((*nvml)->TakeXids().empty());
  // The number of a GPU that fell off the bus cannot be asked for any more.
  folder.Write(
      "s", "xid 0 13\nxid 0 31\nxid 0 79 2\n" + two + "error nvmlDeviceGetHandleByIndex_v2 15\n");
  const auto xids = (*nvml)->TakeXids();
  ASSERT_EQ(xids.size(), 2U);
  EXPECT_EQ(xids[0].index, 0U);
  EXPECT_EQ(xids[0].code, 31U);
  EXPECT_FALSE(xids[0].gpu_instance);
  EXPECT_EQ(xids[1].code, 79U);
  EXPECT_EQ(xids[1].gpu_instance, 2U);
  EXPECT_TRUE((*nvml)->TakeXids().empty());
  unsetenv(fake_nvml::kScriptVariable);
}

TEST(LibraryTest, ADriverThatWasLoadedAgainOrALostGpuAsksForANewStart) {
  const process::ScratchDirectory folder;
  const std::string one = "live\n" + std::string(kRtx4090);
  setenv(fake_nvml::kScriptVariable, folder.Write("s", one).c_str(), 1);
  auto nvml = Library::Open(fake_nvml::kLibrary);
  ASSERT_TRUE(nvml);
  EXPECT_FALSE((*nvml)->Read(0).unreadable);
  EXPECT_FALSE((*nvml)->MustReopen());
  folder.Write("s", "generation 1\n" + one);
  EXPECT_FALSE((*nvml)->Count());
  EXPECT_TRUE((*nvml)->MustReopen());
  EXPECT_TRUE((*nvml)->Read(0).unreadable);
  nvml->reset();
  nvml = Library::Open(fake_nvml::kLibrary);
  ASSERT_TRUE(nvml);
  EXPECT_FALSE((*nvml)->Read(0).unreadable);
  EXPECT_FALSE((*nvml)->MustReopen());

  folder.Write("s", "generation 1\n" + one + "error nvmlDeviceGetUUID 16\n");
  EXPECT_EQ((*nvml)->Count(), 1U);
  EXPECT_EQ((*nvml)->Read(0).unreadable->text, "GPU requires reset");
  EXPECT_TRUE((*nvml)->MustReopen());
  nvml->reset();
  nvml = Library::Open(fake_nvml::kLibrary);
  folder.Write("s", "generation 1\n" + one +
                        "error nvmlDeviceGetTemperature 15\nerror nvmlDeviceGetTemperatureV 15\n");
  EXPECT_EQ((*nvml)->Count(), 1U);
  const Gpu cached = (*nvml)->Read(0);
  EXPECT_TRUE(IsLost(cached)) << "its names may still be known";
  EXPECT_FALSE(cached.unreadable);
  EXPECT_TRUE((*nvml)->MustReopen());
  unsetenv(fake_nvml::kScriptVariable);
}

TEST(LibraryTest, TextsThatATerminalWouldActOnAreShown) {
  EXPECT_EQ(*ReadOne("gpu\nname a\x1b[2Jb\xff\n").name, "a?[2Jb\xef\xbf\xbd");
  EXPECT_EQ(ProgramNameOf("/opt/a\x07/b\x07 --x"), "b?");
  EXPECT_EQ(ProgramNameOf("python"), "python");
  EXPECT_EQ(ProgramNameOf(""), "");
}

// Each function may fail in each way; nothing else suffers.
struct Failing {
  const char* function;
  Reading<double> (*read)(const Gpu&);
};
template <Quantity q>
Reading<double> Value(const Gpu& gpu) {
  return gpu.values[q];
}
template <class T>
Reading<double> AsNumber(const Reading<T>& reading) {
  return reading ? Reading<double>(1.0) : Reading<double>(reading.absent());
}

class FailureTest : public ::testing::TestWithParam<Failing> {};

TEST_P(FailureTest, EveryCodeIsAnAbsentValueWithItsReason) {
  struct Row {
    int code;
    Absence why;
    const char* text;
  };
  const std::string full = std::string(kSystem) + kRtx4090 +
                           "serial 1\nenergy 5\ncorrected 1 2\nuncorrected 3 4\nrows 5 6 1 0\n"
                           "mig 0\nencoder 1\ndecoder 1\nreplays 1\nfield 82 70\n";
  ASSERT_TRUE(GetParam().read(ReadOne(full)));
  for (const Row& row :
       {Row{1, Absence::kError, "NVML is not initialised"},
        Row{2, Absence::kError, "invalid argument"},
        Row{3, Absence::kNotSupported, "not supported"},
        Row{4, Absence::kNoPermission, "no permission"}, Row{10, Absence::kError, "time-out"},
        Row{14, Absence::kError, "corrupted infoROM"}, Row{15, Absence::kGpuLost, "GPU is lost"},
        Row{16, Absence::kGpuLost, "GPU requires reset"},
        Row{18, Absence::kError, "driver/library version mismatch"},
        Row{21, Absence::kError, "no data"}, Row{999, Absence::kError, "unknown error"},
        Row{4711, Absence::kError, "unknown error"}}) {
    const Gpu gpu =
        ReadOne(full + "error " + GetParam().function + ' ' + std::to_string(row.code) + '\n');
    const Reading<double> value = GetParam().read(gpu);
    EXPECT_FALSE(value) << row.code;
    EXPECT_EQ(value.absent().why, row.why) << row.code;
    EXPECT_EQ(value.absent().text, row.text) << row.code;
    EXPECT_FALSE(gpu.uuid->empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, FailureTest,
    ::testing::Values(
        Failing{"nvmlDeviceGetName", [](const Gpu& gpu) { return AsNumber(gpu.name); }},
        Failing{"nvmlDeviceGetSerial", [](const Gpu& gpu) { return AsNumber(gpu.serial); }},
        Failing{"nvmlDeviceGetPciInfo_v3", [](const Gpu& gpu) { return AsNumber(gpu.pci_bus_id); }},
        Failing{"nvmlDeviceGetPowerUsage", Value<Quantity::kPower>},
        Failing{"nvmlDeviceGetEnforcedPowerLimit", Value<Quantity::kPowerLimit>},
        Failing{"nvmlDeviceGetTotalEnergyConsumption", Value<Quantity::kEnergy>},
        Failing{"nvmlDeviceGetClockInfo", Value<Quantity::kSmClock>},
        Failing{"nvmlDeviceGetMaxClockInfo", Value<Quantity::kSmClockMax>},
        Failing{"nvmlDeviceGetPerformanceState", Value<Quantity::kPstate>},
        Failing{"nvmlDeviceGetFanSpeed", Value<Quantity::kFan>},
        Failing{"nvmlDeviceGetTotalEccErrors", Value<Quantity::kEccUncorrectedVolatile>},
        Failing{"nvmlDeviceGetUtilizationRates", Value<Quantity::kUtilization>},
        Failing{"nvmlDeviceGetRemappedRows", Value<Quantity::kRowRemapFailure>},
        Failing{"nvmlDeviceGetEncoderUtilization", Value<Quantity::kEncoderUtilization>},
        Failing{"nvmlDeviceGetDecoderUtilization", Value<Quantity::kDecoderUtilization>},
        Failing{"nvmlDeviceGetPcieReplayCounter", Value<Quantity::kPcieReplay>},
        Failing{"nvmlDeviceGetFieldValues", Value<Quantity::kMemoryTemperature>},
        Failing{"nvmlDeviceGetMigMode", [](const Gpu& gpu) { return AsNumber(gpu.mig_mode); }}),
    [](const ::testing::TestParamInfo<Failing>& one) { return one.param.function; });

TEST(LibraryTest, ValuesWithTwoFunctionsAreAbsentWhenBothFail) {
  const Gpu gpu = ReadOne(std::string(kRtx4090) +
                          "error nvmlDeviceGetMemoryInfo_v2 15\nerror nvmlDeviceGetMemoryInfo 15\n"
                          "error nvmlDeviceGetTemperature 15\nerror nvmlDeviceGetTemperatureV 15\n"
                          "error nvmlDeviceGetCurrentClocksEventReasons 4\n"
                          "error nvmlDeviceGetCurrentClocksThrottleReasons 4\n"
                          "error nvmlDeviceGetComputeRunningProcesses_v3 4\n"
                          "error nvmlDeviceGetGraphicsRunningProcesses_v3 3\n");
  EXPECT_EQ(gpu.values[Quantity::kMemoryUsed].absent().why, Absence::kGpuLost);
  EXPECT_EQ(gpu.values[Quantity::kTemperature].absent().why, Absence::kGpuLost);
  EXPECT_EQ(gpu.values[Quantity::kThrottleReasons].absent().why, Absence::kNoPermission);
  EXPECT_EQ(gpu.processes.absent().why, Absence::kNoPermission);
}

TEST(LibraryTest, AStartThatFailsSaysWhyAndWhatToDo) {
  const Status loaded = FailToOpen("error nvmlInit_v2 9\n");
  EXPECT_EQ(loaded.code, Code::kNotFound);
  EXPECT_EQ(loaded.message,
            "NVML does not start: the NVIDIA driver is not loaded (code 9); load it (modprobe "
            "nvidia), or give the container the GPU");
  const Status mismatch = FailToOpen("error nvmlInit_v2 18\n");
  EXPECT_EQ(mismatch.code, Code::kUnavailable);
  EXPECT_EQ(mismatch.message,
            "NVML does not start: driver/library version mismatch (code 18); reboot, or reload "
            "the nvidia kernel modules: they are older than the library");
  EXPECT_EQ(FailToOpen("error nvmlInit_v2 4\n").code, Code::kForbidden);
  EXPECT_EQ(FailToOpen("error nvmlInit_v2 28\n").code, Code::kNotFound);
  EXPECT_EQ(FailToOpen("error nvmlInit 999\n", fake_nvml::kOldLibrary).code, Code::kUnavailable);
}

TEST(LibraryTest, WithoutALibraryThereIsNothingToLookAt) {
  const auto nvml = Library::Open("/no/such/libnvidia-ml.so.1");
  ASSERT_FALSE(nvml);
  EXPECT_EQ(nvml.error().code, Code::kNotFound);
  EXPECT_EQ(nvml.error().message,
            "NVML: /no/such/libnvidia-ml.so.1 is not installed; install the NVIDIA driver");
}

TEST(LibraryTest, ABrokenLibraryIsSaidToBeBroken) {
  const process::ScratchDirectory folder;
  const auto broken = Library::Open(folder.Write("libnvidia-ml.so.1", "no library"));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::kUnavailable);
  EXPECT_NE(broken.error().message.find("NVML cannot be loaded"), std::string::npos);
  const auto other = Library::Open(fake_nvml::kOtherLibrary);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("has no nvmlInit"), std::string::npos);
}

TEST(LibraryTest, ACountThatFailsIsAnError) {
  const Stage stage("error nvmlDeviceGetCount_v2 15\n");
  const auto nvml = Library::Open(fake_nvml::kLibrary);
  ASSERT_TRUE(nvml);
  EXPECT_EQ((*nvml)->Count().error().message,
            "NVML counts no GPUs: GPU is lost (code 15); reboot the machine, and look for Xid "
            "errors in dmesg");
}

}  // namespace
}  // namespace gpumon::nvml
