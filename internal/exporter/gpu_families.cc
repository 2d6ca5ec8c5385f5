#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/exporter/curves.h"
#include "internal/exporter/families.h"
#include "internal/exporter/fleet.h"

namespace gpumon::exporter {
namespace {

constexpr double kMiB = 1024.0 * 1024;

// A GPU at an instant; the value functions below read it.
struct Device {
  const GpuState& gpu;
  const GpuModel& model;
  double seconds;  // since the fleet's start
};
using Reading = std::optional<double>;  // nothing: this GPU has no such series

struct GpuFamily {
  Family family;
  Reading (*value)(const Device&);
};

Reading Only(bool has, double value) {
  return has ? Reading(value) : std::nullopt;
}
double Cents(double value) {
  return std::round(value * 100) / 100;
}

bool HasSensor(const Device& d) {
  return d.gpu.trait != Trait::kNoTemperature;
}
// The board's power at full load stays a little below its limit.
double WattsPerLoad(const GpuModel& model) {
  return 0.97 * model.limit_watts - model.idle_watts;
}
double ActivePercent(const Device& d, double share) {
  return Cents(100 * share * d.gpu.load);
}
double Moved(const Device& d, double idle_rate, double busy_rate) {
  return std::floor(idle_rate * d.seconds + busy_rate * d.gpu.load_seconds);
}
// Counts one every `every` seconds on the GPU with `trait`, stays 0 on all others.
double Ticks(const Device& d, Trait trait, double every) {
  return d.gpu.trait == trait ? std::floor(d.seconds / every) : 0;
}
// Of errors of a program, by turns: one of the same code as the last could not be seen in a gauge.
double LastXid(const Device& d) {
  constexpr std::array kCodes = {31.0, 13.0, 43.0};
  const double errors = Ticks(d, Trait::kXid, kXidEverySeconds);
  return d.gpu.trait == Trait::kXid ? kCodes[static_cast<std::size_t>(errors) % kCodes.size()] : 0;
}
double IfEcc(const Device& d, double value) {
  return d.gpu.trait == Trait::kEcc ? value : 0;
}

Reading SmClock(const Device& d) {
  const double busy = d.gpu.throttles ? 0.58 : 0.99 - 0.06 * d.gpu.load;
  return d.gpu.load < 0.005 ? d.model.sm_clock_idle_mhz
                            : std::floor(busy * d.model.sm_clock_max_mhz / 15) * 15;
}

// The driver's bitmask of reasons why clocks are not at their maximum.
Reading ThrottleReasons(const Device& d) {
  constexpr int kGpuIdle = 0x1;
  constexpr int kSoftwarePowerCap = 0x4;
  constexpr int kHardwareSlowdown = 0x8;
  constexpr int kSoftwareThermal = 0x20;
  constexpr int kHardwareThermal = 0x40;
  if (d.gpu.throttles) return kHardwareSlowdown | kSoftwareThermal | kHardwareThermal;
  if (d.gpu.load < 0.005) return kGpuIdle;
  return d.gpu.load > 0.95 ? kSoftwarePowerCap : 0;
}

constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kCounter = MetricType::kCounter;

constexpr GpuFamily kCore[] = {
    {{"nvidia_gpu_utilization_percent", kGauge, "Time during which a kernel ran, in percent."},
     [](const Device& d) -> Reading { return d.gpu.utilization; }},
    {{"nvidia_gpu_used_memory_bytes", kGauge, "Device memory in use."},
     [](const Device& d) -> Reading { return d.gpu.memory_used_mib * kMiB; }},
    {{"nvidia_gpu_total_memory_bytes", kGauge, "Device memory of the board."},
     [](const Device& d) -> Reading { return d.model.memory_mib * kMiB; }},
    {{"nvidia_gpu_free_memory_bytes", kGauge, "Device memory not in use."},
     [](const Device& d) -> Reading {
       return (d.model.memory_mib - d.gpu.memory_used_mib) * kMiB;
     }},
    {{"nvidia_gpu_memory_utilization_percent", kGauge,
      "Time during which device memory was read or written, in percent."},
     [](const Device& d) -> Reading { return std::floor(0.55 * d.gpu.utilization); }},
    {{"nvidia_gpu_temperature_celsius", kGauge, "Temperature of the GPU core."},
     [](const Device& d) { return Only(HasSensor(d), std::round(d.gpu.core_celsius)); }},
};

constexpr GpuFamily kDevice[] = {
    {{"nvidia_gpu_memory_temperature_celsius", kGauge, "Temperature of the device memory."},
     [](const Device& d) {
       return Only(HasSensor(d) && d.model.hbm, std::round(d.gpu.core_celsius + 6));
     }},
    {{"nvidia_gpu_power_watts", kGauge, "Power drawn by the board."},
     [](const Device& d) -> Reading {
       return Cents(d.model.idle_watts + WattsPerLoad(d.model) * d.gpu.load);
     }},
    {{"nvidia_gpu_power_limit_watts", kGauge, "Power limit in force."},
     [](const Device& d) -> Reading { return d.model.limit_watts; }},
    {{"nvidia_gpu_energy_joules_total", kCounter, "Energy used since the driver was loaded."},
     [](const Device& d) -> Reading {
       return Moved(d, d.model.idle_watts, WattsPerLoad(d.model));
     }},
    {{"nvidia_gpu_sm_clock_mhz", kGauge, "Clock of the streaming multiprocessors."}, SmClock},
    {{"nvidia_gpu_sm_clock_max_mhz", kGauge, "Highest clock of the streaming multiprocessors."},
     [](const Device& d) -> Reading { return d.model.sm_clock_max_mhz; }},
    {{"nvidia_gpu_memory_clock_mhz", kGauge, "Clock of the device memory."},
     [](const Device& d) -> Reading {
       return d.gpu.pod < 0 ? d.model.memory_clock_idle_mhz : d.model.memory_clock_max_mhz;
     }},
    {{"nvidia_gpu_memory_clock_max_mhz", kGauge, "Highest clock of the device memory."},
     [](const Device& d) -> Reading { return d.model.memory_clock_max_mhz; }},
    {{"nvidia_gpu_pstate", kGauge, "Performance state: 0 is the fastest, 15 the slowest."},
     [](const Device& d) -> Reading { return d.gpu.pod < 0 ? 8 : 0; }},
    {{"nvidia_gpu_throttle_reasons", kGauge,
      "Bitmask of the reasons why the clocks are below their maximum."},
     ThrottleReasons},
    {{"nvidia_gpu_sm_active_percent", kGauge, "Time during which an SM had a warp, in percent."},
     [](const Device& d) -> Reading { return ActivePercent(d, 0.9); }},
    {{"nvidia_gpu_sm_occupancy_percent", kGauge, "Warps resident on the SMs, in percent."},
     [](const Device& d) -> Reading { return ActivePercent(d, 0.45); }},
    {{"nvidia_gpu_tensor_active_percent", kGauge, "Time the tensor pipes were busy, in percent."},
     [](const Device& d) -> Reading { return ActivePercent(d, 0.5); }},
    {{"nvidia_gpu_dram_active_percent", kGauge, "Time the memory bus was busy, in percent."},
     [](const Device& d) -> Reading { return ActivePercent(d, 0.6); }},
    {{"nvidia_gpu_encoder_utilization_percent", kGauge, "Load of the video encoder, in percent."},
     [](const Device&) -> Reading { return 0; }},
    {{"nvidia_gpu_decoder_utilization_percent", kGauge, "Load of the video decoder, in percent."},
     [](const Device& d) -> Reading { return std::floor(7 * d.gpu.load); }},
    {{"nvidia_gpu_fan_speed_percent", kGauge, "Fan speed of boards with a fan, in percent."},
     [](const Device& d) {
       return Only(d.model.fan, std::round(std::clamp(d.gpu.core_celsius - 5, 0.0, 100.0)));
     }},
    {{"nvidia_gpu_pcie_rx_bytes_total", kCounter, "Bytes received over PCIe."},
     [](const Device& d) -> Reading { return Moved(d, 2e4, 1.8e9); }},
    {{"nvidia_gpu_pcie_tx_bytes_total", kCounter, "Bytes sent over PCIe."},
     [](const Device& d) -> Reading { return Moved(d, 1e4, 7e8); }},
    {{"nvidia_gpu_pcie_replay_total", kCounter, "PCIe packets sent again."},
     [](const Device& d) -> Reading { return static_cast<double>(Below(d.gpu.hash, 51, 3)); }},
    {{"nvidia_gpu_nvlink_rx_bytes_total", kCounter, "Bytes received over NVLink."},
     [](const Device& d) { return Only(d.model.nvlink, Moved(d, 0, 4.1e9)); }},
    {{"nvidia_gpu_nvlink_tx_bytes_total", kCounter, "Bytes sent over NVLink."},
     [](const Device& d) { return Only(d.model.nvlink, Moved(d, 0, 4e9)); }},
    {{"nvidia_gpu_nvlink_errors_total", kCounter, "Errors on the NVLink lanes."},
     [](const Device& d) { return Only(d.model.nvlink, 0); }},
    {{"nvidia_gpu_xid_last", kGauge, "Code of the latest XID error; 0 when there was none."},
     [](const Device& d) -> Reading { return LastXid(d); }},
    {{"nvidia_gpu_xid_errors_total", kCounter, "XID errors since the driver was loaded."},
     [](const Device& d) -> Reading { return Ticks(d, Trait::kXid, kXidEverySeconds); }},
    {{"nvidia_gpu_ecc_corrected_volatile_total", kCounter,
      "Corrected memory errors since the driver was loaded."},
     [](const Device& d) { return Only(d.model.ecc, Ticks(d, Trait::kEcc, 120)); }},
    {{"nvidia_gpu_ecc_uncorrected_volatile_total", kCounter,
      "Uncorrected memory errors since the driver was loaded."},
     [](const Device& d) { return Only(d.model.ecc, 0); }},
    {{"nvidia_gpu_ecc_corrected_aggregate_total", kCounter,
      "Corrected memory errors in the life of the board."},
     [](const Device& d) {
       return Only(d.model.ecc, Ticks(d, Trait::kEcc, 120) + IfEcc(d, 2480));
     }},
    {{"nvidia_gpu_ecc_uncorrected_aggregate_total", kCounter,
      "Uncorrected memory errors in the life of the board."},
     [](const Device& d) { return Only(d.model.ecc, IfEcc(d, 2)); }},
    {{"nvidia_gpu_row_remap_correctable", kGauge, "Memory rows remapped for corrected errors."},
     [](const Device& d) { return Only(d.model.hbm, IfEcc(d, 3)); }},
    {{"nvidia_gpu_row_remap_uncorrectable", kGauge, "Memory rows remapped for uncorrected errors."},
     [](const Device& d) { return Only(d.model.hbm, IfEcc(d, 1)); }},
    {{"nvidia_gpu_row_remap_pending", kGauge, "1 when a row remapping waits for a reset."},
     [](const Device& d) { return Only(d.model.hbm, IfEcc(d, 1)); }},
    {{"nvidia_gpu_row_remap_failure", kGauge, "1 when a row remapping failed."},
     [](const Device& d) { return Only(d.model.hbm, 0); }},
};

void AppendIdentity(const FleetState& state, const GpuState& gpu, std::string& block) {
  AppendLabel(block, "node", state.nodes[static_cast<std::size_t>(gpu.node)].spec->name);
  AppendLabel(block, "gpu", std::int64_t{gpu.index});
}

void AppendHolder(const FleetState& state, const GpuState& gpu, std::string& block) {
  if (gpu.pod < 0) return;
  const PodState& pod = state.pods[static_cast<std::size_t>(gpu.pod)];
  AppendLabel(block, "exported_namespace", pod.kind->name_space);
  AppendLabel(block, "exported_pod", pod.name);
  AppendLabel(block, "exported_container", pod.kind->container);
}

void WriteGpus(const FleetState& state, std::span<const GpuFamily> families,
               const std::vector<std::string>& blocks, Exposition& out) {
  for (const GpuFamily& row : families) {
    out.Begin(row.family);
    for (std::size_t i = 0; i < state.gpus.size(); ++i) {
      const GpuState& gpu = state.gpus[i];
      if (!gpu.present) continue;
      const Reading reading = row.value({gpu, *gpu.model, state.seconds});
      if (reading) out.Sample(blocks[i], *reading);
    }
  }
}

void WriteProcesses(const FleetState& state, Exposition& out) {
  std::vector<std::string> blocks(state.processes.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const ProcessState& process = state.processes[i];
    const GpuState& gpu = state.gpus[static_cast<std::size_t>(process.gpu)];
    const PodState& pod = state.pods[static_cast<std::size_t>(gpu.pod)];
    AppendIdentity(state, gpu, blocks[i]);
    AppendLabel(blocks[i], "pid", std::int64_t{process.pid});
    AppendLabel(blocks[i], "process_name", pod.kind->process_name);
    AppendLabel(blocks[i], "user", pod.user);
    AppendLabel(blocks[i], "command", process.command);
  }
  const auto write = [&](const Family& family, double (*value)(const ProcessState&)) {
    out.Begin(family);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      out.Sample(blocks[i], value(state.processes[i]));
    }
  };
  write({"nvidia_gpu_process_gpu_memory_bytes", kGauge, "Device memory held by the process."},
        [](const ProcessState& p) { return p.memory_mib * kMiB; });
  write({"nvidia_gpu_process_cpu_percent", kGauge, "CPU time of the process; 100 is one core."},
        [](const ProcessState& p) { return p.cpu_percent; });
  write({"nvidia_gpu_process_memory_percent", kGauge, "Host memory of the process, in percent."},
        [](const ProcessState& p) { return p.memory_percent; });
}

}  // namespace

