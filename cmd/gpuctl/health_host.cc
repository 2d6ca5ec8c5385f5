#include "cmd/gpuctl/health_host.h"

#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/cells.h"

namespace gpumon::ctl {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;

std::string GiBText(std::optional<double> bytes) {
  return bytes ? DecimalText(*bytes / kGiB, 1) : std::string(kAbsentCell);
}

}  // namespace

std::string AmountText(std::optional<double> value, const char* unit) {
  return value ? DecimalText(*value, 1) + unit : std::string(kAbsentCell);
}

std::string UsedText(std::optional<double> used_bytes, std::optional<double> total_bytes) {
  return GiBText(used_bytes) + " of " + GiBText(total_bytes) + " GiB";
}

HostLoad HostOf(const json::Value& row) {
  HostLoad host;
  host.hostname = TextOf(row["node_name"]);
  host.cpu_percent = row["cpu"].AsDouble();
  host.memory_percent = row["host_memory_used_percent"].AsDouble();
  host.memory_total_bytes = row["host_memory_total_bytes"].AsDouble();
  const auto available = row["host_memory_available_bytes"].AsDouble();
  if (host.memory_total_bytes && available) {
    host.memory_used_bytes = *host.memory_total_bytes - *available;
  }
  host.most_celsius = row["host_temperature"].AsDouble();
  return host;
}

std::string HostText(const HostLoad& host) {
  return "CPU " + AmountText(host.cpu_percent, " %") + ", memory " +
         UsedText(host.memory_used_bytes, host.memory_total_bytes) + " (" +
         AmountText(host.memory_percent, " %") + "), hottest sensor " +
         AmountText(host.most_celsius, " C");
}

void WriteHost(const HostLoad& host, json::Writer& writer) {
  struct Row {
    std::string_view key;
    std::optional<double> value;
    bool is_whole;
  };
  writer.BeginObject();
  writer.Key("hostname");
  writer.String(host.hostname);
  for (const Row& row : {Row{"cpu_percent", host.cpu_percent, false},
                         Row{"memory_percent", host.memory_percent, false},
                         Row{"memory_used_bytes", host.memory_used_bytes, true},
                         Row{"memory_total_bytes", host.memory_total_bytes, true},
                         Row{"current_avg_temp", host.average_celsius, false},
                         Row{"current_max_temp", host.most_celsius, false}}) {
    writer.Key(row.key);
    if (!row.value) {
      writer.Null();
    } else if (row.is_whole) {
      writer.Integer(std::llround(*row.value));
    } else {
      writer.Number(*row.value);
    }
  }
  writer.EndObject();
}

}  // namespace gpumon::ctl
