// The refresh of the part kTasks.
#include <algorithm>
#include <utility>

#include "internal/gpu/collector.h"
#include "internal/gpu/tasks.h"

namespace gpumon::gpu {

void Collector::CollectTasks(const Set& set, Collected done) {
  QuerySet queries;
  for (std::size_t i = 0; i < kTaskQueries; ++i) {
    const auto query = static_cast<TaskQuery>(i);
    queries.queries.emplace_back(NameOf(query), PromqlOf(query));
  }
  queries.read = [](const QuerySet::Answers& answers, models::Snapshot& snapshot) {
    TaskAnswers tasks{};
    std::copy(answers.begin(), answers.end(), tasks.begin());
    ReadTasks(tasks, snapshot);
  };
  CollectSet(set, std::move(queries), std::move(done));
}

}  // namespace gpumon::gpu
