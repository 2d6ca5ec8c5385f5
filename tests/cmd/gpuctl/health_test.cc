// gpuctl health over the API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "internal/base/clock.h"
#include "internal/base/text.h"
#include "tests/cmd/gpuctl/health_run.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::ctl {
namespace {

using fault::HttpStatus;
using fault::Json;
using process::Environment;
using process::Finished;
using testing::HasSubstr;
using testing::Not;

std::string Answer(const std::string& data) {
  return R"({"success":true,"data":)" + data +
         R"(,"error":null,"meta":{"as_of":"2026-03-01T09:15:30Z"}})";
}

// As a server with two nodes answers, less what is not read.
const std::map<std::string, std::string, std::less<>> kAnswers = {
    {"/api/v1/gpu/nodes",
     R"([{"node_name":"gn01","status":"online","status_reason":null,)"
     R"("last_seen":"2026-03-01T09:15:20Z","gpu_count":2,"models":["NVIDIA H100"],"score":75,)"
     R"("level":"degraded"},{"node_name":"gn02","status":"offline",)"
     R"("status_reason":"its exporters are down","last_seen":"2026-03-01T09:00:00Z",)"
     R"("gpu_count":0,"models":[],"score":null,"level":"unknown"}])"},
    {"/api/v1/gpu/health",
     R"([{"node_name":"gn01","gpu_id":"0","uuid":"GPU-a","mig_uuid":null,"score":100,)"
     R"("level":"healthy","findings":[{"severity":"info","component":"utilization",)"
     R"("finding":"saturated","action":"IGNORE_NO_ACTION_REQUIRED"}]},)"
     R"({"node_name":"gn01","gpu_id":"1","uuid":"GPU-b","mig_uuid":null,"score":50,)"
     R"("level":"critical","findings":[{"severity":"critical","component":"temperature",)"
     R"("finding":"92 °C, above 85","action":"HARDWARE_INSPECTION"}]}])"},
    {"/api/v1/gpu/health?by=node",
     R"([{"node_name":"gn02","findings":[{"severity":"critical","component":"host",)"
     R"("finding":"offline: its exporters are down","action":"HARDWARE_INSPECTION"}]}])"},
    {"/api/v1/gpu/metrics",
     R"([{"node_name":"gn01","gpu_id":"0","gpu_index":0,"gpu_name":"NVIDIA H100","uuid":"GPU-a",)"
     R"("mig":null,"temperature":60.0,"power":400.0,"power_limit":700.0,)"
     R"("memory_used_bytes":42949672960,"memory_total_bytes":85899345920,"utilization":97.0,)"
     R"("workloads":[{"namespace":"ml","pod":"llama-0-x","container":"a"},)"
     R"({"namespace":"ml","pod":"llama-0-x","container":"b"}]},)"
     R"({"node_name":"gn01","gpu_id":"1","gpu_index":1,"gpu_name":"NVIDIA H100","uuid":"GPU-b",)"
     R"("mig":null,"temperature":92.0,"utilization":50.0,)"
     R"("workloads":[{"namespace":"ml","pod":"llama-1-y","container":"a"}]}])"},
    {"/api/v1/gpu/workloads",
     R"([{"namespace":"ml","pod":"llama-0-x","owner_name":"llama","node_names":["gn01"]},)"
     R"({"namespace":"ml","pod":"llama-1-y","owner_name":"llama","node_names":["gn01"]}])"},
    {"/api/v1/gpu/tasks",
     R"([{"kind":"Pod","namespace":"ml","name":"big-1","phase":"Pending",)"
     R"("reason":"Unschedulable","node_names":[],"owner_name":"big"},)"
     R"({"kind":"Pod","namespace":"ml","name":"old","phase":"Succeeded","owner_name":null}])"},
    {"/api/v1/gpu/history", R"([{"uuid":"GPU-a","avg":[null,10.0,90.0]},)"
                            R"({"uuid":"GPU-b","avg":[null,30.0,100.0]}])"},
};

fault::Reply Serve(const fault::Request& request) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  const std::string by = request.target.find("by=node") != std::string::npos ? "?by=node" : "";
  if (path == "/api/v1/gpu/nodes" && request.Param("node") == "nope") return Json(Answer("[]"));
  const auto found = kAnswers.find(path + by);
  return found == kAnswers.end() ? HttpStatus(404) : Json(Answer(found->second));
}

