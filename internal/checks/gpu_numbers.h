// A GPU's numbers as people read them.
#pragma once

#include <string>
#include <string_view>

#include "internal/nvml/gpu.h"

namespace gpumon::checks {

// With so many decimals, "12.5"; whole numbers without when `short_form`.
std::string Decimal(double value, int decimals, bool short_form = false);

// "45%", "65°C", "N/A".
std::string WithUnit(const nvml::Reading<double>& reading, std::string_view unit, int decimals = 1,
                     bool short_form = true);

// Used of total, %; absent without either, and where there is no memory.
nvml::Reading<double> MemoryPercent(const nvml::Readings& values);
// Of the limit, %.
nvml::Reading<double> PowerPercent(const nvml::Readings& values);

// "RTX 4090" of "NVIDIA GeForce RTX 4090".
std::string ShortName(std::string_view name);

}  // namespace gpumon::checks
