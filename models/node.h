// A machine with GPUs, as node-exporter, GPU exporters and kube-state-metrics tell of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace gpumon::models {

// What is measured of a node, in one base unit.
enum class NodeQuantity : std::uint8_t {
  kCpu,                // %: busy, over all cores
  kLoad1,              // processes that want to run
  kLoad5,              //
  kLoad15,             //
  kCores,              // logical CPUs of the machine
  kMemoryTotal,        // bytes
  kMemoryAvailable,    // bytes
  kMemoryUsedPercent,  // %
  kNetworkRx,          // bytes/s, over its physical devices
  kNetworkTx,          // bytes/s, over its physical devices
  kTemperature,        // degrees Celsius: the hottest sensor
  kReady,              // 1: Kubernetes calls it ready, 0: it does not
  kGpusCapacity,       // GPUs and MIG instances that Kubernetes counts
  kGpusAllocatable,    // of these that it can give to pods
  kGpusRequested,      // by pods on it that have not ended
  kCoresCapacity,      // cores that Kubernetes counts
  kCoresAllocatable,   // of these that it can give to pods
  kCoresRequested,     // by pods on it that have not ended
  kCount
};
inline constexpr std::size_t kNodeQuantities = static_cast<std::size_t>(NodeQuantity::kCount);

// A file system. NaN: not known, or impossible.
struct Disk {
  std::string_view mountpoint;
  std::string_view device;
  std::string_view type;                                        // "ext4"
  double size = std::numeric_limits<double>::quiet_NaN();       // bytes
  double available = std::numeric_limits<double>::quiet_NaN();  // bytes
};

// A part of the memory that some of the cores are nearer to.
struct NumaNode {
  std::string_view id;
  double memory = std::numeric_limits<double>::quiet_NaN();       // bytes
  double memory_free = std::numeric_limits<double>::quiet_NaN();  // bytes
};

enum class TargetState : std::uint8_t { kUp, kDown, kFrozen };
constexpr std::string_view NameOf(TargetState state) {
  return state == TargetState::kUp ? "up" : state == TargetState::kDown ? "down" : "frozen";
}

// An exporter that tells of a node: one that Prometheus scrapes.
struct NodeTarget {
  std::string_view exporter;  // a schema's name, or "node_exporter"; empty: which one is not known
  std::string_view job;
  std::string_view instance;
  TargetState state = TargetState::kUp;
  bool of_gpus = false;  // a GPU exporter
  // It came up within the last two minutes and has shown no GPU since: it may not have found them.
  bool started = false;
  // Unix seconds of its newest sample; where it is down: of its last good scrape within an hour.
  double newest = std::numeric_limits<double>::quiet_NaN();
};

// A target that shows nothing of a GPU: one that is down, or of a job that scrapes GPU exporters.
struct SilentTarget {
  std::string_view job;
  std::string_view instance;
  bool up = false;
  // Seconds for which it has been up, where these are no more than two minutes; else NaN.
  double up_for = std::numeric_limits<double>::quiet_NaN();
};

// Ranges of the snapshot's vectors.
struct Range {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// The places of the rows of one node, by name. Texts are views into the snapshot's Arena.
struct NodeParts {
  Range disks;    // by mount point
  Range numa;     // by id
  Range targets;  // by exporter, job, instance
};

}  // namespace gpumon::models
