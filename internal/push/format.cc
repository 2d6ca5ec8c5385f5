#include "internal/push/format.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "internal/base/text.h"
#include "internal/json/writer.h"
#include "internal/store/snapshot.h"

namespace gpumon::push {
namespace {

using store::GpuReading;
using store::Snapshot;

constexpr double kMiB = 1024.0 * 1024;
constexpr double kGiB = 1024 * kMiB;

struct GpuRow {
  std::string_view name;  // behind "flow_gpu_"
  std::optional<double> GpuReading::*value;
  double scale;
  std::string_view help;
};
constexpr std::array kGpuRows = {
    GpuRow{"temperature_celsius", &GpuReading::temperature_c, 1, "Temperature."},
    GpuRow{"power_watts", &GpuReading::power_draw_w, 1, "Power draw."},
    GpuRow{"power_limit_watts", &GpuReading::power_limit_w, 1, "Power limit."},
    GpuRow{"memory_used_bytes", &GpuReading::memory_used_mb, kMiB, "Memory in use."},
    GpuRow{"memory_total_bytes", &GpuReading::memory_total_mb, kMiB, "Memory."},
    GpuRow{"utilization_percent", &GpuReading::gpu_utilization_pct, 1, "Utilization."},
    GpuRow{"sm_occupancy_percent", &GpuReading::sm_occupancy_pct, 1, "SM occupancy."},
    GpuRow{"sm_clock_hertz", &GpuReading::clock_mhz, 1e6, "SM clock."},
    GpuRow{"sm_clock_max_hertz", &GpuReading::max_clock_mhz, 1e6, "Highest SM clock."},
    GpuRow{"ecc_errors", &GpuReading::ecc_errors, 1, "Volatile ECC errors."},
};

struct SystemRow {
  std::string_view name;  // behind "flow_host_"
  std::optional<double> store::SystemReading::*value;
  double scale;
  std::string_view help;
};
constexpr std::array kSystemRows = {
    SystemRow{"cpu_percent", &store::SystemReading::cpu_usage_pct, 1, "CPU in use."},
    SystemRow{"memory_used_bytes", &store::SystemReading::memory_used_gb, kGiB, "Memory in use."},
    SystemRow{"memory_total_bytes", &store::SystemReading::memory_total_gb, kGiB, "Memory."},
    SystemRow{"disk_percent", &store::SystemReading::disk_usage_pct, 1, "Disk in use."},
};

// One value of a snapshot, with the labels that tell it from others of its name.
struct Point {
  std::string name;
  std::string_view help;
  std::vector<std::pair<std::string_view, std::string>> labels;
  double value = 0;
};

std::vector<Point> PointsOf(const Snapshot& snapshot) {
  std::vector<Point> points;
  if (snapshot.health_score) {
    points.push_back({"flow_health_score", "Health score, 0 to 1.", {}, *snapshot.health_score});
  }
  points.push_back({"flow_health_status",
                    "1: the level that the label says.",
                    {{"status", snapshot.health_status}},
                    1});
  points.push_back(
      {"flow_gpus", "GPUs of the task.", {}, static_cast<double>(snapshot.gpu_metrics.size())});
  points.push_back({"flow_snapshot_timestamp_seconds",
                    "When the snapshot was taken.",
                    {},
                    static_cast<double>(snapshot.timestamp.time_since_epoch().count()) / 1000});
  // By name: a text exposition has each family in one piece.
  for (const GpuRow& row : kGpuRows) {
    for (const GpuReading& gpu : snapshot.gpu_metrics) {
      const auto& value = gpu.*row.value;
      if (!value) continue;
      const std::string index = gpu.gpu_index ? std::to_string(*gpu.gpu_index) : "";
      points.push_back({"flow_gpu_" + std::string(row.name),
                        row.help,
                        {{"gpu", index}, {"uuid", gpu.uuid}},
                        *value * row.scale});
    }
  }
  if (!snapshot.system_metrics) return points;
  for (const SystemRow& row : kSystemRows) {
    const auto& value = (*snapshot.system_metrics).*row.value;
    if (value) {
      points.push_back({"flow_host_" + std::string(row.name), row.help, {}, *value * row.scale});
    }
  }
  return points;
}

std::vector<Snapshot> SnapshotsOf(const Batch& batch) {
  std::vector<Snapshot> snapshots;
  for (const std::string& line : batch.lines) {
    if (auto snapshot = store::DecodeLine(line)) snapshots.push_back(*std::move(snapshot));
  }
  return snapshots;
}

fetch::Request RequestTo(const Receiver& receiver, const Batch& batch, std::string_view type) {
  fetch::Request request;
  request.method = "POST";
  request.url = receiver.url;
  request.headers = {{"Content-Type", std::string(type)},
                     {"User-Agent", "flow-compute/1.0"},
                     {"Idempotency-Key", batch.key}};
  if (receiver.token.empty()) return request;
  if (receiver.format == Format::kDatadog) {
    request.headers.emplace_back("DD-API-KEY", receiver.token);
  } else {
    request.headers.emplace_back("Authorization", "Bearer " + receiver.token);
  }
  return request;
}

fetch::Request JsonRequest(const Receiver& receiver, const Batch& batch) {
  fetch::Request request = RequestTo(receiver, batch, "application/json");
  request.body = R"({"source":"flow-compute","version":"1.0","metrics":[)";
  bool first = true;
  for (const Snapshot& snapshot : SnapshotsOf(batch)) {
    request.body.append(first ? "" : ",").append(store::EncodeElement(snapshot));
    first = false;
  }
  request.body += "]}";
  return request;
}

std::string EscapedLabel(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

std::string Exposition(const Snapshot& snapshot) {
  std::string text;
  std::string family;
  for (const Point& point : PointsOf(snapshot)) {
    if (point.name != family) {
      family = point.name;
      text.append("# HELP ").append(family).append(" ").append(point.help).append("\n");
      text.append("# TYPE ").append(family).append(" gauge\n");
    }
    text += point.name;
    std::string labels;
    const auto add = [&labels](std::string_view name, std::string_view value) {
      labels.append(labels.empty() ? "" : ",").append(name);
      labels.append("=\"").append(EscapedLabel(value)).append("\"");
    };
    for (const auto& [name, value] : point.labels) add(name, value);
    add("task_name", snapshot.task_name);
    add("node", snapshot.instance_id);
    text.append("{").append(labels).append("} ").append(FormatNumber(point.value)).append("\n");
  }
  return text;
}

std::vector<fetch::Request> PushgatewayRequests(const Receiver& receiver, const Batch& batch) {
  std::map<std::string, Snapshot> newest;
  for (Snapshot& snapshot : SnapshotsOf(batch)) {
    Snapshot& known = newest[snapshot.task_id];
    if (known.task_id.empty() || known.timestamp <= snapshot.timestamp) known = std::move(snapshot);
  }
  std::vector<fetch::Request> requests;
  for (const auto& [task, snapshot] : newest) {
    fetch::Request request = RequestTo(receiver, batch, "text/plain; version=0.0.4; charset=utf-8");
    request.method = "PUT";
    request.url += "/metrics" + GroupingPart("job", "flow-compute") + GroupingPart("task_id", task);
    request.body = Exposition(snapshot);
    requests.push_back(std::move(request));
  }
  return requests;
}

// "flow_gpu_power_watts" as Datadog names things: "flow.gpu.power_watts".
std::string Dotted(std::string name) {
  for (const std::string_view prefix : {"flow_gpu_", "flow_host_", "flow_"}) {
    if (!name.starts_with(prefix)) continue;
    std::replace(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(prefix.size()), '_', '.');
    break;
  }
  return name;
}

void WriteTags(json::Writer& writer, const Snapshot& snapshot, const Point& point) {
  writer.Key("tags");
  writer.BeginArray();
  writer.String("task_id:" + snapshot.task_id);
  writer.String("task_name:" + snapshot.task_name);
  if (!snapshot.instance_type.empty()) writer.String("instance_type:" + snapshot.instance_type);
  for (const auto& [name, value] : point.labels) {
    if (!value.empty()) writer.String(std::string(name).append(":").append(value));
  }
  writer.EndArray();
}

void WriteSeries(json::Writer& writer, const Snapshot& snapshot, const Point& point, bool v1) {
  const std::int64_t seconds = snapshot.timestamp.time_since_epoch().count() / 1000;
  writer.BeginObject();
  writer.Key("metric");
  writer.String(Dotted(point.name));
  writer.Key("type");
  constexpr int kGauge = 3;
  v1 ? writer.String("gauge") : writer.Integer(kGauge);
  writer.Key("points");
  writer.BeginArray();
  if (v1) {
    writer.BeginArray();
    writer.Integer(seconds);
    writer.Number(point.value);
    writer.EndArray();
  } else {
    writer.BeginObject();
    writer.Key("timestamp");
    writer.Integer(seconds);
    writer.Key("value");
    writer.Number(point.value);
    writer.EndObject();
  }
  writer.EndArray();
  if (v1) {
    writer.Key("host");
    writer.String(snapshot.instance_id);
  } else {
    writer.Key("resources");
    writer.BeginArray();
    writer.BeginObject();
    writer.Key("name");
    writer.String(snapshot.instance_id);
    writer.Key("type");
    writer.String("host");
    writer.EndObject();
    writer.EndArray();
  }
  WriteTags(writer, snapshot, point);
  writer.EndObject();
}

fetch::Request DatadogRequest(const Receiver& receiver, const Batch& batch) {
  fetch::Request request = RequestTo(receiver, batch, "application/json");
  const bool v1 = receiver.url.find("/v1/") != std::string::npos;
  json::Writer writer;
  writer.BeginObject();
  writer.Key("series");
  writer.BeginArray();
  for (const Snapshot& snapshot : SnapshotsOf(batch)) {
    for (const Point& point : PointsOf(snapshot)) WriteSeries(writer, snapshot, point, v1);
  }
  writer.EndArray();
  writer.EndObject();
  request.body = writer.Take();
  return request;
}

std::string Base64Url(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      out += kAlphabet[(bits >> static_cast<unsigned>(count)) & 63U];
    }
  }
  if (count > 0) out += kAlphabet[(bits << static_cast<unsigned>(6 - count)) & 63U];
  return out.empty() ? "=" : out;
}

}  // namespace

std::string GroupingPart(std::string_view label, std::string_view text) {
  const bool plain = !text.empty() && text != "." && text != ".." &&
                     std::all_of(text.begin(), text.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                              c == '~';
                     });
  std::string part("/");
  part.append(label);
  if (plain) return part.append("/").append(text);
  return part.append("@base64/").append(Base64Url(text));
}

std::vector<fetch::Request> RequestsOf(const Receiver& receiver, const Batch& batch) {
  switch (receiver.format) {
    case Format::kPushgateway:
      return PushgatewayRequests(receiver, batch);
    case Format::kDatadog:
      return {DatadogRequest(receiver, batch)};
    case Format::kJson:
      break;
  }
  return {JsonRequest(receiver, batch)};
}

std::vector<std::string> MetricNames() {
  std::vector<std::string> names = {"flow_health_score", "flow_health_status", "flow_gpus",
                                    "flow_snapshot_timestamp_seconds"};
  for (const GpuRow& row : kGpuRows) names.push_back("flow_gpu_" + std::string(row.name));
  for (const SystemRow& row : kSystemRows) names.push_back("flow_host_" + std::string(row.name));
  return names;
}

}  // namespace gpumon::push
