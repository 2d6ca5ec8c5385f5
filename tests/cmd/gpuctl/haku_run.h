// gpuctl beside a HakuRiver host.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/fakes/hakuriver/fake_host.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::ctl {

class HakuRun : public testing::Test {
 protected:
  explicit HakuRun(hakuriver::Generation generation = hakuriver::Generation::kB)
      : host_(generation) {}

  // `program` is "gpuctl" or a link beside it.
  process::Finished RunAs(const std::string& program, const std::vector<std::string>& arguments,
                          process::Environment more = {}) const {
    more.merge(process::Environment{{"HAKURIVER_URL", host_.url() + "/"}});
    return process::Run(std::string(GPUMON_BIN) + '/' + program, arguments, more);
  }
  process::Finished Run(const std::vector<std::string>& arguments,
                        process::Environment more = {}) const {
    return RunAs("gpuctl", arguments, std::move(more));
  }
  static void ExpectOneLine(const process::Finished& ran, int code, const std::string& text) {
    EXPECT_EQ(ran.exit_code, code) << ran.errors;
    EXPECT_EQ(ran.output, "");
    EXPECT_THAT(ran.errors, testing::StartsWith("gpuctl: "));
    EXPECT_THAT(ran.errors, testing::HasSubstr(text));
    EXPECT_EQ(std::count(ran.errors.begin(), ran.errors.end(), '\n'), 1) << ran.errors;
  }

  hakuriver::FakeHost host_;
};

inline constexpr hakuriver::Generation kGenerations[] = {
    hakuriver::Generation::kA, hakuriver::Generation::kB, hakuriver::Generation::kC};

}  // namespace gpumon::ctl
