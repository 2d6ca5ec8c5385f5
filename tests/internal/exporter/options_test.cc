#include "cmd/gpu-exporter/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace gpumon::exporter {
namespace {

constexpr std::int64_t kNow = 1'795'345'000;

Result<ExporterConfig> Read(const std::vector<std::string>& arguments,
                            const config::Environment& environment = {}) {
  const auto values = config::Parse(OptionRows(), arguments, environment);
  if (!values) return Error(values.error());
  return MakeExporterConfig(*values, WallTime(std::chrono::seconds(kNow)));
}

std::string ErrorOf(const std::vector<std::string>& arguments) {
  const auto config = Read(arguments);
  return config ? "accepted" : config.error().message;
}

TEST(ExporterOptionsTest, DefaultsAreASmallFleetOnTheUsualPort) {
  const auto config = Read({"--demo"});
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->fleet.nodes, 4);
  EXPECT_EQ(config->fleet.gpus_per_node, 8);
  EXPECT_EQ(config->fleet.seed, 1U);
  EXPECT_EQ(config->surroundings, Surroundings::kAll);
  EXPECT_EQ(config->listen_host, "0.0.0.0");
  EXPECT_EQ(config->port, 9432);
  EXPECT_EQ(config->port_file, "");
}

TEST(ExporterOptionsTest, ReadsEveryFlag) {
  const auto config = Read({"--demo", "--nodes", "3", "--gpus-per-node=2", "--seed", "99",
                            "--surroundings", "gpu", "--listen-addr", "127.0.0.1", "--port", "0",
                            "--port-file", "/tmp/p", "--log-level", "debug"});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->fleet.nodes, 3);
  EXPECT_EQ(config->fleet.gpus_per_node, 2);
  EXPECT_EQ(config->fleet.seed, 99U);
  EXPECT_EQ(config->surroundings, Surroundings::kGpu);
  EXPECT_EQ(config->listen_host, "127.0.0.1");
  EXPECT_EQ(config->port, 0);
  EXPECT_EQ(config->port_file, "/tmp/p");
  EXPECT_EQ(config->log_level, log::Level::kDebug);
}

TEST(ExporterOptionsTest, ReadsTheEnvironment) {
  const auto config =
      Read({}, {{"GPU_EXPORTER_DEMO", "true"}, {"GPU_EXPORTER_NODES", "7"}, {"PORT", "1"}});
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->fleet.nodes, 7);
  EXPECT_EQ(config->port, 9432) << "PORT is the API server's";
}

TEST(ExporterOptionsTest, TheListenAddressMayHaveThePort) {
  const auto config = Read({"--demo", "--listen-addr", "[::1]:7000"});
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->listen_host, "::1");
  EXPECT_EQ(config->port, 7000);
  EXPECT_NE(ErrorOf({"--demo", "--listen-addr", "127.0.0.1:7000", "--port", "7001"})
                .find("--listen-addr"),
            std::string::npos);
  EXPECT_EQ(ErrorOf({"--demo", "--listen-addr", "127.0.0.1:7000", "--port", "7000"}), "accepted");
}

TEST(ExporterOptionsTest, ServesUnlessAPastIsWanted) {
  EXPECT_FALSE(Read({"--demo"})->past.has_value());
  EXPECT_FALSE(Read({"--demo", "--past-end", "1790000000"})->past.has_value());
}

TEST(ExporterOptionsTest, APastEndsNowUnlessToldOtherwise) {
  const auto config = Read({"--demo", "--past", "168h"});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  ASSERT_TRUE(config->past.has_value());
  EXPECT_EQ(config->past->end, kNow);
  EXPECT_EQ(config->past->length, 168 * 3600);
  EXPECT_EQ(config->past->step, 299);
  EXPECT_EQ(config->past->job, "gpu-exporter");
  EXPECT_EQ(config->past->instance, "demo");
}