std::string UuidText(const GpuState& gpu) {
  return "GPU-" + UuidOf(gpu.hash);
}

std::string PciBusId(const GpuState& gpu) {
  char bus[24];
  std::snprintf(bus, sizeof bus, "%08X:%02X:00.0", static_cast<unsigned>(gpu.index / 64),
                static_cast<unsigned>(0x10 + 2 * (gpu.index % 64)));
  return bus;
}

std::optional<double> GpuReading(const FleetState& state, const GpuState& gpu,
                                 std::string_view family) {
  for (const std::span<const GpuFamily> families :
       {std::span<const GpuFamily>(kCore), std::span<const GpuFamily>(kDevice)}) {
    for (const GpuFamily& row : families) {
      if (row.family.name == family) return row.value({gpu, *gpu.model, state.seconds});
    }
  }
  return std::nullopt;
}

void WriteCoreFamilies(const FleetState& state, Exposition& out) {
  std::vector<std::string> blocks(state.gpus.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const GpuState& gpu = state.gpus[i];
    blocks[i].reserve(256);
    AppendIdentity(state, gpu, blocks[i]);
    AppendLabel(blocks[i], "gpu_name", gpu.model->name);
    AppendLabel(blocks[i], "uuid", UuidText(gpu));
    AppendHolder(state, gpu, blocks[i]);
  }
  WriteGpus(state, kCore, blocks, out);
  WriteProcesses(state, out);
}

void WriteDeviceFamilies(const FleetState& state, Exposition& out) {
  std::vector<std::string> blocks(state.gpus.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    AppendIdentity(state, state.gpus[i], blocks[i]);
  }
  WriteGpus(state, kDevice, blocks, out);
  out.Begin({"nvidia_gpu_info", kGauge, "The board and its driver; always 1."});
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const GpuState& gpu = state.gpus[i];
    if (!gpu.present) continue;
    std::string more;
    AppendLabel(more, "gpu_name", gpu.model->name);
    AppendLabel(more, "uuid", UuidText(gpu));
    AppendLabel(more, "driver_version", kDriverVersion);
    AppendLabel(more, "cuda_version", kCudaVersion);
    AppendLabel(more, "pci_bus_id", PciBusId(gpu));
    out.Sample(blocks[i], more, 1);
  }
}

}  // namespace gpumon::exporter
