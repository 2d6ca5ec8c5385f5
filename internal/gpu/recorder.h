// Hears what a join of GPUs does with each sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "internal/gpu/contest.h"
#include "internal/gpu/join_counts.h"
#include "internal/gpu/metric_index.h"
#include "internal/gpu/own_pods.h"
#include "internal/gpu/value_reader.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// For the join doctor: refreshes have none. Calls come from one thread at a time, in the order of
// this list; references are good during the call.
class JoinRecorder {
 public:
  virtual ~JoinRecorder() = default;

  struct Seen {
    const schema::Exporter& exporter;
    FamilyUse use;
    std::size_t leader;  // of a metric: the one that it is added to, or itself
    std::uint32_t row;   // among the exporter's rows
    const models::GpuMetrics& so_far;
    prom::LabelSet labels;
    double raw;
    Reading reading;  // of a metric; kNotExported: its labels are not as the schema asks
    const OwnPods& own_pods;
  };
  // A sample that has a row.
  virtual void Saw(const Seen& seen) = 0;
  // One of a scrape target that is down: it is in no row, and `so_far` has what it names.
  virtual void Gone(const Seen& seen) = 0;
  // When such samples were taken (Unix seconds), as Timed.
  virtual void GoneTimed(const prom::InstantVector& times) = 0;
  // The series `labels`, which has its name in `__series__` if at all, was sampled at `at` (Unix
  // seconds).
  virtual void Timed(const schema::Exporter& exporter, std::uint32_t row,
                     const models::GpuMetrics& so_far, prom::LabelSet labels, double at) = 0;
  // Series of one metric of one row, the winner first.
  virtual void Ranked(const schema::Exporter& exporter, const Contest::Ranking& ranking) = 0;
  // Row `row` of `exporter`, complete, is (a part of) row `at` of the join. `shown`: which metric
  // gave each slot.
  virtual void Met(const schema::Exporter& exporter, std::uint32_t row, std::uint32_t at,
                   const models::GpuMetrics& its, std::span<const std::uint8_t> shown) = 0;
  // The rows of the join, complete.
  virtual void Joined(std::span<const models::GpuMetrics> rows, const JoinCounts& counts) = 0;
};

}  // namespace gpumon::gpu
