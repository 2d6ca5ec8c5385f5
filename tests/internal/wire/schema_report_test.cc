#include "internal/wire/schema_report.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "internal/json/document.h"

namespace gpumon::wire {
namespace {

using models::NullReason;
using models::Quantity;
using models::Text;

constexpr std::size_t Slot(Quantity quantity) {
  return static_cast<std::size_t>(quantity);
}

constexpr std::string_view kSchemas = R"([
  {"name": "new", "title": "New exporter", "vendor": "V", "priority": 1, "detect": ["new_util"],
   "labels": {"node": ["host"], "gpu_id": ["gpu"], "mig_gpu_instance_id": ["gi"]},
   "gpu": [
     {"field": "decoder_utilization", "metric": "new_dec", "where": {"gi": ""}, "unit": "%"},
     {"field": "decoder_utilization", "metric": "new_dec_mig", "where": {"gi": "*"}, "unit": "%"},
     {"field": "utilization", "metric": "new_util", "unit": "ratio_or_percent", "note": "Why."},
     {"field": "memory_used", "metric": "new_used", "unit": "MiB"},
     {"field": "temperature", "metric": "new_temp", "unit": "C"}
   ],
   "derive": [{"field": "memory_total", "sum": ["memory_used", "memory_free"]}]},
  {"name": "old", "title": "Old exporter", "vendor": "V", "priority": 2, "detect": ["old_util"],
   "labels": {"node": ["host"], "gpu_id": ["gpu"]},
   "gpu": [
     {"field": "utilization", "metric": "old_util", "unit": "%"},
     {"field": "temperature", "metric": "old_temp", "unit": "C"}
   ]}
])";

class SchemaReportTest : public ::testing::Test {
 protected:
  SchemaReportTest() {
    auto with = schema::Registry::BuiltIn().With(kSchemas, "test");
    EXPECT_TRUE(with) << with.error().message;
    registry_ = *with;
    gpus_.coverage = {{"new", "new_dec", Slot(Quantity::kDecoderUtilization), 0, 0, false},
                      {"new", "new_dec_mig", Slot(Quantity::kDecoderUtilization), 0, 0, false},
                      {"new", "new_util", Slot(Quantity::kUtilization), 2, 0, true},
                      {"new", "new_used", Slot(Quantity::kMemoryUsed), 1, 0, false},
                      {"new", "new_temp", Slot(Quantity::kTemperature), 0, 0, false}};
    for (int i = 0; i < 2; ++i) {
      models::GpuMetrics& row = gpus_.gpus.emplace_back();
      row.set_text(Text::kNode, "a");
      row.readings.Set(Slot(Quantity::kUtilization), 50);
      row.exporters = 1;
    }
    gpus_.sources = {"new", "old"};
    gpus_.gpus[0].readings.Set(Slot(Quantity::kMemoryUsed), 1);
    gpus_.gpus[0].readings.Set(Slot(Quantity::kMemoryTotal), 2);
    gpus_.gpus[1].readings.SetAbsent(Slot(Quantity::kMemoryUsed), NullReason::kInvalidValue);
    processes_.part = models::Part::kProcesses;
  }

  // Each row is a GPU, but for instances beside one of their id.
  std::string Encode() {
    std::vector<std::size_t> boards;
    for (std::size_t i = 0; i < gpus_.gpus.size(); ++i) {
      const bool is_part = !gpus_.gpus[i].text(Text::kMigGpuInstance).empty() && i > 0;
      boards.push_back(is_part ? boards.back() : i);
    }
    return EncodeSchema(registry_, gpus_, boards, processes_, "m", Page(), false);
  }

  json::Value Field(const std::string& name) {
    const auto report = json::ParseDocument(Encode());
    EXPECT_TRUE(report);
    for (const auto& field : (*report)["data"]["fields"].elements()) {
      if (*field["field"].AsString() == name && *field["list"].AsString() == "metrics") {
        return field;
      }
    }
    ADD_FAILURE() << "no field " << name;
    return {};
  }

  // "metric: how" of the suggestions for a field.
  std::vector<std::string> Suggestions(const std::string& name) {
    std::vector<std::string> all;
    const auto field = Field(name);
    for (const auto& one : field["would_fill"].elements()) {
      all.push_back(*one["metric"].AsString() + ": " + *one["how"].AsString());
    }
    return all;
  }

