// nodes, tasks, vps, status, logs, kill, pause and resume of a HakuRiver host.
#include "tests/cmd/gpuctl/haku_run.h"
#include "tests/cmd/gpuctl/tmux.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::ctl {
namespace {

using hakuriver::Generation;
using hakuriver::kCompletedTask;
using hakuriver::kFailedTask;
using hakuriver::kPendingTask;
using hakuriver::kRunningTask;
using hakuriver::kRunningVps;
using hakuriver::kUnknownTask;
using process::Finished;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The API's answer for a task that it does not know.
constexpr char kNoSuchTask[] =
    R"({"success":false,"data":null,"message":null,"error":"no pod or Job of this namespace and )"
    R"(name asks for GPUs at that instant; /api/v1/gpu/tasks lists those that do",)"
    R"("code":"not_found"})";

class HakuTest : public HakuRun {};

TEST_F(HakuTest, NodesAreATable) {
  const Finished ran = Run({"nodes"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.errors, "");
  EXPECT_EQ(ran.output, R"(NODE  STATUS   CORES  FREE  NUMA  GPUS            HEARTBEAT(HOST)
gn01  online      32    24     2  2x NVIDIA L40S  2026-03-01T09:15:00
gn02  offline     32     0     -  none            2026-03-01T08:58:40
)");
  const Finished wide = Run({"nodes", "-o", "wide"});
  EXPECT_EQ(
      wide.output,
      R"(NODE  STATUS   CORES  FREE  IN-USE  NUMA  CPU%  MEM%  USED-GiB  TOTAL-GiB  TEMP-C  MAX-TEMP-C  GPUS            HEARTBEAT(HOST)      VERSION  URL
gn01  online      32    24       8     2  23.5  41.2      52.7      128.0    51.2        66.0  2x NVIDIA L40S  2026-03-01T09:15:00  -        http://10.9.0.11:8001
gn02  offline     32     0       -     -     -     -         -          -       -           -  none            2026-03-01T08:58:40  -        http://10.9.0.12:8001
)");
}

TEST_F(HakuTest, AServerThatIsNoHakuRiverIsSaidToBeNone) {
  const std::vector<std::vector<std::string>> commands = {{"nodes", "--source", "hakuriver"},
                                                          {"health", "--source", "hakuriver"},
                                                          {"vps"},
                                                          {"tasks", "--source", "hakuriver"},
                                                          {"status", "5"},
                                                          {"logs", "5"},
                                                          {"kill", "5", "--yes"}};
  const fault::FaultServer none([](const fault::Request&) {
    return fault::HttpStatus(404, R"({"detail":"Not found."})", "application/json");
  });
  for (const auto& command : commands) {
    ExpectOneLine(Run(command, {{"HAKURIVER_URL", none.url()}}), 3, "it is no HakuRiver host");
  }
  const fault::FaultServer lists([](const fault::Request&) { return fault::Json("[]"); });
  ExpectOneLine(Run({"logs", "5"}, {{"HAKURIVER_URL", lists.url()}}), 3, "its log is no plain");
  const fault::FaultServer junk(
      [](const fault::Request&) { return fault::Json(R"([{"component":5},null,3])"); });
  ExpectOneLine(Run({"health", "--source", "hakuriver"}, {{"HAKURIVER_URL", junk.url()}}), 3,
                "none of its nodes has a hostname");
}

TEST_F(HakuTest, TasksAreATableOfCommandsAlone) {
  const Finished ran = Run({"tasks"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.errors, "");
  EXPECT_EQ(ran.output, R"(TASK-ID              STATUS     NODE  CORES  GPUS  COMMAND
7193847561234567169  running    gn01      4  0     python train.py --epochs 3
7193847561234567170  completed  gn01      4  none  python train.py --epochs 3
7193847561234567171  failed     gn01      4  none  python train.py --epochs 3
7193847561234567174  pending    -         4  none  python train.py --epochs 3
)");
  const Finished failed = Run({"tasks", "--status", "failed", "-o", "name"});
  EXPECT_EQ(failed.output, std::string("task/") + kFailedTask + '\n');
  const Finished some = Run({"tasks", "--limit", "2", "-o", "name"});
  EXPECT_EQ(some.output, std::string("task/") + kRunningTask + "\ntask/" + kCompletedTask + '\n');
  EXPECT_EQ(some.errors, "gpuctl: only the first 2 tasks; --limit takes more\n");
}

TEST_F(HakuTest, ListsAreCsvAndJsonToo) {
  EXPECT_EQ(
      Run({"tasks", "--status", "failed", "-o", "csv"}).output,
      R"(task_id,status,assigned_node,required_cores,required_gpus,required_memory_bytes,target_numa_node_id,submitted_at,started_at,completed_at,exit_code,error_message,container_name,owner_username,command_line
7193847561234567171,failed,gn01,4,,8589934592,,2026-03-01T08:15:00.418233,2026-03-01T08:15:02.418233,2026-03-01T09:14:00.418233,1,Container exited with code 1,pytorch-2.4,,python train.py --epochs 3
)");
  EXPECT_EQ(
      Run({"vps", "-o", "json"}).output,
      R"([{"task_id":"7193847561234567172","status":"running","assigned_node":"gn01","required_cores":4,"required_memory_bytes":8589934592,"required_gpus":[1],"submitted_at":"2026-03-01T08:15:00.418233","started_at":"2026-03-01T08:15:02.418233","completed_at":null,"time_zone":null,"exit_code":null,"error_message":null,"container_name":"pytorch-2.4","target_numa_node_id":null,"ssh_port":40022,"name":null,"owner_username":null}]
)");
}

TEST_F(HakuTest, VpsAreThoseThatAreActiveUnlessAllAreWanted) {
  for (const Generation generation : kGenerations) {
    SCOPED_TRACE(hakuriver::LetterOf(generation));
    host_.Become(generation);
    const Finished active = Run({"vps"});
    EXPECT_EQ(active.exit_code, 0) << active.errors;
    EXPECT_EQ(active.output,
              R"(TASK-ID              STATUS   NODE  SSH-PORT  CORES  GPUS  STARTED(HOST)
7193847561234567172  running  gn01     40022      4  1     2026-03-01T08:15:02
)");
    const Finished all = Run({"vps", "--all"});
    EXPECT_EQ(all.output,
              R"(TASK-ID              STATUS   NODE  SSH-PORT  CORES  GPUS  STARTED(HOST)
7193847561234567172  running  gn01     40022      4  1     2026-03-01T08:15:02
7193847561234567173  stopped  gn01         -      4  none  2026-03-01T08:15:02
)");
  }
}

TEST_F(HakuTest, VpsFitATerminalHoweverManyGpusTheyHave) {
  host_.AddTask({.id = "7193847561234567199",
                 .type = "vps",
                 .status = "assigning",
                 .node = "a-node-with-a-long-name",
                 .gpus = {0, 1, 2, 3, 4, 5, 6, 7},
                 .ssh_port = 40023});
  const Tmux tmux(80, 20,
                  std::string("HAKURIVER_URL=") + host_.url() + ' ' + GPUMON_CTL +
                      " vps; echo en''ded; sleep 60");
  ASSERT_TRUE(tmux.Await("\nended")) << tmux.Screen();
  // A line that is too long would be two.
  const std::string screen = tmux.Screen();
  EXPECT_EQ(std::count(screen.begin(),
                       screen.begin() + static_cast<std::ptrdiff_t>(screen.find("ended")), '\n'),
            3)
      << screen;
  EXPECT_THAT(screen, HasSubstr("2026-03-01"));
  EXPECT_THAT(Run({"vps"}).output, HasSubstr("0,1,2,3,4,5,6,7  2026-03-01T08:15:02\n"));
}

TEST_F(HakuTest, StatusHasTheFourteenFieldsInTheirOrder) {
  const Finished ran = Run({"status", kFailedTask});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.errors, "");
  EXPECT_EQ(ran.output, R"(task_id                 7193847561234567171
status                  failed
assigned_node           gn01
required_cores          4
required_memory_bytes   8589934592
required_gpus           none
submitted_at            2026-03-01T08:15:00.418233  (the host's local time)
started_at              2026-03-01T08:15:02.418233  (the host's local time)
completed_at            2026-03-01T09:14:00.418233  (the host's local time)
exit_code               1
error_message           Container exited with code 1
container_name          pytorch-2.4
target_numa_node_id     -
ssh_port                -
)");
  host_.Become(Generation::kA);
  const Finished vps = Run({"status", kRunningVps});
  EXPECT_EQ(vps.output, R"(task_id                 7193847561234567172
status                  running
assigned_node           gn01
required_cores          4
required_memory_bytes   8589934592
required_gpus           1
submitted_at            2026-03-01T08:15:00.418233  (the host's local time)
started_at              2026-03-01T08:15:02.418233  (the host's local time)
completed_at            -
exit_code               -
error_message           -
container_name          -
target_numa_node_id     -
ssh_port                40022
)");
}

TEST_F(HakuTest, StatusAsJsonIsIndented) {
  const Finished ran = Run({"status", kPendingTask, "-o", "json"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.output, R"({
  "task_id": "7193847561234567174",
  "status": "pending",
  "assigned_node": null,
  "required_cores": 4,
  "required_memory_bytes": 8589934592,
  "required_gpus": [],
  "submitted_at": "2026-03-01T08:15:00.418233",
  "started_at": null,
  "completed_at": null,
  "time_zone": null,
  "exit_code": null,
  "error_message": null,
  "container_name": "pytorch-2.4",
  "target_numa_node_id": null,
  "ssh_port": null,
  "name": null,
  "owner_username": null,
  "task_type": "command",
  "batch_id": "7193847561234567174",
  "command": "python",
  "arguments": [
    "train.py",
    "--epochs",
    "3"
  ],
  "env_vars": [
    "HF_TOKEN"
  ],
  "approval_status": null
}
)");
}

TEST_F(HakuTest, LogsAreTheTextAlone) {
  for (const Generation generation : kGenerations) {
    SCOPED_TRACE(hakuriver::LetterOf(generation));
    host_.Become(generation);
    const Finished all = Run({"logs", kRunningTask});
    EXPECT_EQ(all.exit_code, 0);
    EXPECT_EQ(all.output, "epoch 1\nepoch 2\nepoch 3\n");
    EXPECT_EQ(all.errors, "");
    EXPECT_EQ(Run({"logs", kRunningTask, "--tail", "1"}).output, "epoch 3\n");
    EXPECT_EQ(Run({"logs", kRunningTask, "--tail", "0"}).output, "");
    EXPECT_EQ(Run({"logs", "--stderr", kFailedTask}).output,
              "Traceback (most recent call last):\nValueError: no data\n");
    const Finished none = Run({"logs", kPendingTask});
    EXPECT_EQ(none.exit_code, 0);
    EXPECT_EQ(none.output, "");
    EXPECT_EQ(none.errors, std::string("gpuctl: task ") + kPendingTask +
                               " has written nothing to its standard output yet\n");
  }
}

TEST_F(HakuTest, WhereThereAreNoLogsIsSaid) {
  ExpectOneLine(Run({"logs", kRunningVps}), 2,
                std::string("task ") + kRunningVps + " is a VPS, which writes no log");
  ExpectOneLine(Run({"logs", kUnknownTask}), 2,
                std::string("has no task ") + kUnknownTask +
                    "; gpuctl tasks and gpuctl vps --all list those it has");
  ExpectOneLine(Run({"logs", "ml-team/llama-0"}), 2,
                "gpuctl keeps no logs of pods; kubectl logs -n ml-team llama-0 prints them; of a "
                "Job: kubectl logs -n ml-team job/llama-0\n");
  ExpectOneLine(Run({"logs", "task/Job/ml-team/train"}), 2,
                "pods; kubectl logs -n ml-team job/train prints them\n");
  ExpectOneLine(Run({"logs", "task/Pod/ml-team/x"}), 2,
                "pods; kubectl logs -n ml-team x prints them\n");
  ExpectOneLine(Run({"logs"}), 2, "a task is missing: gpuctl logs TASK");
}

TEST_F(HakuTest, ActionsAreConfirmedByYes) {
  const Finished pause = Run({"pause", kRunningTask, "--yes"});
  EXPECT_EQ(pause.exit_code, 0) << pause.errors;
  EXPECT_EQ(pause.output, std::string("task ") + kRunningTask + ": pause asked for\n");
  EXPECT_EQ(host_.StatusOf(kRunningTask), "paused");
  EXPECT_EQ(Run({"resume", "-y", kRunningTask}).exit_code, 0);
  EXPECT_EQ(host_.StatusOf(kRunningTask), "running");
  EXPECT_EQ(Run({"kill", kRunningTask, "--yes"}).exit_code, 0);
  EXPECT_EQ(host_.StatusOf(kRunningTask), "killed");
  ExpectOneLine(Run({"kill", kRunningTask, "--yes"}), 2, "cannot be killed in its state (killed)");
}

TEST_F(HakuTest, AStateThatNoTaskHasIsRefused) {
  ExpectOneLine(Run({"tasks", "--source", "hakuriver", "--status", "runing"}), 2,
                "pending, assigning, running, paused");
  EXPECT_EQ(host_.server().request_count(), 0U);
}

TEST_F(HakuTest, AnIdThatNoHostCanHaveIsRefused) {
  for (const char* const command : {"kill", "status"}) {
    const Finished ran = Run({command, "18446744073709551615"});
    ExpectOneLine(ran, 2, "which is a whole number below 2^63");
    EXPECT_THAT(ran.errors, Not(HasSubstr("control characters")));
  }
  ExpectOneLine(Run({"logs", "9999999999999999999"}), 2, "is a whole number below 2^63");
  ExpectOneLine(Run({"logs", "llama-0-x"}), 2, "or of a pod NAMESPACE/POD");
  EXPECT_EQ(host_.server().request_count(), 0U);
}

TEST_F(HakuTest, WithoutATerminalNothingIsDoneUnlessToldSo) {
  ExpectOneLine(Run({"kill", kRunningTask}), 2, "--yes does it without asking");
  EXPECT_EQ(host_.server().request_count(), 0U);
  ExpectOneLine(Run({"kill", "ml-team/llama-0", "--yes"}), 2,
                "for a pod: kubectl delete pod -n ml-team llama-0");
  ExpectOneLine(Run({"pause", "x", "--yes"}), 2, "--task");
}

TEST_F(HakuTest, ATerminalIsAskedFirst) {
  const std::string kill = std::string("HAKURIVER_URL=") + host_.url() + ' ' + GPUMON_CTL +
                           " kill " + kRunningTask + "; echo ended $?; ";
  const Tmux tmux(120, 20, kill + kill + "sleep 60");
  ASSERT_TRUE(tmux.Await("? [y/N]")) << tmux.Screen();
  tmux.Press({"n", "Enter"});
  ASSERT_TRUE(tmux.Await("ended 2")) << tmux.Screen();
  EXPECT_EQ(host_.StatusOf(kRunningTask), "running");
  tmux.Press({"y", "Enter"});
  ASSERT_TRUE(tmux.Await("ended 0")) << tmux.Screen();
  EXPECT_EQ(host_.StatusOf(kRunningTask), "killed");
}

TEST_F(HakuTest, ATokenGoesToTheHostThatItIsFor) {
  host_.Become(Generation::kC);
  host_.SetToken("kr_s3cret");
  const process::ScratchDirectory folder;
  const std::string file = folder.Write("token", "kr_s3cret\n");
  const std::string other = folder.Write("other", "of_the_api\n");
  ExpectOneLine(Run({"tasks"}), 3, "a token is given as a file: HAKURIVER_TOKEN_FILE");
  ExpectOneLine(Run({"tasks", "--token-file", other}), 3, "it was given the token of " + other);
  EXPECT_EQ(Run({"tasks"}, {{"HAKURIVER_TOKEN_FILE", file}}).exit_code, 0);
  EXPECT_EQ(Run({"tasks", "--token-file", file}).exit_code, 0);
  EXPECT_EQ(Run({"vps", "--token-file", file}).exit_code, 0);
  const std::size_t before = host_.server().request_count();
  EXPECT_EQ(Run({"tasks"}, {{"GPUCTL_TOKEN_FILE", other}}).exit_code, 3);
  const auto requests = host_.server().requests();
  for (std::size_t i = before; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].Header("Authorization"), "");
  }
}

TEST_F(HakuTest, OnlyTheApiItselfCanSayThatItKnowsNoSuchTask) {
  fault::FaultServer api;
  const process::Environment server = {{"GPUCTL_SERVER", api.url() + "/wrong"}};
  api.SetReply(fault::HttpStatus(404, kNoSuchTask, "application/json"));
  ExpectOneLine(Run({"status", "ml/none"}, server), 2, "knows no task ml/none");
  for (const auto& [body, says] :
       {std::pair(R"({"success":false,"data":null,"message":null,"error":"there is no such path; )"
                  R"(GET /api lists the routes","code":"not_found"})",
                  "/wrong/api/v1/gpu/tasks/ml/none answered 404: there is no such path"),
        std::pair(R"({"detail":"Not Found"})", "answered 404; is this a gpu-monitoring-api?"),
        std::pair("404 page not found", "answered 404; is this a gpu-monitoring-api?")}) {
    api.SetReply(fault::HttpStatus(404, body, "application/json"));
    ExpectOneLine(Run({"status", "ml/none"}, server), 3, says);
  }
}

TEST_F(HakuTest, TheSourceIsTheApiUnlessOnlyAHostIsNamed) {
  const fault::FaultServer api([](const fault::Request& request) {
    if (request.target.starts_with("/api/v1/gpu/tasks/ml/llama")) {
      return fault::Json(
          R"({"success":true,"data":{"namespace":"ml","name":"llama","phase":"Failed",)"
          R"("node_names":["gn01"],"cores_requested":4.0,"memory_requested_bytes":1024,)"
          R"("gpus_requested":2,"submitted":"2026-03-01T09:15:00Z","started":null,)"
          R"("completed":null,"exit_code":137,"error":"OOMKilled"},"error":null})");
    }
    if (request.target.starts_with("/api/v1/gpu/nodes")) {
      return fault::Json(R"({"success":true,"data":[{"node_name":"of-the-api"}],"error":null})");
    }
    return fault::HttpStatus(404, kNoSuchTask, "application/json");
  });
  const process::Environment both = {{"GPUCTL_SERVER", api.url()}};
  EXPECT_THAT(Run({"nodes"}).output, HasSubstr("gn01"));
  EXPECT_THAT(Run({"nodes"}, both).output, HasSubstr("of-the-api"));
  EXPECT_THAT(Run({"nodes", "--source", "hakuriver"}, both).output, HasSubstr("gn01"));
  EXPECT_THAT(Run({"status", kRunningTask}, both).output, HasSubstr(kRunningTask));
  EXPECT_EQ(Run({"status", "ml/llama"}, both).output, R"(task_id                 ml/llama
status                  Failed
assigned_node           gn01
required_cores          4.0
required_memory_bytes   1024
required_gpus           2
submitted_at            2026-03-01T09:15:00Z
started_at              -
completed_at            -
exit_code               137
error_message           OOMKilled
container_name          -
target_numa_node_id     -
ssh_port                -
)");
  EXPECT_THAT(Run({"status", "task/Job/ml/llama"}, both).output, HasSubstr("OOMKilled"));
  ExpectOneLine(Run({"status", "ml/none"}, both), 2, "knows no task ml/none");
  ExpectOneLine(Run({"status", "llama"}, both), 2, "NAMESPACE/NAME");
  ExpectOneLine(Run({"tasks", "--status", "failed"}, both), 2, "--source hakuriver alone");
  ExpectOneLine(Run({"nodes", "-l", "node=a"}), 2, "does not go with --source hakuriver");
}

TEST_F(HakuTest, WhereTheHostIsHasSeveralNames) {
  const std::string port = std::to_string(host_.server().port());
  const auto run = [](const std::vector<std::string>& arguments,
                      const process::Environment& environment) {
    return process::Run(GPUMON_CTL, arguments, environment);
  };
  EXPECT_EQ(run({"vps"}, {{"KOHAKURIVER_HOST", "127.0.0.1"}, {"KOHAKURIVER_PORT", port}}).exit_code,
            0);
  EXPECT_EQ(run({"vps", "--hakuriver-url", host_.url()}, {}).exit_code, 0);
  ExpectOneLine(run({"vps", "--hakuriver-url", "gn01:8000"}, {}), 2, "--hakuriver-url");
  ExpectOneLine(run({"vps"}, {{"KOHAKURIVER_HOST", "127.0.0.1"}, {"KOHAKURIVER_PORT", "1"}}), 3,
                "HakuRiver at http://127.0.0.1:1 does not answer: the connection was refused; is "
                "the host running, and is --hakuriver-url (HAKURIVER_URL) right?");
}

TEST_F(HakuTest, ASilentHostEndsAtTheDeadline) {
  const fault::BlackHole hole;
  const Finished ran =
      process::Run(GPUMON_CTL, {"vps", "--timeout", "200ms"}, {{"HAKURIVER_URL", hole.url()}});
  ExpectOneLine(ran, 3, "it did not answer in time");
}

TEST_F(HakuTest, DebugTellsEveryStep) {
  const Finished ran = Run({"vps"}, {{"LOG_LEVEL", "debug"}});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.errors, AllOf(HasSubstr("/api/auth/status"), HasSubstr("generation=B"),
                                HasSubstr("/vps/status")));
}

