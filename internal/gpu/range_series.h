// Range vectors as the instant vectors that they are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "internal/gpu/passing.h"
#include "internal/gpu/plan.h"
#include "internal/gpu/range_gaps.h"
#include "internal/prom/value.h"

namespace gpumon::gpu {

// Where a series ends without a staleness marker, as in a past that was written afterwards, an
// instant sees it for so long still. Seconds; Prometheus's default.
inline constexpr double kLookBack = 300;

// One thread at a time; instants are asked for in their order.
class RangeSeries {
 public:
  virtual ~RangeSeries() = default;

  // The samples at `time` (Unix seconds). Good until the next call with another time.
  virtual const prom::InstantVector& At(double time) = 0;
  // They are those of the instant that was asked for before it. False where nobody knows.
  virtual bool Repeats() const { return false; }
};

// What replaced a series of the same labels but `passing` hides it. Where `gaps` knows when both
// were sampled: the one that was sampled last. Else a series that ends while another one has begun
// within kLookBack before that. So the range has to begin and to end by so
// much before and after the instants that are asked for.
class RangeSteps : public RangeSeries {
 public:
  // `step` in seconds. What `gaps` has is left out; null: nothing is.
  RangeSteps(prom::RangeVector vector, double step, const Passing& passing,
             std::shared_ptr<const RangeGaps> gaps = nullptr);

  const prom::InstantVector& At(double time) override;
  bool Repeats() const override { return repeats_; }

 private:
  static constexpr std::uint32_t kAlone = 0xFFFFFFFF;
  struct Series {
    std::uint32_t first_label = 0;
    std::uint32_t label_count = 0;
    std::size_t next = 0;  // its first point that was not passed
    std::size_t end = 0;
    std::size_t run_end = 0;          // of the points without a gap that `next` is one of
    double run_begins = 0;            // Unix seconds
    std::uint32_t group = kAlone;     // others of its labels but the passing ones
    RangeGaps::Sampled sampled = {};  // its spans that have not ended
  };

  void Group(const Passing& passing);
  void FindRun(Series& series);
  void Begin(double time);
  bool HasEnded(Series& series, double time);
  bool IsReplaced(const Series& series) const;
  static bool IsWithin(RangeGaps::Spans& spans, double time);
  bool IsOld(Series& series, double time);

  const double step_;
  const std::shared_ptr<const RangeGaps> gaps_;
  prom::InstantVector now_;  // its labels are those of all series
  std::vector<Series> series_;
  std::vector<prom::Point> points_;
  std::vector<std::uint32_t> by_begin_;   // series that have points
  std::size_t begun_ = 0;                 // so many of them
  std::vector<std::uint32_t> under_way_;  // of these, which have not ended; sorted
  std::vector<std::uint32_t> present_;
  std::vector<std::vector<std::uint32_t>> groups_;        // of those that are present
  double at_ = std::numeric_limits<double>::quiet_NaN();  // of now_
  std::vector<prom::InstantVector::Sample> before_;       // of the instant before
  bool repeats_ = false;
};

// What a function made of the samples of each series since the instant before, all series of the
// same labels but `pods` (sorted) taken together: whoever held the GPU, its samples count alike.
class RangeFold : public RangeSeries {
 public:
  // `how` is kSum, kLeast or kMost. Of sums `counts` says how many samples they are of, which gives
  // means; of others it is empty.
  RangeFold(PlannedQuery::Fold how, prom::RangeVector values, const prom::RangeVector& counts,
            double step, const std::vector<std::string>& pods);

  const prom::InstantVector& At(double time) override;

 private:
  struct Number {
    double value = 0;
    double count = 0;  // of samples, or of series; 0: there is none
  };
  struct Group {
    std::uint32_t first_label = 0;
    std::uint32_t label_count = 0;
    std::vector<Number> numbers;  // by step
  };

  std::size_t StepOf(double time) const;
  void SetSteps(const prom::RangeVector& values);
  void FoldIn(PlannedQuery::Fold how, std::span<const prom::Point> points, Group& group);

  const PlannedQuery::Fold how_;
  const double step_;
  double begin_ = 0;  // Unix seconds of the first step
  std::size_t steps_ = 0;
  prom::InstantVector now_;  // its labels are those of all groups, without pods'
  std::vector<Group> groups_;
};

// Of each query of a piece, `answers` in their order; none for one that counts what others sum.
// `step` in seconds.
std::vector<std::unique_ptr<RangeSeries>> SeriesOf(
    std::span<const PlannedQuery> queries, std::vector<prom::RangeVector> answers, double step,
    std::span<const schema::Exporter* const> exporters);

}  // namespace gpumon::gpu
