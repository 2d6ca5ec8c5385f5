#include "internal/gpu/plan.h"

#include <algorithm>

#include "internal/gpu/metric_index.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

using models::Part;
using schema::Condition;
using schema::Exporter;
using schema::Metric;

std::vector<Condition> All(const std::vector<Condition>& a, const std::vector<Condition>& b) {
  std::vector<Condition> all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

std::vector<std::string> WithPrefixes(const Exporter& exporter,
                                      const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (const std::string& name : names) {
    for (const std::string& prefix : exporter.prefixes) all.push_back(prefix + name);
  }
  return all;
}

// timestamp() tells a sample's own time only when it is asked of a bare selector. `or` keeps one
// time for each label set: the metrics of one scrape share their labels and their time, and series
// of another target keep their own.
std::string TimesQuery(const std::vector<std::string>& selectors) {
  std::string promql;
  for (const auto& selector : selectors) {
    promql.append(promql.empty() ? "timestamp(" : " or timestamp(").append(selector).append(")");
  }
  return promql;
}

class Planner {
 public:
  Planner(const Exporter& exporter, std::size_t place, Part part, std::vector<PlannedQuery>& plan)
      : exporter_(exporter), place_(place), part_(part), plan_(plan) {}

  void Plan() {
    const auto& metrics = part_ == Part::kGpus ? exporter_.gpu : exporter_.process;
    if (metrics.empty()) return;
    std::vector<std::string> names = MetricIndex(exporter_, part_).Names();
    std::vector<std::string> timed;
    PlanSeparately(metrics, names, timed);
    // The names of GPUs that process series lack; no reason for one more query.
    if (part_ == Part::kProcesses && !names.empty()) {
      const auto infos = WithPrefixes(exporter_, exporter_.info);
      names.insert(names.end(), infos.begin(), infos.end());
      if (!exporter_.gpu_id_metric.empty()) names.push_back(exporter_.gpu_id_metric);
    }
    if (!names.empty()) {
      Add("values", SelectorOfAny(names, exporter_.require), PlannedQuery::Gives::kValues);
    }
    if (timed.empty()) {
      for (const std::string& name : TimedNames(metrics)) {
        timed.push_back(Selector(name, exporter_.require));
      }
    }
    Add("sample_times", TimesQuery(timed), PlannedQuery::Gives::kTimes);
  }

 private:
  void Add(const std::string& name, std::string promql, PlannedQuery::Gives gives,
           std::optional<std::size_t> metric = std::nullopt) {
    plan_.push_back(
        {metric ? name : exporter_.name + '/' + name, std::move(promql), gives, place_, metric});
  }

  // Those that have a query of their own; their names leave `names`.
  void PlanSeparately(const std::vector<Metric>& metrics, std::vector<std::string>& names,
                      std::vector<std::string>& timed) {
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      if (!metrics[i].own_query) continue;
      std::erase(names, metrics[i].name);
      timed.push_back(Selector(metrics[i].name, All(exporter_.require, metrics[i].where)));
      Add(metrics[i].name, timed.back(), PlannedQuery::Gives::kValues, i);
    }
  }

  std::vector<std::string> TimedNames(const std::vector<Metric>& metrics) const {
    if (part_ == Part::kGpus) return WithPrefixes(exporter_, exporter_.detect);
    return WithPrefixes(exporter_, {metrics.front().name});
  }

  const Exporter& exporter_;
  const std::size_t place_;
  const Part part_;
  std::vector<PlannedQuery>& plan_;
};

}  // namespace

std::string Selector(const std::string& name, const std::vector<Condition>& conditions,
                     const std::string& first_matcher) {
  std::string matchers = first_matcher;
  for (const Condition& condition : conditions) {
    if (!matchers.empty()) matchers += ',';
    matchers += condition.label + (condition.is == Condition::Is::kPresent ? "!=" : "=") +
                prom::Quote(condition.value);
  }
  return matchers.empty() ? name : name + '{' + matchers + '}';
}

std::string SelectorOfAny(const std::vector<std::string>& names,
                          const std::vector<Condition>& conditions) {
  if (names.size() == 1) return Selector(names.front(), conditions);
  std::string any;
  for (const std::string& name : names) any.append(any.empty() ? "" : "|").append(name);
  return Selector("", conditions, "__name__=~" + prom::Quote(any));
}

std::vector<PlannedQuery> PlanQueries(std::span<const Exporter* const> exporters, Part part) {
  std::vector<PlannedQuery> plan;
  for (std::size_t i = 0; i < exporters.size(); ++i) Planner(*exporters[i], i, part, plan).Plan();
  std::vector<std::string> names;
  for (const Exporter* exporter : exporters) {
    if (part != Part::kGpus || !exporter->pod_may_be_exporters) continue;
    const auto its = WithPrefixes(*exporter, exporter->detect);
    names.insert(names.end(), its.begin(), its.end());
  }
  if (!names.empty()) {
    PlannedQuery targets;
    targets.name = "targets";
    targets.promql =
        "up and on(job,instance) group by(job,instance)(" + SelectorOfAny(names, {}) + ")";
    targets.gives = PlannedQuery::Gives::kTargets;
    plan.push_back(std::move(targets));
  }
  return plan;
}

}  // namespace gpumon::gpu
