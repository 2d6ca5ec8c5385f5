#include "internal/schema/schema.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace gpumon::schema {
namespace {

TEST(NvidiaGpuTest, NamesTheRequirementsNineMetrics) {
  const Exporter& exporter = NvidiaGpu();
  std::set<std::string> selectors;
  for (const auto& metric : exporter.gpu_metrics) selectors.insert(metric.selector);
  for (const auto& metric : exporter.process_metrics) selectors.insert(metric.selector);
  EXPECT_EQ(selectors, (std::set<std::string>{
                           "nvidia_gpu_utilization_percent",
                           "nvidia_gpu_used_memory_bytes",
                           "nvidia_gpu_total_memory_bytes",
                           "nvidia_gpu_free_memory_bytes",
                           "nvidia_gpu_memory_utilization_percent",
                           R"(nvidia_gpu_temperature_celsius{minor_number=""})",
                           "nvidia_gpu_process_gpu_memory_bytes",
                           "nvidia_gpu_process_cpu_percent",
                           "nvidia_gpu_process_memory_percent",
                       }));
}

TEST(NvidiaGpuTest, MeasuresEveryQuantityOnceButForTheDerived) {
  std::set<models::Quantity> quantities;
  for (const auto& metric : NvidiaGpu().gpu_metrics) {
    EXPECT_TRUE(quantities.insert(metric.quantity).second) << metric.selector;
    EXPECT_EQ(metric.scale, 1);
  }
  EXPECT_EQ(quantities.size(), models::kQuantities - 1);
  EXPECT_EQ(quantities.count(models::Quantity::kMemoryUsedPercent), 0U);
  std::set<models::ProcessQuantity> of_processes;
  for (const auto& metric : NvidiaGpu().process_metrics) {
    EXPECT_TRUE(of_processes.insert(metric.quantity).second) << metric.selector;
  }
  EXPECT_EQ(of_processes.size(), models::kProcessQuantities);
}

TEST(NvidiaGpuTest, TrustsTheExportersOwnNodeLabelFirst) {
  const Exporter& exporter = NvidiaGpu();
  ASSERT_GE(exporter.node.size(), 4U);
  EXPECT_EQ(exporter.node[0], "exported_node");
  EXPECT_EQ(exporter.node[1], "node");
  EXPECT_EQ(exporter.node[2], "hostname");
  EXPECT_EQ(exporter.node[3], "Hostname");
  EXPECT_EQ(exporter.gpu, (Aliases{"gpu", "gpu_id"}));
}

TEST(NvidiaGpuTest, OneLabelGivesOneThing) {
  const Exporter& exporter = NvidiaGpu();
  std::set<std::string_view> names;
  const auto add = [&](const Aliases& aliases) {
    EXPECT_FALSE(aliases.empty());
    for (const auto name : aliases) EXPECT_TRUE(names.insert(name).second) << name;
  };
  add(exporter.node);
  add(exporter.gpu);
  add(exporter.pid);
  for (const auto& row : exporter.texts) add(row.aliases);
  // Pods of the workload only: these two would name the exporter's own.
  EXPECT_EQ(names.count("pod"), 0U);
  EXPECT_EQ(names.count("namespace"), 0U);
}

TEST(NvidiaGpuTest, FillsEveryTextOfARow) {
  std::set<models::Text> texts = {models::Text::kNode, models::Text::kGpuId, models::Text::kSource};
  for (const auto& row : NvidiaGpu().texts) EXPECT_TRUE(texts.insert(row.text).second);
  EXPECT_EQ(texts.size(), models::kProcessTexts);
}

}  // namespace
}  // namespace gpumon::schema
