// The refresh of the part kAlerts.
#include <algorithm>
#include <utility>

#include "internal/gpu/alerts.h"
#include "internal/gpu/collector.h"

namespace gpumon::gpu {

void Collector::CollectAlerts(const Set& set, Collected done) {
  QuerySet queries;
  for (std::size_t i = 0; i < kAlertQueries; ++i) {
    const auto query = static_cast<AlertQuery>(i);
    queries.queries.emplace_back(NameOf(query), PromqlOf(query));
  }
  queries.needs_first = true;
  queries.read = [&registry = detector_.registry()](const QuerySet::Answers& answers,
                                                    models::Snapshot& snapshot) {
    AlertAnswers alerts{};
    std::copy(answers.begin(), answers.end(), alerts.begin());
    ReadAlerts(alerts, registry, snapshot);
  };
  CollectSet(set, std::move(queries), std::move(done));
}

}  // namespace gpumon::gpu
