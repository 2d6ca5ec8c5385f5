#include "cmd/gpuctl/operand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cmd/gpuctl/get.h"
#include "cmd/gpuctl/health.h"

namespace gpumon::ctl {
namespace {

using testing::ElementsAre;

std::vector<std::string> Node(std::vector<std::string> arguments) {
  return WithOperand(std::move(arguments), "--node", HealthOptions());
}

TEST(OperandTest, TheFirstArgumentWithoutAFlagIsTheOperand) {
  EXPECT_THAT(Node({"n1"}), ElementsAre("--node=n1"));
  EXPECT_THAT(Node({"--json", "n1", "n2"}), ElementsAre("--json", "--node=n1", "n2"));
  EXPECT_THAT(Node({}), ElementsAre());
}

TEST(OperandTest, AFlagsValueIsNone) {
  EXPECT_THAT(Node({"--history", "24", "n1"}), ElementsAre("--history", "24", "--node=n1"));
  EXPECT_THAT(Node({"--history=24", "n1"}), ElementsAre("--history=24", "--node=n1"));
  EXPECT_THAT(Node({"-v", "n1"}), ElementsAre("-v", "--node=n1"));
}

TEST(OperandTest, SeveralFlagsTakeTheirArgumentsInOrder) {
  EXPECT_THAT(WithOperand({"n1", "--json", "t", "x"}, "--node --task", HealthOptions()),
              ElementsAre("--node=n1", "--json", "--task=t", "x"));
  EXPECT_THAT(WithOperand({"n1"}, "--node --task", HealthOptions()), ElementsAre("--node=n1"));
}

TEST(OperandTest, AListTakesThemAll) {
  EXPECT_THAT(WithOperand({"a", "-o", "name", "b", "--watch", "c"}, "--name", GetOptions()),
              ElementsAre("--name=a,b,c", "-o", "name", "--watch"));
  EXPECT_THAT(WithOperand({"-w"}, "--name", GetOptions()), ElementsAre("-w"));
}

TEST(OperandTest, TasksAndNodesAreNamedAsTheListsPrintThem) {
  struct Case {
    const char* text;
    const char* name;
    const char* kind;
  };
  for (const Case& one :
       {Case{"task/7193847561234567169", "7193847561234567169", ""}, Case{"vps/7", "7", ""},
        Case{"7", "7", ""}, Case{"ml/a", "ml/a", ""}, Case{"task/ml/a", "ml/a", ""},
        Case{"task/Pod/ml/a", "ml/a", "Pod"}, Case{"Job/ml/a", "ml/a", "Job"},
        Case{"workload/ml/a", "ml/a", ""}, Case{"task/a", "task/a", ""},
        Case{"gpud/gn01", "gpud/gn01", ""}, Case{"", "", ""}}) {
    const TaskName task = TaskNameOf(one.text);
    EXPECT_EQ(task.name, one.name) << one.text;
    EXPECT_EQ(task.kind, one.kind) << one.text;
  }
  EXPECT_EQ(NodeNameOf("node/gn01"), "gn01");
  EXPECT_EQ(NodeNameOf("gn01"), "gn01");
}

TEST(OperandTest, ACommandWithoutOneKeepsItsArguments) {
  EXPECT_THAT(WithOperand({"n1"}, "", HealthOptions()), ElementsAre("n1"));
}

}  // namespace
}  // namespace gpumon::ctl
