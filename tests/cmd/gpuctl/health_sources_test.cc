// gpuctl health and gpud get without the API: GPUd, ssh, the store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "internal/base/text.h"
#include "internal/store/snapshot.h"
#include "tests/cmd/gpuctl/health_run.h"
#include "tests/cmd/gpuctl/stub_gpud.h"
#include "tests/cmd/gpuctl/tmux.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/fault/tls_server.h"

namespace gpumon::ctl {
namespace {

using process::Finished;
using testing::HasSubstr;
using testing::Not;

using GpudTest = HealthRun;

TEST_F(GpudTest, AGpudIsAskedDirectly) {
  fault::FaultServer gpud(ServeGpud);
  const Finished ran = Run({"health", "--gpud-url", gpud.url()});
  EXPECT_THAT(ran.output, HasSubstr("\ngpud/gn07                    healthy    100%    1   61C   "
                                    "63%      -      1   0s\n"));
  EXPECT_THAT(ran.output, HasSubstr("  gpud/gn07: XID 79 detected [accelerator-nvidia-error-xid]\n"
                                    "    next: REBOOT_SYSTEM\n"));
  // As the variables of Flow have it.
  const std::string port = std::to_string(gpud.port());
  EXPECT_EQ(Run({"health", "--source", "gpud", "--fail-on", "issues"}, {{"FLOW_GPUD_PORT", port}})
                .exit_code,
            2);
}

TEST_F(GpudTest, JsonNamesAHostAsTheTableAndTaskDo) {
  fault::FaultServer gpud(ServeGpud);
  for (const std::string task : {"gpud/gn07", "gn07"}) {
    const auto json = Parsed(Run({"health", "--gpud-url", gpud.url(), "--task", task, "--json"}));
    EXPECT_EQ(*json["fleet_summary"]["critical_issues"][0]["task_name"].AsString(), "gpud/gn07");
    EXPECT_EQ(*json["details"]["issues"][0]["message"].AsString(), "gpud/gn07: XID 79 detected");
  }
}

TEST_F(GpudTest, ANameThatATerminalWouldActOnIsShownWithoutThat) {
  const std::string name =
      "a\xC2\x9B"
      "b\xE2\x80\xAE";
  ExpectOneLine(Run({"flow", "ssh", name}), 2, "; ssh a?b? does");
  ExpectOneLine(Run({"flow", "logs", "ns/" + name}), 2, "lists the pods of a?b?, and");
  ExpectOneLine(Run({"logs", "ns/" + name}), 2, "kubectl logs -n ns a?b? prints");
  ExpectOneLine(Run({"kill", "ns/" + name}), 2, "delete pod -n ns a?b?");
}

TEST_F(GpudTest, ARawAnswerIsAsItCameExceptOnATerminal) {
  const std::string body =
      "[\"a\x1b[31mb\xC2\x9B"
      "c\x1b]0;d\x07\",\n\t7]";
  const fault::FaultServer gpud([&](const fault::Request&) { return fault::Json(body); });
  EXPECT_EQ(Run({"gpud", "get", "/v1/states", "--gpud-url", gpud.url()}).output, body + '\n');
  const Tmux tmux(80, 24,
                  std::string(GPUMON_CTL) + " gpud get /v1/states --gpud-url " + gpud.url());
  EXPECT_TRUE(tmux.Await("[\"a?[31mb?c?]0;d?\",\n        7]\n")) << tmux.Screen();
}

TEST_F(GpudTest, AnswersOfWrongTypesAreOneLine) {
  for (const std::string& body :
       {std::string(R"([{"component":5,"states":"x","metrics":{"a":1},"events":7},null,3])"),
        R"([")" + std::string(10'000'000, 'a') + R"("])"}) {
    fault::FaultServer gpud([&](const fault::Request&) { return fault::Json(body); });
    ExpectOneLine(Run({"health", "--gpud-url", gpud.url()}), 3,
                  "its states are no list of components with states");
  }
  fault::FaultServer empty([](const fault::Request&) { return fault::Json("null"); });
  EXPECT_EQ(Run({"health", "--gpud-url", empty.url()}).exit_code, 0);
}

TEST_F(GpudTest, WhatAGpudDoesNotTellIsNoted) {
  fault::FaultServer gpud([](const fault::Request& request) {
    return request.target == "/v1/metrics" ? fault::Json("[3]") : ServeGpud(request);
  });
  EXPECT_THAT(Run({"health", "--gpud-url", gpud.url()}).output,
              HasSubstr("note: gpud/gn07 lacks metrics: its metrics are no list of components"));
}

TEST_F(GpudTest, WhatCannotBeJudgedIsAWarning) {
  for (const std::string broken : {"/v1/events", "/v1/metrics"}) {
    fault::FaultServer gpud([&](const fault::Request& request) {
      if (request.target == "/v1/states") {
        return fault::Json(R"([{"component":"cpu","states":[{"health":"Healthy"}]}])");
      }
      return request.target.starts_with(broken) ? fault::HttpStatus(500) : ServeGpud(request);
    });
    const Finished ran =
        Run({"health", "--gpud-url", gpud.url(), "--json", "--fail-on", "warnings"});
    EXPECT_EQ(ran.exit_code, 1) << ran.output;
    const std::string note = "gpud/gn07 lacks " + broken.substr(4) + ": it answered 500";
    EXPECT_EQ(*Parsed(ran)["notes"][0].AsString(), note);
    EXPECT_EQ(ran.errors, "gpuctl: note: " + note + '\n');
    EXPECT_EQ(*Parsed(ran)["details"]["warnings"][0]["category"].AsString(), "gpud");
  }
}

TEST_F(GpudTest, AGpudThatTellsOfNoGpuIsAWarning) {
  fault::FaultServer empty([](const fault::Request&) { return fault::Json("null"); });
  for (const char* const which : {"--all", "--gpu"}) {
    const Finished ran = Run({"health", "--gpud-url", empty.url(), which, "--fail-on", "warnings"});
    EXPECT_EQ(ran.exit_code, 1) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("nothing is known of its GPUs"));
  }
}

TEST_F(GpudTest, WithoutStatesAHostIsUnknown) {
  for (const std::string& states :
       {std::string("[]"), std::string("null"), std::string(R"([{"component":"cpu","states":[]}])"),
        std::string(R"([{"component":"cpu","states":null}])")}) {
    fault::FaultServer gpud([&](const fault::Request& request) {
      return request.target == "/v1/states" ? fault::Json(states) : ServeGpud(request);
    });
    const Finished ran = Run({"health", "--gpud-url", gpud.url(), "--fail-on", "warnings"});
    EXPECT_EQ(ran.exit_code, 1) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("\ngpud/gn07                    unknown       -    1 "));
    EXPECT_THAT(ran.output, HasSubstr("note: gpud/gn07 lacks states: "));
  }
}

