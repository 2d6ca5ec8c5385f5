// gpuctl health --source hakuriver.
#include <regex>

#include "internal/json/document.h"
#include "tests/cmd/gpuctl/haku_run.h"

namespace gpumon::ctl {
namespace {

using hakuriver::Generation;
using hakuriver::kFailedTask;
using hakuriver::kRunningTask;
using process::Finished;
using testing::HasSubstr;
using testing::Not;

class HealthHakuTest : public HakuRun {
 protected:
  // What differs from run to run has one text.
  std::string Even(std::string text) {
    text = std::regex_replace(text, std::regex("health  [^ ]*"), "health  TIME");
    return std::regex_replace(text, std::regex(std::to_string(host_.server().port())), "PORT");
  }
};

TEST_F(HealthHakuTest, NodesAreJudgedByWhatIsFresh) {
  for (const Generation generation : kGenerations) {
    SCOPED_TRACE(hakuriver::LetterOf(generation));
    host_.Become(generation);
    const Finished ran = Run({"health"});
    EXPECT_EQ(ran.exit_code, 0) << ran.errors;
    EXPECT_EQ(Even(ran.output), R"(GPU health  TIME  HakuRiver at http://127.0.0.1:PORT
1 healthy, 0 degraded, 1 critical, 0 unknown of 2 nodes; 2 of 2 GPUs cool and
not throttled
host: 1 of 2 nodes online, 64 cores, CPU 60.2 %, memory 165.4 of 256.0 GiB, CPU
      temperature at most 91.0 C; what offline nodes had last may be in these
      sums

NODE                         STATUS   HEALTH GPUS  TEMP USAGE MEMORY ISSUES  AGE
gn02                         critical     0%    0     -     -      -      1   0s
gn01                         healthy     95%    2   45C   32%    33%      0   0s

ISSUES (1)
  gn02: offline: its last heartbeat was at 2026-03-01T08:58:40.001000 (the
  host's local time) [host]

GPU usage, last 3 seconds, 0 to 100 %; now 32 %
  ▃▃▃
)");
  }
}

TEST_F(HealthHakuTest, ANodeHasItsMachineItsGpusAndItsLastMinute) {
  for (const Generation generation : kGenerations) {
    SCOPED_TRACE(hakuriver::LetterOf(generation));
    host_.Become(generation);
    const Finished ran = Run({"health", "gn01"});
    EXPECT_EQ(ran.exit_code, 0) << ran.errors;
    EXPECT_EQ(Even(ran.output), R"(GPU health  TIME  HakuRiver at http://127.0.0.1:PORT
1 healthy, 0 degraded, 0 critical, 0 unknown of 1 nodes; 2 of 2 GPUs cool and
not throttled
host: CPU 23.5 %, memory 52.7 of 128.0 GiB (41.2 %), CPU temperature 51.2 C, at
      most 66.0 C, last heartbeat 2026-03-01T09:15:00.418233 (the host's local
      time)

NODE                         STATUS   HEALTH GPUS  TEMP USAGE MEMORY ISSUES  AGE
gn01                         healthy     95%    2   45C   32%    33%      0   0s

GPU MODEL                  TEMP     POWER USAGE              MEMORY CLOCK
  0 NVIDIA L40S             58C  231/350W   63%  30212/46068MB(66%) 2490
  1 NVIDIA L40S             31C    -/350W    0%       2/46068MB(0%) 210

GPU usage, last 3 seconds, 0 to 100 %; now 32 %
  ▃▃▃
)");
    const Finished gone = Run({"health", "gn02"});
    EXPECT_THAT(gone.output, HasSubstr("the last values there were: CPU 97.0 %"));
    ExpectOneLine(Run({"health", "gn9"}), 2, "has no health of a node gn9");
  }
}

TEST_F(HealthHakuTest, AHostThatStoppedSamplingShowsNothingFresh) {
  host_.Become(Generation::kA);
  host_.StopSampling();
  for (int i = 0; i < 30; ++i) host_.Tick();
  const Finished ran = Run({"health"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.output, HasSubstr("note: the host no longer samples"));
  EXPECT_THAT(ran.output, HasSubstr("0 healthy"));
  const Finished strict = Run({"health", "gn01", "--fail-on", "warnings"});
  EXPECT_EQ(strict.exit_code, 1);
  EXPECT_THAT(strict.output, HasSubstr("its host no longer samples"));
}

TEST_F(HealthHakuTest, ANodeThatTheHostListsAndNeverSampledIsAWarning) {
  host_.NeverSample();
  for (const Generation generation : kGenerations) {
    SCOPED_TRACE(hakuriver::LetterOf(generation));
    host_.Become(generation);
    const Finished ran = Run({"health", "--fail-on", "warnings"});
    EXPECT_EQ(ran.exit_code, 2) << ran.output << "gn02 is offline";
    EXPECT_THAT(ran.output, HasSubstr("1 critical, 1 unknown of 2 nodes"));
    EXPECT_THAT(ran.output, HasSubstr("gn01: its host has no samples of it"));
    EXPECT_THAT(ran.output, HasSubstr("gn02: offline: its last heartbeat"));
    const Finished one = Run({"health", "gn01", "--fail-on", "warnings"});
    EXPECT_EQ(one.exit_code, 1) << one.errors;
    EXPECT_THAT(one.output, HasSubstr("gn01: its host has no samples of it"));
    EXPECT_THAT(one.output, Not(HasSubstr("gn02")));
    ExpectOneLine(Run({"health", "gn9"}), 2, "has no health of a node gn9");
    const Finished task = Run({"health", "--task", kRunningTask, "--fail-on", "warnings"});
    EXPECT_EQ(task.exit_code, 1);
    EXPECT_THAT(task.output, HasSubstr("its host has no samples of it"));
  }
}

TEST_F(HealthHakuTest, ATaskThatRunsOnANodeThatIsOfflineIsAWarning) {
  host_.AddTask({.id = "6", .node = "gn02", .gpus = {0}});
  for (const Generation generation : kGenerations) {
    SCOPED_TRACE(hakuriver::LetterOf(generation));
    host_.Become(generation);
    const Finished ran = Run({"health", "--task", "6", "--fail-on", "warnings"});
    EXPECT_EQ(ran.exit_code, 1) << ran.errors;
    EXPECT_THAT(ran.output, HasSubstr("6: its node is offline [host]"));
  }
}

TEST_F(HealthHakuTest, TasksHaveTheGpusThatTheyAskedFor) {
  const Finished ran = Run({"health", "--gpu"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(Even(ran.output), R"(GPU health  TIME  HakuRiver at http://127.0.0.1:PORT
2 healthy, 0 degraded, 0 critical, 0 unknown of 2 tasks; 2 of 2 GPUs cool and
not throttled

TASK                         STATUS   HEALTH GPUS  TEMP USAGE MEMORY ISSUES  AGE
7193847561234567169          healthy    100%    1   58C   63%    66%      0   0s
7193847561234567172          healthy     90%    1   31C    0%     0%      0   0s
)");
  const Finished all = Run({"health", "--gpu", "--all"});
  EXPECT_THAT(all.output, HasSubstr(hakuriver::kPendingTask));
  const Finished one = Run({"health", "--task", kFailedTask});
  EXPECT_THAT(one.output, HasSubstr("failed, exit code 1: Container exited"));
  EXPECT_THAT(Run({"health", "--task", kRunningTask}).output, HasSubstr("NVIDIA L40S"));
}

TEST_F(HealthHakuTest, AGpuThatATaskWasGivenAndItsNodeDoesNotShowIsAnIssue) {
  host_.AddTask({.id = "5", .gpus = {0, 7}});
  const Finished ran = Run({"health", "--task", "5", "--fail-on", "warnings"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.output, HasSubstr("gn01 shows no GPU 7, which it was given"));
}

TEST_F(HealthHakuTest, ATaskWithANamespaceIsNoneOfTheHosts) {
  ExpectOneLine(Run({"health", "--task", "ml/train", "--server", "http://127.0.0.1:1"}), 3,
                "http://127.0.0.1:1");
  process::Environment environment = {{"HAKURIVER_URL", host_.url()},
                                      {"GPUCTL_SERVER", "http://127.0.0.1:1"}};
  ExpectOneLine(
      process::Run(GPUMON_CTL, {"health", "--task", "ml/train", "--history", "1"}, environment), 3,
      "http://127.0.0.1:1");
}

TEST_F(HealthHakuTest, JsonAndExitCodesAreThoseOfHealth) {
  const Finished ran = Run({"health", "--json", "--fail-on", "issues"});
  EXPECT_EQ(ran.exit_code, 2);
  const auto document = json::ParseDocument(ran.output);
  ASSERT_TRUE(document) << ran.output;
  EXPECT_EQ((*document)["fleet_summary"]["total_nodes"].AsInteger(), 2);
  EXPECT_EQ((*document)["fleet_summary"]["critical_nodes"].AsInteger(), 1);
  EXPECT_EQ((*document)["fleet_summary"]["total_gpus"].AsInteger(), 2);
  EXPECT_EQ((*document)["fleet_summary"]["avg_gpu_utilization"].AsDouble(), 31.5);
  for (const Generation generation : kGenerations) {
    SCOPED_TRACE(hakuriver::LetterOf(generation));
    host_.Become(generation);
    const auto one = json::ParseDocument(Run({"health", "gn01", "--json"}).output);
    ASSERT_TRUE(one);
    EXPECT_EQ((*one)["fleet_summary"]["healthy_nodes"].AsInteger(), 1);
    EXPECT_EQ((*one)["fleet_summary"]["total_gpus"].AsInteger(), 2);
    EXPECT_EQ((*one)["hosts"][0]["cpu_percent"].AsDouble(), 23.5);
    EXPECT_EQ((*one)["hosts"][0]["current_max_temp"].AsDouble(), 66);
    const auto gone = json::ParseDocument(Run({"health", "gn02", "--json"}).output);
    ASSERT_TRUE(gone);
    ASSERT_EQ((*gone)["hosts"].size(), 1U);
    EXPECT_TRUE((*gone)["hosts"][0]["cpu_percent"].is_null());
  }
  ExpectOneLine(Run({"health", "gn01", "--history", "2"}), 2, "is nothing that HakuRiver keeps");
}

TEST_F(HealthHakuTest, WhatTheListsPrintAsNamesIsTakenBack) {
  const std::string task = std::string("task/") + kRunningTask;
  EXPECT_THAT(Run({"status", task}).output, HasSubstr(kRunningTask));
  EXPECT_EQ(Run({"logs", task}).output, "epoch 1\nepoch 2\nepoch 3\n");
  EXPECT_EQ(Run({"health", "node/gn01"}).exit_code, 0);
  EXPECT_EQ(Run({"health", "--task", task}).exit_code, 0);
  const std::string vps = Run({"vps", "-o", "name"}).output;
  EXPECT_EQ(Run({"status", vps.substr(0, vps.find('\n'))}).exit_code, 0) << vps;
  EXPECT_EQ(Run({"kill", task, "--yes"}).output,
            std::string("task ") + kRunningTask + ": kill asked for\n");
}

TEST_F(HealthHakuTest, AServerThatIsNamedIsAskedFirst) {
  const Finished ran = Run({"health"}, {{"GPUCTL_SERVER", "http://127.0.0.1:1"}});
  ExpectOneLine(ran, 3, "http://127.0.0.1:1 cannot be asked");
  const Finished told =
      Run({"health", "--source", "hakuriver"}, {{"GPUCTL_SERVER", "http://127.0.0.1:1"}});
  EXPECT_EQ(told.exit_code, 0) << told.errors;
}

}  // namespace
}  // namespace gpumon::ctl
