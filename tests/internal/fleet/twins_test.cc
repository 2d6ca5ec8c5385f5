#include "internal/fleet/twins.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "internal/fleet/health_rules.h"
#include "tests/internal/fleet/fleet_rows.h"

namespace gpumon::fleet {
namespace {

class TwinsTest : public ::testing::Test {
 protected:
  // The nodes of what is left of these, all at `instant`.
  std::string Left(std::size_t instant, const std::vector<FakeGpu>& gpus) {
    const auto rows = Rows(gpus);
    auto wholes = PartsOf(*rows, nullptr, rules_);
    twins_.Drop(instant, wholes);
    std::string nodes;
    for (const Whole& whole : wholes) nodes += whole.gpu->text(models::Text::kNode);
    return nodes;
  }

  const std::vector<FakeGpu> one_ = {{.uuid = "x", .node = "a"}, {.uuid = "y", .node = "a"}};
  const std::vector<FakeGpu> both_ = {
      {.uuid = "x", .node = "a"}, {.uuid = "y", .node = "a"}, {.uuid = "x", .node = "b"}};
  HealthRules rules_;
  Twins twins_;
};

TEST_F(TwinsTest, AGpuThatMovesIsOne) {
  EXPECT_EQ(Left(0, one_), "aa");
  EXPECT_EQ(Left(1, both_), "aa");
  EXPECT_EQ(Left(2, both_), "aa");
  EXPECT_EQ(Left(3, {{.uuid = "y", .node = "a"}, {.uuid = "x", .node = "b"}}), "ab");
  EXPECT_EQ(Left(4, both_), "aa") << "it moves again";
}

TEST_F(TwinsTest, TwoOfOneUuidAreTwo) {
  EXPECT_EQ(Left(0, both_), "aa");
  EXPECT_EQ(Left(1, both_), "aa");
  EXPECT_EQ(Left(2, both_), "aab");
  EXPECT_EQ(Left(3, both_), "aab");
}

TEST_F(TwinsTest, WithoutAUuidNothingIsOne) {
  EXPECT_EQ(Left(0, {{.node = "a"}, {.node = "b"}}), "ab");
}

}  // namespace
}  // namespace gpumon::fleet