// A GPUd leaves out what a host without GPUs has nothing for.
fault::Reply ServeGpudWithoutGpus(const fault::Request& request) {
  if (request.target == "/v1/states") {
    return fault::Json(R"([{"component":"cpu","states":[{"health":"Healthy"}]}])");
  }
  if (request.target == "/machine-info") {
    return fault::Json(R"({"gpudVersion":"v0.5.1","hostname":"web1"})");
  }
  return fault::Json("[]");
}

TEST_F(GpudTest, AHostThatHasNoGpuIsNoWarning) {
  if (std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "this host has a GPU";
  fault::FaultServer gpud(ServeGpudWithoutGpus);
  const Finished ran =
      Run({"health", "--gpud-url", gpud.url(), "--gpu", "--json", "--fail-on", "warnings"});
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_EQ(*Parsed(ran)["notes"][0].AsString(), "gpud/web1: no GPUs on this host");
  EXPECT_EQ(Parsed(ran)["details"]["warnings"].size(), 0U);
}

TEST_F(GpudTest, ADriverHereWithoutAGpuThatGpudKnowsIsAWarning) {
  fault::FaultServer gpud(ServeGpudWithoutGpus);
  const Finished ran = Run({"health", "--gpud-url", gpud.url(), "--fail-on", "warnings"},
                           {{"NVML_LIBRARY", FAKE_NVML_OTHER_LIBRARY}});
  EXPECT_EQ(ran.exit_code, 1) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("nothing is known of its GPUs"));
}

