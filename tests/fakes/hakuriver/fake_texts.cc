#include "tests/fakes/hakuriver/fake_texts.h"

#include <cstdio>

#include "internal/json/writer.h"

namespace gpumon::hakuriver {
namespace {

constexpr const char* kNuma =
    R"({"0":{"cores":[0,1,2,3],"memory_bytes":68719476736},"1":{"cores":[4,5],"memory_bytes":null}})";
constexpr const char* kGpus =
    R"([{"gpu_id":0,"name":"NVIDIA L40S","driver_version":"570.86.10",)"
    R"("pci_bus_id":"00000000:41:00.0","gpu_utilization":63,"graphics_clock_mhz":2490,)"
    R"("mem_utilization":21,"mem_clock_mhz":9001,"memory_total_mib":46068.0,)"
    R"("memory_used_mib":30211.5,"memory_free_mib":15856.5,"temperature":58,"fan_speed":-1,)"
    R"("power_usage_mw":231450,"power_limit_mw":350000},)"
    R"({"gpu_id":1,"name":"NVIDIA L40S","driver_version":"570.86.10",)"
    R"("pci_bus_id":"00000000:61:00.0","gpu_utilization":0,"graphics_clock_mhz":210,)"
    R"("mem_utilization":0,"mem_clock_mhz":405,"memory_total_mib":46068.0,)"
    R"("memory_used_mib":1.5,"memory_free_mib":46066.5,"temperature":31,"fan_speed":-1,)"
    R"("power_usage_mw":-1,"power_limit_mw":350000}])";
constexpr const char* kLoad =
    R"("cpu_percent":23.5,"memory_percent":41.2,"memory_used_bytes":56620482560,)"
    R"("memory_total_bytes":137438953472,"current_avg_temp":51.2,"current_max_temp":66.0)";
constexpr const char* kNoLoad =
    R"("cpu_percent":null,"memory_percent":null,"memory_used_bytes":null,)"
    R"("memory_total_bytes":null,"current_avg_temp":null,"current_max_temp":null)";
// The last values of the node that went offline.
constexpr const char* kOldLoad =
    R"("cpu_percent":97.0,"memory_percent":88.0,"memory_used_bytes":120946278400,)"
    R"("memory_total_bytes":137438953472,"current_avg_temp":80.5,"current_max_temp":91.0)";
constexpr const char* kOldHeartbeat = "2026-03-01T08:58:40.001000";

std::string HeadOf(bool online, int second) {
  return std::string(R"({"hostname":")") + (online ? "gn01" : "gn02") + R"(","status":")" +
         (online ? "online" : "offline") + R"(","last_heartbeat":")" +
         (online ? NaiveTime(second / 5 * 5) : kOldHeartbeat) + R"(","total_cores":32,)";
}

std::string NodeText(Generation generation, bool online, int second) {
  std::string text = HeadOf(online, second);
  text += std::string(R"("url":"http://10.9.0.1)") + (online ? '1' : '2') + R"(:8001",)";
  text += online ? R"("cores_in_use":8,"available_cores":24,)"
                 : R"("cores_in_use":"N/A","available_cores":0,)";
  text += std::string(R"("numa_topology":)") + (online ? kNuma : "null");
  text += std::string(R"(,"gpu_info":)") + (online ? kGpus : "[]");
  if (generation != Generation::kA) text += std::string(",") + (online ? kLoad : kNoLoad);
  if (generation == Generation::kC) {
    text += R"(,"vm_capable":false,"vfio_gpus":[],"runner_version":"0.8.1")";
  }
  return text + '}';
}

void Text(json::Writer& writer, const char* name, const std::string& text) {
  writer.Key(name);
  if (text.empty()) {
    writer.Null();
  } else {
    writer.String(text);
  }
}

void Number(json::Writer& writer, const char* name, std::optional<int> number) {
  writer.Key(name);
  if (number) {
    writer.Integer(*number);
  } else {
    writer.Null();
  }
}

void Id(json::Writer& writer, const char* name, const std::string& id, bool as_number) {
  writer.Key(name);
  if (as_number) {
    writer.Raw(id);
  } else {
    writer.String(id);
  }
}

void Resources(json::Writer& writer, const FakeTask& task) {
  writer.Key("status");
  writer.String(task.status);
  Text(writer, "assigned_node", task.node);
  writer.Key("target_numa_node_id");
  writer.Null();
  writer.Key("required_cores");
  writer.Integer(4);
  writer.Key("required_gpus");
  writer.BeginArray();
  for (const int gpu : task.gpus) writer.Integer(gpu);
  writer.EndArray();
  writer.Key("required_memory_bytes");
  writer.Integer(8589934592);
  Text(writer, "submitted_at", NaiveTime(-3600));
  Text(writer, "started_at", task.node.empty() ? "" : NaiveTime(-3598));
}

void Ending(json::Writer& writer, const FakeTask& task) {
  Number(writer, "exit_code", task.exit_code);
  Text(writer, "error_message", task.error_message);
  Text(writer, "completed_at", task.finished() ? NaiveTime(-60) : "");
}

}  // namespace

std::string NaiveTime(int second) {
  constexpr int kStart = 9 * 3600 + 15 * 60;
  const auto at = static_cast<unsigned>(kStart + second) % 86400U;
  char text[32];
  std::snprintf(text, sizeof text, "2026-03-01T%02u:%02u:%02u.418233", at / 3600, at / 60 % 60,
                at % 60);
  return text;
}

std::string NodesText(Generation generation, int second) {
  return '[' + NodeText(generation, true, second) + ',' + NodeText(generation, false, second) + ']';
}

std::string SampleText(bool online, int second) {
  return HeadOf(online, second) + (online ? kLoad : kOldLoad) + R"(,"numa_topology":)" + kNuma +
         R"(,"gpu_info":)" + kGpus + '}';
}

std::string AggregateText(int second) {
  return R"({"totalNodes":2,"onlineNodes":1,"totalCores":64,"totalMemBytes":274877906944,)"
         R"("usedMemBytes":177566760960,"avgCpuPercent":60.25,"avgMemPercent":64.6,)"
         R"("maxAvgCpuTemp":80.5,"maxMaxCpuTemp":91.0,"lastUpdated":")" +
         NaiveTime(second) + R"("})";
}

