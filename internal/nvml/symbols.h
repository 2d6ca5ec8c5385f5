// NVML's binary interface, as far as it is used: functions are looked up by name at run time, so
// that no header and no library of NVIDIA's is needed to build.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>

#include "internal/base/result.h"
#include "internal/nvml/returns.h"

// The library's own enums and structures have the representation of ours, and other names, which
// clang's -fsanitize=function takes for other functions.
#ifdef __clang__
#define GPUMON_FOREIGN_CALL __attribute__((no_sanitize("function")))
#else
#define GPUMON_FOREIGN_CALL
#endif

namespace gpumon::nvml {

// One of NVML's GPUs or MIG instances; belongs to NVML.
using Device = void*;
using Wide = unsigned long long;  // NVML's 64 bits

// Layouts of structures that the functions fill.
namespace abi {

struct Utilization {
  unsigned gpu;
  unsigned memory;
};
struct Memory {
  Wide total;
  Wide free;
  Wide used;
};
struct MemoryV2 {
  unsigned version;
  Wide total;
  Wide reserved;
  Wide free;
  Wide used;
};
static_assert(sizeof(MemoryV2) == 40);
// Of the older functions too, whose structure is shorter and alike up to `device`.
struct Pci {
  std::array<char, 16> short_bus_id;
  unsigned domain;
  unsigned bus;
  unsigned device;
  unsigned device_id;
  unsigned subsystem_id;
  std::array<char, 32> bus_id;
};
static_assert(sizeof(Pci) == 68);
struct Process {
  unsigned pid;
  Wide used_memory;
};
static_assert(sizeof(Process) == 16);
struct ProcessV2 {
  unsigned pid;
  Wide used_memory;
  unsigned gpu_instance;
  unsigned compute_instance;
};
static_assert(sizeof(ProcessV2) == 24);
struct Temperature {
  unsigned version;
  int sensor;
  int celsius;
};

// One number of nvmlDeviceGetFieldValues, which says in `type` how wide it is.
struct FieldValue {
  unsigned field;
  unsigned scope;
  long long microseconds;
  long long latency;
  unsigned type;
  int answer;
  Wide value;
};
static_assert(sizeof(FieldValue) == 40);
// Of the older function too, which fills it up to `data`.
struct Event {
  Device device;
  Wide type;
  Wide data;
  unsigned gpu_instance;
  unsigned compute_instance;
};
static_assert(sizeof(Event) == 32);

// What the `version` of a structure has to be.
template <class T>
constexpr unsigned VersionOf(unsigned number) {
  return static_cast<unsigned>(sizeof(T)) | number << 24U;
}

}  // namespace abi

// A shared library and the functions it has. Thread-safe, as dlsym is.
class Symbols {
 public:
  // kNotFound when there is no such library, kUnavailable when there is one that cannot be loaded;
  // the message says which, and the next step.
  static Result<Symbols> Load(const std::string& path);
  ~Symbols();
  Symbols(Symbols&& other) noexcept;
  Symbols& operator=(Symbols&& other) = delete;
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  // Calls the first function of `names` that the library has; the next one when the driver behind
  // it does not know that one. kFunctionNotFound when there is none.
  template <class... Parameters>
  GPUMON_FOREIGN_CALL Return Call(std::initializer_list<const char*> names,
                                  Parameters... parameters) const {
    Return answer = Return::kFunctionNotFound;
    for (const char* const name : names) {
      auto* const function = reinterpret_cast<Return (*)(Parameters...)>(Find(name));
      if (function == nullptr) continue;
      answer = function(parameters...);
      if (answer != Return::kFunctionNotFound && answer != Return::kArgumentVersionMismatch &&
          answer != Return::kDeprecated) {
        break;
      }
    }
    return answer;
  }

  bool Has(const char* name) const { return Find(name) != nullptr; }

 private:
  explicit Symbols(void* library) : library_(library) {}
  void* Find(const char* name) const;

  void* library_;
};

}  // namespace gpumon::nvml