TEST_F(GpudTest, TheUsageOfTheLastHourIsDrawn) {
  const auto minutes_ago = [](int minutes) {
    const auto at = SystemClock().Wall() - std::chrono::minutes(minutes) - std::chrono::seconds(5);
    return std::to_string(std::chrono::duration_cast<Millis>(at.time_since_epoch()).count());
  };
  const auto row = [&](int minutes, const char* uuid, const char* value) {
    return R"({"unix_seconds":)" + minutes_ago(minutes) +
           R"(,"name":"accelerator_nvidia_utilization_gpu_util_percent","labels":{"uuid":")" +
           uuid + R"("},"value":)" + value + "}";
  };
  fault::FaultServer gpud([&](const fault::Request& request) {
    if (!request.target.starts_with("/v1/metrics") || request.Param("since") != "1h") {
      return ServeGpud(request);
    }
    EXPECT_EQ(request.Param("components"), "accelerator-nvidia-utilization");
    return fault::Json(R"([{"component":"accelerator-nvidia-utilization","metrics":[)" +
                       row(90, "GPU-a", "100") + ',' + row(3, "GPU-a", "0") + ',' +
                       row(1, "GPU-a", "50") + ',' + row(0, "GPU-a", "100") + ',' +
                       row(0, "GPU-b", "50") + "]}]");
  });
  EXPECT_THAT(Run({"health", "--gpud-url", gpud.url()}).output,
              testing::EndsWith("GPU usage, last 60 minutes, 0 to 100 %; now 75 %\n  " +
                                std::string(56, ' ') + "▁ ▅▇\n"));
}

TEST_F(GpudTest, FlowsConfigurationFileSaysWhereGpudIs) {
  fault::FaultServer gpud(ServeGpud);
  std::filesystem::create_directory(home_.File(".flow"));
  home_.Write(".flow/config.yaml", "api_key: x\nhealth:\n  enabled: true\n  gpud_port: " +
                                       std::to_string(gpud.port()) + "\n  retention_days: 3\n");
  EXPECT_THAT(Run({"health", "--source", "gpud"}).output, HasSubstr("gpud/gn07"));
}

TEST_F(GpudTest, OfSeveralGpudsASilentOneIsACriticalRow) {
  fault::FaultServer gpud(ServeGpud);
  const std::string silent = fault::RefusingUrl();
  const Finished ran = Run({"health", "--gpud-url", gpud.url() + "," + silent});
  EXPECT_THAT(ran.output, HasSubstr(" critical     0%    0 "));
  EXPECT_THAT(ran.output, HasSubstr("does not answer: the connection\n  was refused [gpud]"));
  ExpectOneLine(Run({"health", "--gpud-url", silent}), 3, "does not answer: the connection was");
}

TEST_F(GpudTest, ACertificateThatNamesNobodyWillDo) {
  const TlsGpud gpud;
  EXPECT_THAT(Run({"health", "--gpud-url", gpud.url()}).output,
              HasSubstr("\ngpud/gn07                    healthy    100%    1   61C   63% "));
  EXPECT_EQ(Run({"gpud", "get", "/machine-info", "--gpud-url", gpud.url()}).output,
            GpudAnswers().at("/machine-info") + '\n');
}

TEST_F(GpudTest, SomethingElseThatSpeaksTlsIsNoGpud) {
  const fault::TlsServer other("DNS:somebody.else");
  ExpectOneLine(Run({"health", "--gpud-url", other.url()}), 3, "states");
}

TEST_F(GpudTest, GetPrintsAnAnswerAsItCame) {
  fault::FaultServer gpud(ServeGpud);
  const Finished states = Run({"gpud", "get", "/v1/states", "--gpud-url", gpud.url()});
  EXPECT_EQ(states.output, GpudAnswers().at("/v1/states") + '\n');
  EXPECT_EQ(states.exit_code, 0);
  EXPECT_EQ(Run({"gpud", "get", "--gpud-url", gpud.url(), "/v1/events"}).output, "[]\n");
  EXPECT_NE(gpud.requests().back().Param("startTime"), "");
  ExpectOneLine(Run({"gpud", "get", "/v1/gpu", "--gpud-url", gpud.url()}), 3, "it answered 404");
  ExpectOneLine(Run({"gpud", "get", "states"}), 2, "a path such as /v1/states");
  ExpectOneLine(Run({"gpud", "get"}), 2,
                "gpud get needs a path: /v1/states, /v1/events, /v1/metrics, ");
}