  models::GpuMetrics& AddRow(const char* node, const char* id, std::uint32_t exporters) {
    models::GpuMetrics& row = gpus_.gpus.emplace_back();
    row.set_text(Text::kNode, node);
    row.set_text(Text::kGpuId, id);
    row.exporters = exporters;
    return row;
  }

  schema::Registry registry_ = schema::Registry::BuiltIn();
  models::Snapshot gpus_;
  models::Snapshot processes_;
};

TEST_F(SchemaReportTest, AFieldNamesItsSourceItsRuleAndItsRows) {
  const auto field = Field("utilization");
  EXPECT_EQ(field["rows"].AsDouble(), 2);
  EXPECT_EQ(field["known"].AsDouble(), 2);
  ASSERT_EQ(field["sources"].size(), 1U);
  const auto& source = field["sources"][0];
  EXPECT_EQ(*source["exporter"].AsString(), "new");
  EXPECT_EQ(*source["metric"].AsString(), "new_util");
  EXPECT_EQ(
      *source["rule"].AsString(),
      "as it is, a percentage, in the jobs that showed samples above 1; x 100, a ratio, in others");
  EXPECT_EQ(*source["note"].AsString(), "Why.");
  EXPECT_EQ(field["reasons"].size(), 0U);
  EXPECT_EQ(field["would_fill"].size(), 0U);
}

TEST_F(SchemaReportTest, WithoutEvidenceARatioIsARatio) {
  gpus_.coverage[2].percent = false;
  EXPECT_EQ(*Field("utilization")["sources"][0]["rule"].AsString(),
            "x 100: no sample above 1 was seen, or fractions came after it: a ratio");
}

TEST_F(SchemaReportTest, GapsHaveTheirReasonsCounted) {
  const auto field = Field("memory_used");
  EXPECT_EQ(field["known"].AsDouble(), 1);
  EXPECT_EQ(field["reasons"]["invalid_value"].AsDouble(), 1);
  EXPECT_EQ(*field["sources"][0]["rule"].AsString(), "x 1048576");
}

TEST_F(SchemaReportTest, WhatWouldFillAGapBeginsWithTheExportersThatAreHere) {
  const auto field = Field("temperature");
  EXPECT_EQ(field["reasons"]["not_exported"].AsDouble(), 2);
  ASSERT_GE(field["would_fill"].size(), 2U);
  EXPECT_EQ(*field["would_fill"][0]["metric"].AsString(), "new_temp");
  EXPECT_NE(field["would_fill"][0]["how"].AsString()->find("is here but"), std::string::npos);
  EXPECT_EQ(*field["would_fill"][1]["metric"].AsString(), "old_temp");
  EXPECT_EQ(*field["would_fill"][1]["how"].AsString(),
            "run Old exporter on the nodes of these rows too");
  gpus_.sources = {"new"};
  EXPECT_EQ(Suggestions("temperature").at(1), "old_temp: run Old exporter");
}

TEST_F(SchemaReportTest, WhatIsOnOtherNodesOnlyIsToBeRunOnThese) {
  AddRow("b", "0", 2).readings.Set(Slot(Quantity::kTemperature), 40);
  gpus_.coverage.push_back({"old", "old_temp", Slot(Quantity::kTemperature), 1, 0, false});
  const auto all = Suggestions("temperature");
  ASSERT_GE(all.size(), 2U);
  EXPECT_TRUE(all[0].starts_with("new_temp: this exporter is here but")) << all[0];
  EXPECT_EQ(all[1], "old_temp: run Old exporter on the nodes of these rows too");
}

TEST_F(SchemaReportTest, WhatAnExporterPublishesOnAnotherNodeMayBePublishedOnThese) {
  AddRow("b", "0", 1).readings.Set(Slot(Quantity::kTemperature), 40);
  gpus_.coverage[4].rows = 1;
  EXPECT_EQ(
      Suggestions("temperature").at(0),
      "new_temp: this exporter publishes it on other nodes; add it to its metrics on those of "
      "these rows, unless their devices cannot tell");
  // Its neighbour has it: it is not for want of a metric.
  gpus_.gpus[0].readings.Set(Slot(Quantity::kTemperature), 40);
  EXPECT_TRUE(Suggestions("temperature").at(0).starts_with("old_temp: ")) << "and not new_temp";
}

