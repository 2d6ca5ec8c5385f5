// Ratio or percent: what samples prove, of their target and of its job.
#include "internal/gpu/unit_evidence.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gpumon::gpu {
namespace {

using Target = UnitEvidence::Target;

constexpr char kMetric[] = "DCGM_FI_DEV_GPU_UTIL_RATIO";
const Target kIdle{1, "dcgm", false, false};
const Target kPercent{1, "dcgm", true, false};
const Target kRatio{1, "dcgm", false, true};

Target At(Target target, std::size_t key) {
  target.key = key;
  return target;
}

class UnitEvidenceTest : public testing::Test {
 protected:
  bool IsPercent(const std::vector<Target>& targets, std::size_t key, double at = 1000) {
    const auto verdict = evidence_.Judge(kMetric, targets, at);
    mixed_jobs_ = verdict.mixed_jobs;
    return verdict.percent.at(key);
  }

  UnitEvidence evidence_;
  std::size_t mixed_jobs_ = 0;
};

TEST_F(UnitEvidenceTest, WithoutAnyProofItIsARatio) {
  EXPECT_FALSE(IsPercent({kIdle}, 1));
  EXPECT_FALSE(evidence_.AnyIsPercent(kMetric));
}

TEST_F(UnitEvidenceTest, WhatOneTargetProvesHoldsForTheIdleOnesOfItsJob) {
  EXPECT_TRUE(IsPercent({kPercent, At(kIdle, 2)}, 2));
  EXPECT_TRUE(IsPercent({At(kIdle, 3)}, 3, 2000)) << "and later";
  EXPECT_FALSE(IsPercent({{4, "other", false, false}}, 4, 2000)) << "not for another job's";
  EXPECT_TRUE(evidence_.AnyIsPercent(kMetric));
}

TEST_F(UnitEvidenceTest, InAMixedJobATargetMeansWhatItProvesItself) {
  const std::vector<Target> targets = {kPercent, At(kRatio, 2), At(kIdle, 3)};
  EXPECT_TRUE(IsPercent(targets, 1));
  EXPECT_EQ(mixed_jobs_, 1U);
  EXPECT_FALSE(IsPercent(targets, 2));
  EXPECT_TRUE(IsPercent(targets, 3)) << "percent before ratio";
  EXPECT_FALSE(IsPercent({kPercent, At(kIdle, 2)}, 2, 1001)) << "it is known";
  EXPECT_EQ(mixed_jobs_, 0U);
}

TEST_F(UnitEvidenceTest, AFractionBesidesPercentProvesNothingAndIsTold) {
  const Target both{1, "dcgm", true, true};
  EXPECT_TRUE(IsPercent({both}, 1));
  EXPECT_EQ(mixed_jobs_, 1U);
}

TEST_F(UnitEvidenceTest, WhoIsUpgradedMeansTheNewUnit) {
  EXPECT_TRUE(IsPercent({kPercent}, 1));
  EXPECT_TRUE(IsPercent({kIdle}, 1, 1010));
  EXPECT_FALSE(IsPercent({kRatio}, 1, 1020));
  EXPECT_FALSE(IsPercent({kIdle}, 1, 1030));
  EXPECT_EQ(mixed_jobs_, 0U);
  EXPECT_FALSE(evidence_.AnyIsPercent(kMetric));
}

// Nobody knows whether it has been upgraded, until it shows it or all have been for an hour.
TEST_F(UnitEvidenceTest, WhoIsLeftOfAnUpgradeMeansTheOldUnitAndIsInDoubt) {
  EXPECT_TRUE(IsPercent({kPercent, At(kIdle, 2)}, 2));
  EXPECT_EQ(mixed_jobs_, 0U);
  EXPECT_TRUE(IsPercent({kRatio, At(kIdle, 2)}, 2, 1020));
  EXPECT_EQ(mixed_jobs_, 1U);
  EXPECT_TRUE(IsPercent({kIdle, At(kIdle, 2)}, 2, 1030));
  EXPECT_EQ(mixed_jobs_, 1U);
  EXPECT_FALSE(IsPercent({kIdle, At(kIdle, 2)}, 2, 1001 + 3600)) << "the job means the new one";
  EXPECT_EQ(mixed_jobs_, 0U);
}

TEST_F(UnitEvidenceTest, OneThatTurnedIsRememberedAsSuch) {
  UnitEvidence::Shown shown;
  shown.percent = {{1, "dcgm"}, {2, "dcgm"}};
  shown.fraction = {{1, "dcgm"}};
  shown.turned = {1};
  evidence_.Remember(kMetric, shown, 10'000 - 3600);
  EXPECT_FALSE(IsPercent({kIdle, At(kIdle, 2), At(kIdle, 3)}, 1, 10'000));
  EXPECT_TRUE(IsPercent({kIdle, At(kIdle, 2), At(kIdle, 3)}, 2, 10'000));
  EXPECT_TRUE(IsPercent({kIdle, At(kIdle, 2), At(kIdle, 3)}, 3, 10'000));
  EXPECT_EQ(mixed_jobs_, 1U);
}

TEST_F(UnitEvidenceTest, WhoShowedFractionsAloneIsRememberedAsARatio) {
  UnitEvidence::Shown shown;
  shown.percent = {{1, "dcgm"}};
  shown.fraction = {{2, "dcgm"}};
  evidence_.Remember(kMetric, shown, 10'000 - 3600);
  EXPECT_TRUE(IsPercent({kIdle, At(kIdle, 2)}, 1, 10'000));
  EXPECT_FALSE(IsPercent({kIdle, At(kIdle, 2)}, 2, 10'000));
  EXPECT_EQ(mixed_jobs_, 0U) << "each has proved its own";
}

TEST_F(UnitEvidenceTest, APastInstantTeachesThePresentNothing) {
  EXPECT_FALSE(IsPercent({kRatio}, 1, 5000));
  EXPECT_TRUE(IsPercent({kPercent}, 1, 1000)) << "it is read as it was";
  EXPECT_FALSE(IsPercent({kIdle}, 1, 5001));
}

TEST_F(UnitEvidenceTest, ATargetsProofIsKeptForADay) {
  EXPECT_TRUE(IsPercent({kPercent, At(kRatio, 2)}, 1));
  EXPECT_FALSE(IsPercent({At(kIdle, 2)}, 2, 1000 + 86'400));
  EXPECT_TRUE(IsPercent({At(kIdle, 2)}, 2, 1001 + 86'400)) << "its job's remains";
}

}  // namespace
}  // namespace gpumon::gpu
