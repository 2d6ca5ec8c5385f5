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

TEST(OperandTest, ACommandWithoutOneKeepsItsArguments) {
  EXPECT_THAT(WithOperand({"n1"}, "", HealthOptions()), ElementsAre("n1"));
}

}  // namespace
}  // namespace gpumon::ctl
