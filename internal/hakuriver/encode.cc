#include "internal/hakuriver/encode.h"

#include <initializer_list>
#include <string>
#include <string_view>

#include "internal/base/text.h"

namespace gpumon::hakuriver {
namespace {

using json::Writer;

void Put(Writer& writer, std::string_view key, const std::string& text) {
  writer.Key(key);
  if (text.empty()) return writer.Null();
  writer.String(text);
}

void Put(Writer& writer, std::string_view key, std::optional<double> number) {
  writer.Key(key);
  if (!number) return writer.Null();
  // 97, not 97.0: as the host writes it.
  writer.Raw(FormatNumber(*number));
}

void Put(Writer& writer, std::string_view key, std::optional<std::int64_t> number) {
  writer.Key(key);
  if (!number) return writer.Null();
  writer.Integer(*number);
}

void Put(Writer& writer, std::string_view key, std::optional<bool> truth) {
  writer.Key(key);
  if (!truth) return writer.Null();
  writer.Bool(*truth);
}

void Put(Writer& writer, std::string_view key, const Time& time) {
  Put(writer, key, time.utc ? FormatTime(*time.utc) : time.text);
}

void PutZone(Writer& writer, std::initializer_list<const Time*> times) {
  bool all = true;
  bool any = false;
  for (const Time* const time : times) {
    any |= time->known();
    all &= !time->no_zone();
  }
  Put(writer, "time_zone", std::string(any && all ? "UTC" : ""));
}

void Put(Writer& writer, std::string_view key, const std::vector<std::int64_t>& numbers) {
  writer.Key(key);
  writer.BeginArray();
  for (const std::int64_t number : numbers) writer.Integer(number);
  writer.EndArray();
}

void PutGpus(Writer& writer, const std::vector<Gpu>& gpus) {
  writer.Key("gpu_info");
  writer.BeginArray();
  for (const Gpu& gpu : gpus) Write(gpu, writer);
  writer.EndArray();
}

void PutNuma(Writer& writer, const std::vector<NumaNode>& nodes) {
  writer.Key("numa_topology");
  writer.BeginObject();
  for (const NumaNode& node : nodes) {
    writer.Key(node.id);
    writer.BeginObject();
    Put(writer, "cores", node.cores);
    Put(writer, "memory_bytes", node.memory_bytes);
    writer.EndObject();
  }
  writer.EndObject();
}

void PutLoad(Writer& writer, const Load& load) {
  Put(writer, "cpu_percent", load.cpu_percent);
  Put(writer, "memory_percent", load.memory_percent);
  Put(writer, "memory_used_bytes", load.memory_used_bytes);
  Put(writer, "memory_total_bytes", load.memory_total_bytes);
  Put(writer, "current_avg_temp", load.average_cpu_celsius);
  Put(writer, "current_max_temp", load.most_cpu_celsius);
}

// Without what was measured; what a machine has stays.
Load WithoutReadings(const Load& load) {
  Load left;
  left.memory_total_bytes = load.memory_total_bytes;
  return left;
}

std::vector<Gpu> WithoutReadings(const std::vector<Gpu>& gpus) {
  std::vector<Gpu> left;
  for (const Gpu& gpu : gpus) {
    Gpu& one = left.emplace_back();
    one.id = gpu.id;
    one.name = gpu.name;
    one.driver_version = gpu.driver_version;
    one.pci_bus_id = gpu.pci_bus_id;
    one.memory_total_bytes = gpu.memory_total_bytes;
    one.power_limit_watts = gpu.power_limit_watts;
  }
  return left;
}

// What both kinds of tasks have.
template <class T>
void PutRequest(Writer& writer, const T& task) {
  Put(writer, "task_id", task.id);
  Put(writer, "status", task.status);
  Put(writer, "assigned_node", task.assigned_node);
  Put(writer, "required_cores", task.required_cores);
  Put(writer, "required_memory_bytes", task.required_memory_bytes);
  Put(writer, "required_gpus", task.required_gpus);
  Put(writer, "submitted_at", task.submitted_at);
  Put(writer, "started_at", task.started_at);
  Put(writer, "completed_at", task.completed_at);
  PutZone(writer, {&task.submitted_at, &task.started_at, &task.completed_at});
  Put(writer, "exit_code", task.exit_code);
  Put(writer, "error_message", task.error_message);
  Put(writer, "container_name", task.container_name);
  Put(writer, "target_numa_node_id", task.target_numa_node_id);
  Put(writer, "ssh_port", task.ssh_port);
  Put(writer, "name", task.name);
  Put(writer, "owner_username", task.owner);
}

}  // namespace

void Write(const Gpu& gpu, Writer& writer) {
  writer.BeginObject();
  Put(writer, "gpu_id", gpu.id);
  Put(writer, "name", gpu.name);
  Put(writer, "driver_version", gpu.driver_version);
  Put(writer, "pci_bus_id", gpu.pci_bus_id);
  Put(writer, "utilization", gpu.utilization_percent);
  Put(writer, "memory_utilization", gpu.memory_utilization_percent);
  Put(writer, "memory_used_bytes", gpu.memory_used_bytes);
  Put(writer, "memory_total_bytes", gpu.memory_total_bytes);
  Put(writer, "memory_free_bytes", gpu.memory_free_bytes);
  Put(writer, "temperature", gpu.temperature_celsius);
  Put(writer, "fan_speed", gpu.fan_percent);
  Put(writer, "power", gpu.power_watts);
  Put(writer, "power_limit", gpu.power_limit_watts);
  Put(writer, "graphics_clock", gpu.graphics_clock_mhz);
  Put(writer, "memory_clock", gpu.memory_clock_mhz);
  writer.EndObject();
}

void Write(const Node& node, Writer& writer) {
  writer.BeginObject();
  Put(writer, "hostname", node.hostname);
  Put(writer, "status", node.status);
  Put(writer, "url", node.url);
  Put(writer, "total_cores", node.total_cores);
  Put(writer, "cores_in_use", node.cores_in_use);
  Put(writer, "available_cores", node.available_cores);
  Put(writer, "last_heartbeat", node.last_heartbeat);
  PutZone(writer, {&node.last_heartbeat});
  PutLoad(writer, node.offline() ? WithoutReadings(node.load) : node.load);
  PutNuma(writer, node.numa);
  PutGpus(writer, node.offline() ? WithoutReadings(node.gpus) : node.gpus);
  Put(writer, "runner_version", node.runner_version);
  Put(writer, "vm_capable", node.vm_capable);
  writer.EndObject();
}

void Write(const HealthSample& sample, Writer& writer) {
  writer.BeginObject();
  Put(writer, "hostname", sample.hostname);
  Put(writer, "status", sample.status);
  Put(writer, "fresh", std::optional<bool>(sample.fresh));
  Put(writer, "last_heartbeat", sample.last_heartbeat);
  PutZone(writer, {&sample.last_heartbeat});
  Put(writer, "total_cores", sample.total_cores);
  PutLoad(writer, sample.load);
  PutNuma(writer, sample.numa);
  PutGpus(writer, sample.gpus);
  writer.EndObject();
}

void Write(const Aggregate& aggregate, Writer& writer) {
  writer.BeginObject();
  Put(writer, "total_nodes", aggregate.total_nodes);
  Put(writer, "online_nodes", aggregate.online_nodes);
  Put(writer, "total_cores", aggregate.total_cores);
  Put(writer, "total_memory_bytes", aggregate.total_memory_bytes);
  Put(writer, "used_memory_bytes", aggregate.used_memory_bytes);
  Put(writer, "avg_cpu_percent", aggregate.average_cpu_percent);
  Put(writer, "avg_memory_percent", aggregate.average_memory_percent);
  Put(writer, "max_avg_cpu_temp", aggregate.most_average_cpu_celsius);
  Put(writer, "max_max_cpu_temp", aggregate.most_cpu_celsius);
  Put(writer, "last_updated", aggregate.last_updated);
  PutZone(writer, {&aggregate.last_updated});
  writer.EndObject();
}

void Write(const Task& task, Writer& writer) {
  writer.BeginObject();
  PutRequest(writer, task);
  Put(writer, "task_type", task.type);
  Put(writer, "batch_id", task.batch_id);
  Put(writer, "command", task.command);
  writer.Key("arguments");
  writer.BeginArray();
  for (const std::string& argument : task.arguments) writer.String(argument);
  writer.EndArray();
  writer.Key("env_vars");
  writer.BeginArray();
  for (const auto& [name, value] : task.environment) writer.String(name);
  writer.EndArray();
  Put(writer, "approval_status", task.approval_status);
  writer.EndObject();
}

void Write(const Vps& vps, Writer& writer) {
  writer.BeginObject();
  PutRequest(writer, vps);
  writer.EndObject();
}

}  // namespace gpumon::hakuriver