TEST(ExporterOptionsTest, ReadsEveryFlagOfThePast) {
  for (const std::string end : {"1790000000", "2026-09-21T14:13:20Z"}) {
    const auto config = Read({"--demo", "--past=2h", "--past-end", end, "--past-step", "1m",
                              "--past-job", "j", "--past-instance", "i"});
    ASSERT_TRUE(config.has_value()) << config.error().message;
    EXPECT_EQ(config->past->end, 1'790'000'000);
    EXPECT_EQ(config->past->length, 7200);
    EXPECT_EQ(config->past->step, 60);
    EXPECT_EQ(config->past->job, "j");
    EXPECT_EQ(config->past->instance, "i");
  }
}

TEST(ExporterOptionsTest, RefusesAPastThatCannotBe) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"--past", "7d"},
      {"--past", "-1h"},
      {"--past", "1500ms"},
      {"--past", "26352h"},
      {"--past-end", "today"},
      {"--past-end", "2023-12-31T23:59:59Z"},
      {"--past-end", "2101-01-01T00:00:00Z"},
      {"--past-end", "-1"},
      {"--past-step", "1s"},
      {"--past-step", "61m"},
      {"--past-step", "2500ms"},
      {"--past-job", ""},
      {"--past-instance", ""},
      {"--past-instance", "a\nb"}};
  for (const auto& [flag, value] : wrong) {
    std::vector<std::string> arguments = {"--demo", flag, value};
    if (flag != "--past") arguments.insert(arguments.end(), {"--past", "1h"});
    const std::string error = ErrorOf(arguments);
    EXPECT_NE(error.find(flag), std::string::npos) << flag << ' ' << value << ": " << error;
  }
  EXPECT_NE(ErrorOf({"--demo", "--past", "2h", "--past-end", "2024-01-01T01:00:00Z"}).find("2024"),
            std::string::npos);
}

TEST(ExporterOptionsTest, WithoutDemoItReadsTheGpusOfThisMachine) {
  const auto config = Read({});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_FALSE(config->demo);
  EXPECT_TRUE(Read({"--demo"})->demo);
  std::array<char, 256> host{};
  ASSERT_EQ(gethostname(host.data(), host.size() - 1), 0);
  EXPECT_EQ(config->live.node, host.data());
  EXPECT_EQ(config->live.nvml_library, "");
  EXPECT_EQ(config->live.nvidia_smi, "nvidia-smi");
  EXPECT_EQ(config->live.read_limit, Millis(5000));
  EXPECT_EQ(config->live.commands, gpu::CommandStyle::kRedacted);
  EXPECT_EQ(config->live.proc, "/proc");
  EXPECT_EQ(config->live.passwd, "/etc/passwd");
  EXPECT_EQ(config->live.pod_resources, "/var/lib/kubelet/pod-resources/kubelet.sock");
  EXPECT_EQ(config->live.pod_logs, "/var/log/pods");
  EXPECT_NE(ErrorOf({"--past", "1h"}).find("--demo"), std::string::npos);
}

TEST(ExporterOptionsTest, ReadsEveryFlagOfTheGpusOfThisMachine) {
  const auto config =
      Read({"--node-name", "n1", "--nvml-library", "/n.so", "--nvidia-smi", "off", "--read-limit",
            "2s", "--process-commands", "name", "--proc-path", "/host/proc", "--passwd-file",
            "/host/passwd", "--pod-resources", "/k.sock", "--pod-logs", "/logs"},
           {{"NODE_NAME", "other"}});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->live.node, "n1");
  EXPECT_EQ(config->live.nvml_library, "/n.so");
  EXPECT_EQ(config->live.nvidia_smi, "");
  EXPECT_EQ(config->live.read_limit, Millis(2000));
  EXPECT_EQ(config->live.commands, gpu::CommandStyle::kName);
  EXPECT_EQ(config->live.proc, "/host/proc");
  EXPECT_EQ(config->live.passwd, "/host/passwd");
  EXPECT_EQ(config->live.pod_resources, "/k.sock");
  EXPECT_EQ(config->live.pod_logs, "/logs");
  EXPECT_EQ(Read({}, {{"NODE_NAME", "other"}})->live.node, "other");
  EXPECT_EQ(Read({"--process-commands", "full"})->live.commands, gpu::CommandStyle::kFull);
  EXPECT_EQ(Read({"--process-commands", "hidden"})->live.commands, gpu::CommandStyle::kHidden);
}

TEST(ExporterOptionsTest, RefusalsNameTheFlag) {
  for (const std::string flag : {"--nodes", "--gpus-per-node", "--seed", "--surroundings", "--port",
                                 "--log-level", "--listen-addr"}) {
    EXPECT_NE(ErrorOf({"--demo", flag, "-1"}).find(flag), std::string::npos) << flag;
  }
  EXPECT_NE(ErrorOf({"--demo", "--node", "3"}).find("--nodes"), std::string::npos);
}

}  // namespace
}  // namespace gpumon::exporter
