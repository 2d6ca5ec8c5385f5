#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/range_plan.h"
#include "internal/gpu/range_series.h"
#include "tests/internal/gpu/refresh_rig.h"

// Ranges of GPUs that pods share.
namespace gpumon::gpu {
namespace {

using models::Quantity;
using prom::FakeSeries;

Subject Dcgm() {
  Subject subject;
  subject.exporter = schema::Registry::BuiltIn().Find("dcgm");
  subject.jobs = {"gpu"};
  return subject;
}

// What is asked of the samples of `quantity`.
std::vector<PlannedQuery> PlanOf(const Subject& subject, Quantity quantity, Over over) {
  RangePart part;
  part.quantities.set(static_cast<std::size_t>(quantity));
  part.over = over;
  auto plan = PlanRange({&subject, 1}, part, 60, {});
  std::erase_if(plan, [](const auto& query) { return query.fold == PlannedQuery::Fold::kNone; });
  return plan;
}

// A share is part of a value, a link's errors are part of a sum: neither repeats the GPU's value.
TEST(RangeSharedTest, HolderLabelsAreThoseOfWhatRepeatsAGpusValue) {
  const schema::Exporter& dcgm = *Dcgm().exporter;
  std::map<std::string, std::size_t> with;
  for (const schema::Metric& metric : dcgm.gpu) {
    const auto labels = HolderLabels(dcgm, metric);
    EXPECT_TRUE(std::is_sorted(labels.begin(), labels.end()));
    EXPECT_FALSE(std::binary_search(labels.begin(), labels.end(), "nvlink")) << metric.name;
    with[metric.name] += std::binary_search(labels.begin(), labels.end(), "vgpu") ? 1U : 0U;
  }
  EXPECT_EQ(with["DCGM_FI_DEV_GPU_TEMP"], 1U);
  EXPECT_EQ(with["DCGM_FI_DEV_FB_USED"], 1U);  // of two, the one that asks for no vgpu
}

TEST(RangeSharedTest, AGpuAndWhatRepeatsItForItsPodsAreOneQuery) {
  std::vector<std::string> most;
  const Subject subject = Dcgm();
  for (const auto& query : PlanOf(subject, Quantity::kMemoryUsed, Over::kMost)) {
    most.push_back(query.promql);
  }
  EXPECT_EQ(most, std::vector<std::string>{
                      "max_over_time(DCGM_FI_DEV_FB_USED{vgpu=\"\"}[60000ms]) or "
                      "max_over_time(DCGM_FI_DEV_FB_USED{vgpu!=\"\",pod_uid=\"\"}[60000ms])"});
}

// What a step of `quantity` makes of a GPU of dcgm-exporter: `idle` is the series of nobody, `held`
// one of a pod that has a share of it.
std::string ShownOf(Quantity quantity, Over over, const std::vector<double>& idle,
                    const std::vector<double>& held) {
  const Subject subject = Dcgm();
  auto plan = PlanOf(subject, quantity, over);
  const bool is_util = quantity == Quantity::kUtilization;
  if (is_util) plan.resize(idle.size());  // the other measure of it comes after
  std::vector<prom::RangeVector> answers;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const std::string& promql = plan[i].promql;
    std::vector<FakeSeries> series = {{{{"gpu", "0"}}, {{60, idle[i]}}}};
    if (!is_util || promql.find("vgpu!=\"\"") != std::string::npos) {
      series.push_back({{{"gpu", "0"}, {"pod", "p"}, {"vgpu", "0"}}, {{60, held[i]}}});
    }
    answers.push_back(prom::MakeRangeVector(series));
  }
  const std::vector<const schema::Exporter*> exporters = {subject.exporter};
  const auto series = SeriesOf(plan, std::move(answers), 60, exporters);
  std::string text;
  for (const auto& one : series) {
    if (!one) continue;
    const prom::InstantVector& now = one->At(60);
    for (std::size_t i = 0; i < now.size(); ++i) {
      text += std::string(prom::Get(now.labels(i), "vgpu")) +
              std::to_string(now.point(i).value).substr(0, 5) + " ";
    }
  }
  return text;
}

// A pod held the GPU for 200 samples of 240; its series have a label that nobody's have not.
TEST(RangeSharedTest, SamplesOfPodsThatShareCountAsThoseOfNobody) {
  EXPECT_EQ(ShownOf(Quantity::kUtilization, Over::kMean, {0, 40}, {20'000, 200}), "83.33 ");
  EXPECT_EQ(ShownOf(Quantity::kUtilization, Over::kMost, {0}, {100}), "100.0 ");
  EXPECT_EQ(ShownOf(Quantity::kTemperature, Over::kMean, {1200, 40}, {18'000, 200}), "80.00 ");
  EXPECT_EQ(ShownOf(Quantity::kTemperature, Over::kMost, {30}, {90}), "90.00 ");
  EXPECT_EQ(ShownOf(Quantity::kTemperature, Over::kLeast, {30}, {90}), "30.00 ");
}

}  // namespace
}  // namespace gpumon::gpu
