// What the rules of each exporter are made of.
#include "internal/rules/rule_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "internal/gpu/bounds.h"
#include "internal/rules/rows.h"
#include "internal/rules/source.h"
#include "internal/rules/terms.h"
#include "internal/schema/registry.h"

namespace gpumon::rules {
namespace {

using models::Quantity;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const schema::Registry& Known() {
  return schema::Registry::BuiltIn();
}

schema::Registry With(const std::string& more) {
  auto registry = Known().With(
      R"({"name": "own", "title": "Own", "vendor": "", "priority": 7, "detect": ["own_temp"],
          "labels": {"node": ["node"], "gpu_id": ["gpu"]}, )" +
          more + "}",
      "own.json");
  EXPECT_TRUE(registry) << registry.error().message;
  return *std::move(registry);
}

const Rule* Find(const Group& group, const std::string& name) {
  for (const Rule& rule : group.rules) {
    if (rule.alert == name || rule.record == "gpu_monitoring:" + name) return &rule;
  }
  return nullptr;
}

TEST(RulesTest, EveryTemplateIsKnownAndEveryAlertHasAnExporter) {
  std::set<std::string> made;
  std::set<std::string> left_out;
  for (const auto& exporter : Known().exporters()) {
    const Group group = RulesOf(*exporter, {});
    for (const Rule& rule : group.rules) {
      made.insert(rule.alert + rule.record);
      EXPECT_THAT(rule.expr, Not(HasSubstr("@"))) << exporter->name;
      EXPECT_NE(rule.expr, "");
      for (const auto& [name, text] : rule.annotations) {
        EXPECT_THAT(text, Not(HasSubstr("@"))) << exporter->name << ' ' << name;
        EXPECT_NE(text, "");
      }
      EXPECT_THAT(rule.labels,
                  Contains(std::pair<std::string, std::string>("exporter", exporter->name)));
    }
    for (const auto& [why, names] : group.left_out) EXPECT_NE(why, "") << names;
  }
  for (const AlertRow& row : GpuAlertRows()) EXPECT_THAT(made, Contains(std::string(row.name)));
  for (const RecordRow& row : RecordRows()) {
    EXPECT_THAT(made, Contains(std::string(kPrefix) + std::string(row.name)));
  }
}

TEST(RulesTest, AlertsHaveSeverityTextsAndAnAnchorOfTheirOwn) {
  std::set<std::string> urls;
  const std::string runbooks = RunbookDocument();
  const Options options{.health = {}, .runbook_base = "https://docs.example/RUNBOOKS.md"};
  for (const Group& group : {RulesOf(*Known().Find("dcgm"), options), RulesOfApi(options)}) {
    for (const Rule& rule : group.rules) {
      if (rule.alert.empty()) continue;
      const std::string& severity = rule.labels.front().second;
      EXPECT_TRUE(severity == "critical" || severity == "warning" || severity == "info");
      ASSERT_EQ(rule.annotations.size(), 4U) << rule.alert;
      EXPECT_EQ(rule.annotations[0].first, "summary");
      EXPECT_EQ(rule.annotations[1].first, "description");
      EXPECT_EQ(rule.annotations[2].first, "runbook");
      const std::string& url = rule.annotations[3].second;
      EXPECT_TRUE(urls.insert(url).second) << url;
      std::string anchor = rule.alert;
      std::transform(anchor.begin(), anchor.end(), anchor.begin(), ::tolower);
      EXPECT_EQ(url, "https://docs.example/RUNBOOKS.md#" + anchor);
      EXPECT_THAT(runbooks, HasSubstr("\n### " + rule.alert + "\n"));
    }
  }
}

TEST(RulesTest, WhatAnExporterCannotFeedIsLeftOutAndSaid) {
  const Group group = RulesOf(*Known().Find("mindprince"), {});
  EXPECT_NE(Find(group, "GpuHot"), nullptr);
  for (const char* const name : {"GpuXidReset", "GpuIdleHeld", "GpuThrottledThermal", "gpu_xid"}) {
    EXPECT_EQ(Find(group, name), nullptr) << name;
    EXPECT_THAT(RuleFile({group}), HasSubstr(name));
  }
  EXPECT_THAT(RuleFile({group}), HasSubstr("  #   no xid_last: gpu_monitoring:gpu_xid, "));
}

TEST(RulesTest, UnitsConditionsAndBlanksAreTheSchemas) {
  const Group dcgm = RulesOf(*Known().Find("dcgm"), {});
  EXPECT_THAT(Find(dcgm, "gpu_memory_used_bytes")->expr,
              HasSubstr("\nDCGM_FI_DEV_FB_USED{vgpu=\"\"} * 1048576 >= 0 <= 1152921504606846976,"));
  EXPECT_THAT(Find(dcgm, "gpu_temperature_celsius")->expr,
              HasSubstr("\nDCGM_FI_DEV_GPU_TEMP >= -100 <= 200,"));
  const Group mindprince = RulesOf(*Known().Find("mindprince"), {});
  EXPECT_THAT(Find(mindprince, "gpu_power_watts")->expr,
              HasSubstr("nvidia_gpu_power_usage_milliwatts{minor_number!=\"\"} * 0.001"));
  EXPECT_THAT(Find(RulesOf(*Known().Find("amd"), {}), "gpu_temperature_celsius")->expr,
              HasSubstr("{__name__=~\"gpu_junction_temperature|amd_gpu_junction_temperature\", "
                        "card_model!=\"\", gpu_partition_id=~\"|0\"}"));
  // A code is a label, so that a new one is a new series.
  EXPECT_THAT(Find(dcgm, "gpu_xid")->expr, HasSubstr("count_values by"));
}

TEST(RulesTest, BoundsAreThoseOfTheServersRows) {
  using models::GpuMetrics;
  for (const RawRow& row : RawRows()) {
    const auto slot = static_cast<std::size_t>(row.reading.quantity);
    EXPECT_TRUE(gpu::IsPossible<GpuMetrics>(slot, row.reading.low)) << row.name;
    EXPECT_TRUE(gpu::IsPossible<GpuMetrics>(slot, row.reading.high)) << row.name;
    // Counts may be larger there: here the exporters' blanks are none.
    const bool is_count = row.name.starts_with("ecc_") || row.name == "row_remap_pending";
    EXPECT_EQ(gpu::IsPossible<GpuMetrics>(slot, std::floor(row.reading.high * 1.01 + 1)), is_count)
        << row.name;
  }
}

TEST(RulesTest, ATitleStaysInItsComment) {
  auto exporter = *Known().Find("gpud");
  exporter.title = "Own\n- name: evil";
  EXPECT_THAT(RuleFile({RulesOf(exporter, {})}),
              HasSubstr("  # For Own?- name: evil (schema gpud).\n"));
}

TEST(RulesTest, PartsAreAddedUpAndTheLowestOfSeveralIsTaken) {
  const schema::Registry registry = With(
      R"("gpu": [{"field": "memory_used", "metric": "own_used", "unit": "bytes", "reduce": "sum",
                  "parts": ["tile"]},
                 {"field": "temperature", "metric": "own_temp", "unit": "C", "reduce": "min"}])");
  const Group group = RulesOf(*registry.Find("own"), {});
  EXPECT_THAT(
      Find(group, "gpu_memory_used_bytes")->expr,
      AllOf(HasSubstr("sum by (node, gpu, uuid, gpu_name, gpu_instance_id) (\nmax by (node, "
                      "gpu, uuid, gpu_name, gpu_instance_id, tile) ("),
            HasSubstr("own_used")));
  EXPECT_THAT(Find(group, "gpu_temperature_celsius")->expr,
              HasSubstr("min by (node, gpu, uuid, gpu_name)"));
}

