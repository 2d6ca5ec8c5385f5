// One task at one instant, as it is kept and sent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::store {

struct GpuProcess {
  std::int64_t pid = 0;
  std::string name;
  std::optional<double> memory_mb;  // MiB
};

// Nothing where nobody measured it.
struct GpuReading {
  std::optional<std::int64_t> gpu_index;
  std::string uuid;
  std::string name;
  std::optional<double> temperature_c;
  std::optional<double> power_draw_w;
  std::optional<double> power_limit_w;
  std::optional<double> memory_used_mb;   // MiB
  std::optional<double> memory_total_mb;  // MiB
  std::optional<double> gpu_utilization_pct;
  std::optional<double> sm_occupancy_pct;
  std::optional<double> clock_mhz;
  std::optional<double> max_clock_mhz;
  std::optional<double> ecc_errors;  // volatile, corrected and not
  std::vector<std::string> xid_events;
  std::string nvlink_status;  // "healthy", "degraded", "unhealthy", "unknown"
  std::vector<GpuProcess> processes;
};

// A number of a GPU, by the name that lines and answers give it.
struct GpuNumber {
  std::string_view key;
  std::optional<double> GpuReading::*value;
};
inline constexpr std::array kGpuNumbers = {
    GpuNumber{"temperature_c", &GpuReading::temperature_c},
    GpuNumber{"power_draw_w", &GpuReading::power_draw_w},
    GpuNumber{"power_limit_w", &GpuReading::power_limit_w},
    GpuNumber{"memory_used_mb", &GpuReading::memory_used_mb},
    GpuNumber{"memory_total_mb", &GpuReading::memory_total_mb},
    GpuNumber{"gpu_utilization_pct", &GpuReading::gpu_utilization_pct},
    GpuNumber{"sm_occupancy_pct", &GpuReading::sm_occupancy_pct},
    GpuNumber{"clock_mhz", &GpuReading::clock_mhz},
    GpuNumber{"max_clock_mhz", &GpuReading::max_clock_mhz},
    GpuNumber{"ecc_errors", &GpuReading::ecc_errors},
};

// Of the host.
struct SystemReading {
  std::optional<double> cpu_usage_pct;
  std::optional<double> memory_used_gb;   // GiB
  std::optional<double> memory_total_gb;  // GiB
  std::optional<double> disk_usage_pct;
  std::optional<double> network_rx_mbps;
  std::optional<double> network_tx_mbps;
  std::optional<double> open_file_descriptors;
  std::optional<std::array<double, 3>> load_average;  // of 1, 5 and 15 minutes
};
struct SystemNumber {
  std::string_view key;
  std::optional<double> SystemReading::*value;
};
inline constexpr std::array kSystemNumbers = {
    SystemNumber{"cpu_usage_pct", &SystemReading::cpu_usage_pct},
    SystemNumber{"memory_used_gb", &SystemReading::memory_used_gb},
    SystemNumber{"memory_total_gb", &SystemReading::memory_total_gb},
    SystemNumber{"disk_usage_pct", &SystemReading::disk_usage_pct},
    SystemNumber{"network_rx_mbps", &SystemReading::network_rx_mbps},
    SystemNumber{"network_tx_mbps", &SystemReading::network_tx_mbps},
    SystemNumber{"open_file_descriptors", &SystemReading::open_file_descriptors},
};

struct HealthState {
  std::string component;
  std::string health;  // "healthy", "degraded", "unhealthy", "unknown"
  std::string message;
  std::string severity;  // "info", "warning", "critical"
  WallTime timestamp{};
};

struct Event {
  WallTime timestamp{};
  std::string component;
  std::string level;  // "error", "warning", "info"
  std::string message;
};

struct Snapshot {
  std::string id;  // one of its own, for good: whoever gets it twice can tell
  std::string task_id;
  std::string task_name;
  std::string instance_id;    // the node
  std::string instance_type;  // "" is absent
  WallTime timestamp{};
  bool gpud_healthy = false;
  std::string gpud_version;                                       // "" is absent
  std::vector<std::pair<std::string, std::string>> machine_info;  // in this order
  std::vector<GpuReading> gpu_metrics;
  std::optional<SystemReading> system_metrics;
  std::vector<HealthState> health_states;
  std::vector<Event> events;
  std::optional<double> health_score;  // 0..1
  std::string health_status = "unknown";
};

// 128 random bits in hexadecimal.
std::string NewId();

// "2026-03-01T09:15:00.250+00:00": what Flow's own reader takes.
std::string LineTime(WallTime time);

// One JSON object without a line break at its end or anywhere in it.
std::string EncodeLine(const Snapshot& snapshot);

// The same, with times as answers have them.
std::string EncodeAnswer(const Snapshot& snapshot);

// The same as an element of what a remote endpoint gets: {id, timestamp, task_id, task_name,
// instance_type, gpud_metrics: {...}, system_metrics: {...}}.
std::string EncodeElement(const Snapshot& snapshot);

// Reads such a line, or one that Flow wrote: its other names for fields are known, what is not
// known is passed over, and so is a GPU that is no object. An id that is missing stays "".
// kInvalidParameter when it is no JSON object or has no task_id or no time.
Result<Snapshot> DecodeLine(std::string_view line);

}  // namespace gpumon::store
