// gpuctl check and monitor as people start them.
#include "cmd/gpuctl/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "cmd/gpuctl/app.h"
#include "internal/json/document.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::ctl {
namespace {

using fault::HttpStatus;
using fault::Json;
using process::Environment;
using process::Finished;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A round sees nothing of the machine but what the test gives it.
class CheckTest : public testing::Test {
 protected:
  CheckTest() { server_.SetReply(Json(R"({"database":"ok"})")); }

  Environment Alone() const {
    return {{"CHECK_PRESET", "none"},
            {"CHECK_GRAFANA", server_.url()},
            {"DOCKER_HOST", "unix:///no/such/docker.sock"}};
  }
  Finished Run(const std::vector<std::string>& arguments, Environment more = {}) const {
    more.merge(Alone());
    return process::Run(GPUMON_CTL, arguments, more);
  }

  fault::FaultServer server_;
};

TEST_F(CheckTest, ExitsByTheWorstCheck) {
  EXPECT_EQ(Run({"check", "services"}).exit_code, 0);
  server_.SetReply(HttpStatus(401));
  EXPECT_EQ(Run({"check", "services"}).exit_code, 1);
  server_.SetReply(HttpStatus(500));
  EXPECT_EQ(Run({"check", "services"}).exit_code, 2);
  EXPECT_EQ(Run({"check", "services", "--exit-zero"}).exit_code, 0);
}

TEST_F(CheckTest, PrintsEachOfTheThreeFormats) {
  EXPECT_THAT(Run({"check", "services"}).output, StartsWith("Backend.AI Health Check Report\n"));
  EXPECT_THAT(Run({"check", "services", "-f", "summary"}).output,
              HasSubstr("\nGrafana: ✓ Healthy ("));
  const Finished json = Run({"check", "services", "--format", "json"});
  const auto document = json::ParseDocument(json.output);
  ASSERT_TRUE(document) << json.output;
  EXPECT_EQ(*(*document)["overall_status"].AsString(), "Healthy");
  EXPECT_EQ(*(*document)["checks"][0]["service_name"].AsString(), "Grafana");
  EXPECT_EQ(json.errors, "");
}

TEST_F(CheckTest, WithoutDockerContainersAreUnknownAndNothingElseSuffers) {
  const Finished all = Run({"check", "all", "-f", "summary", "--containers", "a,b", "-v"});
  EXPECT_THAT(all.output, HasSubstr("\na: ? Unknown ("));
  EXPECT_THAT(all.output, HasSubstr("\nb: ? Unknown ("));
  EXPECT_THAT(all.output, HasSubstr("\nGrafana: ✓ Healthy ("));
  EXPECT_THAT(all.output, HasSubstr("\nDocker Daemon: ✗ Unhealthy ("));
  EXPECT_THAT(all.output, HasSubstr("  Why: Docker daemon not accessible: there is no socket "
                                    "/no/such/docker.sock\n  Next: ensure that Docker is running "
                                    "(docker version)"));
  EXPECT_EQ(all.exit_code, 2);
}

TEST_F(CheckTest, OrdersDockerInfrastructureServicesAndSystem) {
  const std::string output =
      Run({"check", "all", "-f", "summary", "--containers", "box", "--etcd", server_.url()}).output;
  std::size_t last = 0;
  for (const std::string name :
       {"\nbox: ", "\netcd: ", "\nGrafana: ", "\nDocker Daemon: ", "\nSystem Resources: ",
        "\nNetwork Connectivity: ", "\nPort Usage: "}) {
    const std::size_t at = output.find(name);
    ASSERT_NE(at, std::string::npos) << name << " in " << output;
    EXPECT_GT(at, last) << name;
    last = at;
  }
}

TEST_F(CheckTest, TheDocumentsCommandLinesRunUnchanged) {
  const std::vector<std::vector<std::string>> lines = {
      {"all"},
      {"all", "--format", "json"},
      {"docker"},
      {"services"},
      {"infrastructure"},
      {"gpu"},
      {"gpu", "--format", "json"},
      {"all", "-f", "summary", "-v", "-t", "30"},
      {"monitor", "--interval", "60", "--max-checks", "1"},
  };
  for (const auto& line : lines) {
    const Finished ran = process::Run(GPUMON_HEALTH_CHECKER, line, Alone());
    EXPECT_GE(ran.exit_code, 0) << line[0];
    EXPECT_LE(ran.exit_code, 2) << line[0] << ": " << ran.errors;
    EXPECT_THAT(ran.output, HasSubstr("Health Check Summary: ")) << line[0];
    EXPECT_EQ(ran.errors, "") << line[0];
  }
  EXPECT_THAT(process::Run(GPUMON_HEALTH_CHECKER, {"--help"}, Alone()).output,
              HasSubstr("\n  monitor\n        Runs check all again and again.\n"));
}

TEST_F(CheckTest, DebugWritesEveryStepToStandardError) {
  for (const Environment& debug :
       {Environment{{"RUST_LOG", "debug"}}, Environment{{"RUST_LOG", "warn,health_checker=trace"}},
        Environment{{"LOG_LEVEL", "debug"}}}) {
    const Finished ran = Run({"check", "services", "-f", "json"}, debug);
    EXPECT_THAT(ran.errors, HasSubstr("GET " + server_.url() + "/api/health: HTTP 200"));
    EXPECT_TRUE(json::ParseDocument(ran.output));
  }
  EXPECT_EQ(Run({"check", "services"}, {{"RUST_LOG", "warn"}}).errors, "");
  EXPECT_EQ(
      Run({"check", "services"}, {{"RUST_LOG", "hyper=debug"}, {"LOG_LEVEL", "error"}}).errors, "")
      << "our own variable counts more";
}

TEST_F(CheckTest, AFileMayListWhatIsChecked) {
  const process::ScratchDirectory folder;
  fault::FaultServer other;
  other.SetReply(HttpStatus(503, R"({"database":"failing"})"));
  const std::string file =
      folder.Write("checks.yaml", "check_preset: none\ncheck_grafana: [\"A=" + server_.url() +
                                      "\", \"B=" + other.url() + "\"]\ncheck_containers: off\n");
  const Finished ran =
      process::Run(GPUMON_CTL, {"check", "services", "-f", "summary", "--config", file});
  EXPECT_THAT(ran.output, HasSubstr("\nA: ✓ Healthy ("));
  EXPECT_THAT(ran.output, HasSubstr("\nB: ✗ Unhealthy ("));
  EXPECT_EQ(ran.exit_code, 2);
}

TEST_F(CheckTest, AServiceOfThePresetCanBeLeftOut) {
  const Finished ran = Run({"check", "services", "-f", "summary", "--preset", "halfstack",
                            "--manager", "off", "--prometheus", "off"});
  EXPECT_THAT(ran.output, HasSubstr("out of 1 total services"));
}

TEST_F(CheckTest, OutputThatIsNoTerminalHasNoColour) {
  EXPECT_THAT(Run({"check", "services"}).output, Not(HasSubstr("\x1b")));
}

TEST_F(CheckTest, EndsInTimeWhenEverythingIsABlackHole) {
  const fault::BlackHole hole;
  const std::string place = hole.url().substr(std::string_view("http://").size());
  const SystemClock clock;
  // Of three, for a machine that does much else.
  auto least = SteadyTime::duration::max();
  for (int i = 0; i < 3 && least >= process::Scaled(Millis(1500)); ++i) {
    const SteadyTime begun = clock.Steady();
    const Finished ran = process::Run(GPUMON_CTL, {"check", "all", "-t", "1", "-f", "summary"},
                                      {{"CHECK_PRESET", "none"},
                                       {"DOCKER_HOST", "tcp://" + place},
                                       {"CHECK_CONTAINERS", "a,b"},
                                       {"CHECK_ETCD", hole.url()},
                                       {"CHECK_MANAGER", hole.url()},
                                       {"CHECK_AGENT", hole.url()},
                                       {"CHECK_PROMETHEUS", hole.url()},
                                       {"CHECK_GRAFANA", hole.url()}});
    least = std::min(least, clock.Steady() - begun);
    EXPECT_EQ(ran.exit_code, 2);
    EXPECT_THAT(ran.output, HasSubstr("\netcd: ✗ Unhealthy ("));
  }
  EXPECT_LT(least, process::Scaled(Millis(1500)));
}

TEST_F(CheckTest, WrongUsageIsThree) {
  struct Line {
    std::vector<std::string> arguments;
    std::string says;
  };
  const std::vector<Line> lines = {
      {{"check"}, "check needs one of all, docker, infrastructure, services, gpu, system"},
      {{"check", "servces"}, "the nearest is services"},
      {{"check", "all", "--format", "xml"}, "allowed: table, json, summary"},
      {{"check", "all", "-t", "0"}, "--timeout"},
      {{"check", "all", "--postgres", "nonsense"}, "has an entry that is no host:port"},
      {{"check", "all", "--grafana", "host:3000"}, "no http:// or https:// URL"},
      {{"check", "all", "--preset", "mine"}, "--preset"},
      {{"check", "docker", "--interval", "3"}, "unknown flag"},
      {{"monitor", "now"}, "unexpected argument"},
  };
  for (const Line& line : lines) {
    const Finished ran = Run(line.arguments);
    EXPECT_EQ(ran.exit_code, 3) << line.says;
    EXPECT_THAT(ran.errors, HasSubstr(line.says));
    EXPECT_EQ(ran.output, "");
  }
  EXPECT_EQ(Run({"doctor", "--nonsense"}).exit_code, 2) << "as it always was";
}

TEST_F(CheckTest, HelpNamesEveryCommand) {
  std::ostringstream out;
  std::ostringstream err;
  const auto help = [&](std::vector<std::string> arguments) {
    out.str("");
    EXPECT_EQ(ctl::Run(arguments, {}, out, err), 0);
    return out.str();
  };
  for (const Command& command : Commands()) {
    EXPECT_THAT(help({"--help"}), HasSubstr("\n  " + std::string(command.name) + "\n"));
    std::vector<std::string> words = {"help"};
    std::istringstream name{std::string(command.name)};
    for (std::string word; name >> word;) words.push_back(word);
    EXPECT_THAT(help(words), HasSubstr("Usage: gpuctl " + std::string(command.name) + " "));
    words.erase(words.begin());
    words.push_back("--help");
    EXPECT_THAT(help(words), HasSubstr("Usage: gpuctl " + std::string(command.name) + " "));
  }
  EXPECT_THAT(help({"check", "--help"}), Not(HasSubstr("doctor")));
  EXPECT_THAT(help({"help", "check"}), HasSubstr("check gpu"));
  const std::string get = help({"get", "--help"});
  EXPECT_EQ(get, help({"help", "get"}));
  EXPECT_THAT(get, HasSubstr("Usage: gpuctl get COMMAND [flags]\n"));
  for (const std::string text : {"\n  get idle\n", "--selector", "--sort-by", "-o name"}) {
    EXPECT_THAT(get, HasSubstr(text));
  }
  EXPECT_EQ(get.find("Asks a running"), get.rfind("Asks a running")) << "it is said once";
  EXPECT_THAT(help({"check", "--help"}), HasSubstr("gpu: Instead of the table a block"));
  const std::string gpud = help({"gpud", "--help"});
  EXPECT_THAT(gpud, HasSubstr("Prints one answer of a GPUd as it came"));
  EXPECT_THAT(gpud, HasSubstr("Prints a script for a host with GPUs"));
  EXPECT_THAT(gpud, HasSubstr("install-script: The Prometheus"));
  EXPECT_EQ(err.str(), "");
}

TEST_F(CheckTest, HelpFitsATerminal) {
  for (const config::Rows rows : {GpuCheckOptions(), MonitorOptions()}) {
    for (const config::OptionRow& row : rows) EXPECT_LE(row.flag.size(), 20U);
  }
  std::istringstream details{std::string(kCheckDetails) + std::string(kMonitorDetails)};
  for (std::string line; std::getline(details, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(CheckTest, MonitorPrintsOneLineARoundAsJson) {
  const Finished ran = Run({"monitor", "-i", "1", "-m", "2", "-f", "json"});
  std::istringstream lines(ran.output);
  int rounds = 0;
  for (std::string line; std::getline(lines, line); ++rounds) {
    EXPECT_TRUE(json::ParseDocument(line)) << line;
  }
  EXPECT_EQ(rounds, 2);
  EXPECT_EQ(ran.exit_code, 2) << "of the last round: there is no Docker";
}

TEST_F(CheckTest, MonitorPrintsTheSummaryAndEndsWellAtASignal) {
  for (const int signal : {SIGINT, SIGTERM}) {
    process::ChildProcess monitor(GPUMON_CTL, {"monitor", "-i", "3600"}, Alone());
    ASSERT_TRUE(process::WaitUntil(
        [&] { return monitor.Output().find("Health Check Summary: ") != std::string::npos; },
        Millis(20'000)));
    EXPECT_THAT(monitor.Output(), StartsWith("Backend.AI Health Status - "));
    monitor.Signal(signal);
    const auto ended = monitor.Wait(Millis(10'000));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->exit_code, 0);
  }
}

TEST_F(CheckTest, MonitorEndsInTheMiddleOfARoundToo) {
  server_.SetReply(fault::Broken(fault::Reply::Fault::kHang));
  process::ChildProcess monitor(GPUMON_CTL, {"monitor", "-t", "3600"}, Alone());
  ASSERT_TRUE(server_.WaitForRequests(1));
  monitor.Signal(SIGINT);
  const auto ended = monitor.Wait(Millis(10'000));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_code, 0);
  EXPECT_EQ(monitor.Output(), "");
}

}  // namespace
}  // namespace gpumon::ctl