TEST_F(HakuTest, SecretsOfCommandLinesAndEnvironmentsAreNotShown) {
  host_.AddTask({.id = "5", .command = "mysql --password=Hunter22"});
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"tasks"},
                                                    {"tasks", "-o", "wide"},
                                                    {"tasks", "-o", "json"},
                                                    {"tasks", "-o", "csv"},
                                                    {"status", "5", "-o", "json"}}) {
    const Finished ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.errors;
    EXPECT_THAT(ran.output, AllOf(Not(HasSubstr("Hunter22")), Not(HasSubstr("hf_not_for_you"))));
    EXPECT_THAT(ran.output, HasSubstr("mysql"));
  }
  EXPECT_THAT(Run({"status", "5", "-o", "json"}).output,
              HasSubstr(R"("command": "mysql --password=***",
  "arguments": [
    "train.py",
    "--epochs",
    "3"
  ])"));
}

TEST_F(HakuTest, TextsOfOthersDoNothingToATerminal) {
  host_.AddTask({.id = "5", .command = "a\x1b[31mb", .out = "x\x1b[2Jy\n"});
  EXPECT_THAT(Run({"tasks"}).output, Not(HasSubstr("\x1b")));
  EXPECT_THAT(Run({"tasks", "-o", "json"}).output, HasSubstr("a\\u001b[31mb"));
  const Tmux tmux(
      120, 20,
      std::string("HAKURIVER_URL=") + host_.url() + ' ' + GPUMON_CTL + " logs 5; sleep 60");
  EXPECT_TRUE(tmux.Await("x?[2Jy")) << tmux.Screen();
  const Tmux haku(
      120, 20,
      "HAKURIVER_URL=" + host_.url() + ' ' + GPUMON_BIN + "/hakuriver.task stdout 5; sleep 60");
  EXPECT_TRUE(haku.Await("x?[2Jy")) << haku.Screen();
  EXPECT_EQ(RunAs("hakuriver.task", {"stdout", "5"}).output, "x\x1b[2Jy\n");
}

}  // namespace
}  // namespace gpumon::ctl
