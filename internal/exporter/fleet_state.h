// The synthetic fleet at one instant, as plain data for the text writers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/exporter/gpu_model.h"
#include "internal/exporter/workload_kind.h"

namespace gpumon::exporter {

enum class Trait : std::uint8_t;
struct NodeSpec;

inline constexpr std::int64_t kFleetStart = 1704067200;  // 2024-01-01T00:00:00Z, Unix seconds

enum class Phase : std::uint8_t { kPending, kRunning, kSucceeded, kFailed };

struct PodState {
  const WorkloadKind* kind = nullptr;
  int node = -1;  // index into FleetState::nodes; -1: not scheduled
  std::string name;
  std::string owner_name;
  std::string_view user;
  bool from_cron = false;  // its Job was made by a CronJob
  std::uint64_t hash = 0;
  int gpus = 0;  // requested
  Phase phase = Phase::kRunning;
  std::int64_t created = 0;              // Unix seconds
  std::optional<std::int64_t> finished;  // Unix seconds; set when kSucceeded or kFailed
  int restarts = 0;
  int last_exit_code = 0;  // of the run before the last restart; meaningful when restarts > 0
};

struct GpuState {
  int node = 0;   // index into FleetState::nodes
  int index = 0;  // on its node
  const GpuModel* model = nullptr;
  Trait trait{};
  std::uint64_t hash = 0;
  bool present = true;      // false: it has no series now
  int pod = -1;             // index into FleetState::pods; -1: free
  double load = 0;          // 0 to 1, what power follows
  double load_seconds = 0;  // integral of load since the fleet's start
  int utilization = 0;      // percent
  int memory_used_mib = 0;
  double core_celsius = 0;  // also of a GPU whose sensor reports nothing
  bool throttles = false;   // for heat
};

struct ProcessState {
  int gpu = 0;  // index into FleetState::gpus
  int pid = 0;
  int memory_mib = 0;
  double cpu_percent = 0;     // may exceed 100: of one core
  double memory_percent = 0;  // of the node's memory
  std::string command;
};

struct NodeState {
  const NodeSpec* spec = nullptr;
  int gpus_present = 0;
  double load = 0;     // mean load of its GPUs, 0 to 1
  double load_1m = 0;  // the same over the last 1, 5 and 15 minutes
  double load_5m = 0;
  double load_15m = 0;
  double load_seconds = 0;  // integral of `load`
};

struct FleetState {
  double seconds = 0;  // since the fleet's start
  std::int64_t unix_seconds = 0;
  std::uint64_t seed = 0;
  std::vector<NodeState> nodes;
  std::vector<GpuState> gpus;  // node by node, by index
  std::vector<PodState> pods;
  std::vector<ProcessState> processes;  // in the order of `gpus`
};

}  // namespace gpumon::exporter
