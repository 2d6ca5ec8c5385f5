#include "internal/checks/gpu.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "internal/checks/gpu_numbers.h"
#include "internal/json/writer.h"
#include "models/fields.h"

namespace gpumon::checks {
namespace {

using models::Quantity;
using nvml::Absence;
using nvml::Gpu;
using nvml::Reading;

constexpr const char* kNoHardware = "No supported GPU hardware detected";
constexpr const char* kNoHardwareHint =
    "install NVIDIA drivers and nvidia-smi for NVIDIA GPUs; be on macOS for Apple Silicon GPU "
    "detection; check GPU visibility: `nvidia-smi` or `system_profiler SPDisplaysDataType`";
constexpr const char* kAllSmiHint =
    "see that all-smi runs there in its API mode (`all-smi api --port 9090`), and that --all-smi "
    "is "
    "its URL";
constexpr const char* kAllSmiHangsHint =
    "see whether all-smi hangs there: its log, its machine's load, and a firewall on the way";
constexpr const char* kStrainHint =
    "check the GPU's workload (`nvidia-smi`, or this check with --detailed), look for runaway "
    "applications, verify that cooling works, consider reducing the workload";
constexpr const char* kLostHint = "look for Xid errors in dmesg, then reset the GPU or reboot";

Reading<double> Temperature(const nvml::Readings& values) {
  return values[Quantity::kTemperature];
}

struct Rule {
  Reading<double> (*value)(const nvml::Readings& values);
  double above;
  Status status;
  std::string_view what;
  std::string_view unit;
};
// Of rules with one value the first that holds counts.
constexpr std::array kRules = {
    Rule{Temperature, 95, Status::kUnhealthy, "temperature", "°C"},
    Rule{Temperature, 85, Status::kDegraded, "temperature", "°C"},
    Rule{MemoryPercent, 90, Status::kDegraded, "memory", "%"},
    Rule{PowerPercent, 95, Status::kDegraded, "power of its limit", "%"},
};

void Judge(const Gpu& gpu, Outcome& outcome) {
  outcome.status = Status::kHealthy;
  const Rule* last = nullptr;
  for (const Rule& rule : kRules) {
    const auto value = rule.value(gpu.values);
    const bool is_said = last != nullptr && last->value == rule.value;
    if (!value || *value <= rule.above || is_said) continue;
    last = &rule;
    if (outcome.status != Status::kUnhealthy) outcome.status = rule.status;
    if (!outcome.error.empty()) outcome.error += "; ";
    outcome.error.append(rule.what).append(" ");
    outcome.error.append(Decimal(*value, 1, true)).append(rule.unit).append(" is above ");
    outcome.error.append(Decimal(rule.above, 0)).append(rule.unit);
  }
  if (!outcome.error.empty()) outcome.hint = kStrainHint;
}

// Nothing when something of what counts was read.
const nvml::Absent* WhyNothing(const Gpu& gpu) {
  if (gpu.unreadable) return &*gpu.unreadable;
  for (const Quantity q :
       {Quantity::kTemperature, Quantity::kUtilization, Quantity::kMemoryUsed, Quantity::kPower}) {
    if (gpu.values[q]) return nullptr;
  }
  return &gpu.values[Quantity::kTemperature].absent();
}

// Of what was asked for and is not there.
using Reasons = std::vector<std::pair<std::string_view, const nvml::Absent*>>;

void WriteText(json::Writer& writer, std::string_view key, const Reading<std::string>& text,
               Reasons& reasons) {
  writer.Key(key);
  if (text) return writer.String(*text);
  writer.Null();
  if (text.absent().why != Absence::kNotAsked) reasons.emplace_back(key, &text.absent());
}

void WriteValue(json::Writer& writer, std::string_view key, const Reading<double>& value,
                double scale, bool integer, Reasons& reasons) {
  if (!value && value.absent().why == Absence::kNotAsked) return;
  writer.Key(key);
  if (!value) {
    writer.Null();
    reasons.emplace_back(key, &value.absent());
  } else if (integer) {
    writer.Integer(static_cast<std::int64_t>(*value));
  } else {
    writer.Number(*value * scale);
  }
}

void WriteValues(json::Writer& writer, const Gpu& gpu, Reasons& reasons) {
  for (const models::FieldSpec& field : models::kGpuFields) {
    const bool is_integer = field.from == models::From::kInteger;
    if (field.from != models::From::kReading && !is_integer) continue;
    WriteValue(writer, field.name, gpu.values[static_cast<Quantity>(field.slot)], field.scale,
               is_integer, reasons);
  }
  WriteValue(writer, "graphics_clock", gpu.graphics_clock, 1, false, reasons);
  WriteValue(writer, "graphics_clock_max", gpu.graphics_clock_max, 1, false, reasons);
  WriteValue(writer, "memory_clock_max", gpu.memory_clock_max, 1, false, reasons);
  WriteValue(writer, "throttle_mask", gpu.values[Quantity::kThrottleReasons], 1, true, reasons);
  const auto& utilization = gpu.values[Quantity::kUtilization];
  const auto& power = gpu.values[Quantity::kPower];
  writer.Key("utilization_per_watt");
  utilization&& power&&* power > 0 ? writer.Number(*utilization / *power) : writer.Null();
}

void WriteInstances(json::Writer& writer, const Gpu& gpu) {
  if (!gpu.mig_mode) return;
  writer.Key("mig_mode");
  writer.Bool(*gpu.mig_mode);
  writer.Key("mig_instances");
  writer.BeginArray();
  for (const nvml::MigInstance& instance : gpu.mig_instances) {
    writer.BeginObject();
    Reasons unused;
    WriteText(writer, "uuid", instance.uuid, unused);
    writer.Key("profile");
    writer.String(instance.profile);
    for (const Quantity q : {Quantity::kMemoryUsed, Quantity::kMemoryTotal}) {
      WriteValue(writer, q == Quantity::kMemoryUsed ? "memory_used_bytes" : "memory_total_bytes",
                 instance.values[q], 1, true, unused);
    }
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteProcesses(json::Writer& writer, const Gpu& gpu) {
  writer.Key("processes");
  if (!gpu.processes) return writer.Null();
  writer.BeginArray();
  for (const nvml::Process& process : *gpu.processes) {
    writer.BeginObject();
    writer.Key("pid");
    writer.Unsigned(process.pid);
    writer.Key("process_name");
    process.name.empty() ? writer.Null() : writer.String(process.name);
    writer.Key("gpu_memory_bytes");
    process.used_memory ? writer.Unsigned(*process.used_memory) : writer.Null();
    writer.EndObject();
  }
  writer.EndArray();
}

std::string ExtraOf(const GpuLook& look, const SeenGpu& seen) {
  const Gpu& gpu = seen.gpu;
  const nvml::Software& software = seen.software ? *seen.software : look.software;
  json::Writer writer;
  Reasons reasons;
  writer.BeginObject();
  writer.Key("gpu_index");
  writer.Unsigned(gpu.index);
  WriteText(writer, "gpu_name", gpu.name, reasons);
  WriteText(writer, "uuid", gpu.uuid, reasons);
  WriteText(writer, "pci_bus_id", gpu.pci_bus_id, reasons);
  WriteText(writer, "serial", gpu.serial, reasons);
  WriteText(writer, "driver_version", software.driver_version, reasons);
  WriteText(writer, "cuda_version", software.cuda_version, reasons);
  writer.Key("source");
  writer.String(look.source);
  if (!seen.host.empty()) {
    writer.Key("host");
    writer.String(seen.host);
  }
  WriteValues(writer, gpu, reasons);
  WriteInstances(writer, gpu);
  WriteProcesses(writer, gpu);
  writer.Key("null_reasons");
  writer.BeginObject();
  for (const auto& [field, why] : reasons) {
    writer.Key(field);
    writer.String(NameOf(why->why));
  }
  writer.EndObject();
  writer.EndObject();
  return writer.Take();
}

Outcome OutcomeOf(const GpuLook& look, const SeenGpu& seen) {
  const Gpu& gpu = seen.gpu;
  Outcome outcome;
  outcome.steps = look.steps;
  const std::string name = gpu.name ? ShortName(*gpu.name) : std::string("GPU");
  if (const nvml::Absent* const why = WhyNothing(gpu); why != nullptr) {
    const bool is_lost = why->why == Absence::kGpuLost;
    const bool is_broken = gpu.unreadable && why->why == Absence::kError;
    outcome.status = is_lost || is_broken ? Status::kUnhealthy : Status::kUnknown;
    outcome.error = why->text.empty() ? "nothing can be read of it" : why->text;
    outcome.details = name + " - " + outcome.error;
    if (is_lost || is_broken) outcome.hint = kLostHint;
  } else {
    Judge(gpu, outcome);
    outcome.details = name + " - GPU: " + WithUnit(gpu.values[Quantity::kUtilization], "%") +
                      ", Mem: " + WithUnit(MemoryPercent(gpu.values), "%", 1, false);
  }
  outcome.extra = ExtraOf(look, seen);
  return outcome;
}

Done NoneOf(const GpuLook& look) {
  Done done{std::string(kGpuHardware), {}, look.took, look.at};
  Outcome& outcome = done.outcome;
  outcome.steps = look.steps;
  const gpumon::Status why =
      look.error.value_or(gpumon::Status{Code::kNotFound, look.source + " shows no GPU"});
  outcome.error = why.message;
  outcome.details = why.message;
  if (look.source == kAllSmi) outcome.hint = kAllSmiHint;
  switch (why.code) {
    case Code::kNotFound:
      outcome.details = kNoHardware;
      outcome.hint = kNoHardwareHint;
      break;
    case Code::kForbidden:
    case Code::kInternal:
      break;  // whether it works nobody knows
    case Code::kUpstreamTimeout:
      outcome.status = Status::kUnhealthy;
      outcome.hint = look.source == kAllSmi ? kAllSmiHangsHint : kDriverHangsHint;
      break;
    default:
      outcome.status = Status::kUnhealthy;
  }
  return done;
}

std::string RowName(const GpuLook& look, const SeenGpu& seen) {
  const std::string maker = seen.host.empty() ? look.maker : MakerOf(look, seen.gpu);
  std::string name = maker == kAppleSilicon ? "Apple" : maker;
  if (!name.empty()) name += ' ';
  name += "GPU " + std::to_string(seen.gpu.index);
  return seen.host.empty() ? name : name + " of " + seen.host;
}

}  // namespace

std::vector<Done> GpuRows(const GpuLook& look) {
  std::vector<Done> rows;
  for (const SeenGpu& seen : look.gpus) {
    rows.push_back({RowName(look, seen), OutcomeOf(look, seen), seen.took, seen.at});
  }
  if (rows.empty()) rows.push_back(NoneOf(look));
  return rows;
}

void GpuDetails::Set(std::string text) {
  const MutexLock lock(mutex_);
  text_ = std::move(text);
}

std::string GpuDetails::Get() const {
  const MutexLock lock(mutex_);
  return text_;
}

GpuProbe MakeGpuProbe(GpuOptions options, std::shared_ptr<GpuDetails> details) {
  return [options = std::move(options), details = std::move(details)](const Clock& clock,
                                                                      Deadline deadline) {
    const GpuLook look = LookAtGpus(options, clock, deadline);
    if (details) details->Set(DetailedGpuText(look));
    return GpuRows(look);
  };
}

}  // namespace gpumon::checks
