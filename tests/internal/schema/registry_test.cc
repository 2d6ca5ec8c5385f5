#include "internal/schema/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "internal/schema/built_in.h"
#include "internal/schema/load.h"
#include "models/fields.h"

namespace gpumon::schema {
namespace {

std::string Schema(const std::string& name, int priority) {
  return R"({"name": ")" + name + R"(", "title": "T", "priority": )" + std::to_string(priority) +
         R"(, "detect": ["m"], "labels": {"gpu_id": ["i"]},)"
         R"("gpu": [{"field": "power", "metric": "m", "unit": "W"}]})";
}

TEST(RegistryTest, EveryFileOfTheProgramLoadsAndIsNamedAfterItsSchema) {
  std::set<std::string> names;
  for (const BuiltInFile& file : BuiltInFiles()) {
    const auto loaded = Load(file.text, file.name);
    ASSERT_TRUE(loaded) << loaded.error().message;
    ASSERT_EQ(loaded->size(), 1U) << file.name;
    EXPECT_EQ(loaded->at(0).name + ".json", file.name);
    names.insert(loaded->at(0).name);
  }
  for (const char* name :
       {"nvidia_gpu", "gpu_metrics", "dcgm", "dcgm_4_9", "nvidia_smi", "all_smi", "nvitop", "gpud",
        "hami", "hami_legacy", "amd", "xpumd", "xpum", "mindprince"}) {
    EXPECT_EQ(names.count(name), 1U) << name;
    EXPECT_NE(Registry::BuiltIn().Find(name), nullptr) << name;
  }
  EXPECT_EQ(Registry::BuiltIn().exporters().size(), names.size());
}

TEST(RegistryTest, StandsInTheOrderOfPriority) {
  int before = -1'000'000;
  for (const auto& exporter : Registry::BuiltIn().exporters()) {
    EXPECT_GT(exporter->priority, before) << exporter->name;
    before = exporter->priority;
  }
}

TEST(RegistryTest, AFileAddsAndReplaces) {
  const auto added = Registry::BuiltIn().With(Schema("mine", -5), "f");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->exporters().front()->name, "mine");
  EXPECT_EQ(added->exporters().size(), Registry::BuiltIn().exporters().size() + 1);
  const auto replaced = added->With(Schema("dcgm", -6), "f");
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->exporters().size(), added->exporters().size());
  EXPECT_EQ(replaced->exporters().front()->name, "dcgm");
  EXPECT_EQ(replaced->exporters().front()->title, "T");
}

TEST(RegistryTest, RefusesTwoOfOneNameOrPriority) {
  const auto twice =
      Registry::BuiltIn().With("[" + Schema("a", -1) + "," + Schema("a", -2) + "]", "f");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message, "f: the schema a stands here twice");
  const auto same =
      Registry::BuiltIn().With("[" + Schema("a", -1) + "," + Schema("b", -1) + "]", "f");
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().message, "f: the schema b has the priority -1 of a; give it another one");
}

// The requirement's exporter, by its own words.
TEST(RegistryTest, AsksForTheRequirementsNineMetricsOneByOne) {
  const Exporter* const exporter = Registry::BuiltIn().Find("nvidia_gpu");
  ASSERT_NE(exporter, nullptr);
  std::set<std::string> asked;
  for (const auto* metrics : {&exporter->gpu, &exporter->process}) {
    for (const Metric& metric : *metrics) {
      if (metric.own_query) asked.insert(metric.name);
    }
  }
  EXPECT_EQ(asked, (std::set<std::string>{
                       "nvidia_gpu_utilization_percent", "nvidia_gpu_used_memory_bytes",
                       "nvidia_gpu_total_memory_bytes", "nvidia_gpu_free_memory_bytes",
                       "nvidia_gpu_memory_utilization_percent", "nvidia_gpu_temperature_celsius",
                       "nvidia_gpu_process_gpu_memory_bytes", "nvidia_gpu_process_cpu_percent",
                       "nvidia_gpu_process_memory_percent"}));
}

// An exporter may publish any part of its metrics: whichever it is, it is there.
TEST(RegistryTest, FindsAnExporterByAnyMetricOfAFieldThatStandsInEveryRow) {
  std::set<std::size_t> slots = {static_cast<std::size_t>(models::Quantity::kPower)};
  for (const models::FieldSpec& field : models::kGpuFields) {
    if (field.always && field.from == models::From::kReading) slots.insert(field.slot);
  }
  std::set<std::string> not_by;
  for (const auto& exporter : Registry::BuiltIn().exporters()) {
    const auto check = [&](const Metric& metric) {
      const auto& detect = exporter->detect;
      if (std::find(detect.begin(), detect.end(), metric.name) == detect.end()) {
        not_by.insert(metric.name);
      }
    };
    for (const Metric& metric : exporter->gpu) {
      if (slots.count(metric.slot) > 0) check(metric);
    }
    for (const Metric& metric : exporter->process) check(metric);
  }
  EXPECT_EQ(not_by, (std::set<std::string>{
                        // mindprince's too; of nvidia_gpu only the first release had them.
                        "nvidia_gpu_memory_used_bytes", "nvidia_gpu_memory_total_bytes",
                        // They name no node, and would pass for GPUs of which nothing does.
                        "all_smi_process_memory_used_bytes", "all_smi_process_cpu_percent",
                        // Never there without metrics of the GPUs, which find it.
                        "process_gpu_sm_utilization_Percentage", "gpu_process_cu_occupancy"}));
}

// What two exporters publish finds neither, unless the labels of the series tell them apart.
TEST(RegistryTest, NoMetricFindsTwoExportersThatNothingTellsApart) {
  const auto all = Registry::BuiltIn().exporters();
  for (const auto& one : all) {
    for (const std::string& name : one->detect) {
      for (const auto& other : all) {
        if (other == one || !one->require.empty()) continue;
        for (const Metric& metric : other->gpu) {
          if (metric.name != name) continue;
          const auto its = std::find_if(one->gpu.begin(), one->gpu.end(),
                                        [&](const Metric& mine) { return mine.name == name; });
          ASSERT_NE(its, one->gpu.end()) << name;
          EXPECT_FALSE(its->where.empty()) << name << " of " << one->name << ", " << other->name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace gpumon::schema
