#include "internal/gpu/plan.h"

#include <string_view>

namespace gpumon::gpu {
namespace {

using models::Part;

// The metric's name in front of a selector's braces.
std::string MetricName(std::string_view selector) {
  return std::string(selector.substr(0, selector.find('{')));
}

// The labels that say which row a series belongs to.
std::string IdentityLabels(const schema::Exporter& exporter, Part part) {
  std::string list;
  const auto add = [&](const schema::Aliases& aliases) {
    for (const auto& name : aliases) {
      if (!list.empty()) list += ", ";
      list += name;
    }
  };
  add(exporter.node);
  add(exporter.gpu);
  if (part == Part::kProcesses) add(exporter.pid);
  return list;
}

// timestamp() tells a sample's own time only when it is asked of a bare selector, and refuses two
// metrics in one: a label keeps them apart until the aggregation takes it away again.
std::string TimesQuery(std::string_view aggregation, const std::vector<std::string>& selectors,
                       const std::string& labels) {
  std::string promql = std::string(aggregation) + " by (" + labels + ") (";
  for (std::size_t i = 0; i < selectors.size(); ++i) {
    if (i > 0) promql += " or ";
    promql += "label_replace(timestamp(" + selectors[i] + "), \"metric\", \"" + std::to_string(i) +
              "\", \"\", \"\")";
  }
  return promql + ")";
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
  const std::string labels = IdentityLabels(exporter, part);
  plan.push_back({"newest_sample_times", TimesQuery("max", selectors, labels),
                  PlannedQuery::Gives::kNewest, 0, 1});
  plan.push_back({"oldest_sample_times", TimesQuery("min", selectors, labels),
                  PlannedQuery::Gives::kOldest, 0, 1});
  return plan;
}

}  // namespace gpumon::gpu
