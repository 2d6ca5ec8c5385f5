#include "internal/gpu/node_rows.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gpumon::gpu {
namespace {

using models::NodeQuantity;
using models::NullReason;
using models::TargetState;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct Bounds {
  NodeQuantity of;
  double least;
  double most;
};
constexpr double kMostMemory = 1152921504606846976.0;  // 1 EiB
constexpr std::array kBounds = {
    Bounds{NodeQuantity::kCpu, 0, 100.5},
    Bounds{NodeQuantity::kLoad1, 0, 1e6},
    Bounds{NodeQuantity::kLoad5, 0, 1e6},
    Bounds{NodeQuantity::kLoad15, 0, 1e6},
    Bounds{NodeQuantity::kCores, 1, 1e5},
    Bounds{NodeQuantity::kMemoryTotal, 1, kMostMemory},
    Bounds{NodeQuantity::kMemoryAvailable, 0, kMostMemory},
    Bounds{NodeQuantity::kMemoryUsedPercent, 0, 100.5},
    Bounds{NodeQuantity::kNetworkRx, 0, 1e13},
    Bounds{NodeQuantity::kNetworkTx, 0, 1e13},
    Bounds{NodeQuantity::kTemperature, -100, 200},
    Bounds{NodeQuantity::kReady, 0, 1},
    Bounds{NodeQuantity::kGpusCapacity, 0, 1e5},
    Bounds{NodeQuantity::kGpusAllocatable, 0, 1e5},
    Bounds{NodeQuantity::kGpusRequested, 0, 1e5},
    Bounds{NodeQuantity::kCoresCapacity, 0, 1e5},
    Bounds{NodeQuantity::kCoresAllocatable, 0, 1e5},
    Bounds{NodeQuantity::kCoresRequested, 0, 1e5},
};
static_assert(kBounds.size() == models::kNodeQuantities);

std::size_t SlotOf(NodeQuantity quantity) {
  return static_cast<std::size_t>(quantity);
}

// Why a quantity that no series gives is absent.
NullReason WhyNot(NodeQuantity quantity, const ToldNode& told, const std::set<NodeQuery>& failed) {
  const auto metrics = NodeMetrics();
  bool of_hosts = false;
  for (const NodeMetric& metric : metrics) {
    if (metric.gives != quantity) continue;
    of_hosts = true;
    if (failed.count(metric.query) > 0) return NullReason::kQueryFailed;
  }
  if (!of_hosts) {
    const bool requested =
        quantity == NodeQuantity::kGpusRequested || quantity == NodeQuantity::kCoresRequested;
    const NodeQuery from = requested ? NodeQuery::kRequests : NodeQuery::kKubernetes;
    return failed.count(from) > 0 ? NullReason::kQueryFailed : NullReason::kNotExported;
  }
  const bool down = std::any_of(told.targets.begin(), told.targets.end(), [](const auto& one) {
    return one.second.state == TargetState::kDown;
  });
  return down ? NullReason::kExporterDown : NullReason::kNotExported;
}

void Derive(const ToldNode& told, const NodesHeard& heard, models::Node& node) {
  const auto total = node.Get(NodeQuantity::kMemoryTotal);
  const auto available = node.Get(NodeQuantity::kMemoryAvailable);
  if (total && available) {
    if (*available > *total) {
      node.readings.SetAbsent(SlotOf(NodeQuantity::kMemoryAvailable), NullReason::kInvalidValue);
    } else {
      node.readings.Set(SlotOf(NodeQuantity::kMemoryUsedPercent),
                        100 * (*total - *available) / *total);
    }
  }
  // A node that Kubernetes knows, and no pod on it asks: that is none, where requests are told.
  if (!told.in_kubernetes || !heard.requests) return;
  for (const auto& [requested, of] :
       {std::pair(NodeQuantity::kGpusRequested, NodeQuantity::kGpusAllocatable),
        std::pair(NodeQuantity::kCoresRequested, NodeQuantity::kCoresAllocatable)}) {
    if (!told.values[SlotOf(requested)] && node.Get(of)) node.readings.Set(SlotOf(requested), 0);
  }
}

void FinishReadings(const ToldNode& told, const NodesHeard& heard, models::Node& node) {
  for (std::size_t slot = 0; slot < models::kNodeQuantities; ++slot) {
    const auto quantity = static_cast<NodeQuantity>(slot);
    const auto& value = told.values[slot];
    if (!value) {
      node.readings.SetAbsent(slot, WhyNot(quantity, told, heard.failed));
    } else if (IsPossible(quantity, value->value)) {
      node.readings.Set(slot, value->value);
    } else {
      node.readings.SetAbsent(slot, NullReason::kInvalidValue);
    }
  }
  Derive(told, heard, node);
}

void FinishParts(const ToldNode& told, models::Node& node, models::Snapshot& snapshot) {
  auto& arena = snapshot.arena;
  const auto begin = [](const auto& rows) { return static_cast<std::uint32_t>(rows.size()); };
  node.parts.disks.first = begin(snapshot.disks);
  for (const auto& [mountpoint, disk] : told.disks) {
    const bool fits = !(disk.available > disk.size);
    snapshot.disks.push_back({arena.Keep(mountpoint), arena.Keep(disk.device),
                              arena.Keep(disk.type), disk.size > 0 ? disk.size : kNone,
                              fits ? disk.available : kNone});
  }
  node.parts.disks.count = begin(snapshot.disks) - node.parts.disks.first;
  node.parts.numa.first = begin(snapshot.numa);
  for (const auto& [id, numa] : told.numa) {
    snapshot.numa.push_back({arena.Keep(id), numa.memory, numa.memory_free});
  }
  node.parts.numa.count = begin(snapshot.numa) - node.parts.numa.first;
  node.parts.targets.first = begin(snapshot.targets);
  for (const auto& [key, target] : told.targets) {
    const auto& [exporter, job, instance] = key;
    snapshot.targets.push_back({arena.Keep(exporter), arena.Keep(job), arena.Keep(instance),
                                target.state, target.of_gpus, target.started, target.newest});
  }
  node.parts.targets.count = begin(snapshot.targets) - node.parts.targets.first;
}

}  // namespace

