#include "internal/config/collect_options.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/internal/config/scratch_folder.h"

namespace gpumon::config {
namespace {

Result<CollectConfig> Make(const Environment& env, const std::vector<std::string>& arguments = {}) {
  return Parse(CollectOptionRows(), arguments, env).and_then([&](const Values& values) {
    return MakeCollectConfig(values, env);
  });
}

std::string Refused(const Environment& env, const std::vector<std::string>& arguments = {}) {
  const auto config = Make(env, arguments);
  EXPECT_FALSE(config);
  return config ? "" : config.error().message;
}

bool Holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(CollectOptionsTest, TheDefaultsAreTheRequirements) {
  const auto config = Make({{"HOME", "/nowhere"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->enabled);
  EXPECT_EQ(config->gpud_version, "v0.5.1");
  EXPECT_EQ(config->gpud_port, 15132);
  EXPECT_EQ(config->gpud_bind, "127.0.0.1");
  EXPECT_EQ(config->endpoint, "");
  EXPECT_EQ(config->interval, std::chrono::seconds(60));
  EXPECT_EQ(config->batch_size, 100U);
  EXPECT_EQ(config->keep, std::chrono::days(7));
  EXPECT_EQ(config->compress_after, std::chrono::days(1));
  EXPECT_EQ(config->auth_token, "");
  EXPECT_EQ(config->metrics_dir, "/nowhere/.flow/metrics");
  EXPECT_EQ(config->prometheus.prometheus_urls, std::vector<std::string>{"http://localhost:9090"});
}

class FlowFileTest : public ::testing::Test {
 protected:
  FlowFileTest() { std::filesystem::create_directories(folder_.path() + "/.flow"); }
  void Write(const std::string& text) const {
    std::ofstream(folder_.path() + "/.flow/config.yaml") << text;
  }
  Environment Env(Environment more = {}) const {
    more["HOME"] = folder_.path();
    return more;
  }

  ScratchFolder folder_;
};

TEST_F(FlowFileTest, AllKeysOfTheRequirementAreTaken) {
  Write(R"(api_key: secret
health:
  enabled: false
  gpud_version: v0.6.0
  gpud_port: 15133
  gpud_bind: 10.0.0.1
  metrics_endpoint: https://metrics.example.com/v1/ingest
  metrics_interval: 30
  metrics_batch_size: 50
  retention_days: 14
  compress_after_days: 2
)");
  const auto config = Make(Env());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->enabled);
  EXPECT_EQ(config->gpud_version, "v0.6.0");
  EXPECT_EQ(config->gpud_port, 15133);
  EXPECT_EQ(config->gpud_bind, "10.0.0.1");
  EXPECT_EQ(config->endpoint, "https://metrics.example.com/v1/ingest");
  EXPECT_EQ(config->interval, std::chrono::seconds(30));
  EXPECT_EQ(config->batch_size, 50U);
  EXPECT_EQ(config->keep, std::chrono::days(14));
  EXPECT_EQ(config->compress_after, std::chrono::days(2));
}

TEST_F(FlowFileTest, AFlagWinsOverTheEnvironmentThatOverTheFile) {
  Write("health: {metrics_interval: 30}\n");
  EXPECT_EQ(Make(Env())->interval, std::chrono::seconds(30));
  const Environment env = Env({{"FLOW_METRICS_INTERVAL", "40"}});
  EXPECT_EQ(Make(env)->interval, std::chrono::seconds(40));
  EXPECT_EQ(Make(env, {"--metrics-interval", "50"})->interval, std::chrono::seconds(50));
}

TEST_F(FlowFileTest, UnknownKeysAreRefusedWithTheNearest) {
  Write("health:\n  metric_interval: 30\n");
  const std::string refused = Refused(Env());
  EXPECT_TRUE(Holds(refused, "\"metric_interval\", the nearest is metrics_interval")) << refused;
  EXPECT_TRUE(Holds(refused, "config.yaml:2:3")) << refused;
  Write("heatlh: {enabled: false}\n");
  EXPECT_TRUE(Holds(Refused(Env()), "the nearest is health"));
  Write("health: {gpud_port: 0}\n");
  EXPECT_TRUE(Holds(Refused(Env()), "(key gpud_port)")) << Refused(Env());
  Write("health: [1]\n");
  EXPECT_TRUE(Holds(Refused(Env()), "is not a mapping")) << Refused(Env());
}

TEST_F(FlowFileTest, WithoutTheMappingOrTheFileTheDefaultsHold) {
  Write("something: {else: [1, 2]}\n");
  EXPECT_TRUE(Make(Env())->enabled);
  Write("health:\n");
  EXPECT_TRUE(Make(Env())->enabled);
  const Environment named = Env({{"FLOW_CONFIG_FILE", folder_.path() + "/missing.yaml"}});
  EXPECT_TRUE(Holds(Refused(named), "cannot be read"));
}

TEST(CollectOptionsTest, ATokenIsNotSentWhereItCanBeReadOnTheWay) {
  const auto with = [](const std::string& endpoint) {
    return Environment{{"HOME", "/nowhere"},
                       {"FLOW_METRICS_ENDPOINT", endpoint},
                       {"FLOW_METRICS_AUTH_TOKEN", "hunter2"}};
  };
  for (const char* const fine : {"https://m.example.com/x", "http://127.0.0.1:9/x",
                                 "http://localhost/x", "http://[::1]:9/x"}) {
    EXPECT_TRUE(Make(with(fine))) << fine;
  }
  for (const char* const open :
       {"http://m.example.com/x", "HTTP://10.0.0.1/", "http://[2001:db8::1]/",
        "http://127.evil.example/", "http://localhost.example/"}) {
    const std::string refused = Refused(with(open));
    EXPECT_TRUE(Holds(refused, "plain http")) << refused;
    EXPECT_FALSE(Holds(refused, "hunter2"));
  }
  EXPECT_TRUE(Make({{"HOME", "/nowhere"}, {"FLOW_METRICS_ENDPOINT", "http://10.0.0.1/x"}}));
  EXPECT_TRUE(Holds(Refused({{"HOME", "/x"}, {"FLOW_METRICS_ENDPOINT", "http://u:p@10.0.0.1/x"}}),
                    "plain http"));
}

TEST(CollectOptionsTest, WrongValuesAreNamed) {
  const Environment home = {{"HOME", "/nowhere"}};
  EXPECT_TRUE(Holds(Refused(home, {"--metrics-endpoint", "ftp://x"}), "--metrics-endpoint"));
  EXPECT_TRUE(Holds(Refused(home, {"--metrics-interval", "0"}), "1 to 86400"));
  EXPECT_TRUE(Holds(Refused(home, {"--metrics-format", "datadog", "--metrics-endpoint",
                                   "https://api.datadoghq.com/api/v2/series"}),
                    "FLOW_METRICS_AUTH_TOKEN"));
  EXPECT_TRUE(Holds(Refused(home, {"--gpud-bind", "a b"}), "--gpud-bind"));
  EXPECT_TRUE(Holds(Refused({}), "HOME"));
  EXPECT_TRUE(Holds(Refused(home, {"--port", "1"}), "unknown flag"));
  EXPECT_TRUE(Make({{"METRICS_DIR", "/data"}})->metrics_dir == "/data");
}

}  // namespace
}  // namespace gpumon::config