// An ssh that runs the command here, and a curl that answers for the GPUd there.
class SshTest : public HealthRun {
 protected:
  SshTest() {
    Program("ssh", "echo \"$*\" >>" + home_.File("ssh.log") + R"(
while [ "$1" != -- ]; do shift; done
[ "$2" != lost ] || { echo 'ssh: connect to host lost port 22: No route to host' >&2; exit 255; }
[ "$2" != bare ] || { echo 'sh: 1: curl: not found' >&2; exit 127; }
exec sh -c "$3")");
    for (const auto& [path, text] : GpudAnswers()) {
      std::string name = path;
      std::replace(name.begin(), name.end(), '/', '_');
      home_.Write(name, text);
    }
    Program("curl", R"(for url; do :; done
path=${url#https://10.1.1.1:15132}; path=${path%%\?*}
file=)" + home_.path() + R"(/$(printf %s "$path" | tr / _)
if [ -e "$file" ]; then cat "$file"; printf '\n200'; else printf 'gone\n404'; fi)");
  }
  void Program(const std::string& name, const std::string& text) {
    const std::string path = home_.Write(name, "#!/bin/sh\n" + text + '\n');
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  Finished RunVia(const std::vector<std::string>& arguments) {
    return Run(arguments,
               {{"PATH", home_.path() + ":/usr/bin:/bin"}, {"FLOW_GPUD_BIND", "10.1.1.1"}});
  }
};

TEST_F(SshTest, TheGpudOfAHostIsAskedByCurlThere) {
  const Finished ran = RunVia({"health", "--via", "me@gn07"});
  EXPECT_THAT(ran.output, HasSubstr("gpud/gn07")) << ran.errors;
  EXPECT_THAT(process::ReadFile(home_.File("ssh.log")),
              HasSubstr("-- me@gn07 echo gpuctl-answer; curl -sSk --max-time "));
}

TEST_F(SshTest, GetPrintsTheAnswerOfAHost) {
  EXPECT_EQ(RunVia({"gpud", "get", "/machine-info", "--via", "gn07"}).output,
            GpudAnswers().at("/machine-info") + '\n');
  ExpectOneLine(RunVia({"gpud", "get", "/v1/gpu", "--via", "gn07"}), 3, "it answered 404");
}

TEST_F(SshTest, NothingOfAPathReachesTheOtherShell) {
  RunVia({"gpud", "get", "/x';touch${IFS}" + home_.File("hacked") + ";'", "--via", "gn07"});
  EXPECT_FALSE(std::filesystem::exists(home_.File("hacked")));
}

TEST_F(SshTest, WhyTheHostIsNotReachedIsSaid) {
  ExpectOneLine(RunVia({"health", "--via", "lost"}), 3, "No route to host");
  ExpectOneLine(RunVia({"health", "--via", "bare"}), 3, "there is no curl on that host");
  Program("curl", "echo 'curl: (7) Failed to connect' >&2; exit 7");
  ExpectOneLine(RunVia({"health", "--via", "gn07"}), 3, "gn07: the connection was refused");
  Program("curl", "echo nothing");
  ExpectOneLine(RunVia({"health", "--via", "gn07"}), 3, "curl said no status");
}

// A folder as the collector writes it.
class StoredHealthTest : public HealthRun {
 protected:
  void Store(const std::string& task, double score, std::chrono::minutes ago,
             std::size_t gpus = 1) {
    store::Snapshot snapshot;
    snapshot.id = store::NewId();
    snapshot.task_id = task;
    snapshot.task_name = task;
    snapshot.instance_id = "gn01";
    snapshot.timestamp = SystemClock().Wall() - ago;
    snapshot.health_score = score;
    snapshot.health_status = score < 0.6 ? "critical" : "healthy";
    snapshot.gpu_metrics.resize(gpus);
    for (store::GpuReading& gpu : snapshot.gpu_metrics) gpu.gpu_utilization_pct = 100 * score;
    std::string day = FormatTime(snapshot.timestamp).substr(0, 10);
    day.erase(std::remove(day.begin(), day.end(), '-'), day.end());
    std::string& lines = days_["health-metrics-" + day + ".jsonl"];
    lines += store::EncodeLine(snapshot) + '\n';
    for (const auto& [name, text] : days_) home_.Write(name, text);
  }
  Finished RunStore(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"health", "--source", "store"});
    return Run(arguments, {{"METRICS_DIR", home_.path()}});
  }
  std::map<std::string, std::string> days_;
};

