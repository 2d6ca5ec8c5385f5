#include "internal/exporter/live_page.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gpumon::exporter {
namespace {

using models::Quantity;
using nvml::Reading;

constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kCounter = MetricType::kCounter;

struct Row {
  Family family;
  Reading<double> (*value)(const SeenGpu&);
};
template <Quantity q>
Reading<double> Value(const SeenGpu& seen) {
  return seen.gpu.values[q];
}
template <Reading<double> nvml::Gpu::*member>
Reading<double> Member(const SeenGpu& seen) {
  return seen.gpu.*member;
}
Reading<double> XidLast(const SeenGpu& seen) {
  return seen.xids ? Reading<double>(seen.xid_last) : Reading<double>();
}
Reading<double> XidCount(const SeenGpu& seen) {
  return seen.xids ? Reading<double>(static_cast<double>(*seen.xids)) : Reading<double>();
}
Reading<double> MigMode(const SeenGpu& seen) {
  return seen.gpu.mig_mode ? Reading<double>(*seen.gpu.mig_mode ? 1 : 0) : Reading<double>();
}

// With the pod.
constexpr Row kCore[] = {
    {{"nvidia_gpu_utilization_percent", kGauge, "Time during which a kernel ran, in percent."},
     Value<Quantity::kUtilization>},
    {{"nvidia_gpu_used_memory_bytes", kGauge, "Device memory in use."},
     Value<Quantity::kMemoryUsed>},
    {{"nvidia_gpu_total_memory_bytes", kGauge, "Device memory of the board."},
     Value<Quantity::kMemoryTotal>},
    {{"nvidia_gpu_free_memory_bytes", kGauge, "Device memory not in use."},
     Value<Quantity::kMemoryFree>},
    {{"nvidia_gpu_memory_utilization_percent", kGauge,
      "Time during which device memory was read or written, in percent."},
     Value<Quantity::kMemoryUtilization>},
    {{"nvidia_gpu_temperature_celsius", kGauge, "Temperature of the GPU core."},
     Value<Quantity::kTemperature>},
};

constexpr Row kDevice[] = {
    {{"nvidia_gpu_reserved_memory_bytes", kGauge, "Device memory that the driver keeps."},
     Value<Quantity::kMemoryReserved>},
    {{"nvidia_gpu_memory_temperature_celsius", kGauge, "Temperature of the device memory."},
     Value<Quantity::kMemoryTemperature>},
    {{"nvidia_gpu_power_watts", kGauge, "Power drawn by the board."}, Value<Quantity::kPower>},
    {{"nvidia_gpu_power_limit_watts", kGauge, "Power limit in force."},
     Value<Quantity::kPowerLimit>},
    {{"nvidia_gpu_energy_joules_total", kCounter, "Energy used since the driver was loaded."},
     Value<Quantity::kEnergy>},
    {{"nvidia_gpu_sm_clock_mhz", kGauge, "Clock of the streaming multiprocessors."},
     Value<Quantity::kSmClock>},
    {{"nvidia_gpu_sm_clock_max_mhz", kGauge, "Highest clock of the streaming multiprocessors."},
     Value<Quantity::kSmClockMax>},
    {{"nvidia_gpu_memory_clock_mhz", kGauge, "Clock of the device memory."},
     Value<Quantity::kMemoryClock>},
    {{"nvidia_gpu_memory_clock_max_mhz", kGauge, "Highest clock of the device memory."},
     Member<&nvml::Gpu::memory_clock_max>},
    {{"nvidia_gpu_pstate", kGauge, "Performance state: 0 is the fastest, 15 the slowest."},
     Value<Quantity::kPstate>},
    {{"nvidia_gpu_throttle_reasons", kGauge,
      "Bitmask of the reasons why the clocks are below their maximum."},
     Value<Quantity::kThrottleReasons>},
    {{"nvidia_gpu_encoder_utilization_percent", kGauge, "Load of the video encoder, in percent."},
     Value<Quantity::kEncoderUtilization>},
    {{"nvidia_gpu_decoder_utilization_percent", kGauge, "Load of the video decoder, in percent."},
     Value<Quantity::kDecoderUtilization>},
    {{"nvidia_gpu_fan_speed_percent", kGauge, "Fan speed of boards with a fan, in percent."},
     Value<Quantity::kFan>},
    {{"nvidia_gpu_pcie_rx_bytes_total", kCounter, "Bytes received over PCIe."},
     Member<&nvml::Gpu::pcie_received>},
    {{"nvidia_gpu_pcie_tx_bytes_total", kCounter, "Bytes sent over PCIe."},
     Member<&nvml::Gpu::pcie_sent>},
    {{"nvidia_gpu_pcie_replay_total", kCounter, "PCIe packets sent again."},
     Value<Quantity::kPcieReplay>},
    {{"nvidia_gpu_nvlink_rx_bytes_total", kCounter, "Bytes received over NVLink."},
     Member<&nvml::Gpu::nvlink_received>},
    {{"nvidia_gpu_nvlink_tx_bytes_total", kCounter, "Bytes sent over NVLink."},
     Member<&nvml::Gpu::nvlink_sent>},
    {{"nvidia_gpu_nvlink_errors_total", kCounter, "Errors on the NVLink lanes."},
     Value<Quantity::kNvlinkErrors>},
    {{"nvidia_gpu_xid_last", kGauge,
      "Code of the latest XID error since the exporter began; 0 when there was none."},
     XidLast},
    {{"nvidia_gpu_xid_errors_total", kCounter, "XID errors since the exporter began."}, XidCount},
    {{"nvidia_gpu_ecc_corrected_volatile_total", kCounter,
      "Corrected memory errors since the driver was loaded."},
     Value<Quantity::kEccCorrectedVolatile>},
    {{"nvidia_gpu_ecc_uncorrected_volatile_total", kCounter,
      "Uncorrected memory errors since the driver was loaded."},
     Value<Quantity::kEccUncorrectedVolatile>},
    {{"nvidia_gpu_ecc_corrected_aggregate_total", kCounter,
      "Corrected memory errors in the life of the board."},
     Value<Quantity::kEccCorrectedAggregate>},
    {{"nvidia_gpu_ecc_uncorrected_aggregate_total", kCounter,
      "Uncorrected memory errors in the life of the board."},
     Value<Quantity::kEccUncorrectedAggregate>},
    {{"nvidia_gpu_row_remap_correctable", kGauge, "Memory rows remapped for corrected errors."},
     Value<Quantity::kRowRemapCorrectable>},
    {{"nvidia_gpu_row_remap_uncorrectable", kGauge, "Memory rows remapped for uncorrected errors."},
     Value<Quantity::kRowRemapUncorrectable>},
    {{"nvidia_gpu_row_remap_pending", kGauge, "1 when a row remapping waits for a reset."},
     Value<Quantity::kRowRemapPending>},
    {{"nvidia_gpu_row_remap_failure", kGauge, "1 when a row remapping failed."},
     Value<Quantity::kRowRemapFailure>},
    {{"nvidia_gpu_mig_mode", kGauge, "1 when the GPU is cut into MIG instances."}, MigMode},
};

struct InstanceRow {
  Family family;
  Quantity value;
};
constexpr InstanceRow kInstance[] = {
    {{"nvidia_gpu_mig_used_memory_bytes", kGauge, "Device memory in use in a MIG instance."},
     Quantity::kMemoryUsed},
    {{"nvidia_gpu_mig_total_memory_bytes", kGauge, "Device memory of a MIG instance."},
     Quantity::kMemoryTotal},
    {{"nvidia_gpu_mig_free_memory_bytes", kGauge, "Device memory not in use in a MIG instance."},
     Quantity::kMemoryFree},
};

void AppendIfKnown(std::string& block, std::string_view name, const Reading<std::string>& value) {
  if (value && !value->empty()) AppendLabel(block, name, *value);
}
void AppendIfKnown(std::string& block, std::string_view name, std::optional<unsigned> value) {
  if (value) AppendLabel(block, name, std::int64_t{*value});
}
void AppendHolder(std::string& block, const Holder& holder) {
  if (holder.pod.empty()) return;
  AppendLabel(block, "exported_namespace", holder.name_space);
  AppendLabel(block, "exported_pod", holder.pod);
  if (!holder.container.empty()) AppendLabel(block, "exported_container", holder.container);
}
void AppendHolder(std::string& block, const std::vector<Holder>& holders) {
  if (holders.size() == 1) AppendHolder(block, holders.front());
}

// One block of labels and what of its GPU stands behind it.
template <class T>
struct Series {
  std::string labels;
  std::string holder;
  const T* of;
};

class Page {
 public:
  Page(std::string_view node, const DriverLook& look, const Holders& holders, Exposition& out)
      : node_(node), look_(look), holders_(holders), out_(out) {
    for (const auto& seen : look.gpus) {
      Series<SeenGpu> series{Identity(seen->gpu), "", seen.get()};
      AppendHolder(series.holder, holders.OfGpu(seen->gpu));
      gpus_.push_back(std::move(series));
    }
  }

