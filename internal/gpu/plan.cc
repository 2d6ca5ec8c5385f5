#include "internal/gpu/plan.h"

#include <string_view>

namespace gpumon::gpu {
namespace {

using models::Part;

// The metric's name in front of a selector's braces.
std::string MetricName(std::string_view selector) {
  return std::string(selector.substr(0, selector.find('{')));
}

// timestamp() tells a sample's own time only when it is asked of a bare selector. `or` keeps one
// time for each label set: the metrics of one scrape share their labels and their time, and series
// of another target keep their own.
std::string TimesQuery(const std::vector<std::string>& selectors) {
  std::string promql;
  for (const auto& selector : selectors) {
    promql += (promql.empty() ? "timestamp(" : " or timestamp(") + selector + ')';
  }
  return promql;
}

}  // namespace

std::vector<PlannedQuery> PlanQueries(const schema::Exporter& exporter, Part part) {
  std::vector<PlannedQuery> plan;
  std::vector<std::string> selectors;
  const auto add = [&](const auto& metrics) {
    for (const auto& metric : metrics) {
      selectors.push_back(metric.selector);
      plan.push_back({MetricName(metric.selector), metric.selector, PlannedQuery::Gives::kValue,
                      static_cast<std::size_t>(metric.quantity), metric.scale});
    }
  };
  if (part == Part::kGpus) {
    add(exporter.gpu_metrics);
  } else {
    add(exporter.process_metrics);
  }
  plan.push_back({"sample_times", TimesQuery(selectors), PlannedQuery::Gives::kTimes, 0, 1});
  return plan;
}

}  // namespace gpumon::gpu
