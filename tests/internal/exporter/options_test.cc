#include "cmd/gpu-exporter/options.h"

#include <gtest/gtest.h>

namespace gpumon::exporter {
namespace {

Result<ExporterConfig> Read(const std::vector<std::string>& arguments,
                            const config::Environment& environment = {}) {
  const auto values = config::Parse(OptionRows(), arguments, environment);
  if (!values) return Error(values.error());
  return MakeExporterConfig(*values);
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

TEST(ExporterOptionsTest, WithoutDemoItSaysWhatThisVersionCan) {
  EXPECT_EQ(ErrorOf({}), "this version reads no real GPUs; --demo publishes a synthetic fleet");
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
