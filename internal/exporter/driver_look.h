// What the driver of this machine told at one time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/status.h"
#include "internal/exporter/host_processes.h"
#include "internal/nvml/gpu.h"
#include "internal/nvml/smi_columns.h"

namespace gpumon::exporter {

struct SeenProcess {
  nvml::Process process;
  HostProcess host;
};

struct SeenGpu {
  nvml::Gpu gpu;
  bool lost = false;
  // XID errors since this program began; not set where the driver does not tell of them.
  std::optional<std::uint64_t> xids;
  unsigned xid_last = 0;      // 0: there was none
  SteadyTime at{};            // when it had been read
  nvml::SmiColumns from_smi;  // those of its values that nvidia-smi told, as NVML lacks them
  // Not set: not listed (gpu.processes says why), or not yet.
  std::optional<std::vector<SeenProcess>> processes;
};

inline constexpr std::string_view kNvml = "nvml";
inline constexpr std::string_view kNvidiaSmi = "nvidia-smi";

struct DriverLook {
  std::string_view source = kNvml;
  nvml::Software software;
  std::vector<std::shared_ptr<const SeenGpu>> gpus;  // read just now, in the order of their index
  std::optional<Status> error;                       // why there are none
  bool hanging = false;        // the driver did not answer in time; what it told before is here
  std::optional<Millis> age;   // since the last time that all was read
  std::uint64_t reopened = 0;  // how often NVML was started again
};

}  // namespace gpumon::exporter
