#include "internal/nvml/nvidia_smi.h"

#include <gtest/gtest.h>

#include "tests/fakes/nvml/smi_script.h"

namespace gpumon::nvml {
namespace {

using fake_nvml::SmiScript;
using models::Quantity;

// The cells of a table graphics card, in the order in which they are asked for.
constexpr const char* kRow =
    "0, 535.183.01, [N/A], NVIDIA GeForce RTX 4090, GPU-1, 00000000:41:00.0, [N/A], 45, 18, 24564, "
    "3072, 21108, 384, 65, N/A, 180.50, 450.00, 480.00, 2520, 3105, 10501, 10501, 2520, 3105, P2, "
    "30, 0x0000000000000004, [N/A], [N/A], [N/A], [N/A]";
constexpr const char* kReport =
    "'-q') printf '\\n===NVSMI LOG===\\n\\nDriver Version   : 535.183.01\\n"
    "CUDA Version                              : 12.2\\n\\nAttached GPUs  : 1\\n' ;;\n";

class NvidiaSmiTest : public ::testing::Test {
 protected:
  Result<SmiAnswer> Ask(const std::string& program, Millis limit = Millis(30'000)) {
    return AskNvidiaSmi(program, clock_, Deadline::After(clock_, limit), steps_);
  }
  std::string Steps() const {
    std::string all;
    for (const std::string& step : steps_) all += step + '\n';
    return all;
  }

  const SystemClock clock_{};
  std::vector<std::string> steps_;
};

std::string Rows(const std::string& rows) {
  return "--query-gpu=*) cat <<'END'\n" + rows + "\nEND\n;;\n";
}
std::string Apps(const std::string& rows) {
  return "--query-compute-apps=*) cat <<'END'\n" + rows + "\nEND\n;;\n";
}

TEST_F(NvidiaSmiTest, AllColumnsAreReadInTheirUnits) {
  const SmiScript smi(Rows(kRow) + kReport +
                      Apps("GPU-1, 1234, 2048, /usr/bin/python\n"
                           "GPU-1, 5678, [N/A], /opt/a, b/agent --token=x\n"
                           "GPU-2, 9, 1, other\nGPU-1, x, 1, broken"));
  const auto answer = Ask(smi.path());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer->software.driver_version, "535.183.01");
  EXPECT_EQ(*answer->software.cuda_version, "12.2");
  ASSERT_EQ(answer->gpus.size(), 1U);
  const Gpu& gpu = answer->gpus[0];
  EXPECT_EQ(*gpu.name, "NVIDIA GeForce RTX 4090");
  EXPECT_EQ(*gpu.pci_bus_id, "00000000:41:00.0");
  EXPECT_FALSE(gpu.serial);
  EXPECT_EQ(gpu.mig_mode.absent().why, Absence::kNotSupported);
  EXPECT_EQ(*gpu.values[Quantity::kUtilization], 45);
  EXPECT_EQ(*gpu.values[Quantity::kMemoryUtilization], 18);
  EXPECT_EQ(*gpu.values[Quantity::kMemoryTotal], 24564.0 * 1048576);
  EXPECT_EQ(*gpu.values[Quantity::kMemoryUsed], 3072.0 * 1048576);
  EXPECT_EQ(*gpu.values[Quantity::kTemperature], 65);
  EXPECT_FALSE(gpu.values[Quantity::kMemoryTemperature]);
  EXPECT_EQ(*gpu.values[Quantity::kPower], 180.5);
  EXPECT_EQ(*gpu.values[Quantity::kPowerLimit], 450);
  EXPECT_EQ(*gpu.values[Quantity::kPstate], 2);
  EXPECT_EQ(*gpu.values[Quantity::kThrottleReasons], 4);
  EXPECT_EQ(gpu.values[Quantity::kEccCorrectedVolatile].absent().why, Absence::kNotSupported);
  EXPECT_EQ(*gpu.graphics_clock_max, 3105);
  ASSERT_TRUE(gpu.processes);
  ASSERT_EQ(gpu.processes->size(), 2U);
  EXPECT_EQ((*gpu.processes)[0].pid, 1234U);
  EXPECT_EQ((*gpu.processes)[0].name, "python");
  EXPECT_EQ(*(*gpu.processes)[0].used_memory, 2048U * 1048576U);
  EXPECT_FALSE((*gpu.processes)[1].used_memory);
  EXPECT_EQ((*gpu.processes)[1].name.find("token"), std::string::npos);
}

TEST_F(NvidiaSmiTest, AGpuThatItCannotTellOfIsThereAllTheSame) {
  std::string second = kRow;
  second.replace(0, 1, "2");
  std::string comma = kRow;
  comma.replace(0, 1, "3");
  comma.replace(comma.find("NVIDIA"), 6, "NVIDIA, Inc.");
  const SmiScript smi(Rows(std::string(kRow) +
                           "\nUnable to determine the device handle for GPU 0000:02:00.0: GPU is "
                           "lost.  Reboot the system to recover this GPU\n" +
                           second + "\nWARNING: infoROM is corrupted at gpu 0000:03:00.0\n" +
                           comma + "\n4, 535.183.01, [N/A], NVIDIA GeF"));
  const auto answer = Ask(smi.path());
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->gpus.size(), 5U);
  EXPECT_TRUE(answer->gpus[4].unreadable) << "its row is cut";
  const Gpu& lost = answer->gpus[1];
  EXPECT_EQ(lost.index, 1U);
  ASSERT_TRUE(lost.unreadable);
  EXPECT_EQ(lost.unreadable->why, Absence::kGpuLost);
  EXPECT_EQ(lost.pci_bus_id.ValueOr(""), "0000:02:00.0");
  EXPECT_FALSE(answer->gpus[0].unreadable);
  EXPECT_FALSE(answer->gpus[2].unreadable);
  EXPECT_EQ(answer->gpus[3].index, 3U);
  ASSERT_TRUE(answer->gpus[3].unreadable);
  EXPECT_EQ(answer->gpus[3].unreadable->why, Absence::kError);
}

TEST_F(NvidiaSmiTest, ThePowerLimitIsTheSetOneWhereTheOneInForceIsUnknown) {
  std::string row = kRow;
  row.replace(row.find("450.00"), 6, "[N/A]");
  const SmiScript smi(Rows(row));
  EXPECT_EQ(*Ask(smi.path())->gpus.at(0).values[Quantity::kPowerLimit], 480);
}

TEST_F(NvidiaSmiTest, AnOlderProgramIsAskedWithoutWhatItDoesNotKnow) {
  const SmiScript smi(
      "*mig.mode.current*) echo 'Field \"mig.mode.current\" is not a valid field to query.'; "
      "exit 2 ;;\n"
      "*memory.reserved*) echo 'Field \"memory.reserved\" is not a valid field to query.' >&2; "
      "exit 2 ;;\n" +
      Rows("0, 440.33, Tesla V100, GPU-7, 00000000:01:00.0, 033, 5, 6, 16160, 100, 16060, 40, 38, "
           "60.10, 300.00, 300.00, 1380, 1530, 877, 877, 1380, 1530, P0, N/A, "
           "0x0000000000000000, 0, 0, 0, 0") +
      Apps("") + "-q) ;;\n");
  const auto answer = Ask(smi.path());
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->gpus.size(), 1U);
  EXPECT_EQ(*answer->gpus[0].name, "Tesla V100");
  EXPECT_EQ(*answer->gpus[0].values[Quantity::kMemoryTemperature], 38);
  EXPECT_EQ(answer->gpus[0].mig_mode.absent().why, Absence::kNotAsked);
  EXPECT_TRUE(answer->gpus[0].processes->empty());
  EXPECT_EQ(answer->software.cuda_version.absent().text, "nvidia-smi does not tell");
}

