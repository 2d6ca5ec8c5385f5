#include "internal/gpu/range_nodes.h"

#include <memory>
#include <utility>

#include "internal/gpu/detector.h"
#include "internal/gpu/node_queries.h"
#include "internal/gpu/nodes.h"

namespace gpumon::gpu {

std::vector<PlannedQuery> PlanNodesRange(std::span<const Subject> subjects, const RangePart& part,
                                         double step) {
  std::vector<PlannedQuery> plan;
  for (std::size_t i = 0; i < kNodeQueries; ++i) {
    const auto query = static_cast<NodeQuery>(i);
    std::string promql = PastPromqlOf(query, subjects, part.of_nodes, step);
    if (promql.empty()) continue;
    PlannedQuery one;
    one.name = "range/" + std::string(NameOf(query));
    one.promql = std::move(promql);
    one.gives = PlannedQuery::Gives::kTargets;  // none of whose series replace each other
    one.exporter = i;
    plan.push_back(std::move(one));
  }
  return plan;
}

models::SnapshotPtr NodesAt(std::span<const RangeReplay::Answer> answers,
                            std::span<const Subject> subjects, double time) {
  Detected there;
  there.subjects.assign(subjects.begin(), subjects.end());
  NodeAnswers at{};
  for (const RangeReplay::Answer& answer : answers) {
    at[answer.query->exporter] = &answer.series->At(time);
  }
  const auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->part = models::Part::kNodes;
  snapshot->as_of = time;
  ReadNodes(at, {there, nullptr}, *snapshot);
  return snapshot;
}

}  // namespace gpumon::gpu
