// gpuctl as people start it, in a home of its own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "internal/json/document.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::ctl {

class HealthRun : public testing::Test {
 protected:
  process::Finished Run(const std::vector<std::string>& arguments,
                        process::Environment more = {}) const {
    more.merge(process::Environment{{"HOME", home_.path()}, {"GPUCTL_SERVER", url_}});
    return process::Run(GPUMON_CTL, arguments, more);
  }
  static json::Value Parsed(const process::Finished& ran) {
    auto document = json::ParseDocument(ran.output);
    EXPECT_TRUE(document) << ran.output << ran.errors;
    return document ? *std::move(document) : json::Value();
  }
  static void ExpectOneLine(const process::Finished& ran, int code, const std::string& text) {
    EXPECT_EQ(ran.exit_code, code) << ran.errors;
    EXPECT_EQ(ran.output, "");
    EXPECT_THAT(ran.errors, testing::StartsWith("gpuctl: "));
    EXPECT_THAT(ran.errors, testing::HasSubstr(text));
    EXPECT_EQ(std::count(ran.errors.begin(), ran.errors.end(), '\n'), 1) << ran.errors;
  }

  process::ScratchDirectory home_;
  std::string url_ = "http://127.0.0.1:1";
};

}  // namespace gpumon::ctl
