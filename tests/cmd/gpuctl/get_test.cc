// gpuctl get against a server that answers as the API does.
#include "cmd/gpuctl/get.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <csignal>

#include "internal/checks/columns.h"
#include "internal/json/document.h"
#include "tests/cmd/gpuctl/tmux.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::ctl {
namespace {

using fault::HttpStatus;
using fault::Json;
using process::Finished;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kMeta =
    R"("meta":{"as_of":"2026-11-29T08:00:00Z","stale":false,"partial":false})";
constexpr const char* kGpus = R"({"node_name":"gpu-node-1","gpu_id":"0","utilization":46.4,
"gpu_name":"NVIDIA A100-SXM4-80GB","memory_used_percent":79.549,"temperature":54.0,"power":null,
"mig":null,"workloads":[{"namespace":"nlp","pod":"bert-0"},{"namespace":"b","pod":"c"}]},
{"node_name":"機械","gpu_id":"1","utilization":0.0,"gpu_name":"A\u001b[31mB","temperature":null,
"mig":{"gpu_instance_id":"1","profile":"1g.10gb","uuid":null},"power":99.6,"workloads":[]})";

std::string Envelope(const std::string& rows, const std::string& more = kMeta) {
  return R"({"success":true,"data":[)" + rows + R"(],"message":"","error":null,)" + more + "}";
}

class GetTest : public testing::Test {
 protected:
  GetTest() { server_.SetReply(Json(Envelope(kGpus))); }
  Finished Get(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "get");
    return process::Run(GPUMON_CTL, arguments, {{"GPUCTL_SERVER", server_.url() + "/base/"}});
  }
  fault::FaultServer server_;
};