  void Write() {
    Write(kCore, true);
    WriteProcesses();
    Write(kDevice, false);
    WriteInstances();
    WriteInfo();
  }

 private:
  std::string Identity(const nvml::Gpu& gpu) const {
    std::string block;
    AppendLabel(block, "node", node_);
    AppendLabel(block, "gpu", std::int64_t{gpu.index});
    AppendIfKnown(block, "gpu_name", gpu.name);
    AppendIfKnown(block, "uuid", gpu.uuid);
    return block;
  }

  void Write(std::span<const Row> rows, bool with_holder) {
    for (const Row& row : rows) {
      bool begun = false;
      for (const auto& series : gpus_) {
        const Reading<double> value = row.value(*series.of);
        if (!value) continue;
        if (!std::exchange(begun, true)) out_.Begin(row.family);
        out_.Sample(series.labels, with_holder ? series.holder : std::string(), *value);
      }
    }
  }

  std::string ProcessLabels(const nvml::Gpu& gpu, const SeenProcess& seen) const {
    std::string block;
    AppendLabel(block, "node", node_);
    AppendLabel(block, "gpu", std::int64_t{gpu.index});
    AppendIfKnown(block, "gpu_instance_id", seen.process.gpu_instance);
    AppendIfKnown(block, "compute_instance_id", seen.process.compute_instance);
    AppendLabel(block, "pid", std::int64_t{seen.process.pid});
    AppendLabel(block, "process_name",
                seen.process.name.empty() ? seen.host.name : seen.process.name);
    AppendLabel(block, "user", seen.host.user);
    AppendLabel(block, "command", seen.host.command);
    AppendHolder(block, holders_.OfProcess(gpu, seen));
    return block;
  }

