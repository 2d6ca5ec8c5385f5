#include "internal/checks/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"
#include "tests/internal/checks/web_client.h"

namespace gpumon::checks {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsSubsetOf;
using testing::Not;

Scope Halfstack() {
  const Preset& preset = *FindPreset("halfstack");
  Scope scope;
  scope.client = RealClient();
  scope.containers = preset.containers;
  scope.targets = preset.targets;
  scope.config_files = preset.config_files;
  return scope;
}

std::vector<std::string> NamesOf(std::vector<Group> groups, const Scope& scope) {
  std::vector<std::string> names;
  for (const Task& task : Plan(groups, scope)) names.push_back(task.name);
  return names;
}

TEST(PlanTest, EachGroupHasTheDocumentsChecks) {
  const Scope scope = Halfstack();
  EXPECT_EQ(NamesOf({Group::kDocker}, scope), scope.containers);
  EXPECT_THAT(NamesOf({Group::kInfrastructure}, scope), Contains("etcd"));
  EXPECT_THAT(NamesOf({Group::kServices}, scope),
              ElementsAre("Manager API", "Prometheus", "Grafana"));
  EXPECT_THAT(NamesOf({Group::kSystem}, scope),
              ElementsAre("Docker Daemon", "System Resources", "Network Connectivity",
                          "Configuration Files", "Port Usage"));
}

TEST(PlanTest, GroupsAreInTheirOrderWhateverIsAskedFirst) {
  const auto names = NamesOf({Group::kSystem, Group::kServices, Group::kDocker}, Halfstack());
  EXPECT_EQ(names.front(), "backend.ai-halfstack-postgres-1");
  EXPECT_EQ(names[10], "Manager API");
  EXPECT_EQ(names.back(), "Port Usage");
}

TEST(PlanTest, WhatIsNotAskedForHasNoRow) {
  Scope scope = Halfstack();
  scope.targets = {*ParseTarget(Kind::kGrafana, "Far=http://10.9.9.9:3000")};
  scope.config_files.clear();
  EXPECT_THAT(NamesOf({Group::kSystem}, scope),
              ElementsAre("Docker Daemon", "System Resources", "Network Connectivity"))
      << "ports of another machine are not bound on this one";
  EXPECT_THAT(NamesOf({Group::kServices}, scope), ElementsAre("Far"));
}

TEST(PlanTest, ADriverThatNeverAnswersIsUnhealthy) {
  const Group only[] = {Group::kGpu};
  const std::vector<Task> tasks = Plan(only, Halfstack());
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].overdue, Status::kUnhealthy);
  EXPECT_NE(tasks[0].overdue_hint.find("dmesg"), std::string::npos);
}

TEST(PlanTest, EverythingEndsInTimeWhenEveryTargetIsABlackHole) {
  const fault::BlackHole hole;
  const std::string place = hole.url().substr(std::string_view("http://").size());
  Scope scope = Halfstack();
  scope.targets.clear();
  for (const KindRow& kind : Kinds()) {
    scope.targets.push_back(*ParseTarget(kind.kind, kind.is_web ? hole.url() : place));
  }
  scope.docker.address = ParseDockerHost("tcp://" + place);
  const auto clock = std::make_shared<SystemClock>();
  const SteadyTime begun = clock->Steady();
  const auto done = RunAll(Plan(kAllGroups, scope), clock, Millis(1000));
  EXPECT_LT(clock->Steady() - begun, process::Scaled(Millis(1500)));
  EXPECT_TRUE(process::WaitUntil([] { return RunningTasks() == 0; }, Millis(10'000)));
  for (const Done& row : done) {
    if (row.name == "System Resources" || row.name == "Port Usage") continue;
    EXPECT_NE(row.outcome.status, Status::kHealthy) << row.name;
    EXPECT_FALSE(row.outcome.details.empty()) << row.name;
  }
}

}  // namespace
}  // namespace gpumon::checks
