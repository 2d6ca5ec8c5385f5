#include "cmd/gpuctl/health_rows.h"

#include <array>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/health_report.h"

namespace gpumon::ctl {
namespace {

constexpr double kMiB = 1024.0 * 1024;

struct NumberRow {
  std::string_view from;
  std::optional<double> store::GpuReading::*to;
  double divide;
};
constexpr std::array kNumbers = {
    NumberRow{"temperature", &store::GpuReading::temperature_c, 1},
    NumberRow{"power", &store::GpuReading::power_draw_w, 1},
    NumberRow{"power_limit", &store::GpuReading::power_limit_w, 1},
    NumberRow{"memory_used_bytes", &store::GpuReading::memory_used_mb, kMiB},
    NumberRow{"memory_total_bytes", &store::GpuReading::memory_total_mb, kMiB},
    NumberRow{"utilization", &store::GpuReading::gpu_utilization_pct, 1},
    NumberRow{"sm_occupancy", &store::GpuReading::sm_occupancy_pct, 1},
    NumberRow{"sm_clock", &store::GpuReading::clock_mhz, 1},
    NumberRow{"sm_clock_max", &store::GpuReading::max_clock_mhz, 1},
};

}  // namespace

std::string UuidOf(const json::Value& row) {
  for (const json::Value* const uuid : {&row["mig"]["uuid"], &row["mig_uuid"], &row["uuid"]}) {
    if (uuid->AsString() != nullptr) return *uuid->AsString();
  }
  return {};
}

std::string KeyOf(const json::Value& row) {
  const std::string uuid = UuidOf(row);
  return uuid.empty() ? TextOf(row["node_name"]) + '\n' + TextOf(row["gpu_id"]) : uuid;
}

std::string NameOf(const json::Value& name_space, const json::Value& name) {
  const std::string first = TextOf(name_space);
  return first.empty() ? TextOf(name) : first + '/' + TextOf(name);
}

std::string TaskName(const json::Value& row, const char* own) {
  return NameOf(row["namespace"], row["owner_name"].AsString() ? row["owner_name"] : row[own]);
}

bool IsCalled(const json::Value& row, const char* own, const std::string& asked) {
  return NameOf(row["namespace"], row[own]) == asked || TextOf(row[own]) == asked ||
         TextOf(row["owner_name"]) == asked;
}

store::GpuReading ReadingOf(const json::Value& row) {
  store::GpuReading gpu;
  gpu.gpu_index = row["gpu_index"].AsInteger();
  gpu.uuid = UuidOf(row);
  gpu.name = TextOf(row["gpu_name"]);
  gpu.nvlink_status = "unknown";
  for (const NumberRow& number : kNumbers) {
    if (const auto value = row[number.from].AsDouble()) gpu.*number.to = *value / number.divide;
  }
  const auto corrected = row["ecc_corrected_volatile"].AsDouble();
  const auto uncorrected = row["ecc_uncorrected_volatile"].AsDouble();
  if (corrected || uncorrected) gpu.ecc_errors = corrected.value_or(0) + uncorrected.value_or(0);
  return gpu;
}

store::HealthState StateOf(const json::Value& finding, const std::string& whose, WallTime time) {
  const std::string severity = TextOf(finding["severity"]);
  store::HealthState state;
  state.component = TextOf(finding["component"]);
  state.health = severity == "critical"  ? "unhealthy"
                 : severity == "warning" ? "degraded"
                                         : "healthy";
  state.severity = severity;
  state.message = whose + TextOf(finding["finding"]);
  const std::string action = TextOf(finding["action"]);
  if (!action.empty() && action != "IGNORE_NO_ACTION_REQUIRED") {
    state.message.append("; ").append(kSuggested).append(action);
  }
  state.timestamp = time;
  return state;
}

}  // namespace gpumon::ctl