  void WriteProcesses() {
    std::vector<Series<SeenProcess>> all;
    for (const auto& series : gpus_) {
      if (!series.of->processes) continue;
      for (const SeenProcess& process : *series.of->processes) {
        all.push_back({ProcessLabels(series.of->gpu, process), "", &process});
      }
    }
    const auto write = [&](const Family& family, auto value) {
      bool begun = false;
      for (const auto& series : all) {
        const auto number = value(*series.of);
        if (!number) continue;
        if (!std::exchange(begun, true)) out_.Begin(family);
        out_.Sample(series.labels, static_cast<double>(*number));
      }
    };
    write({"nvidia_gpu_process_gpu_memory_bytes", kGauge, "Device memory held by the process."},
          [](const SeenProcess& seen) { return seen.process.used_memory; });
    write({"nvidia_gpu_process_cpu_percent", kGauge, "CPU time of the process; 100 is one core."},
          [](const SeenProcess& seen) { return seen.host.cpu_percent; });
    write({"nvidia_gpu_process_memory_percent", kGauge, "Host memory of the process, in percent."},
          [](const SeenProcess& seen) { return seen.host.memory_percent; });
  }

  void WriteInstances() {
    std::vector<Series<nvml::MigInstance>> all;
    for (const auto& gpu : gpus_) {
      for (const nvml::MigInstance& instance : gpu.of->gpu.mig_instances) {
        std::string block = gpu.labels;
        AppendIfKnown(block, "gpu_instance_id", instance.gpu_instance);
        AppendIfKnown(block, "compute_instance_id", instance.compute_instance);
        AppendIfKnown(block, "mig_profile", Reading<std::string>(instance.profile));
        AppendIfKnown(block, "mig_uuid", instance.uuid);
        AppendHolder(block, holders_.OfInstance(gpu.of->gpu, instance));
        all.push_back({std::move(block), "", &instance});
      }
    }
    for (const InstanceRow& row : kInstance) {
      bool begun = false;
      for (const auto& series : all) {
        const Reading<double>& value = series.of->values[row.value];
        if (!value) continue;
        if (!std::exchange(begun, true)) out_.Begin(row.family);
        out_.Sample(series.labels, *value);
      }
    }
  }

  void WriteInfo() {
    bool begun = false;
    for (const auto& series : gpus_) {
      if (series.of->lost) continue;  // its name alone would say that it is there
      if (!std::exchange(begun, true)) {
        out_.Begin({"nvidia_gpu_info", kGauge, "The board and its driver; always 1."});
      }
      std::string more;
      AppendIfKnown(more, "driver_version", look_.software.driver_version);
      AppendIfKnown(more, "cuda_version", look_.software.cuda_version);
      AppendIfKnown(more, "pci_bus_id", series.of->gpu.pci_bus_id);
      out_.Sample(series.labels, more, 1);
    }
  }

  const std::string_view node_;
  const DriverLook& look_;
  const Holders& holders_;
  Exposition& out_;
  std::vector<Series<SeenGpu>> gpus_;
};

}  // namespace

void WriteLivePage(std::string_view node, const DriverLook& look, const Holders& holders,
                   Exposition& out) {
  Page(node, look, holders, out).Write();
}

}  // namespace gpumon::exporter
