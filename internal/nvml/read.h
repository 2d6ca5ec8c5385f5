// What one GPU tells. Each function asks all it can; what fails is absent and says why.
#pragma once

#include <string>
#include <vector>

#include "internal/nvml/gpu.h"
#include "internal/nvml/symbols.h"

namespace gpumon::nvml {

// Texts of a device or, with `names` that take no device, of the system.
Reading<std::string> ReadText(const Symbols& nvml, const char* name, Device device);
Reading<std::string> ReadText(const Symbols& nvml, const char* name);
Reading<std::string> ReadBusId(const Symbols& nvml, Device device);

// Into the values of `gpu`, its clocks too.
void ReadValues(const Symbols& nvml, Device device, Gpu& gpu);
void ReadMemory(const Symbols& nvml, Device device, Readings& values);

// What only newer drivers count: memory temperature, encoder and decoder, PCIe and NVLink.
void ReadFields(const Symbols& nvml, Device device, Gpu& gpu);

// `without_v3`: the newest function is not to be used. A process that computes and draws is one.
Reading<std::vector<Process>> ReadProcesses(const Symbols& nvml, Device device, bool without_v3);

// Whether the GPU is cut into instances, and which there are.
void ReadMig(const Symbols& nvml, Device device, Gpu& gpu);

}  // namespace gpumon::nvml
