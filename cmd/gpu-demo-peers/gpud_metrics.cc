#include "cmd/gpu-demo-peers/gpud_metrics.h"

#include <array>
#include <chrono>
#include <string>

#include "internal/exporter/families.h"

namespace gpumon::demo {
namespace {

using exporter::FleetState;
using exporter::GpuState;
using exporter::NodeState;

struct GpuMetric {
  std::string_view component;  // behind "accelerator-nvidia-"
  std::string_view name;       // behind "accelerator_nvidia_"
  std::string_view family;     // of the exporter's page
  double scale = 1;
};
// In the order of their components.
constexpr std::array kGpuMetrics = {
    GpuMetric{"clock-speed", "clock_speed_graphics_mhz", "nvidia_gpu_sm_clock_mhz"},
    GpuMetric{"ecc", "ecc_volatile_total_corrected", "nvidia_gpu_ecc_corrected_volatile_total"},
    GpuMetric{"ecc", "ecc_volatile_total_uncorrected", "nvidia_gpu_ecc_uncorrected_volatile_total"},
    GpuMetric{"gpm", "gpm_gpu_sm_occupancy_percent", "nvidia_gpu_sm_occupancy_percent"},
    GpuMetric{"memory", "memory_used_bytes", "nvidia_gpu_used_memory_bytes"},
    GpuMetric{"memory", "memory_total_bytes", "nvidia_gpu_total_memory_bytes"},
    GpuMetric{"power", "power_current_usage_milli_watts", "nvidia_gpu_power_watts", 1000},
    GpuMetric{"power", "power_enforced_limit_milli_watts", "nvidia_gpu_power_limit_watts", 1000},
    GpuMetric{"temperature", "temperature_current_celsius", "nvidia_gpu_temperature_celsius"},
    GpuMetric{"utilization", "utilization_gpu_util_percent", "nvidia_gpu_utilization_percent"},
    GpuMetric{"utilization", "utilization_memory_util_percent",
              "nvidia_gpu_memory_utilization_percent"},
};

struct NodeMetric {
  std::string_view component;
  std::string_view name;
  std::string_view label;
  std::string_view value_of_label;
  double (*value)(const FleetState&, const NodeState&);
};
double Reading(const FleetState& state, const NodeState& node, std::string_view family) {
  return exporter::NodeReading(state, node, family).value_or(0);
}
constexpr std::array kNodeMetrics = {
    NodeMetric{"cpu", "cpu_used_percent", "", "",
               [](const FleetState&, const NodeState& node) { return exporter::CpuPercent(node); }},
    NodeMetric{"cpu", "cpu_load_average", "load_duration", "1m0s",
               [](const FleetState& state, const NodeState& node) {
                 return Reading(state, node, "node_load1");
               }},
    NodeMetric{"cpu", "cpu_load_average", "load_duration", "5m0s",
               [](const FleetState& state, const NodeState& node) {
                 return Reading(state, node, "node_load5");
               }},
    NodeMetric{"cpu", "cpu_load_average", "load_duration", "15m0s",
               [](const FleetState& state, const NodeState& node) {
                 return Reading(state, node, "node_load15");
               }},
    NodeMetric{"disk", "disk_total_bytes", "mount_point", "/",
               [](const FleetState& state, const NodeState& node) {
                 return Reading(state, node, "node_filesystem_size_bytes");
               }},
    NodeMetric{"disk", "disk_used_bytes", "mount_point", "/",
               [](const FleetState& state, const NodeState& node) {
                 return Reading(state, node, "node_filesystem_size_bytes") -
                        Reading(state, node, "node_filesystem_avail_bytes");
               }},
    NodeMetric{"memory", "memory_total_bytes", "", "",
               [](const FleetState&, const NodeState&) { return exporter::kNodeMemoryBytes; }},
    NodeMetric{"memory", "memory_used_bytes", "", "",
               [](const FleetState& state, const NodeState& node) {
                 return exporter::kNodeMemoryBytes -
                        Reading(state, node, "node_memory_MemAvailable_bytes");
               }},
};

struct Minute {
  WallTime at{};
  FleetState state;
};

std::vector<Minute> LastMinutes(const exporter::Fleet& fleet, WallTime now) {
  constexpr int kMinutes = 5;
  std::vector<Minute> minutes;
  const auto last = std::chrono::floor<std::chrono::minutes>(now);
  for (int age = Looks(fleet, kMinutes) - 1; age >= 0; --age) {
    const WallTime at = last - std::chrono::minutes(age);
    minutes.push_back({at, fleet.At(at)});
  }
  return minutes;
}

struct Series {
  std::string name;
  std::string_view label;
  std::string label_value;
};

void PutMetric(json::Writer& out, WallTime at, const Series& series, double value) {
  out.BeginObject();
  // Milliseconds, as the real one has it.
  Put(out, "unix_seconds", at.time_since_epoch().count());
  Put(out, "name", series.name);
  if (!series.label.empty()) {
    out.Key("labels");
    out.BeginObject();
    Put(out, series.label, series.label_value);
    out.EndObject();
  }
  Put(out, "value", value);
  out.EndObject();
}

// Each component with its metrics; the rows of one stand together.
template <class Rows, class PutRow>
void PutComponents(json::Writer& out, const Rows& rows, std::string_view prefix,
                   const std::function<bool(std::string_view)>& wanted, const PutRow& put_row) {
  for (auto row = rows.begin(); row != rows.end();) {
    const std::string_view part = row->component;
    const std::string component = std::string(prefix) + std::string(part);
    const bool put = wanted(component);
    if (put) {
      out.BeginObject();
      Put(out, "component", component);
      PutMark(out);
      out.Key("metrics");
      out.BeginArray();
    }
    for (; row != rows.end() && row->component == part; ++row) {
      if (put) put_row(*row);
    }
    if (!put) continue;
    out.EndArray();
    out.EndObject();
  }
}

}  // namespace

std::vector<const GpuState*> GpusOf(const FleetState& state, std::size_t node) {
  std::vector<const GpuState*> gpus;
  for (const GpuState& gpu : state.gpus) {
    if (static_cast<std::size_t>(gpu.node) == node && gpu.present) gpus.push_back(&gpu);
  }
  return gpus;
}

void PutMetrics(json::Writer& out, const exporter::Fleet& fleet, std::size_t node, WallTime now,
                const std::function<bool(std::string_view)>& wanted) {
  const std::vector<Minute> minutes = LastMinutes(fleet, now);
  PutComponents(out, kGpuMetrics, "accelerator-nvidia-", wanted, [&](const GpuMetric& metric) {
    for (const Minute& minute : minutes) {
      for (const GpuState* const gpu : GpusOf(minute.state, node)) {
        const auto value = exporter::GpuReading(minute.state, *gpu, metric.family);
        if (!value) continue;
        PutMetric(
            out, minute.at,
            {"accelerator_nvidia_" + std::string(metric.name), "uuid", exporter::UuidText(*gpu)},
            *value * metric.scale);
      }
    }
  });
  PutComponents(out, kNodeMetrics, "", wanted, [&](const NodeMetric& metric) {
    for (const Minute& minute : minutes) {
      PutMetric(out, minute.at,
                {std::string(metric.name), metric.label, std::string(metric.value_of_label)},
                metric.value(minute.state, minute.state.nodes[node]));
    }
  });
}

}  // namespace gpumon::demo
