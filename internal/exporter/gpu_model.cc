#include "internal/exporter/gpu_model.h"

#include <array>

namespace gpumon::exporter {

std::span<const GpuModel> GpuModels() {
  static constexpr std::array kModels = {
      GpuModel{.name = "NVIDIA H100 80GB HBM3",
               .product = "NVIDIA-H100-80GB-HBM3",
               .memory_mib = 81559,
               .idle_watts = 72,
               .limit_watts = 700,
               .sm_clock_idle_mhz = 345,
               .sm_clock_max_mhz = 1980,
               .memory_clock_idle_mhz = 2619,
               .memory_clock_max_mhz = 2619,
               .hbm = true,
               .nvlink = true,
               .ecc = true},
      GpuModel{.name = "NVIDIA A100-SXM4-80GB",
               .product = "NVIDIA-A100-SXM4-80GB",
               .memory_mib = 81920,
               .idle_watts = 58,
               .limit_watts = 400,
               .sm_clock_idle_mhz = 210,
               .sm_clock_max_mhz = 1410,
               .memory_clock_idle_mhz = 1593,
               .memory_clock_max_mhz = 1593,
               .hbm = true,
               .nvlink = true,
               .ecc = true},
      GpuModel{.name = "NVIDIA L40S",
               .product = "NVIDIA-L40S",
               .memory_mib = 46068,
               .idle_watts = 34,
               .limit_watts = 350,
               .sm_clock_idle_mhz = 210,
               .sm_clock_max_mhz = 2520,
               .memory_clock_idle_mhz = 405,
               .memory_clock_max_mhz = 9001,
               .ecc = true},
      GpuModel{.name = "NVIDIA GeForce RTX 4090",
               .product = "NVIDIA-GeForce-RTX-4090",
               .memory_mib = 24564,
               .idle_watts = 18,
               .limit_watts = 450,
               .sm_clock_idle_mhz = 210,
               .sm_clock_max_mhz = 3105,
               .memory_clock_idle_mhz = 405,
               .memory_clock_max_mhz = 10501,
               .fan = true},
  };
  return kModels;
}

}  // namespace gpumon::exporter
