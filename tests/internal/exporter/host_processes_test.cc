#include "internal/exporter/host_processes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/fakes/process/proc_folder.h"

namespace gpumon::exporter {
namespace {

using process::ProcFolder;
using std::chrono::seconds;

class HostProcessesTest : public ::testing::Test {
 protected:
  HostProcess Ask(std::uint32_t pid) {
    processes_.Begin(now_);
    HostProcess process = processes_.Describe(pid);
    processes_.End();
    return process;
  }

  const ProcFolder proc_;
  const process::ScratchDirectory folder_;
  const std::uint64_t ticks_ = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  SteadyTime now_{seconds(5000)};
  HostProcesses processes_{
      {proc_.path(),
       folder_.Write("passwd",
                     "root:x:0:0:root:/root:/bin/sh\nbroken\n:x:7:\nalice:x:1000:1::\n"
                     "bob:x:1000\n"),
       [](std::string_view command) { return '<' + std::string(command) + '>'; }}};
};

TEST_F(HostProcessesTest, TellsUserCommandCpuMemoryAndContainer) {
  using namespace std::string_literals;
  proc_.Put(42, {.command = "python\0train.py\0--lr\0003e-4\0"s,
                 .uid = 1000,
                 .resident = 250'000,
                 .user = 900 * ticks_,
                 .system = 100 * ticks_,
                 .started = 500 * ticks_,
                 .cgroup = "0::/kubepods/pod0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/x\n"});
  const HostProcess process = Ask(42);
  EXPECT_TRUE(process.found);
  EXPECT_EQ(process.user, "alice");
  EXPECT_EQ(process.name, "python");
  EXPECT_EQ(process.command, "<python train.py --lr 3e-4>");
  EXPECT_EQ(process.cpu_percent, 200) << "1000 s of CPU in 500 s of life";
  EXPECT_EQ(process.memory_percent, 25);
  EXPECT_EQ(process.container.pod_uid, "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0");
}

TEST_F(HostProcessesTest, CpuIsThatSinceTheRoundBefore) {
  proc_.Put(42, {.user = 100 * ticks_, .started = 0});
  EXPECT_EQ(Ask(42).cpu_percent, 10) << "over its life";
  now_ += seconds(10);
  proc_.Put(42, {.user = 120 * ticks_, .system = 5 * ticks_, .started = 0});
  EXPECT_EQ(Ask(42).cpu_percent, 250);
  now_ += Millis(500);
  proc_.Put(42, {.user = 121 * ticks_, .system = 5 * ticks_, .started = 0});
  EXPECT_EQ(Ask(42).cpu_percent, 250) << "too soon for a new one";
  now_ += Millis(500);
  EXPECT_EQ(Ask(42).cpu_percent, 100) << "since the last that was taken";
  now_ += seconds(10);
  EXPECT_EQ(Ask(42).cpu_percent, 0);
}

TEST_F(HostProcessesTest, AnotherProcessOfTheSameIdBeginsAnew) {
  proc_.Put(42, {.user = 100 * ticks_, .started = 0});
  Ask(42);
  now_ += seconds(10);
  proc_.Put(42, {.user = 50 * ticks_, .started = 900 * ticks_});
  EXPECT_EQ(Ask(42).cpu_percent, 50);
  // Forgotten in a round in which nobody asked for it.
  now_ += seconds(10);
  processes_.Begin(now_);
  processes_.End();
  now_ += seconds(10);
  proc_.Put(42, {.user = 60 * ticks_, .started = 900 * ticks_});
  EXPECT_EQ(Ask(42).cpu_percent, 60) << "over its life again";
}

TEST_F(HostProcessesTest, WhatIsNotThereIsAbsent) {
  EXPECT_FALSE(Ask(43).found);
  EXPECT_EQ(Ask(43).user, "");
  proc_.Put(44, {.uid = 4711});
  EXPECT_EQ(Ask(44).user, "4711") << "nobody names it";
  HostProcesses nowhere({folder_.File("none"), folder_.File("none"), nullptr});
  nowhere.Begin(now_);
  EXPECT_FALSE(nowhere.Describe(44).found);
  // Without the host's memory there is no part of it.
  const process::ScratchDirectory bare;
  std::filesystem::create_directories(bare.File("7"));
  bare.Write("7/status", "Uid:\t0\t0\t0\t0\nVmRSS:\t 5 kB\n");
  bare.Write("7/stat", "7 (x) S 1\n");
  bare.Write("7/cmdline", "");
  HostProcesses some(
      {bare.path(), "", [](std::string_view command) { return std::string(command); }});
  some.Begin(now_);
  const HostProcess process = some.Describe(7);
  EXPECT_TRUE(process.found);
  EXPECT_EQ(process.user, "0");
  EXPECT_EQ(process.memory_percent, std::nullopt);
  EXPECT_EQ(process.cpu_percent, std::nullopt);
  EXPECT_EQ(process.command, "");
}

TEST_F(HostProcessesTest, LongCommandsAreCutAfterTheirSecretsWereLookedFor) {
  proc_.Put(42, {.command = std::string(30'000, 'a')});
  EXPECT_EQ(Ask(42).command, "<>") << "half an argument is none";
  proc_.Put(42, {.command = "x" + std::string(1, '\0') + std::string(30'000, 'a')});
  EXPECT_EQ(Ask(42).command, "<x>");
  std::string words = "x";
  for (int i = 0; i < 2000; ++i) words += std::string(1, '\0') + "\xc3\xa4";
  proc_.Put(42, {.command = words});
  const std::string command = Ask(42).command;
  EXPECT_LE(command.size(), kLongestCommand);
  EXPECT_GT(command.size(), kLongestCommand - 4);
  EXPECT_TRUE(command.ends_with("\xc3\xa4") || command.ends_with(' ')) << "whole characters";
  proc_.Put(42, {.command = "a\nb\x1b[2J\xff"});
  EXPECT_EQ(Ask(42).command, "<a b [2J\xef\xbf\xbd>");
}

TEST_F(HostProcessesTest, ThisProcessCanBeAskedFor) {
  HostProcesses real(
      {"/proc", "/etc/passwd", [](std::string_view command) { return std::string(command); }});
  const auto pid = static_cast<std::uint32_t>(getpid());
  // Of a life shorter than a tick there is no share of a CPU yet, but by the second look.
  real.Begin(now_);
  real.Describe(pid);
  real.End();
  real.Begin(now_ + seconds(10));
  const HostProcess self = real.Describe(pid);
  EXPECT_TRUE(self.found);
  EXPECT_FALSE(self.user.empty());
  EXPECT_NE(self.command.find("internal_exporter_test"), std::string::npos);
  EXPECT_GT(self.memory_percent.value_or(0), 0);
  EXPECT_TRUE(self.cpu_percent.has_value());
}

}  // namespace
}  // namespace gpumon::exporter
