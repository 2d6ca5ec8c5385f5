// hakuriver.client, hakuriver.task and hakuriver.vps.
#include "cmd/gpuctl/haku_config.h"
#include "tests/cmd/gpuctl/haku_run.h"

namespace gpumon::ctl {
namespace {

using hakuriver::Generation;
using hakuriver::kFailedTask;
using hakuriver::kRunningTask;
using hakuriver::kRunningVps;
using hakuriver::kUnknownTask;
using process::Finished;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class HakuNamesTest : public HakuRun {
 protected:
  HakuNamesTest() : HakuRun(Generation::kA) {}
};

TEST_F(HakuNamesTest, ClientPrintsTheStatusAndTheHostsOwnJsonIndented) {
  const Finished ran = RunAs("hakuriver.client", {"status", kFailedTask});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.errors, "");
  EXPECT_EQ(ran.output, R"(HTTP Status Code: 200
{
  "task_id": "7193847561234567171",
  "batch_id": "7193847561234567171",
  "command": "python",
  "arguments": [
    "train.py",
    "--epochs",
    "3"
  ],
  "env_vars": {
    "HF_TOKEN": "hf_not_for_you"
  },
  "status": "failed",
  "assigned_node": "gn01",
  "target_numa_node_id": null,
  "required_cores": 4,
  "required_gpus": [],
  "required_memory_bytes": 8589934592,
  "submitted_at": "2026-03-01T08:15:00.418233",
  "started_at": "2026-03-01T08:15:02.418233",
  "exit_code": 1,
  "error_message": "Container exited with code 1",
  "completed_at": "2026-03-01T09:14:00.418233",
  "stdout_path": "/mnt/shared/task_outputs/7193847561234567171.out",
  "stderr_path": "/mnt/shared/task_errors/7193847561234567171.err",
  "systemd_unit_name": "hakuriver-task-7193847561234567171",
  "assignment_suspicion_count": 0
}
)");
}

TEST_F(HakuNamesTest, EachCommandLineOfTheDocumentRunsInEachGeneration) {
  for (const Generation generation : kGenerations) {
    SCOPED_TRACE(hakuriver::LetterOf(generation));
    host_.Become(generation);
    EXPECT_THAT(RunAs("hakuriver.client", {"nodes"}).output,
                AllOf(StartsWith("HTTP Status Code: 200\n[\n  {\n    \"hostname\": \"gn01\",\n"),
                      HasSubstr("\n    \"numa_topology\": {\n      \"0\": {\n")));
    EXPECT_THAT(RunAs("hakuriver.client", {"health"}).output,
                StartsWith("HTTP Status Code: 200\n{\n  \"nodes\": [\n"));
    EXPECT_THAT(RunAs("hakuriver.client", {"health", "gn01"}).output,
                AllOf(StartsWith("HTTP Status Code: 200\n"), HasSubstr("\"cpu_percent\": 23.5,")));
    EXPECT_THAT(RunAs("hakuriver.client", {"status", kRunningTask}).output,
                HasSubstr("\"status\": \"running\""));
    EXPECT_THAT(RunAs("hakuriver.vps", {"status"}).output, HasSubstr("\"ssh_port\": 40022"));
    EXPECT_EQ(RunAs("hakuriver.task", {"stdout", kRunningTask}).output,
              "epoch 1\nepoch 2\nepoch 3\n");
    EXPECT_EQ(RunAs("hakuriver.task", {"stderr", kFailedTask}).output,
              "Traceback (most recent call last):\nValueError: no data\n");
  }
}

TEST_F(HakuNamesTest, KillAndCommandChangeTheState) {
  EXPECT_EQ(RunAs("hakuriver.client", {"command", kRunningTask, "pause"}).exit_code, 0);
  EXPECT_EQ(host_.StatusOf(kRunningTask), "paused");
  EXPECT_EQ(RunAs("hakuriver.task", {"command", kRunningTask, "resume"}).exit_code, 0);
  EXPECT_EQ(host_.StatusOf(kRunningTask), "running");
  const Finished killed = RunAs("hakuriver.vps", {"kill", kRunningVps});
  EXPECT_EQ(killed.exit_code, 0);
  EXPECT_EQ(killed.output,
            "HTTP Status Code: 202\n{\n  \"message\": \"Kill requested. Task marked as killed.\"\n"
            "}\n");
  EXPECT_EQ(host_.StatusOf(kRunningVps), "killed");
}

TEST_F(HakuNamesTest, AnErrorOfTheHostIsPrintedAndExitsWith1) {
  const Finished ran = RunAs("hakuriver.client", {"status", kUnknownTask});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.output, "HTTP Status Code: 404\n{\n  \"detail\": \"Task id not found\"\n}\n");
  const Finished log = RunAs("hakuriver.task", {"stdout", kRunningVps});
  EXPECT_EQ(log.exit_code, 1);
  EXPECT_THAT(log.output, HasSubstr("VPS tasks do not have stdout."));
}

TEST_F(HakuNamesTest, SubmitIsWhatHakuRiverItselfDoes) {
  for (const char* const program : {"hakuriver.task", "hakuriver.vps"}) {
    const Finished ran = RunAs(program, {"submit", "--cores", "4", "--", "python", "x.py"});
    ExpectOneLine(ran, 2,
                  std::string("this tool watches and submits nothing; HakuRiver's own ") + program +
                      " submit does");
  }
  EXPECT_EQ(host_.server().request_count(), 0U);
}

TEST_F(HakuNamesTest, WrongUsageIsOneLine) {
  ExpectOneLine(RunAs("hakuriver.client", {}), 2,
                "hakuriver.client needs one of nodes, health, status, kill, command");
  ExpectOneLine(RunAs("hakuriver.vps", {"list"}), 2, "it needs one of status, kill, command");
  ExpectOneLine(RunAs("hakuriver.client", {"status"}), 2, "status needs the number of a task");
  ExpectOneLine(RunAs("hakuriver.client", {"command", "5"}), 2, "needs pause or resume");
  ExpectOneLine(RunAs("hakuriver.client", {"nodes", "gn01"}), 2, "nodes takes no argument");
  ExpectOneLine(RunAs("hakuriver.client", {"kill", "5", "now"}), 2, "takes no further argument");
  const Finished help = RunAs("hakuriver.client", {"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("HTTP Status Code: 200"));
}

TEST_F(HakuNamesTest, TheFileOfHakuRiverSaysWhereTheHostIs) {
  const process::ScratchDirectory folder;
  const std::string file =
      folder.Write("config.toml", "# HakuRiver\n[paths]\nhost_port = 1\n[network]\nhost_port = " +
                                      std::to_string(host_.server().port()) +
                                      "  # 8000\nhost_reachable_address = \"127.0.0.1\" # here\n");
  const Finished ran =
      process::Run(std::string(GPUMON_BIN) + "/hakuriver.vps", {"--config", file, "status"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_THAT(ran.output, StartsWith("HTTP Status Code: 200\n[\n"));
  ExpectOneLine(RunAs("hakuriver.vps", {"--config", "/nonexistent", "status"}), 2,
                "file /nonexistent cannot be read");
  EXPECT_EQ(HakuUrlOfConfig(folder.Write("none.toml", "[network]\n")).value_or("?"), "");
}

}  // namespace
}  // namespace gpumon::ctl
