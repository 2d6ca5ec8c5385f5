#include "internal/base/program.h"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/fakes/process/wait.h"

namespace gpumon {
namespace {

// A zombie is none: whoever adopted it has not looked yet.
bool IsAlive(const std::string& pid) {
  const std::string stat = process::ReadFile("/proc/" + pid + "/stat");
  const std::size_t name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat[name_end + 2] != 'Z';
}

class ProgramTest : public ::testing::Test {
 protected:
  Result<ProgramAnswer> Shell(const std::string& script, Millis limit = Millis(30'000),
                              std::size_t most_bytes = kMostProgramBytes) {
    return RunProgram({"sh", "-c", script}, clock_, Deadline::After(clock_, limit), most_bytes);
  }

  const SystemClock clock_{};
  const process::ScratchDirectory folder_{};
};

TEST_F(ProgramTest, BothOutputsAndTheExitCodeAreKnown) {
  const auto answer = Shell("echo out; echo err >&2; exit 7");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->output, "out\n");
  EXPECT_EQ(answer->errors, "err\n");
  EXPECT_EQ(answer->exit_code, 7);
}

TEST_F(ProgramTest, ASignalIsAnExitCodeAsInAShell) {
  EXPECT_EQ(Shell("kill -TERM $$")->exit_code, 128 + SIGTERM);
}

TEST_F(ProgramTest, AProgramThatIsNotThereIsNotFound) {
  const Deadline deadline = Deadline::After(clock_, Millis(30'000));
  const auto in_path = RunProgram({"no-such-program-here"}, clock_, deadline);
  ASSERT_FALSE(in_path);
  EXPECT_EQ(in_path.error().code, Code::kNotFound);
  EXPECT_EQ(in_path.error().message, "no-such-program-here is not in PATH");
  const auto by_path = RunProgram({"/no/such/program"}, clock_, deadline);
  EXPECT_EQ(by_path.error().message, "/no/such/program is not there");
  const std::string file = folder_.Write("text", "no program");
  EXPECT_EQ(RunProgram({file}, clock_, deadline).error().code, Code::kNotFound);
}

TEST_F(ProgramTest, AfterTheDeadlineNothingOfItsGroupIsLeft) {
  const std::string pids = folder_.File("pids");
  const auto answer = Shell("sleep 600 & echo $! $$ > " + pids + "; wait", Millis(1000));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUpstreamTimeout);
  EXPECT_EQ(answer.error().message, "sh did not end in time");
  const std::string text = process::ReadFile(pids);
  ASSERT_FALSE(text.empty());
  const std::string left = text.substr(0, text.find(' '));
  EXPECT_TRUE(process::WaitUntil([&left] { return !IsAlive(left); }, Millis(10'000)));
}

TEST_F(ProgramTest, WhatItLeavesBehindHoldsNobodyUp) {
  const auto answer = Shell("sleep 600 & echo done");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->output, "done\n");
}

TEST_F(ProgramTest, EndlessOutputIsCut) {
  const auto answer = Shell("yes", Millis(30'000), 100'000);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUpstreamTooLarge);
  EXPECT_EQ(answer.error().message, "sh printed more than 100000 bytes");
}

TEST_F(ProgramTest, ALongOutputIsWhole) {
  const auto answer = Shell("head -c 3000000 /dev/zero");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->output.size(), 3'000'000U);
}

TEST_F(ProgramTest, ItMayBeInterruptedAlthoughWeBlockSignals) {
  sigset_t term;
  sigset_t before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  const auto answer = Shell("kill -TERM $$; exit 0");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(answer->exit_code, 128 + SIGTERM);
}

}  // namespace
}  // namespace gpumon