TEST_F(SchemaReportTest, ExportersOfAnotherVendorAreNoHelp) {
  for (auto& row : gpus_.gpus) row.set_text(Text::kVendor, "AMD");
  const auto all = Suggestions("temperature");
  ASSERT_GE(all.size(), 2U);
  EXPECT_TRUE(all[0].starts_with("new_temp: ")) << "whatever its vendor, it shows these";
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_TRUE(all[i].find("run AMD") != std::string::npos ||
                all[i].find("run all-smi") != std::string::npos)
        << all[i];
  }
}

TEST_F(SchemaReportTest, InstancesAreNotCountedAsGpus) {
  gpus_.gpus.clear();
  AddRow("a", "0", 1);
  for (const char* const instance : {"1", "2"}) {
    AddRow("a", "0", 3).set_text(Text::kMigGpuInstance, instance);
  }
  AddRow("a", "1", 1);
  AddRow("b", "1", 1);
  const auto report = json::ParseDocument(Encode());
  ASSERT_TRUE(report);
  ASSERT_GE((*report)["data"]["exporters"].size(), 1U);
  EXPECT_EQ((*report)["data"]["exporters"][0]["gpus"].AsDouble(), 3);
}

TEST_F(SchemaReportTest, WhatIsPublishedWithoutAValueIsNotToBeAdded) {
  for (auto& row : gpus_.gpus) {
    row.readings.SetAbsent(Slot(Quantity::kTemperature), NullReason::kNotSupported);
  }
  EXPECT_EQ(Field("temperature")["would_fill"].size(), 0U);
}

TEST_F(SchemaReportTest, OfInstancesAMetricThatTheyCanHaveWouldFill) {
  const auto first = [&] {
    return *Field("decoder_utilization")["would_fill"][0]["metric"].AsString();
  };
  EXPECT_EQ(first(), "new_dec");
  for (auto& row : gpus_.gpus) {
    row.set_text(Text::kMigGpuInstance, "1");
    row.readings.SetAbsent(Slot(Quantity::kDecoderUtilization), NullReason::kNotSupported);
  }
  EXPECT_EQ(first(), "new_dec_mig");
}

TEST_F(SchemaReportTest, ToInstancesExportersWithoutThemAreNoHelp) {
  for (auto& row : gpus_.gpus) {
    row.set_text(Text::kMigGpuInstance, "1");
    row.readings.SetAbsent(Slot(Quantity::kUtilization), NullReason::kNotExported);
    row.readings.SetAbsent(Slot(Quantity::kTemperature), NullReason::kNotExported);
  }
  const auto named = [&](const std::string& field) {
    std::string all;
    const auto json = Field(field);
    for (const auto& one : json["would_fill"].elements()) all += *one["metric"].AsString() + ' ';
    return all;
  };
  EXPECT_EQ(named("temperature").find("old_temp"), std::string::npos) << named("temperature");
  const std::string utilization = named("utilization");
  EXPECT_EQ(utilization.find("nvidia_smi_utilization"), std::string::npos) << utilization;
  EXPECT_NE(utilization.find("_mig_"), std::string::npos) << utilization;
}

TEST_F(SchemaReportTest, WhoIsDownIsToBeBroughtBack) {
  for (auto& row : gpus_.gpus) {
    row.readings.SetAbsent(Slot(Quantity::kTemperature), NullReason::kExporterDown);
  }
  gpus_.lost = {{"old", "", false, Slot(Quantity::kTemperature)},
                {"new", "new_used", false, Slot(Quantity::kMemoryUsed)}};
  const auto field = Field("temperature");
  ASSERT_EQ(field["would_fill"].size(), 1U);
  EXPECT_EQ(*field["would_fill"][0]["metric"].AsString(), "old_temp");
  EXPECT_EQ(*field["would_fill"][0]["how"].AsString(), "bring back its scrape target that is down");
}

TEST_F(SchemaReportTest, DerivedFieldsSayOfWhat) {
  EXPECT_EQ(*Field("memory_total")["sources"][0]["rule"].AsString(),
            "derived: memory_used + memory_free");
}

TEST_F(SchemaReportTest, TextsNameTheirLabels) {
  const auto field = Field("node_name");
  EXPECT_EQ(field["known"].AsDouble(), 2);
  EXPECT_EQ(*field["sources"][0]["labels"][0].AsString(), "host");
}

}  // namespace
}  // namespace gpumon::wire
