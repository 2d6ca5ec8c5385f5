// Which PromQL a refresh asks. The number of queries depends on the exporters that are there alone,
// never on the number of GPUs or viewers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

struct PlannedQuery {
  enum class Gives : std::uint8_t { kValues, kSeriesTimes, kTargetTimes, kTargets, kAddresses };

  std::string name;  // for metrics, logs and warnings: the metric's name, or like dcgm/values
  std::string promql;
  Gives gives = Gives::kValues;
  std::size_t exporter = 0;           // its place in the plan
  std::optional<std::size_t> metric;  // kValues: of that metric; nothing: the samples' names say it
};

// An exporter, and what decides how it is asked.
struct Subject {
  const schema::Exporter* exporter = nullptr;
  std::vector<std::string> jobs;  // of its scrape targets, sorted; empty where that is not known
  bool without_node = false;      // some of its series name no node
  // Its samples have time stamps of their own: each series is asked for its time, not each target.
  bool brings_times = false;

  bool operator==(const Subject&) const = default;
};

// `subjects` in the order of the plan. For each: one query with all its families (some metrics by
// one of their own), and one for the sample times; beside them one for all of the state and labels
// of their scrape targets, and, where a node's name is missing, one of kube-state-metrics'
// addresses. Without process metrics an exporter has no query in the plan for processes.
std::vector<PlannedQuery> PlanQueries(std::span<const Subject> subjects, models::Part part);

// `name{label="value"}`, with what `conditions` say of labels; `name` may be empty.
std::string Selector(const std::string& name, const std::vector<schema::Condition>& conditions,
                     const std::string& first_matcher = "");
// `{__name__=~"a|b"}`, or a plain selector for one name.
std::string SelectorOfAny(const std::vector<std::string>& names,
                          const std::vector<schema::Condition>& conditions);
// How many of the names that an exporter is known by stand for all: those of its every target.
inline constexpr std::size_t kMarks = 5;

// The series of the first `names` metrics by which the exporter is known, that meet `conditions`;
// `offset` is PromQL like " offset 1h", or empty.
std::string SelectorOfDetected(const schema::Exporter& exporter,
                               const std::vector<schema::Condition>& conditions, std::size_t names,
                               const std::string& offset = "");
// `names` with each of the exporter's prefixes.
std::vector<std::string> WithPrefixes(const schema::Exporter& exporter,
                                      const std::vector<std::string>& names);

}  // namespace gpumon::gpu
