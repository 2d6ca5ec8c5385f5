// The GPUs of this machine, from whoever knows them.
#pragma once

#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/nvml/gpu.h"

namespace gpumon::checks {

// The programs of macOS, by their paths. Where the first is missing there is no macOS.
struct MacTools {
  std::string system_profiler = "/usr/sbin/system_profiler";
  std::string ioreg = "/usr/sbin/ioreg";
  std::string sysctl = "/usr/sbin/sysctl";
  std::string powermetrics = "/usr/bin/powermetrics";
  bool is_root = geteuid() == 0;  // powermetrics works for no one else
};

struct GpuOptions {
  // NVML: "" is what NVML_LIBRARY names, else the driver's libnvidia-ml.so.1.
  std::string nvml_library = {};
  std::string nvidia_smi = "nvidia-smi";  // a name in PATH, or a path
  // Of an all-smi: http or https, with or without /metrics. When set nothing else is asked.
  std::string all_smi_url = {};
  MacTools mac = {};
};

struct SeenGpu {
  nvml::Gpu gpu;
  Millis took{0};
  WallTime at{};
  std::string host = {};                        // "" where all are of one host
  std::optional<nvml::Software> software = {};  // of that host; not set: the look's
};

struct GpuLook {
  std::string maker;   // "NVIDIA", "Apple Silicon"; "" of others
  std::string source;  // "NVML", "nvidia-smi", "all-smi", "macOS"
  nvml::Software software;
  std::vector<SeenGpu> gpus;
  // Why there are none. kNotFound: there is no hardware that anyone here knows.
  std::optional<gpumon::Status> error;
  std::vector<std::string> steps;  // what was asked, one line each
  Millis took{0};
  WallTime at{};
};

inline constexpr std::string_view kNvidia = "NVIDIA";
inline constexpr std::string_view kAppleSilicon = "Apple Silicon";
inline constexpr std::string_view kAllSmi = "all-smi";

// Of one GPU of the look.
std::string MakerOf(const GpuLook& look, const nvml::Gpu& gpu);

// all-smi where it is named; else NVML, nvidia-smi when that cannot be had, and macOS's own tools,
// until one shows GPUs. Blocks its thread; thread-safe.
GpuLook LookAtGpus(const GpuOptions& options, const Clock& clock, Deadline deadline);

}  // namespace gpumon::checks
