#include "internal/checks/report.h"

#include <gtest/gtest.h>

namespace gpumon::checks {
namespace {

Done DoneAs(Status status) {
  Done done;
  done.name = "x";
  done.outcome.status = status;
  return done;
}

Report ReportOf(const std::vector<Status>& statuses) {
  std::vector<Done> checks;
  for (const Status status : statuses) checks.push_back(DoneAs(status));
  return MakeReport(std::move(checks), WallTime());
}

constexpr Status H = Status::kHealthy;
constexpr Status D = Status::kDegraded;
constexpr Status U = Status::kUnhealthy;
constexpr Status K = Status::kUnknown;

TEST(ReportTest, TheWholeIsHealthyWhenEveryCheckIs) {
  EXPECT_EQ(ReportOf({H, H}).overall, H);
  EXPECT_EQ(ReportOf({H, D}).overall, D);
  EXPECT_EQ(ReportOf({H, K}).overall, D);
}

TEST(ReportTest, TheWholeIsUnknownWhenNothingIsKnown) {
  EXPECT_EQ(ReportOf({K, K}).overall, K);
  EXPECT_EQ(ReportOf({}).overall, K);
}

TEST(ReportTest, TheWholeIsUnhealthyOnlyWhenNothingIsHealthy) {
  EXPECT_EQ(ReportOf({U, U}).overall, U);
  EXPECT_EQ(ReportOf({U, D, K}).overall, U);
  EXPECT_EQ(ReportOf({H, H, U}).overall, D);
  EXPECT_EQ(ReportOf({D, K}).overall, D);
}

TEST(ReportTest, TheWorstSingleCheckIsTheExitCode) {
  EXPECT_EQ(ExitCode(ReportOf({H, H})), 0);
  EXPECT_EQ(ExitCode(ReportOf({H, D})), 1);
  EXPECT_EQ(ExitCode(ReportOf({H, K})), 1);
  EXPECT_EQ(ExitCode(ReportOf({H, U, K})), 2);
  EXPECT_EQ(ExitCode(ReportOf({})), 1) << "nothing was checked";
}

TEST(ReportTest, TheSummaryCountsEachStatus) {
  EXPECT_EQ(SummaryLine(ReportOf({H, H, U, D, D, D, K}).counts),
            "Health Check Summary: 2 healthy, 1 unhealthy, 3 degraded, 1 unknown out of 7 total "
            "services");
}

TEST(ReportTest, EveryStatusHasItsNameAndMark) {
  EXPECT_EQ(Marked(H), "✓ Healthy");
  EXPECT_EQ(Marked(D), "⚠ Degraded");
  EXPECT_EQ(Marked(U), "✗ Unhealthy");
  EXPECT_EQ(Marked(K), "? Unknown");
}

}  // namespace
}  // namespace gpumon::checks
