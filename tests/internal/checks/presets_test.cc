#include "internal/checks/presets.h"

#include <gtest/gtest.h>

namespace gpumon::checks {
namespace {

TEST(PresetsTest, TheDocumentsNamesAndPortsAreTheDefault) {
  const Preset& preset = *FindPreset("halfstack");
  EXPECT_EQ(preset.containers.size(), 10U);
  EXPECT_EQ(preset.containers.front(), "backend.ai-halfstack-postgres-1");
  EXPECT_EQ(preset.containers.back(), "backend.ai-halfstack-otel-collector-1");
  std::string all;
  for (const Target& target : preset.targets) {
    all += target.name + '=' + std::to_string(target.port) + ' ';
  }
  EXPECT_EQ(all,
            "PostgreSQL=8101 Redis=8111 etcd=8121 Manager API=8081 Prometheus=9090 Grafana=3000 ");
  EXPECT_EQ(preset.config_files.size(), 5U);
}

TEST(PresetsTest, LablupsAreOthersAndNoneIsEmpty) {
  EXPECT_EQ(FindPreset("lablup")->containers.front(), "backendai-half-db");
  EXPECT_EQ(FindPreset("lablup")->targets[0].port, 8100);
  EXPECT_EQ(FindPreset("lablup")->targets.size(), 7U);
  EXPECT_TRUE(FindPreset("none")->containers.empty());
  EXPECT_TRUE(FindPreset("none")->targets.empty());
  EXPECT_EQ(FindPreset("other"), nullptr);
}

TEST(PresetsTest, EveryPresetThatTheOptionAllowsIsThere) {
  std::string_view names = kPresetNames;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find('|'));
    EXPECT_NE(FindPreset(name), nullptr) << name;
    names.remove_prefix(std::min(names.size(), name.size() + 1));
  }
}

TEST(TargetTest, AWebServiceHasAUrl) {
  const Target target = *ParseTarget(Kind::kPrometheus, "Prometheus B=https://b.example/base/");
  EXPECT_EQ(target.name, "Prometheus B");
  EXPECT_EQ(target.url, "https://b.example/base");
  EXPECT_EQ(target.host, "b.example");
  EXPECT_EQ(target.port, 443);
  EXPECT_EQ(ParseTarget(Kind::kGrafana, "http://u:p=1@host:81")->host, "host");
  EXPECT_EQ(ParseTarget(Kind::kGrafana, "http://u:p=1@host:81")->name, "Grafana");
  EXPECT_EQ(ParseTarget(Kind::kEtcd, "http://[::1]:2379")->host, "::1");
  EXPECT_EQ(ParseTarget(Kind::kEtcd, "http://host")->port, 80);
}

TEST(TargetTest, ADatabaseHasAHostAndAPort) {
  const Target target = *ParseTarget(Kind::kPostgres, "db two=10.0.0.1:5432");
  EXPECT_EQ(target.name, "db two");
  EXPECT_EQ(target.host, "10.0.0.1");
  EXPECT_EQ(target.port, 5432);
  EXPECT_EQ(ParseTarget(Kind::kRedis, "[::1]:6379")->host, "::1");
  EXPECT_EQ(ParseTarget(Kind::kRedis, "localhost:6379")->name, "Redis");
}

TEST(TargetTest, OtherTextsAreRefusedWithoutQuotingThem) {
  for (const std::string_view text : {"", "host", "host:", "host:0", "host:99999", "host:1x", ":1",
                                      "[::1:1", "a b:1", "http://host:1", "host:1:2"}) {
    EXPECT_FALSE(ParseTarget(Kind::kPostgres, text)) << text;
  }
  for (const std::string_view text :
       {"", "host:80", "ftp://host", "http://", "https:///x", "http://:80", "http://host:x",
        "http://host/?q", "http://ho st", "http://host#f"}) {
    const auto target = ParseTarget(Kind::kManager, text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().message, "has an entry that is no http:// or https:// URL");
  }
}

}  // namespace
}  // namespace gpumon::checks
