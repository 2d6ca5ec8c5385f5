#include "internal/gpu/identity.h"

#include <gtest/gtest.h>

#include <string_view>

namespace gpumon::gpu {
namespace {

TEST(IdentityTest, WritesNvidiasUuidsInOneForm) {
  constexpr std::string_view kOne = "GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80";
  models::Arena arena;
  for (const std::string_view form :
       {kOne, std::string_view("0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80"),
        std::string_view("gpu-0B7E2C11-9d55-4b6e-a1f2-3c4d5e6f7a80")}) {
    EXPECT_EQ(KeepUuid(form, "NVIDIA", arena), kOne);
  }
  EXPECT_EQ(KeepUuid("MIG-AB", "NVIDIA", arena), "MIG-ab");
}

TEST(IdentityTest, OneUuidInTwoFormsIsTheSame) {
  EXPECT_TRUE(IsSameUuid("GPU-0b7e2c11-9d55-4b6e-a1f2-3c4d5e6f7a80",
                         "0B7E2C11-9d55-4b6e-a1f2-3c4d5e6f7a80"));
  EXPECT_TRUE(IsSameUuid("MIG-ab", "mig-AB"));
  EXPECT_TRUE(IsSameUuid("MIG-GPU-ab/1/0", "mig-gpu-AB/1/0"));
  EXPECT_TRUE(IsSameUuid("692251001124", "692251001124"));
  EXPECT_FALSE(IsSameUuid("GPU-ab", "MIG-ab"));
  EXPECT_FALSE(IsSameUuid("GPU-ab", "GPU-abc"));
  EXPECT_FALSE(IsSameUuid("GPU-ab", "ab"));
  EXPECT_FALSE(IsSameUuid("x", "X"));
}

TEST(IdentityTest, LeavesOtherMakersUuidsAlone) {
  models::Arena arena;
  for (const std::string_view form :
       {"01000000-0000-0000-0000-0000004d0000", "692251001124", "x", ""}) {
    EXPECT_EQ(KeepUuid(form, "Intel", arena), form);
  }
  EXPECT_EQ(KeepUuid("not-a-uuid", "NVIDIA", arena), "not-a-uuid");
}

TEST(IdentityTest, AProductsNameMayBeLongerOrShorter) {
  EXPECT_TRUE(NamesAgree("H100", "NVIDIA H100 80GB HBM3"));
  EXPECT_TRUE(NamesAgree("NVIDIA A100-SXM4-80GB", "a100 sxm4 80gb"));
  EXPECT_TRUE(NamesAgree("", "NVIDIA L40S"));
  EXPECT_FALSE(NamesAgree("NVIDIA A100-SXM4-40GB", "NVIDIA A100-SXM4-80GB"));
  EXPECT_FALSE(NamesAgree("H100", "NVIDIA H1000"));
  EXPECT_FALSE(NamesAgree("NVIDIA L40", "NVIDIA L40S"));
}

TEST(IdentityTest, AnIndexIsASmallDecimalNumber) {
  EXPECT_EQ(ParseGpuIndex("0"), 0);
  EXPECT_EQ(ParseGpuIndex("999999"), 999999);
  for (const std::string_view id : {"", "00", "007", "-1", "1000000", "0:1", "abc", "4294967296"}) {
    EXPECT_EQ(ParseGpuIndex(id), models::GpuMetrics::kNoIndex) << id;
  }
}

}  // namespace
}  // namespace gpumon::gpu
