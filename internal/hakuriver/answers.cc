#include "internal/hakuriver/answers.h"

#include <cmath>
#include <utility>

#include "internal/base/text.h"
#include "internal/hakuriver/fields.h"

namespace gpumon::hakuriver {
namespace {

using json::Value;

Result<Value> Parse(const std::string& body) {
  auto document =
      IsValidUtf8(body) ? json::ParseDocument(body) : json::ParseDocument(ToValidUtf8(body));
  if (document) return *std::move(document);
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  const bool page = first != std::string::npos && body[first] == '<';
  return Error(Code::kUpstreamInvalid,
               page ? "it is a web page" : "its answer is no JSON: " + document.error().message);
}

Result<Value> ParseList(const std::string& body, const char* what) {
  auto document = Parse(body);
  if (!document) return document;
  if (document->is_array()) return document;
  return Error(Code::kUpstreamInvalid, std::string("its ") + what + " are no list");
}

std::optional<std::int64_t> BytesOf(const Value& mib) {
  constexpr double kMostMib = 8796093022207;  // 2^63 bytes
  const auto amount = AmountOf(mib);
  if (!amount || *amount > kMostMib) return std::nullopt;
  return std::llround(*amount * 1048576);
}

std::optional<double> WattsOf(const Value& milliwatts) {
  const auto amount = AmountOf(milliwatts);
  return amount ? std::optional<double>(*amount / 1000) : std::nullopt;
}

Gpu GpuOf(const Value& value) {
  Gpu gpu;
  gpu.id = CountOf(value["gpu_id"]);
  gpu.name = TextOf(value["name"]);
  gpu.driver_version = TextOf(value["driver_version"]);
  gpu.pci_bus_id = TextOf(value["pci_bus_id"]);
  gpu.utilization_percent = AmountOf(value["gpu_utilization"]);
  gpu.memory_utilization_percent = AmountOf(value["mem_utilization"]);
  gpu.graphics_clock_mhz = AmountOf(value["graphics_clock_mhz"]);
  gpu.memory_clock_mhz = AmountOf(value["mem_clock_mhz"]);
  gpu.memory_total_bytes = BytesOf(value["memory_total_mib"]);
  gpu.memory_used_bytes = BytesOf(value["memory_used_mib"]);
  gpu.memory_free_bytes = BytesOf(value["memory_free_mib"]);
  gpu.temperature_celsius = AmountOf(value["temperature"]);
  gpu.fan_percent = AmountOf(value["fan_speed"]);
  gpu.power_watts = WattsOf(value["power_usage_mw"]);
  gpu.power_limit_watts = WattsOf(value["power_limit_mw"]);
  return gpu;
}

std::vector<Gpu> GpusOf(const Value& value) {
  std::vector<Gpu> gpus;
  for (const Value& one : value.elements()) {
    if (one.is_object()) gpus.push_back(GpuOf(one));
  }
  return gpus;
}

std::vector<NumaNode> NumaOf(const Value& value) {
  std::vector<NumaNode> nodes;
  for (const auto& [id, one] : value.members()) {
    nodes.push_back({ToValidUtf8(id), CountsOf(one["cores"]), CountOf(one["memory_bytes"])});
  }
  return nodes;
}

Load LoadOf(const Value& value) {
  return {AmountOf(value["cpu_percent"]),      AmountOf(value["memory_percent"]),
          CountOf(value["memory_used_bytes"]), CountOf(value["memory_total_bytes"]),
          AmountOf(value["current_avg_temp"]), AmountOf(value["current_max_temp"])};
}

Node NodeOf(const Value& value) {
  Node node;
  node.hostname = TextOf(value["hostname"]);
  node.status = TextOf(value["status"]);
  node.url = TextOf(value["url"]);
  node.last_heartbeat = TimeOf(value["last_heartbeat"]);
  node.total_cores = CountOf(value["total_cores"]);
  node.cores_in_use = CountOf(value["cores_in_use"]);
  node.available_cores = CountOf(value["available_cores"]);
  node.numa = NumaOf(value["numa_topology"]);
  node.gpus = GpusOf(value["gpu_info"]);
  node.load = LoadOf(value);
  node.runner_version = TextOf(value["runner_version"]);
  node.vm_capable = BoolOf(value["vm_capable"]);
  return node;
}

std::vector<HealthSample> SamplesOf(const Value& value) {
  std::vector<HealthSample> samples;
  for (const Value& one : value.elements()) {
    HealthSample sample;
    sample.hostname = TextOf(one["hostname"]);
    if (sample.hostname.empty()) continue;
    sample.status = TextOf(one["status"]);
    sample.last_heartbeat = TimeOf(one["last_heartbeat"]);
    sample.total_cores = CountOf(one["total_cores"]);
    sample.numa = NumaOf(one["numa_topology"]);
    sample.gpus = GpusOf(one["gpu_info"]);
    sample.load = LoadOf(one);
    samples.push_back(std::move(sample));
  }
  return samples;
}

Aggregate AggregateOf(const Value& value) {
  Aggregate all;
  all.total_nodes = CountOf(value["totalNodes"]);
  all.online_nodes = CountOf(value["onlineNodes"]);
  all.total_cores = CountOf(value["totalCores"]);
  all.total_memory_bytes = CountOf(value["totalMemBytes"]);
  all.used_memory_bytes = CountOf(value["usedMemBytes"]);
  all.average_cpu_percent = AmountOf(value["avgCpuPercent"]);
  all.average_memory_percent = AmountOf(value["avgMemPercent"]);
  all.most_average_cpu_celsius = AmountOf(value["maxAvgCpuTemp"]);
  all.most_cpu_celsius = AmountOf(value["maxMaxCpuTemp"]);
  all.last_updated = TimeOf(value["lastUpdated"]);
  return all;
}

std::vector<std::string> TextsOf(const Value& value) {
  std::vector<std::string> texts;
  for (const Value& one : value.elements()) texts.push_back(TextOf(one));
  return texts;
}

Task TaskOf(const Value& value) {
  Task task;
  task.id = IdOf(value["task_id"]);
  task.batch_id = IdOf(value["batch_id"]);
  task.type = TextOf(value["task_type"]);
  task.command = TextOf(value["command"]);
  task.arguments = TextsOf(value["arguments"]);
  for (const auto& [name, one] : value["env_vars"].members()) {
    task.environment.emplace_back(ToValidUtf8(name), TextOf(one));
  }
  task.status = TextOf(value["status"]);
  task.assigned_node = TextOf(value["assigned_node"]);
  task.required_cores = CountOf(value["required_cores"]);
  task.required_gpus = CountsOf(value["required_gpus"]);
  task.required_memory_bytes = CountOf(value["required_memory_bytes"]);
  task.target_numa_node_id = CountOf(value["target_numa_node_id"]);
  task.exit_code = IntegerOf(value["exit_code"]);
  task.error_message = TextOf(value["error_message"]);
  task.submitted_at = TimeOf(value["submitted_at"]);
  task.started_at = TimeOf(value["started_at"]);
  task.completed_at = TimeOf(value["completed_at"]);
  task.container_name = TextOf(value["container_name"]);
  task.ssh_port = CountOf(value["ssh_port"]);
  task.name = TextOf(value["name"]);
  task.owner = TextOf(value["owner_username"]);
  task.approval_status = TextOf(value["approval_status"]);
  return task;
}

Vps VpsOf(Task task) {
  Vps vps;
  vps.id = std::move(task.id);
  vps.status = std::move(task.status);
  vps.assigned_node = std::move(task.assigned_node);
  vps.required_cores = task.required_cores;
  vps.required_gpus = std::move(task.required_gpus);
  vps.required_memory_bytes = task.required_memory_bytes;
  vps.target_numa_node_id = task.target_numa_node_id;
  vps.submitted_at = std::move(task.submitted_at);
  vps.started_at = std::move(task.started_at);
  vps.completed_at = std::move(task.completed_at);
  vps.ssh_port = task.ssh_port;
  vps.exit_code = task.exit_code;
  vps.error_message = std::move(task.error_message);
  vps.container_name = std::move(task.container_name);
  vps.name = std::move(task.name);
  vps.owner = std::move(task.owner);
  return vps;
}

// A list of something else is no empty list.
Status NoneOf(const std::string& what, const std::string& field) {
  return {Code::kUpstreamInvalid, "none of its " + what + " has a " + field, {}, 0};
}

}  // namespace

bool Task::active() const {
  return status == "pending" || status == "assigning" || status == "running" || status == "paused";
}

Result<std::vector<Node>> ReadNodes(const std::string& body) {
  const auto list = ParseList(body, "nodes");
  if (!list) return Error(list.error());
  std::vector<Node> nodes;
  for (const Value& one : list->elements()) {
    Node node = NodeOf(one);
    if (!node.hostname.empty()) nodes.push_back(std::move(node));
  }
  if (nodes.empty() && list->size() > 0) return Error(NoneOf("nodes", "hostname"));
  return nodes;
}

Result<Health> ReadHealth(const std::string& body) {
  const auto document = Parse(body);
  if (!document) return Error(document.error());
  Health health;
  if (document->is_array()) {
    health.samples.push_back(SamplesOf(*document));
    if (health.samples[0].empty() && document->size() > 0) {
      return Error(NoneOf("nodes", "hostname"));
    }
    return health;
  }
  if (!document->is_object() || !(*document)["nodes"].is_array()) {
    return Error(Code::kUpstreamInvalid, "its health is neither a history nor a node");
  }
  bool any = false;
  bool known = false;
  for (const Value& one : (*document)["nodes"].elements()) {
    health.samples.push_back(SamplesOf(one));
    any |= !one.is_array() || one.size() > 0;
    known |= !health.samples.back().empty();
  }
  if (any && !known) return Error(NoneOf("nodes", "hostname"));
  for (const Value& one : (*document)["aggregate"].elements()) {
    health.aggregates.push_back(AggregateOf(one));
  }
  return health;
}

Result<Task> ReadTask(const std::string& body) {
  const auto document = Parse(body);
  if (!document) return Error(document.error());
  Task task = TaskOf(*document);
  if (task.id.empty()) return Error(Code::kUpstreamInvalid, "its task has no id");
  return task;
}

Result<std::vector<Task>> ReadTasks(const std::string& body) {
  const auto list = ParseList(body, "tasks");
  if (!list) return Error(list.error());
  std::vector<Task> tasks;
  for (const Value& one : list->elements()) {
    Task task = TaskOf(one);
    if (!task.id.empty()) tasks.push_back(std::move(task));
  }
  if (tasks.empty() && list->size() > 0) return Error(NoneOf("tasks", "task_id"));
  return tasks;
}

Result<std::vector<Vps>> ReadVps(const std::string& body) {
  auto tasks = ReadTasks(body);
  if (!tasks) return Error(tasks.error());
  std::vector<Vps> all;
  for (Task& task : *tasks) all.push_back(VpsOf(std::move(task)));
  return all;
}

}  // namespace gpumon::hakuriver