TEST_F(GetTest, ATableSaysWhatIsKnownAndWhatIsNot) {
  const Finished ran = Get({"gpus"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.output,
            "NODE        GPU  MODEL                  UTIL%  MEM%  TEMP-C  POWER-W  PODS\n"
            "gpu-node-1  0    NVIDIA A100-SXM4-80GB     46    80      54        -  nlp/bert-0,b/c\n"
            "機械        1    A?[31mB                    0     -       -      100  none\n");
  EXPECT_EQ(ran.errors, "");
}

TEST_F(GetTest, OnATerminalATableIsAsWideAsThat) {
  const std::string command =
      "GPUCTL_SERVER=" + server_.url() + "/base/ " + GPUMON_CTL + " get gpus; cat";
  const Tmux narrow(80, 10, command);
  EXPECT_TRUE(narrow.Await("NVIDIA A100-SXM4…     46    80      54        -  nlp/bert-0,b/c"))
      << narrow.Screen();
  const Tmux wide(100, 10, command);
  EXPECT_TRUE(wide.Await("NVIDIA A100-SXM4-80GB     46    80      54        -  nlp/bert-0,b/c"))
      << wide.Screen();
}

TEST_F(GetTest, NoLineOfANarrowTableIsLongerThan80Columns) {
  const std::string longest(200, 'x');
  const std::string texts = '"' + longest + '"';
  for (const Resource& resource : Resources()) {
    std::string row;
    for (const Column& column : resource.columns) {
      if (row.find('"' + std::string(column.field) + '"') != std::string::npos) continue;
      const bool text = column.kind == CellKind::kText && column.shrinks;
      row += (row.empty() ? "{\"" : ",\"") + std::string(column.field) +
             "\":" + (text ? texts : "1234");
    }
    const auto answer = json::ParseDocument(Envelope(row + "}"));
    ASSERT_TRUE(answer);
    std::size_t lines = 0;
    WriteTable(resource, *answer, false, 80, [&](std::string_view line) {
      ++lines;
      EXPECT_LE(checks::DisplayWidth(line), 80U) << line;
    });
    EXPECT_EQ(lines, 2U);
    // Nothing is cut in the wide form.
    std::string wide;
    WriteTable(resource, *answer, true, 0, [&](std::string_view line) { wide += line; });
    EXPECT_THAT(wide, AllOf(HasSubstr(longest), Not(HasSubstr("…"))));
  }
}

TEST_F(GetTest, TheServerIsAskedOnceForTheColumnsThatAreShown) {
  EXPECT_EQ(Get({"users", "-l", "user=a*,user=b,min_gpus=2", "--sort-by", "-gpus"}).exit_code, 0);
  ASSERT_EQ(server_.request_count(), 1U);
  const auto request = server_.requests()[0];
  EXPECT_THAT(request.target, StartsWith("/base/api/v1/gpu/users?user=a%2A&user=b&min_gpus=2&"));
  EXPECT_EQ(request.Param("sort"), "-gpus");
  EXPECT_EQ(request.Param("fields"),
            "user,gpus,gpu_share,processes,utilization,memory_used_bytes,node_names");
}

TEST_F(GetTest, JsonKeepsNumbersAsTheyCame) {
  server_.SetReply(
      Json(Envelope(R"({"id":9007199254740993,"x":1.50,"t":"a\u009bb\u202e\udb40\udc41c\nd"})")));
  const Finished ran = Get({"gpus", "-o", "json"});
  EXPECT_EQ(
      ran.output,
      "[{\"id\":9007199254740993,\"x\":1.50,\"t\":\"a\\u009bb\\u202e\\udb40\\udc41c\\nd\"}]\n");
  EXPECT_EQ(server_.requests()[0].Param("fields"), "");
  server_.SetReply(Json(Envelope("")));
  EXPECT_EQ(Get({"gpus", "-o", "json"}).output, "[]\n");
}

TEST_F(GetTest, NamesNameEachRow) {
  EXPECT_EQ(Get({"gpus", "-o", "name"}).output, "gpu/gpu-node-1/0\ngpu/機械/1/1g.10gb\n");
}

TEST_F(GetTest, OneIsCalledAsWellAsAll) {
  for (const std::string word : {"gpu", "node", "process"}) {
    EXPECT_EQ(Get({word, "-o", "json"}).exit_code, 0) << word;
  }
  EXPECT_EQ(Get({"s"}).exit_code, 2);
}

TEST_F(GetTest, NamesChooseRows) {
  for (const std::string name : {"gpu/gpu-node-1/0", "gpu-node-1/0", "gpu-node-1", "0"}) {
    const Finished ran = Get({"gpus", name, "-o", "name"});
    EXPECT_EQ(ran.output, "gpu/gpu-node-1/0\n") << name;
    EXPECT_EQ(ran.exit_code, 0);
  }
  const Finished both = Get({"gpus", "機械", "--sort-by", "utilization", "gpu-node-1"});
  EXPECT_EQ(both.exit_code, 0) << both.errors;
  EXPECT_THAT(both.output, AllOf(HasSubstr("\ngpu-node-1  0 "), HasSubstr("\n機械        1 ")));
  EXPECT_THAT(server_.requests().back().Param("fields"), HasSubstr("node_name,gpu_id,mig"));
}

// The grid of a window goes on with the clock: the next look finds another of its instants.
TEST_F(GetTest, AnEventIsStillThatOneWhenItsWindowHasGoneOn) {
  server_.SetReply(
      Json(R"({"success":true,"data":[{"time":"2026-11-30T03:58:04Z","type":"gpu_lost",)"
           R"("node_name":"n","gpu_id":"0"},{"time":"2026-11-30T04:58:04Z","type":"gpu_lost",)"
           R"("node_name":"n","gpu_id":"0"}],"meta":{"window":{"step_seconds":9}},"error":null})"));
  const std::string shown = "event/gpu_lost/n/0/2026-11-30T03:58:04Z\n";
  for (const std::string name :
       {"event/gpu_lost/n/0/2026-11-30T03:58:04Z", "event/gpu_lost/n/0/2026-11-30T03:58:13Z",
        "gpu_lost/n/0/2026-11-30T03:57:55Z"}) {
    EXPECT_EQ(Get({"events", name, "-o", "name"}).output, shown) << name;
  }
  for (const std::string name :
       {"event/gpu_lost/n/0/2026-11-30T03:58:14Z", "event/gpu_lost/n/1/2026-11-30T03:58:05Z",
        "n/0/2026-11-30T03:58:05Z"}) {
    EXPECT_EQ(Get({"events", name, "-o", "name"}).exit_code, 1) << name;
  }
}

TEST_F(GetTest, ANameThatNamesNothingIsNotFound) {
  const Finished ran = Get({"gpus", "node", "gpu-node", "gpu-node-1"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.output, HasSubstr("\ngpu-node-1  0 "));
  EXPECT_EQ(ran.errors,
            "gpuctl: not found among the gpus: node, gpu-node; gpuctl get gpus -o name lists those "
            "there are\n");
  const Finished none = Get({"gpus", "nope", "-o", "json"});
  EXPECT_EQ(none.output, "[]\n");
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(Get({"gpus", "nope", "-o", "csv"}).errors, HasSubstr("--selector chooses its rows"));
}

TEST_F(GetTest, CsvIsTheServersOwn) {
  const std::string type = "text/csv; charset=utf-8; header=present";
  server_.SetReply(HttpStatus(200, "node_name,b\r\n1,\x1b[2J\r\n", type));
  EXPECT_EQ(Get({"gpus", "-o", "csv"}).output, "node_name,b\n1,\xEF\xBF\xBD[2J\n");
  EXPECT_EQ(server_.requests()[0].Param("format"), "csv");
  server_.SetReply(HttpStatus(200, "power\r\n", type));
  EXPECT_EQ(Get({"gpus", "-o", "csv", "-l", "fields=power"}).output, "power\n");
}

TEST_F(GetTest, ThatACsvIsStaleOrPartialIsALineEach) {
  fault::Reply reply = HttpStatus(200, "node_name,b\r\n", "text/csv");
  reply.headers = {{"Warning", "110 - \"stale: Prometheus gave nothing newer (timeout)\""},
                   {"Warning", "199 - \"partial: some queries failed\""}};
  server_.SetReply(reply);
  const Finished ran = Get({"gpus", "-o", "csv"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.errors,
            "gpuctl: stale: Prometheus gave nothing newer (timeout); see the server's log\n"
            "gpuctl: partial: some queries failed; see the server's log\n");
}

TEST_F(GetTest, WhatIsNoCsvIsNotPrintedAsSuch) {
  const std::string table = "node_name,gpu_id\r\n1,2\r\n";
  const std::vector<fault::Reply> replies = {
      HttpStatus(200, "<html><body>hi, you</body></html>", "text/html"),
      HttpStatus(200, "null", "text/csv"), HttpStatus(200, "", "text/csv"),
      HttpStatus(200, std::string(10'000'000, 'x'), "text/csv"),
      HttpStatus(200, table, "application/json")};
  for (const fault::Reply& reply : replies) {
    server_.SetReply(reply);
    const Finished ran = Get({"gpus", "-o", "csv"});
    EXPECT_EQ(ran.exit_code, 3);
    EXPECT_EQ(ran.output, "");
    EXPECT_EQ(ran.errors, "gpuctl: " + server_.url() +
                              "/base/api/v1/gpu/metrics answered without CSV; is this a "
                              "gpu-monitoring-api?\n");
  }
}

TEST_F(GetTest, WhatIsWrongWithTheAnswerIsSaidBesideIt) {
  server_.SetReply(Json(Envelope(
      kGpus, R"("warnings":["2 GPUs without node"],"meta":{"as_of":"2026-11-29T08:00:00Z",)"
             R"("stale":true,"partial":true})")));
  const Finished ran = Get({"gpus"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.errors,
            "gpuctl: stale: Prometheus gives nothing newer than 2026-11-29T08:00:00Z; see the "
            "server's log\n"
            "gpuctl: partial: some queries failed, what they would have told is \"-\"; see the "
            "server's log\n"
            "gpuctl: warning: 2 GPUs without node\n");
  server_.SetReply(Json(Envelope("")));
  const Finished none = Get({"alerts"});
  EXPECT_EQ(none.output, "");
  EXPECT_EQ(none.errors, "gpuctl: there are no alerts to show\n");
}

TEST_F(GetTest, ARefusalIsTheServersOwnWords) {
  server_.SetReply(HttpStatus(400, R"({"success":false,"error":"unknown parameter 'color'"})",
                              "application/json"));
  for (const std::string form : {"table", "json", "csv"}) {
    const Finished ran = Get({"gpus", "-l", "color=red", "-o", form});
    EXPECT_EQ(ran.exit_code, 3);
    EXPECT_THAT(ran.errors, HasSubstr("answered 400: unknown parameter 'color'\n"));
  }
  EXPECT_EQ(Get({"gpus", "-l", "red"}).exit_code, 2);
}

TEST_F(GetTest, AServerThatIsAwayIsNamedWithTheWayToIt) {
  const Finished ran = process::Run(GPUMON_CTL, {"get", "nodes", "--server", fault::RefusingUrl()});
  EXPECT_EQ(ran.exit_code, 3);
  EXPECT_THAT(ran.errors, AllOf(StartsWith("gpuctl: http://127.0.0.1:"),
                                HasSubstr("kubectl port-forward service/gpu-monitoring-api")));
}

TEST_F(GetTest, TheTokenOfAFileIsShownToTheServer) {
  const process::ScratchDirectory folder;
  EXPECT_EQ(Get({"gpus", "--token-file", folder.Write("token", "s3cret\n")}).exit_code, 0);
  EXPECT_EQ(server_.requests()[0].Header("Authorization"), "Bearer s3cret");
  server_.SetReply(HttpStatus(401));
  EXPECT_THAT(Get({"gpus"}).errors, HasSubstr("wants an API token: give it with --token-file"));
  struct Row {
    std::string file;
    std::string why;
  };
  const std::string pipe = folder.File("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const Row& row :
       {Row{"/dev/zero", "must be a regular file or a link to one, not a device"},
        Row{pipe, "must be a regular file or a link to one, not a pipe"},
        Row{folder.Write("huge", std::string(5U << 20U, 'x')), "is larger than 4 MiB"},
        Row{folder.Write("long", std::string(65U << 10U, 'x')), "has more than 64 KiB"},
        Row{folder.Write("blank", "\n"), "has no token in its first line"}}) {
    const Finished ran = Get({"gpus", "--token-file", row.file});
    EXPECT_EQ(ran.exit_code, 2) << ran.errors;
    EXPECT_EQ(ran.errors, "gpuctl: --token-file: " + row.file + ' ' + row.why + '\n');
  }
}

TEST_F(GetTest, WatchAsksAgainUntilItIsInterrupted) {
  // One failure in between does not end it.
  server_.Enqueue(Json(Envelope(kGpus)));
  server_.Enqueue(HttpStatus(500));
  process::ChildProcess child(GPUMON_CTL, {"get", "gpus", "--watch", "--interval", "100ms"},
                              {{"GPUCTL_SERVER", server_.url()}});
  ASSERT_TRUE(server_.WaitForRequests(4));
  child.Signal(SIGINT);
  const auto ended = child.Wait(Millis(10'000));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, 0);
  EXPECT_THAT(child.Errors(), HasSubstr("answered 500"));
  EXPECT_THAT(child.Output(), HasSubstr("Z\nNODE "));
}

TEST_F(GetTest, AnAnswerThatDoesNotComeIsNotWaitedForAfterCtrlC) {
  server_.SetReply(Json("{}").Held());
  process::ChildProcess child(GPUMON_CTL, {"get", "gpus", "--watch", "--timeout", "10m"},
                              {{"GPUCTL_SERVER", server_.url()}});
  ASSERT_TRUE(server_.WaitForRequests(1));
  child.Signal(SIGINT);
  const auto ended = child.Wait(Millis(10'000));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, 0);
}

TEST_F(GetTest, TenThousandRowsAreOneAnswer) {
  std::string rows;
  for (int i = 0; i < 10'000; ++i) {
    rows += (i == 0 ? "" : ",") + std::string(R"({"node_name":"n","gpu_id":")") +
            std::to_string(i) + "\"}";
  }
  server_.SetReply(Json(Envelope(rows)));
  const Finished ran = Get({"gpus"});
  EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 10'001);
  EXPECT_EQ(server_.request_count(), 1U);
}

}  // namespace
}  // namespace gpumon::ctl
