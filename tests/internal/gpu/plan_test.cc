#include "internal/gpu/plan.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace gpumon::gpu {
namespace {

using Gives = PlannedQuery::Gives;

TEST(PlanTest, AsksEachMetricOfTheSchemaOnceAndTheirTimes) {
  const auto& exporter = schema::NvidiaGpu();
  const auto plan = PlanQueries(exporter, models::Part::kGpus);
  ASSERT_EQ(plan.size(), exporter.gpu_metrics.size() + 1);
  for (std::size_t i = 0; i < exporter.gpu_metrics.size(); ++i) {
    EXPECT_EQ(plan[i].promql, exporter.gpu_metrics[i].selector);
    EXPECT_EQ(plan[i].gives, Gives::kValue);
    EXPECT_EQ(plan[i].slot, static_cast<std::size_t>(exporter.gpu_metrics[i].quantity));
    EXPECT_EQ(plan[i].scale, exporter.gpu_metrics[i].scale);
  }
  EXPECT_EQ(plan[5].name, "nvidia_gpu_temperature_celsius");
  EXPECT_EQ(plan[6].gives, Gives::kTimes);
}

TEST(PlanTest, AsksTheProcessMetricsAndTheirTimes) {
  const auto& exporter = schema::NvidiaGpu();
  const auto plan = PlanQueries(exporter, models::Part::kProcesses);
  ASSERT_EQ(plan.size(), exporter.process_metrics.size() + 1);
  for (std::size_t i = 0; i < exporter.process_metrics.size(); ++i) {
    EXPECT_EQ(plan[i].promql, exporter.process_metrics[i].selector);
    EXPECT_EQ(plan[i].slot, static_cast<std::size_t>(exporter.process_metrics[i].quantity));
  }
}

TEST(PlanTest, AsksForTheTimesOfAllMetricsInOneQuery) {
  schema::Exporter exporter;
  exporter.gpu_metrics = {{"m1", models::Quantity::kUtilization},
                          {R"(m2{x=""})", models::Quantity::kTemperature, 0.1}};
  exporter.process_metrics = {{"p", models::ProcessQuantity::kCpu}};
  const auto gpus = PlanQueries(exporter, models::Part::kGpus);
  ASSERT_EQ(gpus.size(), 3U);
  EXPECT_EQ(gpus[1].name, "m2");
  EXPECT_EQ(gpus[1].scale, 0.1);
  EXPECT_EQ(gpus[2].name, "sample_times");
  EXPECT_EQ(gpus[2].promql, R"(timestamp(m1) or timestamp(m2{x=""}))");
  EXPECT_EQ(PlanQueries(exporter, models::Part::kProcesses).at(1).promql, "timestamp(p)");
}

TEST(PlanTest, NamesAreUniqueInAPlan) {
  for (const auto part : {models::Part::kGpus, models::Part::kProcesses}) {
    std::set<std::string> names;
    for (const auto& query : PlanQueries(schema::NvidiaGpu(), part)) {
      EXPECT_TRUE(names.insert(query.name).second) << query.name;
    }
  }
}

}  // namespace
}  // namespace gpumon::gpu