TEST_F(StoredHealthTest, TheNewestOfEachTaskIsARow) {
  Store("ml/a", 0.5, std::chrono::minutes(20));
  Store("ml/a", 0.9, std::chrono::minutes(10));
  Store("ml/b", 0.4, std::chrono::minutes(5));
  Store("ml/none", 1, std::chrono::minutes(5), 0);
  const std::string all = RunStore({}).output;
  EXPECT_THAT(all, HasSubstr("\nml/b                         critical    40%    1 "));
  EXPECT_THAT(all, HasSubstr("\nml/a                         healthy     90%    1     -   90%"));
  EXPECT_THAT(all, HasSubstr("\nml/none "));
  EXPECT_THAT(RunStore({"--gpu"}).output, Not(HasSubstr("ml/none")));
  EXPECT_THAT(RunStore({"--gpu", "--all"}).output, HasSubstr("ml/none"));
}

TEST_F(StoredHealthTest, ATaskHasItsCurveAndItsPast) {
  Store("ml/a", 0.5, std::chrono::minutes(20));
  Store("ml/a", 0.9, std::chrono::minutes(10));
  EXPECT_THAT(RunStore({"--task", "ml/a"}).output, HasSubstr("last 2 snapshots, 0 to 100 %; now "
                                                             "90 %\n  ▅█\n"));
  const json::Value past = Parsed(RunStore({"--task", "ml/a", "--history", "1", "--json"}));
  EXPECT_EQ(past["snapshots"].size(), 2U);
  EXPECT_EQ(past["latest"]["health_score"].AsDouble(), 0.9);
  EXPECT_EQ(RunStore({"--task", "ml/z", "--history", "1", "--json"}).output,
            "{\"error\":\"No health history found for task ml/z\"}\n");
}

TEST_F(StoredHealthTest, OfANodeEachTaskHasItsOwnPast) {
  for (const int minutes : {30, 20, 10}) {
    Store("ml/a", minutes == 30 ? 1 : 0.5, std::chrono::minutes(minutes));
    Store("ml/b", 1, std::chrono::minutes(minutes));
  }
  const Finished past = RunStore({"gn01", "--history", "1"});
  EXPECT_THAT(past.output, HasSubstr("\n  Unhealthy Periods: 1\n"));
  EXPECT_THAT(past.output, HasSubstr("    Score: █▅▅\n"));
  EXPECT_THAT(past.output, HasSubstr("    Score: ███\n"));
}

TEST_F(StoredHealthTest, WhatIsNotStoredIsOneLine) {
  ExpectOneLine(RunStore({"--metrics-dir", home_.File("no")}), 3, "No such file or directory");
  ExpectOneLine(RunStore({}), 2, "has no snapshot within the last 24 h");
  Store("ml/a", 1, std::chrono::minutes(1));
  ExpectOneLine(RunStore({"--task", "ml/z"}), 2, "has no task ml/z");
}

TEST_F(StoredHealthTest, LinesThatAreNoneAreCounted) {
  Store("ml/a", 1, std::chrono::minutes(1));
  auto& [name, text] = *days_.begin();
  home_.Write(name, text + "broken\n");
  EXPECT_THAT(RunStore({}).output, HasSubstr("note: 1 lines of "));
}

}  // namespace
}  // namespace gpumon::ctl
