#include "internal/exporter/smi_fallback.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "internal/base/log.h"
#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/nvml/smi_script.h"

namespace gpumon::exporter {
namespace {

using fake_nvml::SmiScript;
using models::Quantity;
using nvml::Absence;
using nvml::Absent;
using process::WaitUntil;

constexpr const char* kFanAlone = "*fan.speed*) echo '0, GPU-a, 41' ;;\n";

// As NVML tells of it: of all that a column has, `lacking` are not supported.
nvml::Gpu Board(const std::string& uuid, const std::vector<Quantity>& lacking) {
  nvml::Gpu gpu;
  gpu.uuid = uuid;
  gpu.memory_clock_max = 9000.0;
  gpu.mig_mode = false;
  for (const nvml::SmiColumn& column : nvml::kSmiColumns) {
    if (column.quantity != Quantity::kCount) gpu.values[column.quantity] = 7.0;
  }
  for (const Quantity q : lacking) gpu.values[q] = Absent{Absence::kNotSupported, ""};
  return gpu;
}

class SmiFallbackTest : public ::testing::Test {
 protected:
  SmiFallback& Make(const std::string& program) {
    options_.program = program;
    return fallback_.emplace(options_, clock_);
  }

  // One collection, and the answer to what is asked after it.
  std::vector<nvml::Gpu> Collect(std::vector<nvml::Gpu> gpus) {
    for (nvml::Gpu& gpu : gpus) filled_ = fallback_->Fill(gpu);
    fallback_->EndCollection();
    EXPECT_TRUE(WaitUntil([&] { return !fallback_->IsAsking(); }, Millis(30'000)));
    return gpus;
  }
  // Those that follow, each 15 s after the one before; the last one's.
  std::vector<nvml::Gpu> CollectMore(int times, const std::vector<nvml::Gpu>& gpus) {
    std::vector<nvml::Gpu> last;
    for (int i = 0; i < times; ++i) {
      clock_->Advance(Millis(15'000));
      last = Collect(gpus);
    }
    return last;
  }
  static long RunsOf(const SmiScript& smi) {
    const std::string calls = smi.Calls();
    return std::count(calls.begin(), calls.end(), '\n');
  }

  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  SmiOptions options_;
  std::optional<SmiFallback> fallback_;
  nvml::SmiColumns filled_;  // of the last GPU
};

TEST_F(SmiFallbackTest, WhatNvmlLacksIsTakenFromTheGpuWithThatUuidAlone) {
  const SmiScript smi("*) echo '0, GPU-b, 50'; echo '1, GPU-a, 41'; echo '2, GPU-x, 60' ;;\n");
  Make(smi.path());
  const std::vector<nvml::Gpu> boards = {Board("GPU-a", {Quantity::kFan}),
                                         Board("GPU-b", {Quantity::kFan}),
                                         Board("GPU-c", {Quantity::kFan}), Board("GPU-x", {})};
  EXPECT_FALSE(Collect(boards)[0].values[Quantity::kFan]) << "nobody waits for it";
  const auto gpus = CollectMore(1, boards);
  EXPECT_EQ(gpus[0].values[Quantity::kFan].ValueOr(-1), 41);
  EXPECT_EQ(gpus[1].values[Quantity::kFan].ValueOr(-1), 50);
  EXPECT_FALSE(gpus[2].values[Quantity::kFan]) << "nvidia-smi does not show it";
  EXPECT_EQ(gpus[3].values[Quantity::kFan].ValueOr(-1), 7) << "NVML tells it";
}

TEST_F(SmiFallbackTest, NvmlWinsWhereItTellsAndOnlyWhatItLacksIsAskedFor) {
  const SmiScript smi("*) echo '0, GPU-a, 41' ;;\n");
  Make(smi.path());
  nvml::Gpu board = Board("GPU-a", {Quantity::kFan});
  board.values[Quantity::kPower] = Absent{Absence::kNoPermission, ""};
  board.graphics_clock = Absent{Absence::kNotSupported, ""};
  board.name = Absent{Absence::kNotSupported, ""};
  Collect({board});
  EXPECT_EQ(smi.Calls(), "--query-gpu=index,uuid,fan.speed --format=csv,noheader,nounits\n");
  const nvml::Gpu gpu = CollectMore(1, {board})[0];
  EXPECT_EQ(gpu.values[Quantity::kFan].ValueOr(-1), 41);
  EXPECT_EQ(filled_.count(), 1U);
  EXPECT_FALSE(gpu.values[Quantity::kPower]) << "that is refused, not lacking";
  EXPECT_FALSE(gpu.name) << "it would name other series, and come and go with nvidia-smi";
  board.values[Quantity::kFan] = 33.0;
  EXPECT_EQ(CollectMore(1, {board})[0].values[Quantity::kFan].ValueOr(-1), 33);
  EXPECT_TRUE(filled_.none());
}

TEST_F(SmiFallbackTest, WhatNvmlTellsAgainIsNvmlsAtOnce) {
  const SmiScript smi(fake_nvml::EachCell("GPU-a", "41"));
  Make(smi.path());
  CollectMore(2, {Board("GPU-a", {Quantity::kFan, Quantity::kPstate})});
  const nvml::Gpu gpu = CollectMore(1, {Board("GPU-a", {Quantity::kFan})})[0];
  EXPECT_EQ(gpu.values[Quantity::kFan].ValueOr(-1), 41);
  EXPECT_EQ(gpu.values[Quantity::kPstate].ValueOr(-1), 7);
  EXPECT_EQ(filled_.count(), 1U);
}

TEST_F(SmiFallbackTest, WhileNvmlLacksNothingNothingIsAsked) {
  const SmiScript smi("*) echo '0, GPU-a, 41' ;;\n");
  Make(smi.path());
  nvml::Gpu lost = Board("GPU-b", {Quantity::kFan});
  lost.unreadable = Absent{Absence::kGpuLost, ""};
  nvml::Gpu nameless = Board("", {Quantity::kFan});
  nameless.uuid = Absent{Absence::kNotSupported, ""};
  CollectMore(3, {Board("GPU-a", {}), lost, nameless});
  EXPECT_EQ(RunsOf(smi), 0);
  Make("");
  CollectMore(3, {Board("GPU-a", {Quantity::kFan})});
  EXPECT_EQ(RunsOf(smi), 0);
}

TEST_F(SmiFallbackTest, ItIsAskedOnceInACollectionHoweverManyAskFor) {
  const SmiScript smi(kFanAlone);
  Make(smi.path());
  const auto board = Board("GPU-a", {Quantity::kFan});
  for (int i = 0; i < 4; ++i) {
    Collect({board});
    clock_->Advance(Millis(100));
    EXPECT_TRUE(Collect({board})[0].values[Quantity::kFan]) << "two scrape it, and both see it";
    clock_->Advance(Millis(14'900));
  }
  EXPECT_EQ(RunsOf(smi), 4);
}

TEST_F(SmiFallbackTest, WhatItLacksTooIsAskedForSeldom) {
  const SmiScript smi(
      "*fan.speed*) echo '0, GPU-a, [N/A], [Not Supported]' ;;\n*) echo '0, GPU-a, [N/A]' ;;\n");
  Make(smi.path());
  auto lacking = Board("GPU-a", {Quantity::kFan, Quantity::kMemoryTemperature});
  EXPECT_FALSE(CollectMore(30, {lacking})[0].values[Quantity::kFan]);
  EXPECT_EQ(RunsOf(smi), 1) << "in seven minutes";
  CollectMore(30, {lacking});
  EXPECT_EQ(RunsOf(smi), 2) << "in fifteen";
  lacking.values[Quantity::kPstate] = Absent{Absence::kNotSupported, ""};
  CollectMore(5, {lacking});
  EXPECT_EQ(RunsOf(smi), 3) << "what was not asked for yet is, at once";
}

TEST_F(SmiFallbackTest, OnlyWhatItTellsIsAskedForEachTime) {
  const SmiScript smi(
      "*temperature.memory*) echo '0, GPU-a, [N/A], 41' ;;\n"
      "*) echo '0, GPU-a, 42' ;;\n");
  Make(smi.path());
  const auto board = Board("GPU-a", {Quantity::kFan, Quantity::kMemoryTemperature});
  EXPECT_EQ(CollectMore(3, {board})[0].values[Quantity::kFan].ValueOr(-1), 42);
  const std::string format = " --format=csv,noheader,nounits\n";
  const std::string fan = "--query-gpu=index,uuid,fan.speed" + format;
  EXPECT_EQ(smi.Calls(),
            "--query-gpu=index,uuid,temperature.memory,fan.speed" + format + fan + fan);
}

TEST_F(SmiFallbackTest, AColumnThatItDoesNotHaveIsLeftOut) {
  const SmiScript smi(
      "*temperature.memory*) echo 'Field \"temperature.memory\" is not a valid field to query.'; "
      "exit 2 ;;\n*) echo '0, GPU-a, 41' ;;\n");
  Make(smi.path());
  const auto board = Board("GPU-a", {Quantity::kFan, Quantity::kMemoryTemperature});
  EXPECT_EQ(CollectMore(3, {board})[0].values[Quantity::kFan].ValueOr(-1), 41);
  EXPECT_EQ(RunsOf(smi), 4) << "twice at first, then once";
}

TEST_F(SmiFallbackTest, WhatIsOlderThanACollectionOrTwoIsNotShown) {
  const SmiScript smi(kFanAlone);
  Make(smi.path());
  const auto board = Board("GPU-a", {Quantity::kFan});
  EXPECT_TRUE(CollectMore(3, {board})[0].values[Quantity::kFan]);
  clock_->Advance(Millis(45'000));
  EXPECT_FALSE(Collect({board})[0].values[Quantity::kFan]) << "nobody scraped for three times";
  EXPECT_TRUE(CollectMore(1, {board})[0].values[Quantity::kFan]);
}

TEST_F(SmiFallbackTest, WhatItDoesNotTellAnyMoreIsGoneAndAskedForLess) {
  const SmiScript smi(
      "*) test -e \"$(dirname \"$0\")/silent\" && echo '0, GPU-a, [N/A]' || echo "
      "'0, GPU-a, 41' ;;\n");
  Make(smi.path());
  const auto board = Board("GPU-a", {Quantity::kFan});
  EXPECT_TRUE(CollectMore(2, {board})[0].values[Quantity::kFan]);
  const std::string file = smi.folder() + "/silent";
  fclose(fopen(file.c_str(), "w"));
  CollectMore(1, {board});
  EXPECT_FALSE(CollectMore(1, {board})[0].values[Quantity::kFan]);
  EXPECT_EQ(RunsOf(smi), 3);
  CollectMore(20, {board});
  EXPECT_EQ(RunsOf(smi), 4) << "soon, and then seldom";
  unlink(file.c_str());
  EXPECT_TRUE(CollectMore(40, {board})[0].values[Quantity::kFan]);
}

TEST_F(SmiFallbackTest, OneThatFailsChangesNothingAndIsSaidOnce) {
  const SmiScript smi(
      "*) test -e \"$(dirname \"$0\")/well\" && echo '0, GPU-a, 41' || { date +%N; exit 9; } ;;\n");
  Make(smi.path());
  const auto board = Board("GPU-a", {Quantity::kFan});
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 12; ++i) {
    const nvml::Gpu gpu = CollectMore(1, {board})[0];
    EXPECT_FALSE(gpu.values[Quantity::kFan]);
    EXPECT_EQ(gpu.values[Quantity::kPower].ValueOr(-1), 7);
  }
  const std::string file = smi.folder() + "/well";
  EXPECT_EQ(RunsOf(smi), 3) << "once a minute";
  fclose(fopen(file.c_str(), "w"));
  EXPECT_EQ(CollectMore(5, {board})[0].values[Quantity::kFan].ValueOr(-1), 41);
  EXPECT_TRUE(log::Flush(Millis(30'000)));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 2) << said;
  EXPECT_NE(said.find("nvidia-smi does not tell what NVML lacks"), std::string::npos) << said;
  EXPECT_NE(said.find("nvidia-smi tells what NVML lacks\" columns=fan.speed"), std::string::npos)
      << said;
}

TEST_F(SmiFallbackTest, RubbishIsNoValue) {
  for (const char* const rubbish :
       {"<html>", "0, GPU-a", "0, GPU-a, 41, 5", "0, GPU-a, nan", "0, GPU-a, inf", "0, GPU-a, 4x",
        "0, gpu-a, 41", "1, GPU-a, ", "GPU-a, 0, 41"}) {
    const SmiScript smi(std::string("*) echo '") + rubbish + "' ;;\n");
    Make(smi.path());
    const auto board = Board("GPU-a", {Quantity::kFan});
    EXPECT_FALSE(CollectMore(3, {board})[0].values[Quantity::kFan]) << rubbish;
    EXPECT_EQ(RunsOf(smi), 1) << rubbish;
  }
  const SmiScript cut("*) printf '0, GPU-a, 4'; kill -9 $$ ;;\n");
  Make(cut.path());
  EXPECT_FALSE(CollectMore(3, {Board("GPU-a", {Quantity::kFan})})[0].values[Quantity::kFan])
      << "it may have been about to print 41";
}

TEST_F(SmiFallbackTest, OneThatIsNotInstalledIsLookedForSeldom) {
  const process::ScratchDirectory folder;
  Make(folder.File("nvidia-smi"));
  const auto board = Board("GPU-a", {Quantity::kFan});
  EXPECT_FALSE(CollectMore(3, {board})[0].values[Quantity::kFan]);
  const SmiScript smi(kFanAlone);
  ASSERT_EQ(symlink(smi.path().c_str(), folder.File("nvidia-smi").c_str()), 0);
  EXPECT_FALSE(CollectMore(30, {board})[0].values[Quantity::kFan]);
  EXPECT_TRUE(CollectMore(20, {board})[0].values[Quantity::kFan]);
}

TEST_F(SmiFallbackTest, OneThatHangsIsEndedAndWhatItToldBeforeIsGone) {
  const SmiScript smi(
      "*) test -e \"$(dirname \"$0\")/hang\" && exec sleep 600; echo '0, GPU-a, 41' ;;\n");
  Make(smi.path());
  auto board = Board("GPU-a", {Quantity::kFan});
  EXPECT_TRUE(CollectMore(2, {board})[0].values[Quantity::kFan]);
  fclose(fopen((smi.folder() + "/hang").c_str(), "w"));
  clock_->Advance(Millis(15'000));
  EXPECT_EQ(fallback_->Fill(board).count(), 1U);
  fallback_->EndCollection();
  EXPECT_TRUE(WaitUntil([&] { return RunsOf(smi) == 3; }, Millis(30'000)));
  EXPECT_TRUE(fallback_->IsAsking());
  clock_->Advance(options_.limit);
  EXPECT_TRUE(WaitUntil([&] { return !fallback_->IsAsking(); }, Millis(30'000)));
  EXPECT_FALSE(CollectMore(1, {Board("GPU-a", {Quantity::kFan})})[0].values[Quantity::kFan]);
}

TEST_F(SmiFallbackTest, WhileItIsAskedNoSecondOneIsStartedAndWhatItToldGetsOld) {
  const SmiScript smi(
      "*) test -e \"$(dirname \"$0\")/hang\" && exec sleep 600; echo '0, GPU-a, 41' ;;\n");
  options_.limit = Millis(3'600'000);
  Make(smi.path());
  const auto board = Board("GPU-a", {Quantity::kFan});
  EXPECT_TRUE(CollectMore(2, {board})[0].values[Quantity::kFan]);
  fclose(fopen((smi.folder() + "/hang").c_str(), "w"));
  nvml::SmiColumns filled;
  for (int i = 0; i < 5; ++i) {
    clock_->Advance(Millis(15'000));
    nvml::Gpu gpu = i == 0 ? board : Board("GPU-a", {Quantity::kFan, Quantity::kPstate});
    filled = fallback_->Fill(gpu);
    fallback_->EndCollection();
  }
  EXPECT_TRUE(filled.none());
  EXPECT_TRUE(WaitUntil([&] { return RunsOf(smi) == 3; }, Millis(30'000)));
  EXPECT_TRUE(fallback_->IsAsking());
  unlink((smi.folder() + "/hang").c_str());
  clock_->Advance(options_.limit);
  EXPECT_TRUE(WaitUntil([&] { return !fallback_->IsAsking(); }, Millis(30'000)));
  CollectMore(1, {board});
  EXPECT_EQ(RunsOf(smi), 4);
  EXPECT_EQ(smi.Calls().find("pstate"), std::string::npos) << "that was lacking meanwhile alone";
}

TEST_F(SmiFallbackTest, ItsEndIsTheEndOfTheProgramThatRuns) {
  const SmiScript smi("*) echo $$ > \"$(dirname \"$0\")/pid\"; exec sleep 600 ;;\n");
  Make(smi.path());
  nvml::Gpu board = Board("GPU-a", {Quantity::kFan});
  fallback_->Fill(board);
  fallback_->EndCollection();
  std::string pid;
  EXPECT_TRUE(WaitUntil(
      [&] {
        pid = process::ReadFile(smi.folder() + "/pid");
        return pid.ends_with('\n');
      },
      Millis(30'000)));
  fallback_.reset();
  EXPECT_TRUE(WaitUntil([&] { return kill(std::atoi(pid.c_str()), 0) != 0; }, Millis(30'000)));
}

}  // namespace
}  // namespace gpumon::exporter
