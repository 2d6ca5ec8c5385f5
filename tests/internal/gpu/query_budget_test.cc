#include "internal/gpu/query_budget.h"

#include <gtest/gtest.h>

#include <string>

namespace gpumon::gpu {
namespace {

TEST(QueryBudgetTest, SetsStartWhileTheyFitAndNeverInParts) {
  QueryBudget budget(16);
  std::string started;
  budget.Acquire(7, [&] { started += 'a'; });
  budget.Acquire(7, [&] { started += 'b'; });
  budget.Acquire(7, [&] { started += 'c'; });
  EXPECT_EQ(started, "ab");
  budget.Release(7);
  EXPECT_EQ(started, "abc");
}

TEST(QueryBudgetTest, ASetLargerThanTheBudgetRunsAlone) {
  QueryBudget budget(4);
  std::string started;
  budget.Acquire(7, [&] { started += 'a'; });
  budget.Acquire(1, [&] { started += 'b'; });
  EXPECT_EQ(started, "a");
  budget.Release(7);
  EXPECT_EQ(started, "ab");
}

TEST(QueryBudgetTest, ASmallSetDoesNotOvertakeALargeOne) {
  QueryBudget budget(8);
  std::string started;
  budget.Acquire(5, [&] { started += 'a'; });
  budget.Acquire(7, [&] { started += 'b'; });
  budget.Acquire(1, [&] { started += 'c'; });
  EXPECT_EQ(started, "a");
  budget.Release(5);
  EXPECT_EQ(started, "abc");
}

}  // namespace
}  // namespace gpumon::gpu