TEST_F(NvidiaSmiTest, AFieldThatWasNeverAskedForEndsTheAttempts) {
  const SmiScript smi("*) echo 'Field \"other\" is not a valid field to query.'; exit 2 ;;\n");
  const auto answer = Ask(smi.path());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_EQ(steps_.size(), 1U);
}

TEST_F(NvidiaSmiTest, WarningsBetweenTheRowsAreNoGpus) {
  const SmiScript smi("--query-gpu=*) echo '" + std::string(kRow) +
                      "'; echo 'WARNING: infoROM is corrupted at gpu 0000:41:00.0'; exit 14 ;;\n"
                      "--query-compute-apps=*) exit 3 ;;\n");
  const auto answer = Ask(smi.path());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->gpus.size(), 1U);
  EXPECT_EQ(answer->gpus[0].processes.absent().why, Absence::kError);
}

TEST_F(NvidiaSmiTest, ALostGpuIsARowToo) {
  std::string lost = "[GPU is lost]";
  for (int i = 1; i < 31; ++i) lost += ", [GPU is lost]";
  const SmiScript smi(Rows(std::string(kRow) + '\n' + lost) + "*) exit 15 ;;\n");
  const auto answer = Ask(smi.path());
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->gpus.size(), 2U);
  EXPECT_FALSE(answer->gpus[0].unreadable);
  EXPECT_EQ(answer->gpus[1].index, 1U);
  ASSERT_TRUE(answer->gpus[1].unreadable);
  EXPECT_EQ(answer->gpus[1].unreadable->why, Absence::kGpuLost);
}

