// The boards of the synthetic fleet: what their data sheets say.
#pragma once

#include <span>
#include <string_view>

namespace gpumon::exporter {

struct GpuModel {
  std::string_view name;     // as the driver prints it
  std::string_view product;  // as the node label nvidia.com/gpu.product has it
  int memory_mib = 0;
  double idle_watts = 0;
  double limit_watts = 0;
  int sm_clock_idle_mhz = 0;
  int sm_clock_max_mhz = 0;
  int memory_clock_idle_mhz = 0;
  int memory_clock_max_mhz = 0;
  // What a board lacks has no series at all.
  bool hbm = false;  // memory temperature, row remapping
  bool nvlink = false;
  bool fan = false;
  bool ecc = false;
};

// At least one; the first is the most common.
std::span<const GpuModel> GpuModels();

}  // namespace gpumon::exporter
