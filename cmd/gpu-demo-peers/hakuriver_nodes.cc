#include "cmd/gpu-demo-peers/hakuriver_nodes.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <vector>

#include "internal/exporter/families.h"

namespace gpumon::demo {
namespace {

using exporter::FleetState;
using exporter::GpuState;
using exporter::NodeState;

constexpr std::chrono::hours kOfflineFor{8};

// One node at one instant.
struct Host {
  const FleetState* state;
  const NodeState* node;  // null: the one that is offline
  WallTime at;

  std::string_view name() const { return node != nullptr ? node->spec->name : kOfflineNode; }
  std::string_view status() const { return node != nullptr ? "online" : "offline"; }
  WallTime heartbeat() const { return node != nullptr ? at - Millis(1582) : at - kOfflineFor; }
  double Reading(std::string_view family) const {
    return node != nullptr ? exporter::NodeReading(*state, *node, family).value_or(0) : 0;
  }
  std::int64_t memory_total() const {
    return static_cast<std::int64_t>(exporter::kNodeMemoryBytes);
  }
  std::int64_t memory_used() const {
    if (node == nullptr) return memory_total() / 5;
    return memory_total() - static_cast<std::int64_t>(Reading("node_memory_MemAvailable_bytes"));
  }
  double memory_percent() const {
    return std::round(1000 * static_cast<double>(memory_used()) /
                      static_cast<double>(memory_total())) /
           10;
  }
  double cpu_percent() const { return node != nullptr ? exporter::CpuPercent(*node) : 3.0; }
  double celsius() const { return node != nullptr ? Reading("node_hwmon_temp_celsius") : 35; }
};

std::vector<Host> HostsOf(const FleetState& state, WallTime at) {
  std::vector<Host> hosts;
  hosts.reserve(state.nodes.size() + 1);
  for (const NodeState& node : state.nodes) hosts.push_back({&state, &node, at});
  hosts.push_back({&state, nullptr, at});
  return hosts;
}

int CoresInUse(const Host& host) {
  int cores = 0;
  for (const exporter::PodState& pod : host.state->pods) {
    if (pod.node < 0 || pod.finished) continue;
    if (&host.state->nodes[static_cast<std::size_t>(pod.node)] == host.node) cores += pod.gpus;
  }
  return cores;
}

void PutGpu(json::Writer& out, const FleetState& state, const GpuState& gpu) {
  // -1: the board does not tell.
  const auto read = [&](std::string_view family, double scale = 1) {
    const auto value = exporter::GpuReading(state, gpu, family);
    return value ? static_cast<std::int64_t>(std::llround(*value * scale)) : -1;
  };
  out.BeginObject();
  Put(out, "gpu_id", gpu.index);
  Put(out, "name", gpu.model->name);
  Put(out, "driver_version", exporter::kDriverVersion);
  Put(out, "pci_bus_id", exporter::PciBusId(gpu));
  Put(out, "gpu_utilization", gpu.utilization);
  Put(out, "graphics_clock_mhz", read("nvidia_gpu_sm_clock_mhz"));
  Put(out, "mem_utilization", read("nvidia_gpu_memory_utilization_percent"));
  Put(out, "mem_clock_mhz", read("nvidia_gpu_memory_clock_mhz"));
  Put(out, "memory_total_mib", static_cast<double>(gpu.model->memory_mib));
  Put(out, "memory_used_mib", static_cast<double>(gpu.memory_used_mib));
  Put(out, "memory_free_mib", static_cast<double>(gpu.model->memory_mib - gpu.memory_used_mib));
  Put(out, "temperature", read("nvidia_gpu_temperature_celsius"));
  Put(out, "fan_speed", read("nvidia_gpu_fan_speed_percent"));
  Put(out, "power_usage_mw", read("nvidia_gpu_power_watts", 1000));
  Put(out, "power_limit_mw", read("nvidia_gpu_power_limit_watts", 1000));
  PutMark(out);
  out.EndObject();
}

void PutNuma(json::Writer& out, const Host& host) {
  out.Key("numa_topology");
  if (host.node == nullptr) {
    out.Null();
    return;
  }
  const int half = exporter::CoresPerNode(*host.state) / 2;
  out.BeginObject();
  for (int numa = 0; numa < 2; ++numa) {
    out.Key(std::to_string(numa));
    out.BeginObject();
    out.Key("cores");
    out.BeginArray();
    for (int core = numa * half; core < (numa + 1) * half; ++core) out.Integer(core);
    out.EndArray();
    Put(out, "memory_bytes", host.memory_total() / 2);
    out.EndObject();
  }
  out.EndObject();
}

// What both /nodes and /health tell of a node.
void PutReadings(json::Writer& out, const Host& host) {
  Put(out, "last_heartbeat", NaiveTime(host.heartbeat()));
  PutNuma(out, host);
  Put(out, "cpu_percent", host.cpu_percent());
  Put(out, "memory_percent", host.memory_percent());
  Put(out, "memory_used_bytes", host.memory_used());
  Put(out, "memory_total_bytes", host.memory_total());
  Put(out, "current_avg_temp", host.celsius());
  Put(out, "current_max_temp", host.celsius() + 6);
  out.Key("gpu_info");
  out.BeginArray();
  if (host.node != nullptr) {
    const auto first = static_cast<std::size_t>(host.node->spec->first_gpu);
    for (std::size_t i = 0; i < host.node->spec->traits.size(); ++i) {
      const GpuState& gpu = host.state->gpus[first + i];
      if (gpu.present) PutGpu(out, *host.state, gpu);
    }
  }
  out.EndArray();
  PutMark(out);
}

void PutNode(json::Writer& out, const Host& host, std::size_t number) {
  const int cores = exporter::CoresPerNode(*host.state);
  const int used = CoresInUse(host);
  out.BeginObject();
  Put(out, "hostname", host.name());
  Put(out, "url", "http://10.20.0." + std::to_string(number % 250 + 1) + ":8001");
  Put(out, "total_cores", cores);
  if (host.node != nullptr) {
    Put(out, "cores_in_use", used);
    Put(out, "available_cores", cores - used);
  } else {
    Put(out, "cores_in_use", "N/A");
    Put(out, "available_cores", 0);
  }
  Put(out, "status", host.status());
  Put(out, "vm_capable", false);
  out.Key("vfio_gpus");
  out.BeginArray();
  out.EndArray();
  Put(out, "runner_version", "demo");
  PutReadings(out, host);
  out.EndObject();
}

void PutHealth(json::Writer& out, const Host& host) {
  out.BeginObject();
  Put(out, "hostname", host.name());
  Put(out, "status", host.status());
  Put(out, "total_cores", exporter::CoresPerNode(*host.state));
  PutReadings(out, host);
  out.EndObject();
}

void PutAggregate(json::Writer& out, const std::vector<Host>& hosts) {
  std::int64_t total = 0;
  std::int64_t used = 0;
  double cpu = 0;
  double average = 0;
  double hottest = 0;
  for (const Host& host : hosts) {
    total += host.memory_total();
    used += host.memory_used();
    cpu += host.cpu_percent() / static_cast<double>(hosts.size());
    average = std::max(average, host.celsius());
    hottest = std::max(hottest, host.celsius() + 6);
  }
  const auto nodes = static_cast<std::int64_t>(hosts.size());
  out.BeginObject();
  Put(out, "totalNodes", nodes);
  Put(out, "onlineNodes", nodes - 1);
  Put(out, "totalCores", nodes * exporter::CoresPerNode(*hosts.front().state));
  Put(out, "totalMemBytes", total);
  Put(out, "usedMemBytes", used);
  Put(out, "avgCpuPercent", cpu);
  Put(out, "avgMemPercent", 100 * static_cast<double>(used) / static_cast<double>(total));
  Put(out, "maxAvgCpuTemp", average);
  Put(out, "maxMaxCpuTemp", hottest);
  Put(out, "lastUpdated", NaiveTime(hosts.front().at));
  PutMark(out);
  out.EndObject();
}

}  // namespace

std::string NaiveTime(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t unix_time = seconds.time_since_epoch().count();
  std::tm local{};
  localtime_r(&unix_time, &local);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &local);
  std::snprintf(text + size, sizeof text - size, ".%03d000",
                static_cast<int>((time - seconds).count()));
  return text;
}

