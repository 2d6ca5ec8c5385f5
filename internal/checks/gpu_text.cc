// The detailed text.
#include <algorithm>
#include <string>
#include <string_view>

#include "internal/checks/gpu.h"
#include "internal/checks/gpu_numbers.h"

namespace gpumon::checks {
namespace {

using models::Quantity;
using nvml::Gpu;

// What is called MB are MiB, as nvidia-smi counts.
constexpr double kMiB = 1024.0 * 1024.0;

std::string InMiB(const nvml::Reading<double>& bytes) {
  return bytes ? Decimal(*bytes / kMiB, 0) : "N/A";
}

std::string MemoryOf(const nvml::Readings& values) {
  const auto& used = values[Quantity::kMemoryUsed];
  const auto& total = values[Quantity::kMemoryTotal];
  if (!used && !total) return "N/A";
  return InMiB(used) + '/' + InMiB(total) + " MB (" +
         WithUnit(MemoryPercent(values), "%", 1, false) + ')';
}

void AddLine(std::string& text, std::string_view label, std::string_view value) {
  text.append("  ").append(label).append(": ").append(value).append("\n");
}

void AddInstances(std::string& text, const Gpu& gpu) {
  if (!gpu.mig_mode.ValueOr(false)) return;
  AddLine(text, "MIG", std::to_string(gpu.mig_instances.size()) + " instances");
  for (const nvml::MigInstance& instance : gpu.mig_instances) {
    text += "    MIG " + std::to_string(instance.index) + ": " +
            (instance.profile.empty() ? "N/A" : instance.profile) + ", " +
            MemoryOf(instance.values) + '\n';
  }
}

void AddProcesses(std::string& text, const Gpu& gpu) {
  if (!gpu.processes) return AddLine(text, "Processes", "N/A");
  if (gpu.processes->empty()) return AddLine(text, "Processes", "none");
  text += "  Processes:\n";
  for (const nvml::Process& process : *gpu.processes) {
    text +=
        "    PID " + std::to_string(process.pid) + ": " +
        (process.name.empty() ? "N/A" : process.name) + " (" +
        (process.used_memory ? Decimal(static_cast<double>(*process.used_memory) / kMiB, 0) + "MB"
                             : "N/A") +
        ")\n";
  }
}

void AddGpu(std::string& text, const GpuLook& look, const SeenGpu& seen) {
  const Gpu& gpu = seen.gpu;
  const nvml::Software& software = seen.software ? *seen.software : look.software;
  const std::string maker = seen.host.empty() ? look.maker : MakerOf(look, gpu);
  text += "\nGPU " + std::to_string(gpu.index) + (seen.host.empty() ? "" : " of ") + seen.host +
          ": " + gpu.name.ValueOr("N/A") + '\n';
  if (gpu.unreadable) {
    AddLine(text, "Error", gpu.unreadable->text);
    return;
  }
  AddLine(text, "Driver", software.driver_version.ValueOr("N/A"));
  if (maker != kAppleSilicon) {
    AddLine(text, "CUDA", software.cuda_version.ValueOr("N/A"));
  }
  AddLine(text, "Memory", MemoryOf(gpu.values));
  AddLine(text, "Utilization",
          "GPU " + WithUnit(gpu.values[Quantity::kUtilization], "%") + ", Memory " +
              WithUnit(gpu.values[Quantity::kMemoryUtilization], "%"));
  AddLine(text, "Temperature", WithUnit(gpu.values[Quantity::kTemperature], "°C"));
  AddLine(text, "Power",
          WithUnit(gpu.values[Quantity::kPower], "W", 1, false) + " / " +
              WithUnit(gpu.values[Quantity::kPowerLimit], "W", 1, false));
  AddInstances(text, gpu);
  AddProcesses(text, gpu);
}

}  // namespace

std::string DetailedGpuText(const GpuLook& look) {
  if (look.gpus.empty()) {
    const bool is_missing = !look.error || look.error->code == Code::kNotFound;
    return "GPU Summary: " +
           (is_missing ? std::string("No supported GPU hardware detected") : look.error->message) +
           '\n';
  }
  const bool alike = std::all_of(look.gpus.begin(), look.gpus.end(), [&](const SeenGpu& seen) {
    return seen.host.empty() || MakerOf(look, seen.gpu) == look.maker;
  });
  const std::string maker = alike ? look.maker : "";
  std::string text = "GPU Summary: " + maker + (maker.empty() ? "" : " ");
  text += "GPUs available\n";
  for (const SeenGpu& seen : look.gpus) AddGpu(text, look, seen);
  return text;
}

}  // namespace gpumon::checks
