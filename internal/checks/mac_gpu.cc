#include "internal/checks/mac_gpu.h"

#include <charconv>
#include <string>
#include <utility>

#include "internal/base/program.h"
#include "internal/base/text.h"
#include "internal/json/document.h"

namespace gpumon::checks {
namespace {

using models::Quantity;

constexpr double kMilli = 0.001;

// The number at the front of `text`, behind spaces.
std::optional<double> NumberAt(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  return number;
}

// Behind the first `key`.
std::optional<double> NumberBehind(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  return NumberAt(text.substr(at + key.size()));
}

std::string TextOf(const json::Value& value) {
  const std::string* const text = value.AsString();
  return text == nullptr ? std::string() : ReplaceHidden(ToValidUtf8(*text), "?");
}

// What the accelerators say of themselves, each in braces.
std::vector<std::string_view> StatisticsOf(std::string_view text) {
  constexpr std::string_view kKey = "\"PerformanceStatistics\" = {";
  std::vector<std::string_view> all;
  for (std::size_t at = text.find(kKey); at != std::string_view::npos; at = text.find(kKey, at)) {
    at += kKey.size();
    const std::string_view one = text.substr(at, text.find('}', at) - at);
    if (one.find("Utilization %\"=") != std::string_view::npos) all.push_back(one);
  }
  return all;
}

Result<std::string> Run(const std::vector<std::string>& command, const Clock& clock,
                        Deadline deadline, std::vector<std::string>& steps) {
  auto ran = RunProgram(command, clock, deadline);
  if (!ran) {
    steps.push_back(ran.error().message);
    return Error(ran.error());
  }
  steps.push_back("ran " + command[0] + ": exit code " + std::to_string(ran->exit_code));
  return std::move(ran->output);
}

}  // namespace

Result<std::vector<nvml::Gpu>> ReadSystemProfiler(std::string_view text) {
  const auto document = json::ParseDocument(text);
  if (!document || !(*document)["SPDisplaysDataType"].is_array()) {
    return Error(Code::kUpstreamInvalid, "system_profiler lists no displays; run it by hand");
  }
  std::vector<nvml::Gpu> gpus;
  for (const json::Value& one : (*document)["SPDisplaysDataType"].elements()) {
    std::string name = TextOf(one["sppci_model"]);
    if (name.empty()) name = TextOf(one["_name"]);
    const std::string type = TextOf(one["sppci_device_type"]);
    const bool is_gpu = type.empty() || type == "spdisplays_gpu";
    const bool is_apple =
        TextOf(one["spdisplays_vendor"]) == "sppci_vendor_Apple" || name.starts_with("Apple ");
    if (!is_gpu || !is_apple) continue;
    nvml::Gpu& gpu = gpus.emplace_back();
    gpu.index = static_cast<unsigned>(gpus.size() - 1);
    gpu.name = std::move(name);
  }
  if (gpus.empty()) return Error(Code::kNotFound, "system_profiler shows no GPU of Apple's");
  return gpus;
}

void ReadIoreg(std::string_view text, std::vector<nvml::Gpu>& gpus) {
  const auto statistics = StatisticsOf(text);
  if (statistics.size() != gpus.size()) return;
  constexpr double kMost = 100;
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    const auto busy = NumberBehind(statistics[i], "\"Device Utilization %\"=");
    if (busy && *busy <= kMost) gpus[i].values[Quantity::kUtilization] = *busy;
    // With its closing quote: another key goes on after a space.
    const auto used = NumberBehind(statistics[i], "\"In use system memory\"=");
    if (used) gpus[i].values[Quantity::kMemoryUsed] = *used;
  }
}

void ReadPowermetrics(std::string_view text, std::vector<nvml::Gpu>& gpus) {
  if (gpus.size() != 1) return;
  nvml::Readings& values = gpus[0].values;
  if (const auto power = NumberBehind(text, "GPU Power:")) {
    values[Quantity::kPower] = *power * kMilli;
  }
  if (const auto clock = NumberBehind(text, "GPU HW active frequency:")) {
    gpus[0].graphics_clock = *clock;
  }
  const auto busy = NumberBehind(text, "GPU HW active residency:");
  if (busy && !values[Quantity::kUtilization]) values[Quantity::kUtilization] = *busy;
}

std::optional<double> ReadMemorySize(std::string_view text) {
  const auto bytes = NumberAt(text);
  return bytes && *bytes > 0 ? bytes : std::nullopt;
}

Result<std::vector<nvml::Gpu>> AskMac(const MacTools& tools, const Clock& clock, Deadline deadline,
                                      std::vector<std::string>& steps) {
  const auto displays =
      Run({tools.system_profiler, "SPDisplaysDataType", "-json"}, clock, deadline, steps);
  if (!displays) return Error(displays.error());
  auto gpus = ReadSystemProfiler(*displays);
  if (!gpus) return gpus;
  const auto accelerators =
      Run({tools.ioreg, "-r", "-d", "1", "-w", "0", "-c", "IOAccelerator"}, clock, deadline, steps);
  if (accelerators) ReadIoreg(*accelerators, *gpus);
  if (const auto size = Run({tools.sysctl, "-n", "hw.memsize"}, clock, deadline, steps)) {
    const auto bytes = ReadMemorySize(*size);
    for (nvml::Gpu& gpu : *gpus) {
      if (bytes) gpu.values[Quantity::kMemoryTotal] = *bytes;
    }
  }
  if (!tools.is_root) {
    steps.push_back(tools.powermetrics + " was not run, it needs root: power is unknown");
    return gpus;
  }
  const auto power = Run({tools.powermetrics, "--samplers", "gpu_power", "-i", "500", "-n", "1"},
                         clock, deadline, steps);
  if (power) ReadPowermetrics(*power, *gpus);
  return gpus;
}

}  // namespace gpumon::checks
