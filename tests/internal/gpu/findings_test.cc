#include "internal/gpu/findings.h"

#include <gtest/gtest.h>

#include <array>

#include "internal/gpu/down_targets.h"
#include "internal/gpu/target_checks.h"
#include "internal/schema/registry.h"

namespace gpumon::gpu {
namespace {

using models::Finding;
using models::NullReason;
using models::Quantity;

constexpr std::size_t Slot(Quantity quantity) {
  return static_cast<std::size_t>(quantity);
}

class FindingsTest : public ::testing::Test {
 protected:
  FindingsTest() {
    snapshot_.gpus.emplace_back();
    snapshot_.sources = {"dcgm_4_9"};
  }

  std::vector<Finding> All() const {
    const std::array exporters = {schema::Registry::BuiltIn().Find("dcgm_4_9"),
                                  schema::Registry::BuiltIn().Find("nvidia_smi")};
    return FindAll(facts_, snapshot_, exporters);
  }
  // The one that holds `text`.
  Finding Find(const std::string& text) const {
    for (const Finding& finding : All()) {
      if (finding.what.find(text) != std::string::npos) return finding;
    }
    ADD_FAILURE() << "no finding: " << text;
    return {};
  }

  JoinFacts facts_;
  models::Snapshot snapshot_;
};

TEST_F(FindingsTest, AWellClusterHasNone) {
  EXPECT_TRUE(All().empty());
}

TEST_F(FindingsTest, HonorLabelsIsAWarningWithItsCount) {
  facts_.exporters = {{"dcgm_4_9", 64, 3}};
  const Finding finding = Find("honorLabels is false");
  EXPECT_TRUE(finding.warning);
  EXPECT_EQ(finding.what,
            "honorLabels is false for dcgm_4_9: 64 GPUs carry the exporter's pod in `pod`; using "
            "exported_pod");
  EXPECT_NE(finding.next_step.find("honorLabels: true"), std::string::npos);
  EXPECT_FALSE(Find("3 GPUs carry the own pod").warning);
}

TEST_F(FindingsTest, EveryCountIsAWarningOnce) {
  facts_.counts = {.no_gpu_label = 1,
                   .no_node_label = 2,
                   .bad_pid = 0,
                   .bad_value = 3,
                   .stale = 4,
                   .conflicts = 6,
                   .duplicates = 5,
                   .unclear_id = 8,
                   .twice = 2,
                   .mixed_units = 1,
                   .undecodable = 0};
  snapshot_.warnings = WarningsOf(facts_.counts);
  snapshot_.warnings.emplace_back("no power series");
  const auto all = All();
  EXPECT_EQ(all.size(), 10U);
  for (const Finding& finding : all) {
    EXPECT_TRUE(finding.warning) << finding.what;
    EXPECT_FALSE(finding.next_step.empty()) << finding.what;
  }
  Find("1 sample names no GPU");
  Find("2 rows have no node label");
  Find("3 impossible values");
  const std::string stale = "4 old values of failed collections or frozen exporters";
  EXPECT_NE(Find(stale).next_step.find("restart"), std::string::npos);
  Find("5 series repeat others");
  EXPECT_NE(Find("6 values").next_step.find("scrape job"), std::string::npos);
  Find("8 rows without a UUID may be either");
  Find("2 MIG instances that one exporter knows by their UUIDs alone");
  EXPECT_NE(Find("1 scrape job has targets").next_step.find("4.7"), std::string::npos);
  Find("no power series");
}

TEST_F(FindingsTest, AnIdThatStandsForSeveralGpusIsNamed) {
  const auto add = [&](std::string_view id, std::string_view uuid, std::string_view instance) {
    auto& row = snapshot_.gpus.emplace_back();
    row.set_text(models::Text::kNode, "a");
    row.set_text(models::Text::kGpuId, id);
    row.set_text(models::Text::kUuid, uuid);
    row.set_text(models::Text::kMigGpuInstance, instance);
  };
  add("0", "GPU-1", "");
  add("0", "GPU-1", "7");
  add("1", "GPU-2", "");
  EXPECT_TRUE(All().empty());
  add("1", "", "");
  const Finding finding = Find("id stands for several GPUs");
  EXPECT_TRUE(finding.warning);
  EXPECT_EQ(finding.what, "1 id stands for several GPUs of its node: 1 on a");
}

TEST_F(FindingsTest, AGpuThatSeveralNodesShowIsNamedWithThem) {
  const auto add = [&](std::string_view node, std::string_view uuid) {
    auto& row = snapshot_.gpus.emplace_back();
    row.set_text(models::Text::kNode, node);
    row.set_text(models::Text::kUuid, uuid);
  };
  add("a", "GPU-1");
  add("a", "GPU-1");  // instances of one board
  add("a", "GPU-2");
  add("a", "");
  add("b", "");
  EXPECT_TRUE(All().empty());
  add("10.0.0.2", "GPU-2");
  const Finding finding = Find("shown by several nodes");
  EXPECT_TRUE(finding.warning);
  EXPECT_EQ(finding.what,
            "1 GPU is shown by several nodes and counted for each: GPU-2 by 10.0.0.2 and a");
}

TEST_F(FindingsTest, TargetsThatAreDownAreNamedOnce) {
  snapshot_.warnings = {DownWarning("dcgm", {"job gpu, 10.0.0.1:9400"}),
                        DownWarning("dcgm", {"job gpu, 10.0.0.1:9400", "b"})};
  ASSERT_EQ(All().size(), 2U);
  EXPECT_NE(Find("scrape target is down").next_step.find("/targets"), std::string::npos);
  facts_.down = {"job gpu, 10.0.0.1:9400", "b"};
  EXPECT_EQ(All().size(), 1U);
}

TEST_F(FindingsTest, OnlyWhatIsProvenFrozenIsAWarning) {
  facts_.frozen = {"idle", "stuck"};
  facts_.stuck = {"stuck"};
  const Finding proven = Find("1 scrape target is frozen");
  EXPECT_TRUE(proven.warning);
  EXPECT_TRUE(proven.what.ends_with(": stuck")) << proven.what;
  const Finding doubted = Find("the same values for 15 minutes");
  EXPECT_FALSE(doubted.warning);
  EXPECT_TRUE(doubted.what.ends_with(": idle")) << doubted.what;
  EXPECT_TRUE(doubted.next_step.starts_with("nothing, when its GPUs are idle"));
}

TEST_F(FindingsTest, OfOneThatTheLookDoesNotKnowTheWarningIsTheFinding) {
  snapshot_.warnings = {DownWarning("all_smi", {"job smi, 10.0.0.2:9090"}),
                        FailedWarning("nvidia_smi", {"job nge, 10.0.0.3:9835"})};
  facts_.down = {"job gpu, 10.0.0.1:9400"};
  EXPECT_NE(Find("10.0.0.2:9090").next_step.find("/targets"), std::string::npos);
  EXPECT_NE(Find("10.0.0.3:9835").next_step.find("exporter's log"), std::string::npos);
}

TEST_F(FindingsTest, TargetsThatAreDownOrFrozenAreNamed) {
  facts_.down = {"job gpu, 10.0.0.1:9400"};
  facts_.frozen = {"a", "b", "c", "d", "e", "f", "g"};
  EXPECT_EQ(Find("is down").what,
            "1 scrape target of a GPU exporter is down: job gpu, 10.0.0.1:9400");
  EXPECT_NE(Find("15 minutes").what.find("a; b; c; d; e and 2 more"), std::string::npos);
}

TEST_F(FindingsTest, TwoExportersOfOneGpuHaveAWinner) {
  facts_.overlaps = {{"dcgm_4_9", "nvidia_smi", 8}};
  snapshot_.coverage = {{"nvidia_smi", "x", 0, 8, 0, false}, {"nvidia_smi", "y", 1, 0, 16, false}};
  const Finding finding = Find("shown by");
  EXPECT_FALSE(finding.warning);
  EXPECT_EQ(
      finding.what,
      "8 GPUs are shown by dcgm_4_9 and nvidia_smi: dcgm_4_9 stands first; nvidia_smi fills 8 "
      "values and loses 16");
  snapshot_.coverage[0].rows = 0;
  EXPECT_EQ(Find("shown by").next_step, "nothing: each field comes from the best source")
      << "it may tell of processes";
  facts_.overlaps = {{"dcgm_4_9", "gpud", 8}};
  snapshot_.coverage = {{"gpud", "y", 1, 0, 16, false}};
  EXPECT_NE(Find("shown by").next_step.find("gpud adds nothing"), std::string::npos);
}

TEST_F(FindingsTest, RatioOrPercentIsToldWithItsEvidence) {
  snapshot_.coverage = {
      {"dcgm_4_9", "DCGM_FI_DEV_GPU_UTIL_RATIO", Slot(Quantity::kUtilization), 1, 0, true}};
  EXPECT_NE(Find("as a percentage").what.find("in the jobs that showed samples above 1"),
            std::string::npos);
  snapshot_.coverage[0].percent = false;
  Find("as a ratio");
}

TEST_F(FindingsTest, GapsThatAnExporterHereCouldFillAreListed) {
  snapshot_.missing_gpu[Slot(Quantity::kPower)] = NullReason::kNotExported;
  snapshot_.missing_gpu[Slot(Quantity::kTemperature)] = NullReason::kNotSupported;
  const Finding finding = Find("null everywhere");
  EXPECT_FALSE(finding.warning);
  EXPECT_NE(finding.what.find("1 field is"), std::string::npos) << finding.what;
  EXPECT_NE(finding.what.find("power (dcgm_4_9: DCGM_FI_"), std::string::npos) << finding.what;
}

TEST_F(FindingsTest, NoGpuAtAllIsAWarning) {
  snapshot_.gpus.clear();
  snapshot_.warnings = {"Prometheus has no series of a known GPU exporter at this instant"};
  const auto all = All();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all.front().warning);
  EXPECT_NE(all.front().next_step.find("SCHEMA_FILE"), std::string::npos);
}

TEST(TargetChecksTest, AskOncePerExporterWhateverItsSize) {
  const std::array exporters = {schema::Registry::BuiltIn().Find("nvidia_gpu")};
  const std::string frozen = FrozenQuery(*exporters[0]);
  EXPECT_NE(frozen.find("changes(nvidia_gpu_utilization_percent[15m])"), std::string::npos)
      << frozen;
  EXPECT_NE(frozen.find(") unless ("), std::string::npos);
}

}  // namespace
}  // namespace gpumon::gpu