TEST_F(NvidiaSmiTest, CellsSayWhyTheyAreAbsent) {
  const std::vector<std::pair<const char*, Absence>> cells = {
      {"[N/A]", Absence::kNotSupported},
      {"N/A", Absence::kNotSupported},
      {" [Not Supported] ", Absence::kNotSupported},
      {"[Insufficient Permissions]", Absence::kNoPermission},
      {"[GPU is lost]", Absence::kGpuLost},
      {"[GPU requires reset]", Absence::kGpuLost},
      {"[Unknown Error]", Absence::kError},
      {"ERR!", Absence::kError},
      {"", Absence::kError}};
  for (const auto& [cell, why] : cells) {
    EXPECT_FALSE(ReadSmiCell(cell)) << cell;
    EXPECT_EQ(ReadSmiCell(cell).absent().why, why) << cell;
  }
  EXPECT_EQ(*ReadSmiCell(" 45 "), "45");
  EXPECT_EQ(*ReadSmiCell("a\x1b[1m"), "a?[1m");
}

TEST_F(NvidiaSmiTest, WhatIsNeitherOnNorOffIsAnError) {
  for (const auto& [word, is] : std::vector<std::pair<const char*, Reading<bool>>>{
           {"Enabled", true}, {"Disabled", false}, {"77", Absent{Absence::kError, ""}}}) {
    std::string row = kRow;
    row.replace(row.find("[N/A]"), 5, word);
    const SmiScript smi(Rows(row));
    const Reading<bool> mode = Ask(smi.path())->gpus.at(0).mig_mode;
    EXPECT_EQ(static_cast<bool>(mode), static_cast<bool>(is)) << word;
    EXPECT_EQ(mode.ValueOr(false), is.ValueOr(false)) << word;
    EXPECT_EQ(mode.absent().why, is.absent().why) << word;
  }
}

TEST_F(NvidiaSmiTest, ANumberThatIsNoneIsAnError) {
  std::string row = kRow;
  row.replace(row.find(", 45,"), 5, ", 4x,");
  const SmiScript smi(Rows(row));
  const auto value = Ask(smi.path())->gpus.at(0).values[Quantity::kUtilization];
  EXPECT_FALSE(value);
  EXPECT_EQ(value.absent().text, "no number: 4x");
}

TEST_F(NvidiaSmiTest, WhatIsNoFiniteNumberIsNone) {
  for (const char* const cell : {"nan", "inf", "-inf", "1e999", "0x", "P", "P2x"}) {
    EXPECT_FALSE(SmiNumberOf(cell)) << cell;
  }
  EXPECT_EQ(SmiNumberOf("-2.5"), -2.5);
  for (const char* const cell : {"-1", "1.5", "4294967296", "", "x"}) {
    EXPECT_FALSE(SmiCountOf(cell)) << cell;
  }
  EXPECT_EQ(SmiCountOf("4294967295"), 4294967295U);
}

