// One machine while it is put together: what series say of it, and the row that comes of it.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>

#include "internal/gpu/node_queries.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// Never of NaN.
bool IsPossible(models::NodeQuantity quantity, double value);

struct ToldTarget {
  models::TargetState state = models::TargetState::kUp;
  bool of_gpus = false;
  bool started = false;  // as models::NodeTarget
  double newest = std::numeric_limits<double>::quiet_NaN();
};

// Texts are views into what was read.
struct ToldNode {
  using TargetKey = std::tuple<std::string_view, std::string_view, std::string_view>;
  struct Value {
    std::size_t rank = 0;  // the metric's place in NodeMetrics
    double value = 0;
  };

  std::array<std::optional<Value>, models::kNodeQuantities> values;
  std::map<std::string_view, models::Disk> disks;
  std::map<std::string_view, models::NumaNode> numa;
  std::map<TargetKey, ToldTarget> targets;  // exporter, job, instance
  bool in_kubernetes = false;
  double vanished = std::numeric_limits<double>::quiet_NaN();

  // The first metric wins, then the largest value.
  void Enter(models::NodeQuantity quantity, std::size_t rank, double value);
  // To what was added before.
  void Add(models::NodeQuantity quantity, double value);
};

// How much of it was to be had.
struct NodesHeard {
  std::set<NodeQuery> failed;  // not answered
  bool requests = false;       // of some node it is told what pods ask for
};

// Adds the row to `snapshot`: with impossible values and what nobody tells as null.
void AddNode(std::string_view name, const ToldNode& told, const NodesHeard& heard,
             models::Snapshot& snapshot);

}  // namespace gpumon::gpu