std::string NodesJson(const FleetState& state, WallTime now) {
  json::Writer out;
  out.BeginArray();
  std::size_t number = 0;
  for (const Host& host : HostsOf(state, now)) PutNode(out, host, number++);
  out.EndArray();
  return out.Take();
}

std::string HealthJson(const exporter::Fleet& fleet, WallTime now) {
  constexpr int kSamples = 60;
  json::Writer aggregates;
  aggregates.BeginArray();
  json::Writer out;
  out.BeginObject();
  out.Key("nodes");
  out.BeginArray();
  for (int age = Looks(fleet, kSamples) - 1; age >= 0; --age) {
    const WallTime at = now - std::chrono::seconds(age);
    const FleetState state = fleet.At(at);
    const std::vector<Host> hosts = HostsOf(state, at);
    out.BeginArray();
    for (const Host& host : hosts) PutHealth(out, host);
    out.EndArray();
    PutAggregate(aggregates, hosts);
  }
  out.EndArray();
  aggregates.EndArray();
  out.Key("aggregate");
  out.Raw(aggregates.view());
  PutMark(out);
  out.EndObject();
  return out.Take();
}

std::optional<std::string> NodeHealthJson(const FleetState& state, WallTime now,
                                          std::string_view hostname) {
  for (const Host& host : HostsOf(state, now)) {
    if (host.name() != hostname) continue;
    json::Writer out;
    out.BeginArray();
    PutHealth(out, host);
    out.EndArray();
    return out.Take();
  }
  return std::nullopt;
}

}  // namespace gpumon::demo
