#include <initializer_list>
#include <string_view>

#include "internal/base/text.h"
#include "internal/json/document.h"
#include "internal/store/snapshot.h"
#include "internal/store/stored_time.h"

namespace gpumon::store {
namespace {

using json::Value;

std::string TextOf(const Value& value) {
  const std::string* const text = value.AsString();
  return text == nullptr ? std::string() : *text;
}

// The first of these members that is there.
const Value& FirstOf(const Value& object, std::initializer_list<std::string_view> names) {
  static const Value kNothing;
  for (const std::string_view name : names) {
    if (const Value* const found = object.Find(name)) return *found;
  }
  return kNothing;
}

// Flow wrote some numbers under shorter names.
std::string_view ShortNameOf(std::string_view key) {
  for (const std::string_view unit : {"_c", "_w", "_pct"}) {
    if (key.ends_with(unit)) return key.substr(0, key.size() - unit.size());
  }
  return key;
}

GpuReading ReadGpu(const Value& value) {
  GpuReading gpu;
  gpu.gpu_index = FirstOf(value, {"gpu_index", "index"}).AsInteger();
  gpu.uuid = TextOf(value["uuid"]);
  gpu.name = TextOf(value["name"]);
  for (const GpuNumber& number : kGpuNumbers) {
    gpu.*number.value = FirstOf(value, {number.key, ShortNameOf(number.key)}).AsDouble();
  }
  for (const Value& xid : value["xid_events"].elements()) gpu.xid_events.push_back(TextOf(xid));
  gpu.nvlink_status = TextOf(value["nvlink_status"]);
  for (const Value& one : value["processes"].elements()) {
    if (!one.is_object()) continue;
    gpu.processes.push_back(
        {one["pid"].AsInteger().value_or(0), TextOf(one["name"]), one["memory_mb"].AsDouble()});
  }
  return gpu;
}

SystemReading ReadSystem(const Value& value) {
  SystemReading system;
  for (const SystemNumber& number : kSystemNumbers) {
    system.*number.value = value[number.key].AsDouble();
  }
  const Value& load = value["load_average"];
  if (load.size() == 3) {
    system.load_average = {load[0].AsDouble().value_or(0), load[1].AsDouble().value_or(0),
                           load[2].AsDouble().value_or(0)};
  }
  return system;
}

void ReadStates(const Value& value, Snapshot& snapshot) {
  const auto time = [&](const Value& text) {
    return ParseStoredTime(TextOf(text)).value_or(snapshot.timestamp);
  };
  for (const Value& one : value["health_states"].elements()) {
    if (!one.is_object()) continue;
    snapshot.health_states.push_back({TextOf(one["component"]), TextOf(one["health"]),
                                      TextOf(one["message"]), TextOf(one["severity"]),
                                      time(one["timestamp"])});
  }
  for (const Value& one : value["events"].elements()) {
    if (!one.is_object()) continue;
    snapshot.events.push_back({time(one["timestamp"]), TextOf(one["component"]),
                               TextOf(one["level"]), TextOf(one["message"])});
  }
}

}  // namespace

std::optional<WallTime> ParseStoredTime(std::string_view text) {
  if (const auto time = ParseTime(text)) return time;
  if (text.find('T') == std::string_view::npos) return std::nullopt;
  if (text.ends_with("ZZ")) return std::nullopt;
  if (text.ends_with('Z')) return ParseTime(text.substr(0, text.size() - 1));
  return ParseTime(std::string(text) + 'Z');
}

Result<Snapshot> DecodeLine(std::string_view line) {
  const auto document = json::ParseDocument(line);
  if (!document) return Error(document.error());
  const Value& value = *document;
  const auto time = ParseStoredTime(TextOf(value["timestamp"]));
  Snapshot snapshot;
  snapshot.task_id = TextOf(value["task_id"]);
  if (!value.is_object() || !time || snapshot.task_id.empty()) {
    return Error(Code::kInvalidParameter, "it has no task_id or no time");
  }
  snapshot.timestamp = *time;
  snapshot.id = TextOf(value["id"]);
  snapshot.task_name = TextOf(value["task_name"]);
  snapshot.instance_id = TextOf(value["instance_id"]);
  snapshot.instance_type = TextOf(value["instance_type"]);
  snapshot.gpud_healthy = value["gpud_healthy"].AsBool().value_or(false);
  snapshot.gpud_version = TextOf(value["gpud_version"]);
  for (const auto& [key, info] : value["machine_info"].members()) {
    if (const std::string* const text = info.AsString())
      snapshot.machine_info.emplace_back(key, *text);
  }
  for (const Value& gpu : value["gpu_metrics"].elements()) {
    if (gpu.is_object()) snapshot.gpu_metrics.push_back(ReadGpu(gpu));
  }
  if (value["system_metrics"].is_object()) {
    snapshot.system_metrics = ReadSystem(value["system_metrics"]);
  }
  ReadStates(value, snapshot);
  snapshot.health_score = value["health_score"].AsDouble();
  snapshot.health_status = TextOf(value["health_status"]);
  return snapshot;
}

}  // namespace gpumon::store
