#include "internal/store/snapshot.h"

#include <sys/random.h>

#include <random>

#include "internal/base/text.h"
#include "internal/json/writer.h"

namespace gpumon::store {
namespace {

using json::Writer;

void Text(Writer& writer, std::string_view key, std::string_view text) {
  writer.Key(key);
  writer.String(text);
}

void TextOrNull(Writer& writer, std::string_view key, std::string_view text) {
  writer.Key(key);
  if (text.empty()) {
    writer.Null();
  } else {
    writer.String(text);
  }
}

void NumberOrNull(Writer& writer, std::string_view key, const std::optional<double>& number) {
  writer.Key(key);
  if (number) {
    writer.Number(*number);
  } else {
    writer.Null();
  }
}

void WriteProcesses(Writer& writer, const GpuReading& gpu) {
  writer.Key("processes");
  writer.BeginArray();
  for (const GpuProcess& process : gpu.processes) {
    writer.BeginObject();
    writer.Key("pid");
    writer.Integer(process.pid);
    Text(writer, "name", process.name);
    NumberOrNull(writer, "memory_mb", process.memory_mb);
    writer.Key("gpu_index");
    if (gpu.gpu_index) {
      writer.Integer(*gpu.gpu_index);
    } else {
      writer.Null();
    }
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteGpu(Writer& writer, const GpuReading& gpu) {
  writer.BeginObject();
  writer.Key("gpu_index");
  if (gpu.gpu_index) {
    writer.Integer(*gpu.gpu_index);
  } else {
    writer.Null();
  }
  Text(writer, "uuid", gpu.uuid);
  Text(writer, "name", gpu.name);
  for (const GpuNumber& number : kGpuNumbers) NumberOrNull(writer, number.key, gpu.*number.value);
  writer.Key("xid_events");
  writer.BeginArray();
  for (const std::string& xid : gpu.xid_events) writer.String(xid);
  writer.EndArray();
  Text(writer, "nvlink_status", gpu.nvlink_status);
  WriteProcesses(writer, gpu);
  writer.EndObject();
}

void WriteReadings(Writer& writer, const SystemReading& system) {
  writer.BeginObject();
  for (const SystemNumber& number : kSystemNumbers) {
    NumberOrNull(writer, number.key, system.*number.value);
  }
  writer.Key("load_average");
  if (system.load_average) {
    writer.BeginArray();
    for (const double load : *system.load_average) writer.Number(load);
    writer.EndArray();
  } else {
    writer.Null();
  }
  writer.EndObject();
}

void WriteSystem(Writer& writer, const std::optional<SystemReading>& system) {
  writer.Key("system_metrics");
  if (!system) return writer.Null();
  WriteReadings(writer, *system);
}

void WriteAgent(Writer& writer, const Snapshot& snapshot) {
  writer.Key("gpud_healthy");
  writer.Bool(snapshot.gpud_healthy);
  TextOrNull(writer, "gpud_version", snapshot.gpud_version);
  writer.Key("machine_info");
  writer.BeginObject();
  for (const auto& [key, value] : snapshot.machine_info) Text(writer, key, value);
  writer.EndObject();
  writer.Key("gpu_metrics");
  writer.BeginArray();
  for (const GpuReading& gpu : snapshot.gpu_metrics) WriteGpu(writer, gpu);
  writer.EndArray();
}

using TimeText = std::string (*)(WallTime);

void WriteStates(Writer& writer, const Snapshot& snapshot, TimeText time) {
  writer.Key("health_states");
  writer.BeginArray();
  for (const HealthState& state : snapshot.health_states) {
    writer.BeginObject();
    Text(writer, "component", state.component);
    Text(writer, "health", state.health);
    Text(writer, "message", state.message);
    Text(writer, "severity", state.severity);
    Text(writer, "timestamp", time(state.timestamp));
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("events");
  writer.BeginArray();
  for (const Event& event : snapshot.events) {
    writer.BeginObject();
    Text(writer, "timestamp", time(event.timestamp));
    Text(writer, "component", event.component);
    Text(writer, "level", event.level);
    Text(writer, "message", event.message);
    writer.Key("details");
    writer.Raw("{}");
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteScore(Writer& writer, const Snapshot& snapshot) {
  NumberOrNull(writer, "health_score", snapshot.health_score);
  Text(writer, "health_status", snapshot.health_status);
}

std::string Encode(const Snapshot& snapshot, TimeText time) {
  Writer writer(1024 + 512 * snapshot.gpu_metrics.size());
  writer.BeginObject();
  Text(writer, "id", snapshot.id);
  Text(writer, "task_id", snapshot.task_id);
  Text(writer, "task_name", snapshot.task_name);
  Text(writer, "instance_id", snapshot.instance_id);
  TextOrNull(writer, "instance_type", snapshot.instance_type);
  Text(writer, "timestamp", time(snapshot.timestamp));
  WriteAgent(writer, snapshot);
  WriteSystem(writer, snapshot.system_metrics);
  WriteStates(writer, snapshot, time);
  WriteScore(writer, snapshot);
  writer.EndObject();
  return writer.Take();
}

}  // namespace

std::string NewId() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    std::random_device device;
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(device());
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : bytes) id += {kHex[byte >> 4U], kHex[byte & 15U]};
  return id;
}

std::string LineTime(WallTime time) {
  std::string text = FormatTime(time);
  text.pop_back();
  return text + "+00:00";
}

std::string EncodeLine(const Snapshot& snapshot) {
  return Encode(snapshot, LineTime);
}

std::string EncodeAnswer(const Snapshot& snapshot) {
  return Encode(snapshot, FormatTime);
}

std::string EncodeElement(const Snapshot& snapshot) {
  Writer writer(1024 + 512 * snapshot.gpu_metrics.size());
  writer.BeginObject();
  Text(writer, "id", snapshot.id);
  Text(writer, "timestamp", FormatTime(snapshot.timestamp));
  Text(writer, "task_id", snapshot.task_id);
  Text(writer, "task_name", snapshot.task_name);
  TextOrNull(writer, "instance_type", snapshot.instance_type);
  writer.Key("gpud_metrics");
  writer.BeginObject();
  WriteAgent(writer, snapshot);
  WriteStates(writer, snapshot, FormatTime);
  WriteScore(writer, snapshot);
  writer.EndObject();
  writer.Key("system_metrics");
  if (snapshot.system_metrics) {
    WriteReadings(writer, *snapshot.system_metrics);
  } else {
    writer.Raw("{}");
  }
  writer.EndObject();
  return writer.Take();
}

}  // namespace gpumon::store