std::string TaskText(Generation generation, const FakeTask& task, bool of_list) {
  const bool old = generation == Generation::kA;
  json::Writer writer;
  writer.BeginObject();
  Id(writer, "task_id", task.id, generation == Generation::kB);
  Id(writer, "batch_id", task.id, generation == Generation::kB);
  if (!old) Text(writer, "task_type", task.type);
  Text(writer, "command", task.type == "vps" ? "vps" : task.command);
  writer.Key("arguments");
  writer.Raw(task.type == "vps" ? "[]" : R"(["train.py","--epochs","3"])");
  writer.Key("env_vars");
  writer.Raw(R"({"HF_TOKEN":"hf_not_for_you"})");
  Resources(writer, task);
  Ending(writer, task);
  Text(writer, "stdout_path", "/mnt/shared/task_outputs/" + task.id + ".out");
  Text(writer, "stderr_path", "/mnt/shared/task_errors/" + task.id + ".err");
  if (old) {
    if (!of_list) Text(writer, "systemd_unit_name", "hakuriver-task-" + task.id);
    Number(writer, "assignment_suspicion_count", 0);
  } else {
    Text(writer, "container_name", "pytorch-2.4");
    Number(writer, "ssh_port", task.ssh_port);
  }
  if (generation == Generation::kC) {
    Text(writer, "name", "nightly");
    Text(writer, "owner_username", "ada");
    Text(writer, "approval_status", "");
  }
  writer.EndObject();
  return writer.Take();
}

std::string VpsText(Generation generation, const FakeTask& task, bool of_active_list) {
  json::Writer writer;
  writer.BeginObject();
  Id(writer, "task_id", task.id, false);
  Resources(writer, task);
  if (of_active_list || generation != Generation::kA) Number(writer, "ssh_port", task.ssh_port);
  if (!of_active_list) Ending(writer, task);
  if (generation != Generation::kA) Text(writer, "container_name", "pytorch-2.4");
  if (generation == Generation::kC) {
    Text(writer, "name", "dev-box");
    Text(writer, "owner_username", "ada");
    writer.Key("assignees");
    writer.Raw("[]");
  }
  writer.EndObject();
  return writer.Take();
}

}  // namespace gpumon::hakuriver
