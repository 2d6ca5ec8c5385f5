// The instants of a range, joined.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "internal/base/result.h"
#include "internal/gpu/command.h"
#include "internal/gpu/plan.h"
#include "internal/gpu/range_series.h"
#include "internal/gpu/unit_evidence.h"
#include "internal/prom/value.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// The answer of a range query: kUpstreamInvalid when it is none, kUpstreamPartial when Prometheus
// says that something is left out, which would be counted as time in which nobody knew.
Result<prom::QueryResult> WholeRange(Result<prom::QueryResult> answer);

// One list of rows at each instant of some answers, joined as a refresh joins those of an instant.
// One thread at a time.
class RangeReplay {
 public:
  // A query and what its answer says at each instant; null where that says how many another's are.
  struct Answer {
    const PlannedQuery* query;
    RangeSeries* series;
  };
  // All references must outlive it. `any_as_of` as in RangeWant.
  RangeReplay(models::Part part, std::span<const Subject> subjects,
              std::span<const schema::Exporter* const> exporters, std::vector<Answer> answers,
              UnitEvidence& evidence, CommandStyle commands, bool any_as_of);

  // Where nothing has changed since the instant before it is that one's, if nobody holds that any
  // more, or with any `as_of`.
  models::SnapshotPtr At(double time);

 private:
  template <class RowT>
  std::shared_ptr<models::Snapshot> JoinAt(double time);
  bool AllRepeat(double time) const;

  const models::Part part_;
  const std::span<const Subject> subjects_;
  const std::span<const schema::Exporter* const> exporters_;
  const std::vector<Answer> answers_;
  UnitEvidence& evidence_;
  const CommandStyle commands_;
  const bool any_as_of_;
  std::vector<std::size_t> rows_;           // of each exporter, at the instant before
  std::shared_ptr<models::Snapshot> last_;  // likewise
};

}  // namespace gpumon::gpu
