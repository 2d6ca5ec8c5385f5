// When which GPUs of a node are busy. Time is cut into rounds of several minutes; in each round
// the node's pool of GPUs is dealt into groups, and most groups carry one job for a part of the
// round. The loads repeat after kRoundsInCycle rounds, which makes their integral a table look-up;
// the identity of the jobs never repeats.
#pragma once

#include <cstdint>
#include <vector>

#include "internal/exporter/curves.h"
#include "internal/exporter/workload_kind.h"

namespace gpumon::exporter {

// A group of neighbouring pool positions in one round. Times in seconds from the round's start.
struct Shift {
  int first = 0;
  int count = 0;
  bool vacant = false;  // nobody wants these GPUs in this round
  const WorkloadKind* kind = nullptr;
  double begin = 0;
  double end = 0;
  std::uint64_t job = 0;  // hash that identifies the job

  bool RunsAt(double x) const { return !vacant && x >= begin && x < end; }
  // The load of one position while the job runs.
  LoadCurve LoadOf(int position) const;

 private:
  friend class NodeSchedule;
  LoadCurve load_;
};

// Immutable, thread-safe. Times are seconds since the fleet's start, never negative.
class NodeSchedule {
 public:
  static constexpr int kRoundsInCycle = 24;

  // `pool`: GPUs that take part, 0 or more.
  NodeSchedule(std::uint64_t hash, int pool);

  std::int64_t RoundAt(double t) const;
  double RoundStart(std::int64_t round) const;
  double round_seconds() const { return round_seconds_; }
  // In order of position; together they cover the pool.
  std::vector<Shift> Shifts(std::int64_t round) const;
  // For each position, the integral of its load (0 to 1) up to `t`; never falls with `t`.
  std::vector<double> LoadSeconds(double t) const;

 private:
  std::uint64_t hash_;
  int pool_;
  double round_seconds_;
  double offset_;
  // [position * (kRoundsInCycle + 1) + r]: load-seconds of the cycle's first r rounds.
  std::vector<double> prefix_;
};

}  // namespace gpumon::exporter
