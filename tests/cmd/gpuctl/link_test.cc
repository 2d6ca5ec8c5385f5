#include "cmd/gpuctl/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpumon::ctl {
namespace {

using testing::ElementsAre;

TEST(LinkTest, TheHealthCheckersCommandsAreThoseOfCheck) {
  EXPECT_THAT(LinkedArguments("./backend-ai-health-checker", {"all", "--format", "json"}),
              ElementsAre("check", "all", "--format", "json"));
  EXPECT_THAT(LinkedArguments("backend-ai-health-checker", {}), ElementsAre("check"));
  EXPECT_THAT(LinkedArguments("/usr/bin/backend-ai-health-checker", {"--help"}),
              ElementsAre("check", "--help"));
  EXPECT_THAT(LinkedArguments("backend-ai-health-checker", {"help", "gpu"}),
              ElementsAre("help", "check", "gpu"));
}

TEST(LinkTest, SomeWordsAreTheSameInBoth) {
  EXPECT_THAT(LinkedArguments("backend-ai-health-checker", {"monitor", "-i", "5"}),
              ElementsAre("monitor", "-i", "5"));
  EXPECT_THAT(LinkedArguments("backend-ai-health-checker", {"help", "monitor"}),
              ElementsAre("help", "monitor"));
  EXPECT_THAT(LinkedArguments("backend-ai-health-checker", {"--version"}),
              ElementsAre("--version"));
}

TEST(LinkTest, FlowsHealthIsGpuctls) {
  EXPECT_THAT(LinkedArguments("/opt/flow", {"health", "--gpu", "--all"}),
              ElementsAre("health", "--gpu", "--all"));
  EXPECT_THAT(LinkedArguments("flow", {}), ElementsAre());
}

TEST(LinkTest, WhatFlowDoesOnMachinesIsSaidOfTheTaskAlone) {
  EXPECT_THAT(LinkedArguments("flow", {"ssh", "ml/a", "--", "systemctl", "status", "gpud"}),
              ElementsAre("flow", "ssh", "ml/a"));
  EXPECT_THAT(LinkedArguments("flow", {"logs"}), ElementsAre("flow", "logs"));
}

TEST(LinkTest, HakuRiversProgramsAreCommandsOfTheirName) {
  EXPECT_THAT(LinkedArguments("bin/hakuriver.client", {"health", "gn01"}),
              ElementsAre("hakuriver", "client", "health", "gn01"));
  EXPECT_THAT(LinkedArguments("hakuriver.client", {"--config", "a", "--config=b", "nodes"}),
              ElementsAre("hakuriver", "client", "--hakuriver-config", "a", "--hakuriver-config=b",
                          "nodes"));
  EXPECT_THAT(LinkedArguments("hakuriver.vps", {}), ElementsAre("hakuriver", "vps"));
  EXPECT_THAT(LinkedArguments("hakuriver.task", {"--version"}), ElementsAre("--version"));
}

TEST(LinkTest, WhatHakuRiverSubmitsIsNotRead) {
  EXPECT_THAT(LinkedArguments("hakuriver.task", {"submit", "--cores", "4", "--", "ls", "-l"}),
              ElementsAre("hakuriver", "task", "submit"));
}

TEST(LinkTest, ByItsOwnNameNothingChanges) {
  EXPECT_THAT(LinkedArguments("build/bin/gpuctl", {"doctor"}), ElementsAre("doctor"));
  EXPECT_THAT(LinkedArguments("backend-ai-health-checker-2", {"all"}), ElementsAre("all"));
}

}  // namespace
}  // namespace gpumon::ctl
