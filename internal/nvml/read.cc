#include "internal/nvml/read.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::nvml {
namespace {

using models::Quantity;

constexpr std::size_t kTextSize = 128;  // NVML's longest is 96

Reading<std::string> TextOrAbsent(Return answer, const std::array<char, kTextSize>& buffer) {
  if (answer != Return::kSuccess) return AbsentOf(answer);
  const std::string_view all(buffer.data(), buffer.size());
  return ReplaceHidden(ToValidUtf8(all.substr(0, all.find('\0'))), "?");
}

// How a function is called: after the device, and before where the value goes.
enum class Shape : std::uint8_t { kNumber, kNumberOf, kWide, kWideOf, kState };

struct Row {
  Shape shape;
  const char* name;
  const char* older_name;  // or ""
  int first;               // arguments of kNumberOf and kWideOf
  int second;
  double scale;
};

struct ValueRow {
  Quantity to;
  Row row;
};
constexpr int kSm = 1;
constexpr int kMemoryDomain = 2;
constexpr int kGraphics = 0;
constexpr double kMilli = 0.001;
constexpr std::array kValues = {
    ValueRow{Quantity::kPower, {Shape::kNumber, "nvmlDeviceGetPowerUsage", "", 0, 0, kMilli}},
    ValueRow{Quantity::kPowerLimit,
             {Shape::kNumber, "nvmlDeviceGetEnforcedPowerLimit",
              "nvmlDeviceGetPowerManagementLimit", 0, 0, kMilli}},
    ValueRow{Quantity::kEnergy,
             {Shape::kWide, "nvmlDeviceGetTotalEnergyConsumption", "", 0, 0, kMilli}},
    ValueRow{Quantity::kSmClock, {Shape::kNumberOf, "nvmlDeviceGetClockInfo", "", kSm, 0, 1}},
    ValueRow{Quantity::kSmClockMax, {Shape::kNumberOf, "nvmlDeviceGetMaxClockInfo", "", kSm, 0, 1}},
    ValueRow{Quantity::kMemoryClock,
             {Shape::kNumberOf, "nvmlDeviceGetClockInfo", "", kMemoryDomain, 0, 1}},
    ValueRow{Quantity::kPstate, {Shape::kState, "nvmlDeviceGetPerformanceState", "", 0, 0, 1}},
    ValueRow{Quantity::kFan, {Shape::kNumber, "nvmlDeviceGetFanSpeed", "", 0, 0, 1}},
    ValueRow{Quantity::kThrottleReasons,
             {Shape::kWide, "nvmlDeviceGetCurrentClocksEventReasons",
              "nvmlDeviceGetCurrentClocksThrottleReasons", 0, 0, 1}},
    ValueRow{Quantity::kEccCorrectedVolatile,
             {Shape::kWideOf, "nvmlDeviceGetTotalEccErrors", "", 0, 0, 1}},
    ValueRow{Quantity::kEccCorrectedAggregate,
             {Shape::kWideOf, "nvmlDeviceGetTotalEccErrors", "", 0, 1, 1}},
    ValueRow{Quantity::kEccUncorrectedVolatile,
             {Shape::kWideOf, "nvmlDeviceGetTotalEccErrors", "", 1, 0, 1}},
    ValueRow{Quantity::kEccUncorrectedAggregate,
             {Shape::kWideOf, "nvmlDeviceGetTotalEccErrors", "", 1, 1, 1}},
};

struct ClockRow {
  Reading<double> Gpu::*to;
  Row row;
};
constexpr std::array kClocks = {
    ClockRow{&Gpu::graphics_clock,
             {Shape::kNumberOf, "nvmlDeviceGetClockInfo", "", kGraphics, 0, 1}},
    ClockRow{&Gpu::graphics_clock_max,
             {Shape::kNumberOf, "nvmlDeviceGetMaxClockInfo", "", kGraphics, 0, 1}},
    ClockRow{&Gpu::memory_clock_max,
             {Shape::kNumberOf, "nvmlDeviceGetMaxClockInfo", "", kMemoryDomain, 0, 1}},
};

// All ones stand for what is not available.
template <class T>
Reading<double> NumberOrAbsent(Return answer, T value, double scale) {
  if (answer != Return::kSuccess) return AbsentOf(answer);
  if (value == std::numeric_limits<T>::max()) return AbsentOf(Return::kNotSupported);
  return static_cast<double>(value) * scale;
}

template <class T, class... Arguments>
Reading<double> Ask(const Symbols& nvml, const Row& row, Device device, Arguments... arguments) {
  T value{};
  Return answer = nvml.Call<Device, Arguments..., T*>({row.name}, device, arguments..., &value);
  if (answer != Return::kSuccess && *row.older_name != '\0') {
    const Return older =
        nvml.Call<Device, Arguments..., T*>({row.older_name}, device, arguments..., &value);
    // What the newest function says that there is tells most.
    if (older == Return::kSuccess || answer == Return::kFunctionNotFound) answer = older;
  }
  return NumberOrAbsent(answer, value, row.scale);
}

Reading<double> Read(const Symbols& nvml, const Row& row, Device device) {
  switch (row.shape) {
    case Shape::kNumber:
      return Ask<unsigned>(nvml, row, device);
    case Shape::kNumberOf:
      return Ask<unsigned>(nvml, row, device, row.first);
    case Shape::kWide:
      return Ask<Wide>(nvml, row, device);
    case Shape::kWideOf:
      return Ask<Wide>(nvml, row, device, row.first, row.second);
    case Shape::kState:
      break;
  }
  constexpr double kUnknownState = 32;
  const auto state = Ask<unsigned>(nvml, row, device);
  if (state && *state >= kUnknownState) return AbsentOf(Return::kNotSupported);
  return state;
}

Reading<double> ReadTemperature(const Symbols& nvml, Device device) {
  constexpr int kDie = 0;
  unsigned celsius = 0;
  const Return answer =
      nvml.Call<Device, int, unsigned*>({"nvmlDeviceGetTemperature"}, device, kDie, &celsius);
  if (answer == Return::kSuccess) return NumberOrAbsent(answer, celsius, 1);
  abi::Temperature newer{abi::VersionOf<abi::Temperature>(1), kDie, 0};
  const Return newer_answer =
      nvml.Call<Device, abi::Temperature*>({"nvmlDeviceGetTemperatureV"}, device, &newer);
  // What the function says that every driver has is why.
  if (newer_answer != Return::kSuccess) return AbsentOf(answer);
  return static_cast<double>(newer.celsius);
}

void ReadUtilization(const Symbols& nvml, Device device, Readings& values) {
  abi::Utilization rates{};
  const Return answer =
      nvml.Call<Device, abi::Utilization*>({"nvmlDeviceGetUtilizationRates"}, device, &rates);
  values[Quantity::kUtilization] = NumberOrAbsent(answer, rates.gpu, 1);
  values[Quantity::kMemoryUtilization] = NumberOrAbsent(answer, rates.memory, 1);
}

void ReadRemappedRows(const Symbols& nvml, Device device, Readings& values) {
  constexpr std::array kTo = {Quantity::kRowRemapCorrectable, Quantity::kRowRemapUncorrectable,
                              Quantity::kRowRemapPending, Quantity::kRowRemapFailure};
  std::array<unsigned, kTo.size()> rows{};
  const Return answer = nvml.Call<Device, unsigned*, unsigned*, unsigned*, unsigned*>(
      {"nvmlDeviceGetRemappedRows"}, device, &rows[0], &rows[1], &rows[2], &rows[3]);
  for (std::size_t i = 0; i < kTo.size(); ++i) values[kTo[i]] = NumberOrAbsent(answer, rows[i], 1);
}

}  // namespace

