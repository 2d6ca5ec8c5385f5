// What a command says while it works: its steps, and that it waits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "internal/base/text.h"
#include "tests/cmd/gpuctl/health_run.h"
#include "tests/cmd/gpuctl/tmux.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::ctl {
namespace {

using fault::HttpStatus;
using fault::Json;
using process::Finished;
using testing::HasSubstr;
using testing::Not;

const process::Environment kDebug = {{"LOG_LEVEL", "debug"}};

class StepsTest : public HealthRun {};

TEST_F(StepsTest, DebugTellsOfEachRequestToTheServer) {
  fault::FaultServer server;
  server.SetReply(Json(R"({"success":true,"data":[]})"));
  url_ = "http://somebody:secret@127.0.0.1:" + std::to_string(server.port());
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"health"}, {"get", "nodes"}, {"health", "--log-level", "debug"}}) {
    const Finished ran = Run(line, line.size() > 2 ? process::Environment{} : kDebug);
    EXPECT_THAT(ran.errors, HasSubstr(" msg=asked method=GET url="));
    EXPECT_THAT(ran.errors, HasSubstr("http://***@127.0.0.1:" + std::to_string(server.port()) +
                                      "/api/v1/gpu/nodes"));
    EXPECT_THAT(ran.errors, HasSubstr(" result=\"HTTP 200, 26 bytes\" ms="));
    EXPECT_THAT(ran.errors, Not(HasSubstr("secret")));
  }
  EXPECT_THAT(Run({"doctor"}, {{"RUST_LOG", "debug"}}).errors, HasSubstr("/api/v1/gpu/schema"));
  EXPECT_THAT(Run({"health"}).errors, Not(HasSubstr("asked")));
}

TEST_F(StepsTest, DebugTellsOfBothWaysToAGpud) {
  // It answers plain http alone.
  fault::FaultServer gpud;
  gpud.SetReply(fault::HttpStatus(404));
  const std::string url = "https" + gpud.url().substr(gpud.url().find("://"));
  const std::string host = url.substr(url.find("://"));
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"health"}, {"gpud", "get", "/v1/states"}}) {
    std::vector<std::string> whole = line;
    whole.insert(whole.end(), {"--gpud-url", url});
    const Finished ran = Run(whole, kDebug);
    for (const std::string scheme : {"https", "http"}) {
      EXPECT_THAT(ran.errors, HasSubstr("url=" + scheme + host + "/v1/states result=")) << url;
    }
    EXPECT_EQ(ran.exit_code, 3);
  }
}

TEST_F(StepsTest, DebugTellsWhatSshRuns) {
  const std::string ssh = home_.Write("ssh", "#!/bin/sh\nprintf '[]\\n200'\n");
  std::filesystem::permissions(ssh, std::filesystem::perms::owner_all);
  const Finished ran = Run({"health", "--via", "gn07", "--log-level", "debug"},
                           {{"PATH", home_.path() + ":/usr/bin:/bin"}});
  EXPECT_THAT(ran.errors,
              HasSubstr(" msg=ssh host=gn07 command=\"echo gpuctl-answer; curl -sSk --max-time "));
}

TEST_F(StepsTest, DebugNamesTheFilesOfTheStore) {
  home_.Write("health-metrics-20260301.jsonl", "");
  const std::string today = FormatTime(SystemClock().Wall()).substr(0, 10);
  std::string day = today;
  day.erase(7, 1).erase(4, 1);
  const std::string file = home_.Write("health-metrics-" + day + ".jsonl", "no line\n");
  const Finished ran =
      Run({"health", "--source", "store"}, {{"METRICS_DIR", home_.path()}, {"LOG_LEVEL", "debug"}});
  EXPECT_THAT(ran.errors, HasSubstr(" msg=\"reading snapshots\" file=" + file + "\n"));
  EXPECT_THAT(ran.errors, Not(HasSubstr("20260301")));
}

struct WaitRow {
  std::string command;
  std::string said;
};

TEST(ProgressTest, EveryCommandSaysOnATerminalThatItWaits) {
  fault::FaultServer server;
  server.SetReply(HttpStatus(503, "{}").Held());
  const std::string url = server.url();
  const std::string gpud = "127.0.0.1:" + std::to_string(server.port());
  const std::string only = " --preset none --grafana " + url;
  for (const WaitRow& row :
       {WaitRow{"health --server " + url, "asking " + url},
        WaitRow{"health --watch --server " + url, "asking " + url},
        WaitRow{"health --task a/b --history 3 --server " + url, "asking " + url},
        WaitRow{"health --gpud-url " + url, "asking the GPUd of " + gpud},
        WaitRow{"gpud get /v1/states --gpud-url " + url, "asking the GPUd of " + gpud},
        WaitRow{"get nodes -o csv --server " + url, "asking " + url},
        WaitRow{"doctor --server " + url, "asking " + url},
        WaitRow{"top --server " + url, "asking " + url},
        WaitRow{"check services" + only, "checking"}, WaitRow{"monitor" + only, "checking"}}) {
    const Tmux tmux(120, 24, GPUMON_CTL + (" " + row.command));
    EXPECT_TRUE(tmux.Await("gpuctl: " + row.said + ", 1 s")) << row.command << tmux.Screen();
  }
}

TEST(ProgressTest, ATerminalThatKnowsNoSequencesGetsNone) {
  for (const std::string term : {"dumb", "screen"}) {
    const Tmux tmux(120, 24,
                    "TERM=" + term + ' ' + GPUMON_CTL + " check services --preset none --grafana " +
                        fault::RefusingUrl() + "; echo rc=$?");
    EXPECT_TRUE(tmux.Await("rc=2")) << tmux.Screen();
    const std::string painted = tmux.PaintedScreen();
    EXPECT_EQ(painted.find("\x1b[") == std::string::npos, term == "dumb") << painted;
  }
}

TEST(ProgressTest, TheWordIsGoneBehindTheWait) {
  fault::FaultServer server;
  server.SetReply(HttpStatus(503, "{}").Held());
  const Tmux tmux(
      120, 24,
      GPUMON_CTL + (" check services --preset none --grafana " + server.url()) + "; echo rc=$?");
  EXPECT_TRUE(tmux.Await("gpuctl: checking, 1 s")) << tmux.Screen();
  server.Release();
  EXPECT_TRUE(tmux.Await("rc=2")) << tmux.Screen();
  EXPECT_THAT(tmux.Screen(), Not(HasSubstr("checking")));
}

}  // namespace
}  // namespace gpumon::ctl
