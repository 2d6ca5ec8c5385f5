// A GPU of this machine as whoever knows it says: NVML, nvidia-smi, or another source.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/field.h"

namespace gpumon::nvml {

// Why a value is not there.
enum class Absence : std::uint8_t {
  kNotAsked,
  kNotSupported,
  kNoPermission,
  kGpuLost,
  kError,
  kCount
};
std::string_view NameOf(Absence why);  // "not_supported"

struct Absent {
  Absence why = Absence::kNotAsked;
  std::string text;  // a clause for people: "not supported"; "" when nobody asked
};

// A value, or why there is none; at first nobody has asked. A value type.
template <class T>
class Reading {
 public:
  Reading() = default;
  Reading(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Reading(Absent absent) : absent_(std::move(absent)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return value_.has_value(); }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return &*value_; }
  T ValueOr(T other) const { return value_.value_or(std::move(other)); }
  // Of a reading that is absent.
  const Absent& absent() const { return absent_; }

 private:
  std::optional<T> value_;
  Absent absent_;
};

// One for each quantity, in the registry's base unit (models/field.h).
class Readings {
 public:
  Reading<double>& operator[](models::Quantity q) { return all_[static_cast<std::size_t>(q)]; }
  const Reading<double>& operator[](models::Quantity q) const {
    return all_[static_cast<std::size_t>(q)];
  }

 private:
  std::array<Reading<double>, models::kQuantities> all_;
};

// A process that has memory or contexts on a GPU.
struct Process {
  std::uint32_t pid = 0;
  bool compute = false;
  bool graphics = false;
  std::string name;  // of the program alone, without folders and arguments; "" when unknown
  Reading<std::uint64_t> used_memory;  // bytes
  std::optional<unsigned> gpu_instance;
  std::optional<unsigned> compute_instance;
};

struct MigInstance {
  unsigned index = 0;
  Reading<std::string> uuid;
  std::string profile;  // "1g.10gb"; "" when unknown
  std::optional<unsigned> gpu_instance;
  std::optional<unsigned> compute_instance;
  Readings values;  // memory
};

struct Gpu {
  unsigned index = 0;
  // Why nothing can be read of this GPU at all; then nothing else is set.
  std::optional<Absent> unreadable;
  Reading<std::string> name;  // "NVIDIA GeForce RTX 4090"
  Reading<std::string> uuid;
  Reading<std::string> pci_bus_id;
  Reading<std::string> serial;
  Readings values;
  // MHz, beside those of the registry.
  Reading<double> graphics_clock;
  Reading<double> graphics_clock_max;
  Reading<double> memory_clock_max;
  // Bytes since the driver was loaded.
  Reading<double> pcie_received;
  Reading<double> pcie_sent;
  Reading<double> nvlink_received;
  Reading<double> nvlink_sent;
  Reading<bool> mig_mode;
  std::vector<MigInstance> mig_instances;  // in the order of their index
  Reading<std::vector<Process>> processes;
};

// Nothing can be read of it, or what every GPU tells says that it is lost.
bool IsLost(const Gpu& gpu);

struct Software {
  Reading<std::string> driver_version;
  Reading<std::string> cuda_version;  // the highest that the driver can do: "12.2"
  Reading<std::string> nvml_version;
};

}  // namespace gpumon::nvml
