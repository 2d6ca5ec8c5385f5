#include "internal/collect/gpud_task.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "internal/collect/task.h"
#include "internal/fleet/xid.h"
#include "models/gpu.h"

namespace gpumon::collect {
namespace {

using models::Quantity;
using models::Text;

constexpr double kGiB = 1024.0 * 1024 * 1024;

struct MetricRow {
  std::string_view name;  // behind "accelerator_nvidia_"
  Quantity quantity;
  double divide;
};
constexpr std::array kGpuMetrics = {
    MetricRow{"temperature_current_celsius", Quantity::kTemperature, 1},
    MetricRow{"power_current_usage_milli_watts", Quantity::kPower, 1000},
    MetricRow{"power_enforced_limit_milli_watts", Quantity::kPowerLimit, 1000},
    MetricRow{"memory_used_bytes", Quantity::kMemoryUsed, 1},
    MetricRow{"memory_total_bytes", Quantity::kMemoryTotal, 1},
    MetricRow{"utilization_gpu_util_percent", Quantity::kUtilization, 1},
    MetricRow{"gpm_gpu_sm_occupancy_percent", Quantity::kSmOccupancy, 1},
    MetricRow{"clock_speed_graphics_mhz", Quantity::kSmClock, 1},
    MetricRow{"ecc_volatile_total_corrected", Quantity::kEccCorrectedVolatile, 1},
    MetricRow{"ecc_volatile_total_uncorrected", Quantity::kEccUncorrectedVolatile, 1},
};

// GPUd has one metric for each of these bits of NVML's clock event reasons.
struct SlowdownRow {
  std::string_view name;
  int bit;
};
constexpr std::array kSlowdowns = {
    SlowdownRow{"clock_hw_slowdown", 0x8},
    SlowdownRow{"clock_hw_slowdown_thermal", 0x40},
    SlowdownRow{"clock_hw_slowdown_power_brake", 0x80},
};

constexpr std::string_view kPrefix = "accelerator_nvidia_";

void Read(const gpud::Metric& metric, models::GpuMetrics& row) {
  const std::string_view name = std::string_view(metric.name).substr(kPrefix.size());
  for (const MetricRow& its : kGpuMetrics) {
    if (its.name == name) {
      row.readings.Set(static_cast<std::size_t>(its.quantity), metric.value / its.divide);
    }
  }
  constexpr auto kReasons = static_cast<std::size_t>(Quantity::kThrottleReasons);
  for (const SlowdownRow& its : kSlowdowns) {
    if (its.name != name) continue;
    const auto bits = static_cast<int>(row.readings.Get(kReasons).value_or(0));
    row.readings.Set(kReasons, metric.value > 0 ? bits | its.bit : bits);
  }
}

// "XID 79(GPU has fallen off the bus) detected on PCI:0000:3b:00"
struct XidText {
  int code = 0;
  std::string_view bus;
};
XidText ParseXid(const std::string& message) {
  XidText xid;
  if (!message.starts_with("XID ")) return xid;
  xid.code = std::atoi(message.c_str() + 4);
  const std::size_t at = message.find("PCI:");
  if (at == std::string::npos) return xid;
  xid.bus = std::string_view(message).substr(at + 4);
  xid.bus = xid.bus.substr(0, xid.bus.find(' '));
  return xid;
}

// Events from before this round stay with the GPU they name, as an exporter's last XID does.
void ReadXids(const gpud::Host& host, const gpud::Gpu& gpu, models::GpuMetrics& row) {
  for (const gpud::Event& event : host.events) {
    const XidText xid = ParseXid(event.message);
    if (xid.code <= 0 || xid.bus.empty() || !gpu.bus_id.starts_with(xid.bus)) continue;
    row.readings.Set(static_cast<std::size_t>(Quantity::kXidLast), xid.code);
  }
}

void AddGpus(const gpud::Host& host, Task& task) {
  std::map<std::string_view, models::GpuMetrics> rows;
  std::vector<gpud::Gpu> gpus = host.machine.gpus;
  for (const gpud::Metric& metric : host.metrics) {
    if (metric.uuid.empty() || !metric.name.starts_with(kPrefix)) continue;
    Read(metric, rows[metric.uuid]);
    const bool known = std::any_of(gpus.begin(), gpus.end(),
                                   [&](const gpud::Gpu& gpu) { return gpu.uuid == metric.uuid; });
    if (!known) gpus.push_back({metric.uuid, "", std::nullopt});
  }
  for (const gpud::Gpu& gpu : gpus) {
    models::GpuMetrics& row = rows[gpu.uuid];
    const std::string id = gpu.index ? std::to_string(*gpu.index) : gpu.uuid;
    row.set_text(Text::kUuid, gpu.uuid);
    row.set_text(Text::kGpuId, id);
    row.set_text(Text::kGpuName, host.machine.product);
    if (gpu.index) row.gpu_index = *gpu.index;
    ReadXids(host, gpu, row);
    task.Add(row, {});
  }
}

std::optional<double> Find(const gpud::Host& host, std::string_view name,
                           std::string_view label = {}) {
  for (const gpud::Metric& metric : host.metrics) {
    if (metric.name == name && metric.uuid.empty() && metric.label == label) return metric.value;
  }
  return std::nullopt;
}

std::optional<store::SystemReading> SystemOf(const gpud::Host& host) {
  store::SystemReading system;
  system.cpu_usage_pct = Find(host, "cpu_used_percent");
  const auto gib = [](std::optional<double> bytes) {
    return bytes ? std::optional(*bytes / kGiB) : std::nullopt;
  };
  system.memory_used_gb = gib(Find(host, "memory_used_bytes"));
  system.memory_total_gb = gib(Find(host, "memory_total_bytes"));
  const auto used = Find(host, "disk_used_bytes", "/");
  const auto total = Find(host, "disk_total_bytes", "/");
  if (used && total && *total > 0) system.disk_usage_pct = 100 * *used / *total;
  const auto one = Find(host, "cpu_load_average", "1m0s");
  const auto five = Find(host, "cpu_load_average", "5m0s");
  const auto fifteen = Find(host, "cpu_load_average", "15m0s");
  if (one && five && fifteen) system.load_average = {*one, *five, *fifteen};
  const bool known = system.cpu_usage_pct || system.memory_used_gb || system.memory_total_gb ||
                     system.disk_usage_pct || system.load_average;
  return known ? std::optional(system) : std::nullopt;
}

store::HealthState StateOf(const gpud::State& state, WallTime time) {
  struct Row {
    std::string_view gpud;
    std::string_view health;
    std::string_view severity;
  };
  constexpr std::array kRows = {Row{"Healthy", "healthy", "info"},
                                Row{"Degraded", "degraded", "warning"},
                                Row{"Unhealthy", "unhealthy", "critical"}};
  store::HealthState out{state.component, "unknown", state.reason, "info",
                         state.time.value_or(time)};
  for (const Row& row : kRows) {
    if (row.gpud != state.health) continue;
    out.health = row.health;
    out.severity = row.severity;
  }
  for (const std::string& action : state.actions) {
    out.message.append(out.message.empty() ? "" : "; ").append("suggested: ").append(action);
  }
  return out;
}

std::string_view LevelOf(std::string_view type) {
  if (type == "Fatal" || type == "Critical") return "error";
  return type == "Warning" ? "warning" : "info";
}

bool TellsOfHealth(const gpud::Host& host) {
  return std::any_of(host.states.begin(), host.states.end(),
                     [](const gpud::State& state) { return !state.health.empty(); });
}

}  // namespace

store::Snapshot TaskOf(const gpud::Host& host, WallTime time, const fleet::HealthRules& rules) {
  const gpud::Machine& machine = host.machine;
  store::Snapshot snapshot;
  snapshot.id = store::NewId();
  const std::string name = machine.hostname.empty() ? "localhost" : machine.hostname;
  snapshot.task_id = "gpud/" + name;
  snapshot.task_name = name;
  snapshot.instance_id = name;
  snapshot.instance_type = InstanceType(machine.gpus.size(), machine.product);
  snapshot.timestamp = time;
  snapshot.gpud_healthy = true;
  snapshot.gpud_version = machine.version;
  snapshot.machine_info = {{"source", "gpud"}};
  for (const auto& fact : machine.facts) snapshot.machine_info.push_back(fact);
  std::string missing;
  for (const std::string& one : host.missing)
    missing.append(missing.empty() ? "" : "; ").append(one);
  if (!missing.empty()) snapshot.machine_info.emplace_back("note", std::move(missing));
  snapshot.system_metrics = SystemOf(host);
  Task task(std::move(snapshot), rules);
  AddGpus(host, task);
  for (const gpud::State& state : host.states) task.AddState(StateOf(state, time));
  for (const gpud::Event& event : host.events) {
    if (event.time > time) continue;
    task.AddEvent({event.time, event.component, std::string(LevelOf(event.type)), event.message});
  }
  store::Snapshot taken = task.Take();
  if (!TellsOfHealth(host)) {
    taken.health_score.reset();
    taken.health_status = fleet::NameOf(fleet::Level::kUnknown);
  }
  return taken;
}

bool TellsOfNoGpu(const gpud::Host& host) {
  const gpud::Machine& machine = host.machine;
  const auto has_driver = [](const auto& fact) {
    return fact.first == "gpuDriverVersion" || fact.first == "cudaVersion";
  };
  const auto has_gpu = [](const auto& one) { return one.component.starts_with("accelerator-"); };
  return !machine.facts.empty() && machine.gpus.empty() && machine.product.empty() &&
         TellsOfHealth(host) &&
         std::none_of(machine.facts.begin(), machine.facts.end(), has_driver) &&
         std::none_of(host.states.begin(), host.states.end(), has_gpu) &&
         std::none_of(host.events.begin(), host.events.end(), has_gpu) &&
         std::none_of(host.metrics.begin(), host.metrics.end(),
                      [](const auto& metric) { return metric.name.starts_with(kPrefix); });
}

}  // namespace gpumon::collect
