// GPUs over time: a range of instants, each joined as an instant of its own.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "models/gpu.h"

namespace gpumon::gpu {

struct Subject;
// Who was found to be there in a range, for another look into it.
using RangeExporters = std::shared_ptr<const std::vector<Subject>>;

// What is asked of the samples since the instant before.
enum class Over : std::uint8_t {
  kLast,  // none of them: what an instant query of that instant says
  kMean,
  kLeast,
  kMost
};

// One list of rows at each instant.
struct RangePart {
  models::Part part = models::Part::kGpus;  // or kProcesses and kNodes, with kLast
  // Of GPUs: what is asked for; the rest of their readings is absent. More may come along. The
  // least and the most of what is derived are not told.
  std::bitset<models::kQuantities> quantities = {};
  Over over = Over::kLast;
  // With kLast: utilization and XIDs that were not sampled again when their scrape was due, and what
  // is of a pod that another one followed, are left out, not shown for the five minutes in which an
  // instant query shows them.
  bool without_gaps = false;
  // Of machines: likewise. Their disks and exporters are not told.
  std::bitset<models::kNodeQuantities> of_nodes = {};
};

// Some of a range's instants, one after the other.
struct RangeSpan {
  std::size_t first = 0;
  std::size_t count = 0;
  // The scrape targets whose GPUs are asked for, by the label `instance`, and the processes that
  // anything on the same hosts shows. Others' may come along; none: of all.
  std::vector<std::string> instances = {};
};

struct RangeWant {
  double start = 0;  // Unix seconds of the first instant
  double step = 0;   // seconds, > 0
  std::size_t steps = 0;
  std::vector<RangePart> parts;
  // Exact names. Others' GPUs may come along; none: of all nodes.
  std::vector<std::string> nodes = {};
  // Of a walk through a range that this one lies in; null: they are looked for at both ends.
  RangeExporters exporters = nullptr;
  // The instants that are wanted, in order; none: all. Where a span names targets `nodes` do not
  // count.
  std::vector<RangeSpan> spans = {};
  // Who pays no heed to their as_of may be given the same snapshot for several instants, where
  // nothing has changed.
  bool any_as_of = false;

  double At(std::size_t i) const { return start + step * static_cast<double>(i); }
};

// What the rows are made of, over all instants.
struct RangeEnd {
  std::vector<std::string> sources;   // exporter schemas that gave rows
  std::vector<std::string> warnings;  // of single instants, and how many had them
  RangeExporters exporters = nullptr;
};

// Called once for each instant, in their order, on worker threads, one at a time; the snapshots
// are in the order of RangeWant::parts, and whoever holds one may keep it. Times of samples are not
// told.
// False: the rest is not wanted.
using EachInstant =
    std::function<bool(std::size_t instant, std::span<const models::SnapshotPtr> snapshots)>;
// Called once, on a worker thread, after the last instant.
using RangeDone = std::function<void(Result<RangeEnd>)>;

}  // namespace gpumon::gpu
