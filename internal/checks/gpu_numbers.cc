#include "internal/checks/gpu_numbers.h"

#include <array>
#include <cstdio>

namespace gpumon::checks {
namespace {

using models::Quantity;

nvml::Reading<double> Percent(const nvml::Reading<double>& part,
                              const nvml::Reading<double>& whole) {
  constexpr double kPercent = 100;
  if (!part) return part.absent();
  if (!whole) return whole.absent();
  if (*whole <= 0) return nvml::Absent{nvml::Absence::kNotSupported, "not supported"};
  return kPercent * *part / *whole;
}

}  // namespace

std::string Decimal(double value, int decimals, bool short_form) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  std::string all(text.data(), static_cast<std::size_t>(size));
  const std::size_t point = all.find('.');
  if (short_form && point != std::string::npos &&
      all.find_first_not_of('0', point + 1) == std::string::npos) {
    all.resize(point);
  }
  return all;
}

std::string WithUnit(const nvml::Reading<double>& reading, std::string_view unit, int decimals,
                     bool short_form) {
  if (!reading) return "N/A";
  return Decimal(*reading, decimals, short_form).append(unit);
}

nvml::Reading<double> MemoryPercent(const nvml::Readings& values) {
  return Percent(values[Quantity::kMemoryUsed], values[Quantity::kMemoryTotal]);
}

nvml::Reading<double> PowerPercent(const nvml::Readings& values) {
  return Percent(values[Quantity::kPower], values[Quantity::kPowerLimit]);
}

std::string ShortName(std::string_view name) {
  for (const std::string_view word : {"NVIDIA ", "GeForce "}) {
    if (name.starts_with(word)) name.remove_prefix(word.size());
  }
  return std::string(name);
}

}  // namespace gpumon::checks
