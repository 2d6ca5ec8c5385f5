// Range vectors as the instants that they are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "internal/base/result.h"
#include "internal/gpu/command.h"
#include "internal/gpu/plan.h"
#include "internal/gpu/unit_evidence.h"
#include "internal/prom/value.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// Where a series ends without a staleness marker, as in a past that was written afterwards, an
// instant sees it for so long still. Seconds; Prometheus's default.
inline constexpr double kLookBack = 300;

// The answer of a range query: kUpstreamInvalid when it is none, kUpstreamPartial when Prometheus
// says that something is left out, which would be counted as time in which nobody knew.
Result<prom::QueryResult> WholeRange(Result<prom::QueryResult> answer);

// One thread at a time; instants are asked for in their order.
//
// What replaced a series of the same labels but those that `pods` (sorted) are (those that name
// pods) hides it: a series that ends while another one has begun within kLookBack before that. So
// the range has to begin and to end by so much before and after the instants that are asked for.
class RangeSteps {
 public:
  // `step` in seconds.
  RangeSteps(prom::RangeVector vector, double step, const std::vector<std::string>& pods);

  // The samples at `time` (Unix seconds). Good until the next call.
  const prom::InstantVector& At(double time);

 private:
  static constexpr std::uint32_t kAlone = 0xFFFFFFFF;
  struct Series {
    std::uint32_t first_label = 0;
    std::uint32_t label_count = 0;
    std::size_t next = 0;  // its first point that was not passed
    std::size_t end = 0;
    std::size_t run_end = 0;       // of the points without a gap that `next` is one of
    double run_begins = 0;         // Unix seconds
    std::uint32_t group = kAlone;  // others of its labels but pods'
  };

  void Group(const std::vector<std::string>& pods);
  void FindRun(Series& series);
  bool IsReplaced(const Series& series) const;

  const double step_;
  prom::InstantVector now_;  // its labels are those of all series
  std::vector<Series> series_;
  std::vector<prom::Point> points_;
  std::vector<std::vector<std::uint32_t>> groups_;
  std::vector<std::uint32_t> present_;
};

// One list of rows at each instant of some answers, joined as a refresh joins those of an instant.
// One thread at a time.
class RangeReplay {
 public:
  // `answers` in the order of `plan`. All references must outlive it.
  RangeReplay(models::Part part, std::span<const Subject> subjects,
              std::span<const schema::Exporter* const> exporters,
              std::span<const PlannedQuery> plan, std::vector<prom::RangeVector> answers,
              double step, UnitEvidence& evidence, CommandStyle commands);

  models::SnapshotPtr At(double time);

 private:
  template <class RowT>
  models::SnapshotPtr JoinAt(double time);

  const models::Part part_;
  const std::span<const Subject> subjects_;
  const std::span<const schema::Exporter* const> exporters_;
  const std::span<const PlannedQuery> plan_;
  std::vector<RangeSteps> steps_;
  UnitEvidence& evidence_;
  const CommandStyle commands_;
};

}  // namespace gpumon::gpu
