// Which PromQL a refresh asks. The number of queries depends on the exporters that are there alone,
// never on the number of GPUs or viewers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "internal/gpu/down_targets.h"
#include "internal/gpu/selectors.h"
#include "internal/gpu/unit_evidence.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

struct PlannedQuery {
  enum class Gives : std::uint8_t {
    kValues,
    kSeriesTimes,
    kTargetTimes,
    kTargets,
    kAddresses,
    kDevices
  };

  // Of a range: what a function makes of the samples of each step, for RangeFold. kCount: of the
  // samples that the query before sums.
  enum class Fold : std::uint8_t { kNone, kSum, kCount, kLeast, kMost };

  std::string name;  // for metrics, logs and warnings: the metric's name, or like dcgm/values
  std::string promql;
  Gives gives = Gives::kValues;
  std::size_t exporter = 0;           // its place in the plan
  std::optional<std::size_t> metric;  // kValues: of that metric; nothing: the samples' names say it
  Fold fold = Fold::kNone;
  bool tells_pods =
      false;  // kTargetTimes: of all targets, which the series of `up` are labelled as

  bool operator==(const PlannedQuery&) const = default;
};

// Whose a pod is, and where a target runs: it has to be known before series are read.
inline bool IsOfSurroundings(const PlannedQuery& query) {
  using Gives = PlannedQuery::Gives;
  return query.gives == Gives::kTargets || query.gives == Gives::kAddresses || query.tells_pods;
}

// An exporter that is there, what decides how it is asked, and what is known of its targets.
struct Subject {
  const schema::Exporter* exporter = nullptr;
  std::vector<std::string> jobs;  // of its scrape targets, sorted; empty where that is not known
  bool without_node = false;      // some of its series name no node
  // Its samples have time stamps of their own: each series is asked for its time, not each target.
  bool brings_times = false;
  // Targets (Contest::TargetOf) that no longer read their GPUs, and their names for people.
  std::map<std::size_t, std::string> frozen = {};
  DownTargets::Past down = {};  // targets that are down, and what they showed
  std::map<std::string, UnitEvidence::Shown> units = {};  // by the metric that may be a ratio
  bool without_marks = false;  // none of it shows its marks (kMarks); others of its names it has

  // An answer to what is asked of it would differ from one to `other`. Not where `other` has more
  // jobs: that only costs Prometheus more.
  bool AnswersOtherThan(const Subject& other) const {
    const bool more_jobs =
        !other.jobs.empty() &&
        !std::includes(other.jobs.begin(), other.jobs.end(), jobs.begin(), jobs.end());
    return more_jobs || exporter != other.exporter || without_node != other.without_node ||
           frozen != other.frozen || down != other.down || units != other.units;
  }
};

// `subjects` in the order of the plan. For each: one query with all its families (some metrics by
// one of their own), and one for the sample times; beside them one for all of the state and labels
// of their scrape targets, and, where a node's name is missing, one of kube-state-metrics'
// addresses. For processes an exporter that stands above one that tells of them is asked what it
// calls its GPUs, and for the times of that; others without process metrics are asked nothing.
std::vector<PlannedQuery> PlanQueries(std::span<const Subject> subjects, models::Part part);
// Of these what tells of targets, addresses and devices. `of_targets` (a matcher, or "") chooses
// those whose state is asked.
std::vector<PlannedQuery> PlanSurroundings(std::span<const Subject> subjects, models::Part part,
                                           const std::string& of_targets);

// The time of each series of an exporter, whose place in the plan this is.
PlannedQuery PlanSeriesTimes(const schema::Exporter& exporter, std::size_t place,
                             models::Part part);

// The distinct sample times of each target over all that it shows, beside that of its `up`
// (RowTimes::AddTargetTimes): costs Prometheus as much as a refresh.
std::string AllTimesQuery(const Subject& subject);

// How many of the names that an exporter is known by stand for all: those of its every target. All
// of them are as many series as a refresh asks for.
inline constexpr std::size_t kMarks = 5;

// The series of marks of the exporter that meet `conditions`.
std::string SelectorOfMarks(const schema::Exporter& exporter,
                            const std::vector<schema::Condition>& conditions);
// Those of the other metrics by which it is known. "" when there are none.
std::string SelectorOfOthers(const schema::Exporter& exporter,
                             const std::vector<schema::Condition>& conditions);
// What the exporter showed of GPUs and processes at any time within the last hour, of the targets
// that `matcher` selects: for each metric, whose name is its label `shown`, and each set of these
// `labels` ("a,b") the largest value.
std::string PastOf(const schema::Exporter& exporter, const std::string& matcher,
                   const std::string& labels);

}  // namespace gpumon::gpu
