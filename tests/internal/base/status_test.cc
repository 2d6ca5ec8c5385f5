#include "internal/base/status.h"

#include <gtest/gtest.h>

#include <set>

#include "internal/base/result.h"

namespace gpumon {
namespace {

TEST(StatusTest, EveryCodeHasARowInItsPlace) {
  ASSERT_EQ(kCodes.size(), static_cast<std::size_t>(Code::kCount));
  for (std::size_t i = 0; i < kCodes.size(); ++i) {
    EXPECT_EQ(RowOf(static_cast<Code>(i)).code, static_cast<Code>(i));
  }
}

// The codes of the HTTP contract.
TEST(StatusTest, EveryWireNameIsInTheContract) {
  const std::set<std::string_view> contract = {
      "invalid_parameter", "not_found", "method_not_allowed", "bad_request", "payload_too_large",
      "unauthorized",      "forbidden", "too_many_requests",  "overloaded",  "draining",
      "internal"};
  for (const CodeRow& row : kCodes) {
    if (row.code == Code::kOk) continue;
    EXPECT_TRUE(contract.contains(row.name) || row.name.starts_with("upstream_")) << row.name;
  }
}

TEST(StatusTest, EveryErrorHasAnErrorStatus) {
  for (const CodeRow& row : kCodes) {
    if (row.code == Code::kOk) continue;
    EXPECT_GE(row.http_status, 400) << row.name;
    EXPECT_LE(row.http_status, 599) << row.name;
    // 500 is for our bugs only.
    EXPECT_EQ(row.http_status == 500, row.code == Code::kInternal) << row.name;
  }
}

TEST(StatusTest, UpstreamTroubleIsNeverTheClientsFault) {
  for (const CodeRow& row : kCodes) {
    if (!row.name.starts_with("upstream_")) continue;
    EXPECT_GE(row.http_status, 502) << row.name;
    EXPECT_LE(row.http_status, 504) << row.name;
  }
}

TEST(ResultTest, IsAValueOrSaysWhyNot) {
  const Result<int> value = 3;
  EXPECT_EQ(value.value(), 3);
  const Result<int> error = Error(Code::kNotFound, "no node x", "for the log");
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().wire_name(), "not_found");
  EXPECT_EQ(error.error().http_status(), 404);
  EXPECT_EQ(error.error().message, "no node x");
  EXPECT_EQ(error.error().detail, "for the log");
  EXPECT_EQ(error.error().retry_after_s, 0);
  const Result<std::string> passed_on = Error(error.error());
  EXPECT_EQ(passed_on.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace gpumon