Reading<std::string> ReadText(const Symbols& nvml, const char* name, Device device) {
  std::array<char, kTextSize> buffer{};
  const Return answer = nvml.Call<Device, char*, unsigned>({name}, device, buffer.data(),
                                                           static_cast<unsigned>(buffer.size()));
  return TextOrAbsent(answer, buffer);
}

Reading<std::string> ReadText(const Symbols& nvml, const char* name) {
  std::array<char, kTextSize> buffer{};
  const Return answer =
      nvml.Call<char*, unsigned>({name}, buffer.data(), static_cast<unsigned>(buffer.size()));
  return TextOrAbsent(answer, buffer);
}

Reading<std::string> ReadBusId(const Symbols& nvml, Device device) {
  abi::Pci pci{};
  const Return answer = nvml.Call<Device, abi::Pci*>(
      {"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"}, device, &pci);
  if (answer != Return::kSuccess) return AbsentOf(answer);
  // The numbers are at the same place in every generation.
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%08X:%02X:%02X.0", pci.domain, pci.bus, pci.device);
  return std::string(text.data());
}

void ReadValues(const Symbols& nvml, Device device, Gpu& gpu) {
  for (const auto& [to, row] : kValues) gpu.values[to] = Read(nvml, row, device);
  for (const auto& [to, row] : kClocks) gpu.*to = Read(nvml, row, device);
  gpu.values[Quantity::kTemperature] = ReadTemperature(nvml, device);
  ReadUtilization(nvml, device, gpu.values);
  ReadRemappedRows(nvml, device, gpu.values);
}

void ReadMemory(const Symbols& nvml, Device device, Readings& values) {
  abi::MemoryV2 memory{abi::VersionOf<abi::MemoryV2>(2), 0, 0, 0, 0};
  Return answer =
      nvml.Call<Device, abi::MemoryV2*>({"nvmlDeviceGetMemoryInfo_v2"}, device, &memory);
  values[Quantity::kMemoryReserved] = NumberOrAbsent(answer, memory.reserved, 1);
  if (answer != Return::kSuccess) {
    abi::Memory older{};
    answer = nvml.Call<Device, abi::Memory*>({"nvmlDeviceGetMemoryInfo"}, device, &older);
    memory = {0, older.total, 0, older.free, older.used};
  }
  values[Quantity::kMemoryTotal] = NumberOrAbsent(answer, memory.total, 1);
  values[Quantity::kMemoryUsed] = NumberOrAbsent(answer, memory.used, 1);
  values[Quantity::kMemoryFree] = NumberOrAbsent(answer, memory.free, 1);
}

}  // namespace gpumon::nvml