TEST_F(NvidiaSmiTest, OfOneThatBrokeOffTheLineItWasAtIsNotRead) {
  std::string second = kRow;
  second.replace(0, 1, "1");
  const SmiScript smi("*) printf '" + std::string(kRow) + "\\n" + second + "'; kill -9 $$ ;;\n");
  const auto answer = Ask(smi.path());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->gpus.size(), 1U);
}

TEST_F(NvidiaSmiTest, SomeColumnsAreOneRun) {
  const SmiScript smi("*) echo '0, GPU-1, 30'; echo '1, GPU-2, [N/A]' ;;\n");
  SmiColumns fan;
  for (std::size_t i = 0; i < kSmiColumns.size(); ++i) fan[i] = kSmiColumns[i].name == "fan.speed";
  const auto gpus =
      AskNvidiaSmi(smi.path(), fan, clock_, Deadline::After(clock_, Millis(30'000)), steps_);
  ASSERT_TRUE(gpus) << gpus.error().message;
  ASSERT_EQ(gpus->size(), 2U);
  EXPECT_EQ(ToldBy((*gpus)[0]), fan);
  EXPECT_EQ(LackedBy((*gpus)[1]), fan);
  EXPECT_EQ((*gpus)[1].uuid.ValueOr(""), "GPU-2");
  EXPECT_EQ(smi.Calls(), "--query-gpu=index,uuid,fan.speed --format=csv,noheader,nounits\n");
}

TEST_F(NvidiaSmiTest, ItsExitCodeSaysWhatIsWrong) {
  const SmiScript mismatch(
      "*) echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18 ;;\n");
  const auto answer = Ask(mismatch.path());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_NE(answer.error().message.find("driver/library version mismatch (code 18); reboot"),
            std::string::npos)
      << answer.error().message;
  EXPECT_NE(Steps().find("exit code 18, \"Failed to initialize NVML"), std::string::npos)
      << Steps();
  const SmiScript no_driver("*) echo 'NVIDIA-SMI has failed'; exit 9 ;;\n");
  EXPECT_EQ(Ask(no_driver.path()).error().code, Code::kUnavailable);
  const SmiScript no_gpu("*) echo 'No devices were found'; exit 6 ;;\n");
  EXPECT_EQ(Ask(no_gpu.path()).error().code, Code::kNotFound);
  const SmiScript forbidden("*) exit 4 ;;\n");
  EXPECT_EQ(Ask(forbidden.path()).error().code, Code::kForbidden);
  const SmiScript nonsense("*) echo '<html>' ;;\n");
  EXPECT_EQ(Ask(nonsense.path()).error().code, Code::kUpstreamInvalid);
  const SmiScript long_nonsense("*) head -c 1000000 /dev/zero | tr '\\0' x ;;\n");
  EXPECT_LT(Ask(long_nonsense.path()).error().message.size(), 600U) << "it is logged";
}

TEST_F(NvidiaSmiTest, WithoutTheProgramItIsNotFound) {
  EXPECT_EQ(Ask("/no/such/nvidia-smi").error().code, Code::kNotFound);
}

TEST_F(NvidiaSmiTest, AProgramThatHangsEndsAtTheDeadline) {
  const SmiScript smi("*) sleep 600 ;;\n");
  const auto begin = clock_.Steady();
  const auto answer = Ask(smi.path(), Millis(300));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUpstreamTimeout);
  EXPECT_LT(clock_.Steady() - begin, process::Scaled(Millis(10'000)));
}

TEST_F(NvidiaSmiTest, AProgramThatHangsLaterStillShowsItsGpus) {
  const SmiScript smi(Rows(kRow) + "*) sleep 600 ;;\n");
  const auto answer = Ask(smi.path(), Millis(4000));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->gpus.size(), 1U);
  EXPECT_FALSE(answer->gpus[0].processes);
}

TEST_F(NvidiaSmiTest, EndlessOutputIsCut) {
  const SmiScript smi("*) yes ;;\n");
  EXPECT_EQ(Ask(smi.path()).error().code, Code::kUpstreamTooLarge);
}

}  // namespace
}  // namespace gpumon::nvml
