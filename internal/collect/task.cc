#include "internal/collect/task.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace gpumon::collect {
namespace {

using fleet::Component;
using fleet::Level;
using fleet::Severity;
using models::Quantity;
using models::Text;

constexpr double kMiB = 1024.0 * 1024;

std::optional<double> Get(const models::GpuMetrics& gpu, Quantity quantity) {
  return gpu.readings.Get(static_cast<std::size_t>(quantity));
}

struct NumberRow {
  std::optional<double> store::GpuReading::*to;
  Quantity from;
  double divide;
};
constexpr std::array kNumbers = {
    NumberRow{&store::GpuReading::temperature_c, Quantity::kTemperature, 1},
    NumberRow{&store::GpuReading::power_draw_w, Quantity::kPower, 1},
    NumberRow{&store::GpuReading::power_limit_w, Quantity::kPowerLimit, 1},
    NumberRow{&store::GpuReading::memory_used_mb, Quantity::kMemoryUsed, kMiB},
    NumberRow{&store::GpuReading::memory_total_mb, Quantity::kMemoryTotal, kMiB},
    NumberRow{&store::GpuReading::gpu_utilization_pct, Quantity::kUtilization, 1},
    NumberRow{&store::GpuReading::sm_occupancy_pct, Quantity::kSmOccupancy, 1},
    NumberRow{&store::GpuReading::clock_mhz, Quantity::kSmClock, 1},
    NumberRow{&store::GpuReading::max_clock_mhz, Quantity::kSmClockMax, 1},
};

std::string_view HealthWord(Level level) {
  switch (level) {
    case Level::kHealthy:
      return "healthy";
    case Level::kDegraded:
      return "degraded";
    case Level::kCritical:
      return "unhealthy";
    case Level::kUnknown:
      break;
  }
  return "unknown";
}

std::optional<double> EccErrors(const models::GpuMetrics& gpu) {
  const auto corrected = Get(gpu, Quantity::kEccCorrectedVolatile);
  const auto uncorrected = Get(gpu, Quantity::kEccUncorrectedVolatile);
  if (!corrected && !uncorrected) return std::nullopt;
  return corrected.value_or(0) + uncorrected.value_or(0);
}

store::GpuReading ReadingOf(const models::GpuMetrics& gpu, const fleet::Health& health) {
  store::GpuReading reading;
  if (gpu.gpu_index != models::GpuMetrics::kNoIndex) reading.gpu_index = gpu.gpu_index;
  const std::string_view part = gpu.text(Text::kMigUuid);
  reading.uuid = part.empty() ? gpu.text(Text::kUuid) : part;
  reading.name = gpu.text(Text::kGpuName);
  if (!gpu.text(Text::kMigProfile).empty()) {
    reading.name.append(" MIG ").append(gpu.text(Text::kMigProfile));
  }
  for (const NumberRow& row : kNumbers) {
    const auto value = Get(gpu, row.from);
    if (value) reading.*row.to = *value / row.divide;
  }
  reading.ecc_errors = EccErrors(gpu);
  const auto xid = Get(gpu, Quantity::kXidLast);
  if (xid && *xid > 0) {
    const fleet::Xid known = fleet::XidOf(static_cast<int>(*xid));
    std::string text = "XID " + std::to_string(known.code);
    if (!known.text.empty()) text.append(": ").append(known.text);
    reading.xid_events.push_back(std::move(text));
  }
  reading.nvlink_status =
      HealthWord(health.components[static_cast<std::size_t>(Component::kNvlink)]);
  return reading;
}

bool IsEvent(std::string_view component) {
  return component == fleet::NameOf(Component::kXid) || component == fleet::NameOf(Component::kEcc);
}

std::string NameOf(const models::GpuMetrics& gpu) {
  std::string name = "GPU " + std::string(gpu.text(Text::kGpuId));
  const std::string_view instance = gpu.text(Text::kMigGpuInstance);
  if (!instance.empty()) name.append(" MIG ").append(instance);
  return name;
}

}  // namespace

void Task::Add(const models::GpuMetrics& gpu, std::vector<store::GpuProcess> processes) {
  const fleet::Health health = fleet::Assess(gpu, rules_);
  average_.Add(health);
  for (const fleet::HealthFinding& finding : health.findings) {
    found_.push_back({NameOf(gpu) + ": " + finding.text, finding.severity, finding.component});
  }
  snapshot_.gpu_metrics.push_back(ReadingOf(gpu, health));
  snapshot_.gpu_metrics.back().processes = std::move(processes);
}

void Task::AddComponent(std::string_view name, Level level) {
  store::HealthState state;
  state.component = name;
  state.health = HealthWord(level);
  state.timestamp = snapshot_.timestamp;
  Severity worst = Severity::kInfo;
  for (const Found& found : found_) {
    if (found.component != name) continue;
    worst = std::max(worst, found.severity);
    state.message.append(state.message.empty() ? "" : "; ").append(found.text);
  }
  state.severity = fleet::NameOf(worst);
  if (level == Level::kUnknown && state.message.empty()) return;
  snapshot_.health_states.push_back(std::move(state));
}

store::Snapshot Task::Take() {
  const fleet::Health health = average_.Of(rules_);
  for (std::size_t i = 0; i < fleet::kComponents; ++i) {
    AddComponent(fleet::NameOf(static_cast<Component>(i)), health.components[i]);
  }
  const bool used = std::any_of(found_.begin(), found_.end(), [](const Found& found) {
    return found.component == "utilization";
  });
  if (used) AddComponent("utilization", Level::kHealthy);
  for (store::HealthState& state : states_) snapshot_.health_states.push_back(std::move(state));
  for (const Found& found : found_) {
    if (!IsEvent(found.component) || found.severity == Severity::kInfo) continue;
    snapshot_.events.push_back({snapshot_.timestamp, std::string(found.component),
                                found.severity == Severity::kCritical ? "error" : "warning",
                                found.text});
  }
  if (health.score) snapshot_.health_score = *health.score / 100;
  snapshot_.health_status = fleet::NameOf(health.level);
  return std::move(snapshot_);
}

std::string InstanceType(std::size_t gpus, std::string_view model) {
  if (gpus == 0 || model.empty()) return {};
  return std::to_string(gpus) + "x " + std::string(model);
}

}  // namespace gpumon::collect
