// What a HakuRiver (KohakuRiver) host tells of its nodes and tasks, whatever its generation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"

namespace gpumon::hakuriver {

// A: hakuriver until mid 2025. B: kohakuriver without /api. C: kohakuriver under /api, with users.
enum class Generation : std::uint8_t { kA, kB, kC };
char LetterOf(Generation generation);  // 'A'

// Hosts write their own local time without a zone, which is no instant: such a text is shown as it
// is, and never converted.
struct Time {
  std::string text;             // as the host sent it; "" unknown
  std::optional<WallTime> utc;  // only when the host said the zone
  bool known() const { return !text.empty(); }
  bool no_zone() const { return known() && !utc; }
};

// Everywhere: "" and nothing are "unknown", which null, a missing field, "N/A", a value of another
// type and -1 (where no such number can be) all become. Percentages are 0 to 100. Texts are UTF-8.

struct Gpu {
  std::optional<std::int64_t> id;  // the index on its node
  std::string name;
  std::string driver_version;
  std::string pci_bus_id;
  std::optional<double> utilization_percent;
  std::optional<double> memory_utilization_percent;  // of the memory's time, not of its size
  std::optional<double> graphics_clock_mhz;
  std::optional<double> memory_clock_mhz;
  std::optional<std::int64_t> memory_total_bytes;
  std::optional<std::int64_t> memory_used_bytes;
  std::optional<std::int64_t> memory_free_bytes;
  std::optional<double> temperature_celsius;
  std::optional<double> fan_percent;
  std::optional<double> power_watts;
  std::optional<double> power_limit_watts;
};

struct NumaNode {
  std::string id;  // "0"
  std::vector<std::int64_t> cores;
  std::optional<std::int64_t> memory_bytes;
};

// What a node says of itself, in the list of nodes and in each sample of health.
struct Load {
  std::optional<double> cpu_percent;  // not in generation A's list of nodes; nor all below
  std::optional<double> memory_percent;
  std::optional<std::int64_t> memory_used_bytes;
  std::optional<std::int64_t> memory_total_bytes;
  std::optional<double> average_cpu_celsius;
  std::optional<double> most_cpu_celsius;
};

struct Node {
  std::string hostname;  // never ""
  std::string status;    // "online", "offline", or what the host says
  std::string url;       // of its runner
  Time last_heartbeat;
  std::optional<std::int64_t> total_cores;
  std::optional<std::int64_t> cores_in_use;
  std::optional<std::int64_t> available_cores;
  std::vector<NumaNode> numa;
  std::vector<Gpu> gpus;
  Load load;
  std::string runner_version;      // C
  std::optional<bool> vm_capable;  // C
  bool online() const { return status == "online"; }
  // What it measured, of itself and of its GPUs, are then the last values there were.
  bool offline() const { return status == "offline"; }
};

// A node at one time.
struct HealthSample {
  std::string hostname;  // never ""
  std::string status;
  Time last_heartbeat;
  std::optional<std::int64_t> total_cores;
  std::vector<NumaNode> numa;
  std::vector<Gpu> gpus;
  Load load;
  // What it says holds now: the newest sample of a node that is online, of a host that still
  // samples. Else these are the last values there were.
  bool fresh = false;
};

// The cluster at one time. Nodes that are offline count in the totals.
struct Aggregate {
  std::optional<std::int64_t> total_nodes;
  std::optional<std::int64_t> online_nodes;
  std::optional<std::int64_t> total_cores;
  std::optional<std::int64_t> total_memory_bytes;
  std::optional<std::int64_t> used_memory_bytes;
  std::optional<double> average_cpu_percent;  // weighted by cores
  std::optional<double> average_memory_percent;
  std::optional<double> most_average_cpu_celsius;
  std::optional<double> most_cpu_celsius;
  Time last_updated;
};

struct Health {
  // A second apart, oldest first, 60 at most; each has all nodes, or the one that was asked for.
  // Empty when the host took none yet.
  std::vector<std::vector<HealthSample>> samples;
  std::vector<Aggregate> aggregates;  // likewise; none when the newest of one node was asked for
  // Those that the host lists and the newest samples lack, of what was asked for. They have no more
  // than what the list says, and are not fresh.
  std::vector<HealthSample> unsampled;
  // The host no longer samples (generation A stops for good at a node without a CPU temperature):
  // nothing is fresh.
  bool stale = false;

  // The newest samples; empty when there are none.
  const std::vector<HealthSample>& newest() const {
    static const std::vector<HealthSample> kNone;
    return samples.empty() ? kNone : samples.back();
  }
};

// What a task's status may be, of all generations.
inline constexpr std::string_view kTaskStates =
    "pending|assigning|running|paused|completed|failed|killed_oom|killed|lost|stopped|"
    "pending_approval|rejected";

// A command or a VPS.
struct Task {
  std::string id;  // decimal, up to 19 digits; never ""
  std::string batch_id;
  std::string type;  // "command", "vps"; "" from generation A
  std::string command;
  std::vector<std::string> arguments;
  // Their values may be secrets.
  std::vector<std::pair<std::string, std::string>> environment;
  std::string status;  // of kTaskStates, or what the host says
  std::string assigned_node;
  std::optional<std::int64_t> required_cores;
  std::vector<std::int64_t> required_gpus;  // indices
  std::optional<std::int64_t> required_memory_bytes;
  std::optional<std::int64_t> target_numa_node_id;
  std::optional<std::int64_t> exit_code;  // -9: out of memory; -1: never ran, or its node was lost
  std::string error_message;
  Time submitted_at;
  Time started_at;
  Time completed_at;
  std::string container_name;            // B and C
  std::optional<std::int64_t> ssh_port;  // B and C; of a VPS in generation A, from its list
  std::string name;                      // C, and the next two
  std::string owner;
  std::string approval_status;

  // pending, assigning, running, paused.
  bool active() const;
};

struct TaskList {
  std::vector<Task> tasks;  // in the host's order
  bool more = false;        // there are others behind the limit
};

struct Vps {
  std::string id;  // all as Task's
  std::string status;
  std::string assigned_node;
  std::optional<std::int64_t> required_cores;
  std::vector<std::int64_t> required_gpus;
  std::optional<std::int64_t> required_memory_bytes;
  std::optional<std::int64_t> target_numa_node_id;
  Time submitted_at;
  Time started_at;
  Time completed_at;
  std::optional<std::int64_t> ssh_port;
  std::optional<std::int64_t> exit_code;
  std::string error_message;
  std::string container_name;  // B and C
  std::string name;            // C, and the next one
  std::string owner;
};

struct Log {
  // The end of what was asked for: at most the cap, from the start of a line where there is one.
  std::string text;
  bool truncated = false;  // something before it was left out to keep the cap
  // The task has written none: no file yet, or an empty one.
  bool none_yet = false;
};

}  // namespace gpumon::hakuriver
