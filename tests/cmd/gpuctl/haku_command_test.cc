#include "cmd/gpuctl/haku_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpumon::ctl {
namespace {

using testing::ElementsAre;

hakuriver::Task Shown(const std::string& command, std::vector<std::string> arguments) {
  hakuriver::Task task;
  task.command = command;
  task.arguments = std::move(arguments);
  return WithoutSecrets(std::move(task));
}

TEST(HakuCommandTest, WithoutASecretNothingIsChanged) {
  const auto task = Shown("python", {"train.py", "--epochs", "3"});
  EXPECT_EQ(task.command, "python");
  EXPECT_THAT(task.arguments, ElementsAre("train.py", "--epochs", "3"));
}

TEST(HakuCommandTest, OnlyTheArgumentWithTheSecretIsMasked) {
  const auto task = Shown("python", {"train.py", "--password", "hunter2", "--epochs", "3"});
  EXPECT_EQ(task.command, "python");
  EXPECT_THAT(task.arguments, ElementsAre("train.py", "--password", "***", "--epochs", "3"));
  EXPECT_THAT(Shown("sh", {"", "a b", "--token=hf_0123456789", " c"}).arguments,
              ElementsAre("", "a b", "--token=***", " c"));
}

TEST(HakuCommandTest, AWholeLineIsMaskedAsOne) {
  const auto task = Shown("mysql --password=Hunter22 -e 'select 1'", {});
  EXPECT_EQ(task.command, "mysql --password=*** -e 'select 1'");
  EXPECT_THAT(task.arguments, ElementsAre());
}

TEST(HakuCommandTest, WhereItCannotBeToldEveryArgumentThatMayHoldItIsMasked) {
  const auto task =
      Shown("curl", {"-s", "-H", "Authorization: Basic dXNlcjpodW50ZXIy and more", "http://a"});
  EXPECT_EQ(task.command, "curl");
  ASSERT_EQ(task.arguments.size(), 4U);
  EXPECT_EQ(task.arguments[0], "-s");
  for (const std::string& argument : task.arguments) {
    EXPECT_EQ(argument.find("dXNlcjpodW50ZXIy"), std::string::npos) << argument;
  }
}

}  // namespace
}  // namespace gpumon::ctl
