// What is asked of nodes: a set of PromQL queries whose number depends on nothing.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "internal/gpu/detector.h"
#include "models/node.h"

namespace gpumon::gpu {

// In the order in which they are asked.
enum class NodeQuery : std::uint8_t {
  kHosts,       // gauges of node-exporter, and of GPU exporters that tell of their host
  kRates,       // what node-exporter counts, over the last five minutes
  kKubernetes,  // nodes as kube-state-metrics knows them, and those that it knew an hour ago
  kRequests,    // GPUs and cores that pods on each node ask for
  kTargets      // the exporters: when each was scraped last, and those that are down
};
inline constexpr std::size_t kNodeQueries = 5;
// For metrics, logs and warnings: "node_exporter/hosts".
std::string_view NameOf(NodeQuery query);

// Which series give which quantity. The first that a node has wins.
struct NodeMetric {
  NodeQuery query;
  // The metric's name, or the `__series__` that PromqlOf gives what it computes.
  std::string_view series;
  models::NodeQuantity gives;
  std::string_view required;  // a label that its series have; "": any
  std::string_view from;      // for docs: the metrics behind a `__series__`
};
std::span<const NodeMetric> NodeMetrics();

// Labels that name the node of a series, in order of trust.
std::span<const std::string_view> NodeLabels();

// `detected`: whose jobs the targets are.
std::string PromqlOf(NodeQuery query, const Detected& detected);

// For instants `step` seconds apart, of what gives `wanted`: the names of the machines with it, and
// which have GPUs. Empty where that query has nothing of it.
std::string PastPromqlOf(NodeQuery query, std::span<const Subject> subjects,
                         const std::bitset<models::kNodeQuantities>& wanted, double step);

// Names that PromqlOf gives to what it computes, by the label `__series__`, beside those of
// NodeMetrics.
inline constexpr std::string_view kVanishedSeries = "vanished";  // kKubernetes: Unix seconds
inline constexpr std::string_view kRequestsSeries = "requests";  // kRequests: by `resource`
inline constexpr std::string_view kExporterSeries = "exporter";  // kTargets: it shows that host
inline constexpr std::string_view kScrapedSeries = "scraped";    // kTargets: Unix seconds
inline constexpr std::string_view kDownSeries = "down";          // kTargets: up == 0
// kTargets: up, and not all of the last two minutes: seconds since it was down, or since its
// process was started, or 120 where it was not there two minutes ago.
inline constexpr std::string_view kStartedSeries = "started";
inline constexpr std::string_view kLastUpSeries = "last_up";        // kTargets: Unix seconds
inline constexpr std::string_view kNodeExporter = "node_exporter";  // `exporter` of it

// A resource that is GPUs, as kube-state-metrics spells it.
bool IsGpuResource(std::string_view resource);

}  // namespace gpumon::gpu