// A label that is written must not be the source of one that is written after it.
TEST(RulesTest, NoLabelIsOverwrittenBeforeItIsRead) {
  const std::vector<std::pair<models::Text, std::string>> order = {
      {models::Text::kGpuName, "gpu_name"},
      {models::Text::kUuid, "uuid"},
      {models::Text::kGpuId, "gpu"},
      {models::Text::kMigGpuInstance, "gpu_instance_id"},
      {models::Text::kNode, "node"}};
  for (const auto& exporter : Known().exporters()) {
    std::set<std::string> written;
    for (const auto& [text, label] : order) {
      for (const auto& [which, aliases] : exporter->labels.texts) {
        if (which != text) continue;
        for (const std::string& alias : aliases) {
          EXPECT_FALSE(written.contains(alias) && alias != label)
              << exporter->name << ": " << label << " is read from " << alias;
        }
        written.insert(label);
      }
    }
  }
}

TEST(RulesTest, ThresholdsAreTheHealthRules) {
  Options options;
  options.health.temperature_critical = 90;
  options.health.utilization_low = 2.5;
  const Group group = RulesOf(*Known().Find("dcgm"), options);
  EXPECT_THAT(Find(group, "GpuHot")->expr, HasSubstr(" > 90"));
  EXPECT_THAT(Find(group, "GpuIdleHeld")->expr, HasSubstr(" < 2.5"));
}

TEST(RulesTest, AnObjectForTheOperatorHasItsNameAndLabels) {
  const std::string text =
      PrometheusRule({RulesOfApi({})}, {"gpu", "monitoring", {{"release", "kps"}}});
  EXPECT_THAT(text, AllOf(HasSubstr("kind: PrometheusRule\nmetadata:\n  name: \"gpu\"\n"
                                    "  namespace: \"monitoring\"\n  labels:\n    release: \"kps\"\n"
                                    "spec:\n  groups:\n    # For gpu-monitoring-api itself.\n"),
                          Not(HasSubstr("runbook_url"))));
}

}  // namespace
}  // namespace gpumon::rules
