// What gpuctl health found out, and how it says it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/store/snapshot.h"

namespace gpumon::ctl {

inline constexpr std::size_t kUsagePoints = 60;

// Behind this, in the message of a state, stands what to do.
inline constexpr std::string_view kSuggested = "suggested: ";

// A machine itself; what nobody knows is not set.
struct HostLoad {
  std::string hostname;
  std::optional<double> cpu_percent;
  std::optional<double> memory_percent;
  std::optional<double> memory_used_bytes;
  std::optional<double> memory_total_bytes;
  std::optional<double> average_celsius;  // of its CPUs
  std::optional<double> most_celsius;     // of them, or of any of its sensors
};

struct HealthReport {
  std::string source;                  // who told: a URL, a folder
  WallTime time{};                     // when it was asked
  std::string_view row = "task";       // what a row is; "node"
  std::vector<store::Snapshot> tasks;  // each at its newest
  // Of tasks: where a GPU is, by its UUID. "" is a GPU without one, wherever that is.
  std::map<std::string, std::string> node_of;
  bool of_one = false;                       // somebody named it: everything of it is shown
  std::vector<std::string> notes;            // what was not asked or not told, and why
  std::vector<std::string> facts;            // for people: of the machine, or of all of them
  std::vector<HostLoad> hosts;               // of nodes that somebody named
  std::vector<std::optional<double>> usage;  // GPU utilization in %, the newest last
  std::string usage_of;                      // "last 60 minutes"
};

// The worst rows first, by name where they are alike.
void SortRows(HealthReport& report);

struct Remark {
  std::string category;    // the component
  std::string message;     // begins with the row's name
  std::string suggestion;  // "" for none
  std::size_t task = 0;    // whose, in HealthReport::tasks
};
struct Remarks {
  std::vector<Remark> issues;  // unhealthy components, and rows that are critical without one
  std::vector<Remark> warnings;
  std::vector<Remark> successes;  // rows that are healthy
};
Remarks RemarksOf(const HealthReport& report);

struct FleetSummary {
  std::size_t total_nodes = 0;  // unknown ones do not count
  std::size_t healthy_nodes = 0;
  std::size_t degraded_nodes = 0;
  std::size_t critical_nodes = 0;
  std::size_t unknown_nodes = 0;
  std::size_t total_gpus = 0;    // one that several tasks share counts once
  std::size_t healthy_gpus = 0;  // known to be below 75 °C, and not throttled
  std::optional<double> avg_gpu_temperature;
  std::optional<double> avg_gpu_utilization;
  std::optional<double> avg_gpu_memory_utilization;
};
FleetSummary SummaryOf(const HealthReport& report);

// Under load, its clock is below 90 % of what it may be.
bool IsThrottled(const store::GpuReading& gpu);
// % of its memory in use.
std::optional<double> MemoryPercent(const store::GpuReading& gpu);

// One line, {timestamp,summary,details,fleet_summary,notes}, and hosts where there are any.
std::string HealthJson(const HealthReport& report);
struct HealthStyle {
  bool verbose = false;      // every remark of every row, and names in full
  std::size_t columns = 80;  // of the terminal, 80 or more
  bool whole_names = false;  // no name is cut, however wide that is
};
std::string HealthText(const HealthReport& report, const HealthStyle& style);
// A character for each of the newest kUsagePoints values of 0..100, a blank where there is none.
std::string Sparkline(const std::vector<std::optional<double>>& values);
// "79%" or "-". Rounded down: what is below 80 never reads 80.
std::string ScoreText(std::optional<double> score);

enum class FailOn : std::uint8_t { kNever, kWarnings, kIssues };
// 0, 1 for warnings, 2 for issues.
int HealthExit(const HealthReport& report, FailOn fail_on);

// The stored snapshots of a task or node.
struct HealthPast {
  std::string_view kind = "task";  // or "node": what `name` names
  std::string name;
  std::int64_t hours = 0;
  std::vector<store::Snapshot> snapshots;  // the newest last
  std::size_t left_out = 0;                // older ones than these
};
// One line, {task_id,hours,snapshots,latest}, or {error}; of a node its name is `node`.
std::string PastJson(const HealthPast& past);
// There are snapshots. Those of several tasks are told one by one, the newest task first.
std::string PastText(const HealthPast& past);
std::string NoPast(const HealthPast& past);

}  // namespace gpumon::ctl
