// The refresh of the part kNodes.
#include <algorithm>
#include <string>
#include <utility>

#include "internal/gpu/collector.h"
#include "internal/gpu/node_queries.h"
#include "internal/gpu/nodes.h"

namespace gpumon::gpu {

void Collector::CollectNodes(const Set& set, Collected done) {
  const auto start = [this, set, done = std::move(done)](const DetectedPtr& detected) {
    QuerySet queries;
    for (std::size_t i = 0; i < kNodeQueries; ++i) {
      const auto query = static_cast<NodeQuery>(i);
      queries.queries.emplace_back(NameOf(query), PromqlOf(query, *detected));
    }
    const TargetMemory* const memory = set.remembers ? &targets_ : nullptr;
    queries.read = [detected, memory](const QuerySet::Answers& answers,
                                      models::Snapshot& snapshot) {
      NodeAnswers nodes{};
      std::copy(answers.begin(), answers.end(), nodes.begin());
      ReadNodes(nodes, {*detected, memory}, snapshot);
    };
    CollectSet(set, std::move(queries), done);
  };
  const DetectedPtr known = detector_.Known();
  // Whose the targets are has to be known: of a past instant, and where nobody has looked yet.
  if (set.present && !known->assumed) return start(known);
  detector_.LookBack(set.time, set.deadline, [start, known](const Result<DetectedPtr>& there) {
    start(there ? *there : known);
  });
}

}  // namespace gpumon::gpu