class HealthTest : public HealthRun {
 protected:
  HealthTest() : server_(Serve) { url_ = server_.url(); }

  fault::FaultServer server_;
};

TEST_F(HealthTest, WithoutAFlagAllNodesAreRowsTheWorstFirst) {
  const Finished ran = Run({"health"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.output, "GPU health  2026-03-01T09:15:30Z  " + server_.url() + R"(
0 healthy, 1 degraded, 1 critical, 0 unknown of 2 nodes; 1 of 2 GPUs cool and
not throttled

NODE                         STATUS   HEALTH GPUS  TEMP USAGE MEMORY ISSUES  AGE
gn02                         critical      -    0     -     -      -      1  15m
gn01                         degraded    75%    2   76C   74%    50%      1  10s

ISSUES (2)
  gn02: offline: its exporters are down [host]
    next: HARDWARE_INSPECTION
  gn01: GPU 1: 92 °C, above 85 [temperature]
    next: HARDWARE_INSPECTION

GPU usage, last 60 minutes, 0 to 100 %; now 95 %
   ▂█
)");
}

TEST_F(HealthTest, ANodeIsAskedForByItsName) {
  const Finished ran = Run({"health", "gn01"});
  EXPECT_THAT(ran.output, HasSubstr("\n  0 NVIDIA H100             60C  400/700W   97%  "
                                    "40960/81920MB(50%) -\n"));
  for (const fault::Request& request : server_.requests()) {
    EXPECT_EQ(request.Param("node"), "gn01") << request.target;
  }
  ExpectOneLine(Run({"health", "nope"}), 2, "knows no node nope with GPUs");
}

TEST_F(HealthTest, ANodeHasItsCpuMemoryAndTemperature) {
  const std::string absent = Run({"health", "gn01"}).output;
  EXPECT_EQ(Run({"health"}).output.find("host:"), std::string::npos);
  server_.SetScript([](const fault::Request& request) {
    if (!request.target.starts_with("/api/v1/gpu/nodes")) return Serve(request);
    return Json(
        Answer(R"([{"node_name":"gn01","status":"online","gpu_count":2,"models":["NVIDIA H100"],)"
               R"("score":75,"level":"degraded","cpu":23.5,"host_memory_total_bytes":137438953472,)"
               R"("host_memory_available_bytes":80852549632,"host_memory_used_percent":41.2,)"
               R"("host_temperature":66.0}])"));
  });
  EXPECT_THAT(Run({"health", "gn01"}).output,
              HasSubstr("\nhost: CPU 23.5 %, memory 52.7 of 128.0 GiB (41.2 %), hottest sensor "
                        "66.0 C\n"));
  const json::Value host = Parsed(Run({"health", "gn01", "--json"}))["hosts"][0];
  EXPECT_EQ(*host["hostname"].AsString(), "gn01");
  EXPECT_EQ(host["cpu_percent"].AsDouble(), 23.5);
  EXPECT_EQ(host["memory_percent"].AsDouble(), 41.2);
  EXPECT_EQ(host["memory_used_bytes"].AsInteger(), 56586403840);
  EXPECT_EQ(host["memory_total_bytes"].AsInteger(), 137438953472);
  EXPECT_TRUE(host["current_avg_temp"].is_null());
  EXPECT_EQ(host["current_max_temp"].AsDouble(), 66);
  EXPECT_THAT(absent, HasSubstr("host: gn01: CPU -, memory - of - GiB (-), hottest sensor -\n"));
}

TEST_F(HealthTest, ATaskIsAWorkloadOfAllThePodsOfItsOwner) {
  const json::Value gpu = Parsed(Run({"health", "--gpu", "--json"}));
  EXPECT_EQ(*gpu["fleet_summary"]["critical_issues"][0]["task_name"].AsString(), "ml/llama");
  EXPECT_EQ(gpu["fleet_summary"]["total_nodes"].AsInteger(), 1);
  EXPECT_EQ(gpu["fleet_summary"]["total_gpus"].AsInteger(), 2);
  EXPECT_EQ(gpu["summary"]["issues"].AsInteger(), 1);
  const Finished one = Run({"health", "--task", "ml/llama"});
  EXPECT_THAT(one.output, HasSubstr("\nml/llama                     degraded    75%    2 "));
  EXPECT_THAT(one.output, HasSubstr("now 95 %\n   ▂█\n"));
  ExpectOneLine(Run({"health", "--task", "ml/none"}), 2, "knows no task ml/none");
}

TEST_F(HealthTest, APodIsFoundOnTheRowOfItsOwner) {
  for (const std::string name : {"ml/llama-0-x", "llama-0-x", "task/Pod/ml/llama-0-x", "llama"}) {
    const Finished ran = Run({"health", "--task", name});
    EXPECT_EQ(ran.exit_code, 0) << ran.errors;
    EXPECT_THAT(ran.output, HasSubstr("\nml/llama                     degraded    75%    2 "));
    EXPECT_THAT(ran.output, HasSubstr("is of ml/llama: this is its health\n"));
  }
  EXPECT_THAT(Run({"health", "--task", "big-1"}).output,
              HasSubstr("\nml/big                       unknown       -    0 "));
  EXPECT_THAT(Run({"health", "--task", "ml/llama"}).output, Not(HasSubstr("note: ")));
}

TEST_F(HealthTest, APodOfSeveralNamespacesIsAsked) {
  server_.SetScript([](const fault::Request& request) {
    if (!request.target.starts_with("/api/v1/gpu/workloads")) return Serve(request);
    return Json(Answer(R"([{"namespace":"ml","pod":"a-0","owner_name":"a"},)"
                       R"({"namespace":"qa","pod":"a-0","owner_name":null}])"));
  });
  ExpectOneLine(Run({"health", "--task", "a-0"}), 2, "a-0 may be any of ml/a, qa/a-0");
}

TEST_F(HealthTest, TasksOfANodeAreThoseWithGpusThere) {
  const Finished ran = Run({"health", "gn01", "--gpu"});
  EXPECT_THAT(ran.output, HasSubstr("\nml/llama                     degraded    75%    2 "));
  for (const fault::Request& request : server_.requests()) {
    const bool of_gpus = request.target.find("/workloads") == std::string::npos;
    EXPECT_EQ(request.Param("node"), of_gpus ? "gn01" : "") << request.target;
  }
  EXPECT_THAT(Run({"health", "gn01", "--gpu", "--all"}).output, Not(HasSubstr("ml/big")))
      << "it is on no node";
  ExpectOneLine(Run({"health", "nope", "--gpu"}), 2, "knows no node nope with GPUs");
}

TEST_F(HealthTest, ATaskOfSeveralNodesSaysWhereEachGpuIs) {
  EXPECT_THAT(Run({"health", "--task", "ml/llama"}).output, HasSubstr("CLOCK\non gn01:\n  0 NV"));
}

TEST_F(HealthTest, ATokenThatIsRefusedIsNotCalledMissing) {
  server_.SetReply(HttpStatus(401, R"({"success":false,"error":"no"})"));
  ExpectOneLine(Run({"health"}), 3, "wants an API token: give it with --token-file");
  ExpectOneLine(Run({"health", "--token-file", home_.Write("token", "bad\n")}), 3,
                "refuses the API token that --token-file gives");
}

TEST_F(HealthTest, AllAddsTasksWithoutGpusThatHaveNotEnded) {
  EXPECT_THAT(Run({"health", "--gpu"}).output, Not(HasSubstr("ml/big")));
  const std::string all = Run({"health", "--gpu", "--all"}).output;
  EXPECT_THAT(all, HasSubstr("\nml/big                       unknown       -    0 "));
  EXPECT_THAT(all, Not(HasSubstr("ml/old")));
}

TEST_F(HealthTest, TheExitCodeFollowsFlowHealthFailOn) {
  EXPECT_EQ(Run({"health"}, {{"FLOW_HEALTH_FAIL_ON", "never"}}).exit_code, 0);
  EXPECT_EQ(Run({"health"}, {{"FLOW_HEALTH_FAIL_ON", "issues"}}).exit_code, 2);
  server_.SetScript([](const fault::Request& request) {
    return request.target.find("/health") == std::string::npos ? Serve(request)
                                                               : Json(Answer("[]"));
  });
  EXPECT_EQ(Run({"health", "gn01", "--fail-on", "warnings"}).exit_code, 2) << "gn02 is offline";
}

TEST_F(HealthTest, ByTheNameOfFlowTheDocumentsCommandLinesRunUnchanged) {
  const std::vector<std::vector<std::string>> lines = {
      {"health", "--gpu"},
      {"health", "--gpu", "--all"},
      {"health", "--task", "ml/llama"},
      {"health", "--gpu", "--json"},
  };
  const Environment environment = {{"HOME", home_.path()}, {"GPUCTL_SERVER", server_.url()}};
  for (const auto& line : lines) {
    const Finished ran = process::Run(GPUMON_FLOW, line, environment);
    EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  }
  const Finished ssh =
      process::Run(GPUMON_FLOW, {"ssh", "ml/llama", "--", "which", "gpud"}, environment);
  ExpectOneLine(ssh, 2, "kubectl exec -n ml -it POD -- COMMAND");
  ExpectOneLine(process::Run(GPUMON_FLOW, {"logs", "gn01"}, environment), 2,
                "ssh gn01 journalctl -u gpud");
}

TEST_F(HealthTest, HistoryIsWhatTheServerStored) {
  server_.SetScript([](const fault::Request& request) {
    if (request.target.starts_with("/api/v1/gpu/workloads")) return Serve(request);
    const bool known = request.Param("task") == "ml/llama-0-x";
    const std::string row =
        R"({"id":"1","task_id":"ml/llama-0-x","task_name":"llama-0-x","timestamp":)"
        R"("2026-03-01T09:15:00Z","health_score":0.9,"health_status":"healthy"})";
    return Json(Answer(known ? R"({"snapshot_count":1,"snapshots":[)" + row + "]}"
                             : R"({"snapshot_count":0,"snapshots":[]})"));
  });
  const json::Value past =
      Parsed(Run({"health", "--task", "ml/llama-0-x", "--history", "24", "--json"}));
  EXPECT_EQ(past["hours"].AsInteger(), 24);
  EXPECT_EQ(past["snapshots"].size(), 1U);
  EXPECT_EQ(past["latest"]["health_score"].AsDouble(), 0.9);
  // The server stores pods; an owner's are found.
  EXPECT_THAT(Run({"health", "--task", "ml/llama", "--history", "24"}).output,
              HasSubstr("  Snapshots: 1\n  Average Health Score: 90.0%\n"));
  EXPECT_EQ(Parsed(Run({"health", "--task", "llama-0-x", "--history", "24", "--json"}))["snapshots"]
                .size(),
            1U);
  const Finished none = Run({"health", "--task", "X", "--history", "24", "--json"});
  EXPECT_EQ(none.output, "{\"error\":\"No health history found for task X\"}\n");
  EXPECT_EQ(none.exit_code, 1);
}

TEST_F(HealthTest, ATaskThatOnlyTheStoreKnowsIsItsNewestSnapshot) {
  const WallTime now = SystemClock().Wall();
  server_.SetScript([now](const fault::Request& request) {
    if (!request.target.starts_with("/api/v1/gpu/health/history")) return Serve(request);
    const auto row = [now](int minutes, const char* score, const char* usage) {
      const std::string time = FormatTime(now - std::chrono::minutes(minutes));
      return std::string(R"({"id":"1","task_id":"task-abc123","task_name":"task-abc123",)") +
             R"("timestamp":")" + time + R"(","health_score":)" + score +
             R"(,"health_status":"degraded","gpu_metrics":[{"gpu_index":0,"uuid":"GPU-z",)" +
             R"("gpu_utilization_pct":)" + usage + "}]}";
    };
    // As the server has it: without an instant, for these are snapshots of many.
    const std::string rows = request.Param("task") == "task-abc123"
                                 ? row(90, "0.7", "100") + ',' + row(91, "0.9", "0")
                                 : std::string();
    return Json(R"({"success":true,"data":{"snapshots":[)" + rows + "]}}");
  });
  const Finished ran = Run({"health", "--task", "task-abc123"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_THAT(ran.output, HasSubstr("\ntask-abc123                  degraded    70%    1 "));
  EXPECT_THAT(ran.output, HasSubstr("  90m\n"));
  EXPECT_THAT(ran.output, HasSubstr("note: no workload is called task-abc123 now"));
  EXPECT_THAT(ran.output, HasSubstr("last 2 snapshots, 0 to 100 %; now 100 %\n  ▁█\n"));
  ExpectOneLine(Run({"health", "--task", "task-none"}), 2, "knows no task task-none");
}

TEST_F(HealthTest, EveryFailureOfTheServerIsOneLine) {
  using Fault = fault::Reply::Fault;
  struct Row {
    fault::Reply reply;
    std::string text;
  };
  const std::vector<Row> rows = {
      {fault::Broken(Fault::kClose), "cannot be asked: "},
      {fault::Broken(Fault::kReset), "cannot be asked: "},
      {fault::Broken(Fault::kTruncated, Answer("[]")), "cannot be asked: "},
      {HttpStatus(401), "wants an API token"},
      {HttpStatus(403), "answered 403"},
      {HttpStatus(503), "answered 503"},
      {HttpStatus(200, "<html>hi</html>", "text/html"), "is this a gpu-monitoring-api?"},
      {Json(R"({"success":true,"data":{"a":1}})"), "without rows"},
      {Json(R"({"success":true,"data":[],"data":[]})"), "is this a gpu-monitoring-api?"},
      {fault::Redirect(302, "http://127.0.0.1:1/"), "answered 302"},
  };
  for (const Row& row : rows) {
    server_.SetReply(row.reply);
    ExpectOneLine(Run({"health"}), 3, row.text);
  }
  server_.SetReply(fault::Broken(Fault::kHang));
  ExpectOneLine(Run({"health", "--timeout", "200ms"}), 3, "cannot be asked: ");
  ExpectOneLine(Run({"health"}, {{"GPUCTL_SERVER", fault::RefusingUrl()}}), 3,
                "the connection was refused; is the server running");
}

TEST_F(HealthTest, WhatAServerRefusesWithDoesNothingToATerminal) {
  const std::string body =
      R"({"success":false,"data":null,"error":"a\u001b[2J\u202eb","code":"internal"})";
  for (const int status : {400, 404, 429, 503}) {
    server_.SetReply(HttpStatus(status, body, "application/json"));
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"health"},
                                               {"health", "n1"},
                                               {"health", "--task", "a/b", "--history", "2"},
                                               {"doctor"},
                                               {"get", "gpus"},
                                               {"nodes"}}) {
      const Finished ran = Run(command);
      SCOPED_TRACE(command[0] + ' ' + std::to_string(status) + ' ' + ran.errors);
      EXPECT_THAT(ran.errors, HasSubstr("a?[2J?b\n"));
    }
  }
}

TEST_F(HealthTest, JsonHasNoCharacterThatATerminalActsOn) {
  server_.SetReply(Json(Answer(
      R"([{"node_name":"x\u202ey","status":"online","gpu_count":1,"score":90,"level":"healthy"}])")));
  const Finished ran = Run({"health", "--json"});
  EXPECT_THAT(ran.output, HasSubstr(R"(x\u202ey)"));
  EXPECT_THAT(ran.output, Not(HasSubstr("\u202e")));
}

TEST_F(HealthTest, RowsOfOddShapesAreReadAsFarAsTheyGo) {
  server_.SetReply(Json(Answer(
      R"([null,7,{},{"node_name":"x\u001b[2J","score":"high","findings":null,"models":7}])")));
  const Finished ran = Run({"health", "--gpu", "--all"});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  const Finished nodes = Run({"health"});
  EXPECT_EQ(nodes.exit_code, 0) << nodes.errors;
  EXPECT_THAT(nodes.output, Not(HasSubstr("\x1b")));
}

TEST_F(HealthTest, WhatDoesNotGoTogetherIsRefused) {
  ExpectOneLine(Run({"health", "gn01", "--task", "a/b"}), 2, "--task: \"a/b\"");
  ExpectOneLine(Run({"health", "--history", "24"}), 2, "needs --task or --node");
  ExpectOneLine(Run({"health", "--source", "slurm"}), 2, "--source: \"slurm\"");
  ExpectOneLine(Run({"health", "--source", "store", "--via", "h"}), 2, "does not go with");
  ExpectOneLine(Run({"health", "--via", "a", "--history", "2", "gn01"}), 2, "GPUd keeps");
  ExpectOneLine(Run({"health", "--via=-oProxyCommand=x"}), 2, "is no host");
  ExpectOneLine(Run({"health", "--gpud-url", "ftp://h"}), 2, "no address of a GPUd");
  ExpectOneLine(Run({"health", "a", "b"}), 2, "unexpected argument");
}

TEST_F(HealthTest, WatchGoesOnUntilASignal) {
  process::ChildProcess child(GPUMON_CTL, {"health", "--json", "--watch", "--interval", "100ms"},
                              {{"HOME", home_.path()}, {"GPUCTL_SERVER", server_.url()}});
  EXPECT_TRUE(process::WaitUntil(
      [&] {
        const std::string output = child.Output();
        return std::count(output.begin(), output.end(), '\n') >= 3;
      },
      Millis(20'000)));
  child.Signal(SIGINT);
  const auto ended = child.Wait(Millis(10'000));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, 0);
}

TEST_F(HealthTest, ASignalEndsWatchWhateverItWaitsFor) {
  server_.SetReply(fault::Broken(fault::Reply::Fault::kHang));
  process::ChildProcess child(GPUMON_CTL, {"health", "--watch", "--timeout", "600s"},
                              {{"HOME", home_.path()}, {"GPUCTL_SERVER", server_.url()}});
  ASSERT_TRUE(server_.WaitForRequests(1));
  child.Signal(SIGTERM);
  const auto ended = child.Wait(Millis(10'000));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, 0);
}

TEST_F(HealthTest, WatchOutlivesAServerThatIsAwayForAWhile) {
  process::ChildProcess child(GPUMON_CTL, {"health", "--watch", "--interval", "100ms"},
                              {{"HOME", home_.path()}, {"GPUCTL_SERVER", server_.url()}});
  const auto rounds = [&child] {
    const std::string output = child.Output();
    std::size_t count = 0;
    for (std::size_t at = 0; (at = output.find("GPU health  ", at)) != std::string::npos; ++at) {
      ++count;
    }
    return count;
  };
  ASSERT_TRUE(process::WaitUntil([&] { return rounds() > 0; }, Millis(20'000)));
  for (int i = 0; i < 3; ++i) server_.Enqueue(HttpStatus(503));
  EXPECT_TRUE(child.AwaitErrors("answered 503", Millis(20'000)));
  const std::size_t before = rounds();
  EXPECT_TRUE(process::WaitUntil([&] { return rounds() > before + 1; }, Millis(20'000)));
  EXPECT_THAT(child.Output(), Not(HasSubstr("\n\n\nGPU health")));
}

TEST_F(HealthTest, WatchEndsWhereNobodyHasAnsweredYet) {
  server_.SetReply(HttpStatus(503));
  ExpectOneLine(Run({"health", "--watch"}), 3, "answered 503");
  ExpectOneLine(Run({"health", "--watch", "--json", "--server", "http://127.0.0.1:1"}), 3,
                "cannot be asked");
}

}  // namespace
}  // namespace gpumon::ctl