bool IsPossible(NodeQuantity quantity, double value) {
  const Bounds& bounds = kBounds[SlotOf(quantity)];
  return value >= bounds.least && value <= bounds.most;
}

void ToldNode::Enter(NodeQuantity quantity, std::size_t rank, double value) {
  auto& known = values[SlotOf(quantity)];
  if (!known || rank < known->rank) {
    known = {rank, value};
  } else if (rank == known->rank && (value > known->value || std::isnan(known->value))) {
    known->value = value;
  }
}

void ToldNode::Add(NodeQuantity quantity, double value) {
  auto& known = values[SlotOf(quantity)];
  known = {0, (known ? known->value : 0) + value};
}

void AddNode(std::string_view name, const ToldNode& told, const NodesHeard& heard,
             models::Snapshot& snapshot) {
  models::Node& node = snapshot.nodes.emplace_back();
  node.name = snapshot.arena.Keep(name);
  node.in_kubernetes = told.in_kubernetes;
  node.vanished = told.vanished;
  FinishReadings(told, heard, node);
  FinishParts(told, node, snapshot);
  const double gpus = std::fmax(node.Get(NodeQuantity::kGpusCapacity).value_or(0),
                                node.Get(NodeQuantity::kGpusAllocatable).value_or(0));
  node.has_gpus = gpus > 0 || !std::isnan(told.vanished) ||
                  std::any_of(told.targets.begin(), told.targets.end(),
                              [](const auto& target) { return target.second.of_gpus; });
}

}  // namespace gpumon::gpu
