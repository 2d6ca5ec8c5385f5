#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cmd/gpuctl/health.h"
#include "internal/config/collect_options.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::ctl {
namespace {

using process::Environment;
using process::Finished;
using testing::HasSubstr;
using testing::Not;

Finished Print(const std::vector<std::string>& more = {}, const Environment& environment = {}) {
  std::vector<std::string> arguments = {"gpud", "install-script"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return process::Run(GPUMON_CTL, arguments, environment);
}

// A host: its commands are stubs, its folders lie in one of our own.
class Host {
 public:
  Host() {
    std::filesystem::create_directory(folder_.File("units"));
    std::filesystem::create_directory(folder_.File("bin"));
    Program("id", "echo 0");
    Program("nvidia-smi", "exit 0");
    Program("systemctl", "echo \"$*\" >>" + folder_.File("systemctl.log"));
    // The first asks for the installer, which puts gpud in place; the others for /healthz.
    Program("curl",
            "for a; do [ \"$last\" != -o ] || printf '%s\\n' 'printf \"#!/bin/sh\\necho gpud "
            "version $1\\n\" >" +
                folder_.File("bin/gpud") + "; chmod +x " + folder_.File("bin/gpud") +
                "' >\"$a\"; last=$a; done\necho \"$*\" >>" + folder_.File("curl.log"));
  }
  void Program(const std::string& name, const std::string& text) const {
    const std::string path = folder_.Write("bin/" + name, "#!/bin/sh\n" + text + '\n');
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  Finished Run(std::string script) const {
    const auto move = [&](std::string_view from, const std::string& to) {
      for (std::size_t at = script.find(from); at != std::string::npos;
           at = script.find(from, at + to.size())) {
        script.replace(at, from.size(), to);
      }
    };
    move("/etc/systemd/system", folder_.File("units"));
    move("/run/flow-gpud-status", folder_.File("status"));
    const std::string path = folder_.Write("script", script);
    return process::Run("/bin/sh", {path}, {{"PATH", folder_.File("bin") + ":/usr/bin:/bin"}});
  }
  std::string Read(const std::string& name) const { return process::ReadFile(folder_.File(name)); }
  void Forget(const std::string& name) const { std::filesystem::remove(folder_.File(name)); }

 private:
  process::ScratchDirectory folder_;
};

TEST(InstallScriptTest, ShellcheckHasNothingToSay) {
  ASSERT_EQ(process::Run("/usr/bin/env", {"shellcheck", "--version"}).exit_code, 0)
      << "scripts/deps.sh test installs it";
  const process::ScratchDirectory folder;
  const std::string script = folder.Write("install.sh", Print().output);
  const Finished checked = process::Run("/usr/bin/env", {"shellcheck", script});
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
}

TEST(InstallScriptTest, InstallsTheVersionAndServesOnTheAddress) {
  const Host host;
  const Finished ran = host.Run(Print({"--gpud-bind", "10.0.0.5", "--gpud-port", "16000"}).output);
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_THAT(ran.output, HasSubstr("GPUd v0.5.1 answers at https://10.0.0.5:16000\n"));
  EXPECT_THAT(host.Read("units/gpud.service"),
              HasSubstr("/bin/gpud run --listen-address=10.0.0.5:16000\n"));
  EXPECT_EQ(host.Read("status"), "running\n");
  EXPECT_THAT(host.Read("curl.log"), HasSubstr("https://10.0.0.5:16000/healthz"));
}

TEST(InstallScriptTest, ASecondRunChangesNothing) {
  const Host host;
  const std::string script = Print().output;
  ASSERT_EQ(host.Run(script).exit_code, 0);
  host.Forget("systemctl.log");
  host.Forget("curl.log");
  const Finished again = host.Run(script);
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_THAT(host.Read("systemctl.log"), Not(HasSubstr("stop")));
  EXPECT_THAT(host.Read("systemctl.log"), Not(HasSubstr("daemon-reload")));
  EXPECT_THAT(host.Read("curl.log"), Not(HasSubstr("install.sh")));
}

TEST(InstallScriptTest, AnotherVersionOrAddressIsTakenOver) {
  const Host host;
  ASSERT_EQ(host.Run(Print().output).exit_code, 0);
  host.Forget("systemctl.log");
  const Finished again =
      host.Run(Print({}, {{"FLOW_GPUD_VERSION", "v0.6.0"}, {"FLOW_GPUD_BIND", "0.0.0.0"}}).output);
  EXPECT_THAT(again.output, HasSubstr("installing GPUd v0.6.0\n"));
  EXPECT_THAT(host.Read("systemctl.log"), HasSubstr("stop gpud\n"));
  EXPECT_THAT(host.Read("units/gpud.service"), HasSubstr("--listen-address=0.0.0.0:15132\n"));
  EXPECT_THAT(host.Read("curl.log"), HasSubstr("https://127.0.0.1:15132/healthz"));
}

TEST(InstallScriptTest, TheCollectorRunsWhereItIsInstalled) {
  const Host host;
  EXPECT_THAT(host.Run(Print().output).output, HasSubstr("nothing is collected\n"));
  host.Program("gpu-monitoring-api", "exit 0");
  const Finished ran = host.Run(Print({"--prometheus-url", "http://prometheus:9090"}).output);
  EXPECT_THAT(ran.output, HasSubstr("flow-metrics-streamer is running\n"));
  EXPECT_THAT(
      host.Read("units/flow-metrics-streamer.service"),
      HasSubstr("\nEnvironment=PROMETHEUS_URL=http://prometheus:9090\n"
                "Environment=METRICS_DIR=/var/log/flow\n"
                "Environment=FLOW_METRICS_INTERVAL=60\n"
                "Environment=FLOW_GPUD_BIND=127.0.0.1\nEnvironment=FLOW_GPUD_PORT=15132\n"));
}

TEST(InstallScriptTest, EveryVariableOfFlowReachesTheCollector) {
  const std::vector<std::pair<std::string, std::string>> given = {
      {"FLOW_GPUD_VERSION", "v0.6.0"},
      {"FLOW_METRICS_BATCH_SIZE", "7"},
      {"FLOW_METRICS_RETENTION_DAYS", "9"},
      {"FLOW_METRICS_COMPRESS_AFTER_DAYS", "3"},
      {"FLOW_METRICS_FORMAT", "pushgateway"},
      {"FLOW_METRICS_CA_FILE", "/etc/ca.pem"},
      {"FLOW_METRICS_TIMEOUT", "2500ms"},
      {"FLOW_METRICS_BACKOFF", "3000ms"},
      {"FLOW_METRICS_SPOOL_BYTES", "2097152"},
      {"FLOW_METRICS_ENDPOINT", "https://push.example"},
      {"FLOW_METRICS_INTERVAL", "11"},
      {"FLOW_GPUD_BIND", "10.0.0.5"},
      {"FLOW_GPUD_PORT", "16000"}};
  const std::string script = Print({}, {given.begin(), given.end()}).output;
  for (const auto& [name, value] : given) {
    EXPECT_THAT(script, HasSubstr("\nEnvironment=" + name + '=' + value + '\n'));
  }
  for (const config::OptionRow& row : config::CollectOptionRows()) {
    const std::string name(row.env);
    const bool known =
        std::any_of(given.begin(), given.end(), [&](const auto& one) { return one.first == name; });
    EXPECT_TRUE(known || !name.starts_with("FLOW_") || row.secret ||
                name == "FLOW_HEALTH_MONITORING" || name == "FLOW_CONFIG_FILE")
        << name << " is not tested here";
  }
}

TEST(InstallScriptTest, TheKeysOfFlowsFileReachTheCollectorAndNoSecretDoes) {
  const process::ScratchDirectory folder;
  const std::string file =
      folder.Write("config.yaml",
                   "health: {metrics_batch_size: 7, retention_days: 9, compress_after_days: 3}\n");
  const Finished ran =
      Print({}, {{"FLOW_CONFIG_FILE", file}, {"FLOW_METRICS_AUTH_TOKEN", "s3cret"}});
  EXPECT_THAT(ran.output, HasSubstr("\nEnvironment=FLOW_METRICS_BATCH_SIZE=7\n"
                                    "Environment=FLOW_METRICS_RETENTION_DAYS=9\n"
                                    "Environment=FLOW_METRICS_COMPRESS_AFTER_DAYS=3\n"));
  EXPECT_THAT(ran.output, Not(HasSubstr("s3cret")));
  EXPECT_EQ(ran.errors,
            "gpuctl: FLOW_METRICS_AUTH_TOKEN stays out of the script; put it into "
            "/etc/default/flow-metrics-streamer on the host\n");
}

TEST(InstallScriptTest, AFailureIsInTheStatusFile) {
  const Host host;
  host.Program("curl", "exit 22");
  const Finished ran = host.Run(Print().output);
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.errors, "gpud-install: https://pkg.gpud.dev/install.sh cannot be had\n");
  EXPECT_EQ(host.Read("status"), "install_failed\n");
}

TEST(InstallScriptTest, WhatIsNoPartOfAScriptIsRefused) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--gpud-version", "v1; reboot"}, {"--prometheus-url", "http://me:p4ss@prometheus"},
      {"--metrics-dir", "~/x"},         {"--metrics-dir", "/a b"},
      {"--gpud-bind", "$(reboot)"},
  };
  for (const auto& arguments : wrong) {
    const Finished ran = Print(arguments);
    EXPECT_EQ(ran.exit_code, 2) << arguments[1];
    EXPECT_EQ(ran.output, "") << arguments[1];
    EXPECT_THAT(ran.errors, HasSubstr(arguments[0])) << arguments[1];
    EXPECT_THAT(ran.errors, Not(HasSubstr("p4ss")));
  }
}

TEST(InstallScriptTest, WhereMonitoringIsSwitchedOffItDoesNothing) {
  EXPECT_THAT(Print({}, {{"FLOW_HEALTH_MONITORING", "false"}}).output,
              HasSubstr("nothing to set up"));
}

}  // namespace
}  // namespace gpumon::ctl
