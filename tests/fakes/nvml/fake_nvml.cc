// A stand-in for libnvidia-ml.so.1. Its structures are written down here once more, as the driver
// has them: what the product declares is compared with them by every test.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <string>

#include "tests/fakes/nvml/script.h"

namespace gpumon::fake_nvml {
namespace {

using Wide = unsigned long long;

enum Code {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNotFound = 6,
  kInsufficientSize = 7,
  kVersionMismatch = 25
};

// Its memory is never given back: a thread that hangs in here is still here when the program ends.
Script& Act() {
  alignas(Script) static unsigned char room[sizeof(Script)];
  static Script* const script = new (room) Script;
  return *script;
}
std::mutex starting;  // as NVML's own: one thread may start what another ends
bool started = false;
std::size_t told = 0;  // of the XID errors

// As long as a driver hangs that a test has hang.
void Hang(const char* function, const Thing& thing) {
  const auto found = thing.hangs.find(function);
  if (found == thing.hangs.end()) return;
  const std::string file = found->second;
  while (access(file.c_str(), F_OK) == 0) usleep(2000);
}

// Handles of GPUs stay what they are.
void ReadAgain() {
  if (!started || !Act().live) return;
  Script script = ReadScript();
  if (script.generation != Act().generation) {
    started = false;
    return;
  }
  std::vector<Thing> gpus = std::move(Act().gpus);
  gpus.resize(script.gpus.size());
  std::move(script.gpus.begin(), script.gpus.end(), gpus.begin());
  Act() = std::move(script);
  Act().gpus = std::move(gpus);
}

// kSuccess when nothing speaks against it.
int Check(const char* function, const Thing* thing) {
  if (!started) return kUninitialized;
  for (const Thing* one : {static_cast<const Thing*>(&Act().system), thing}) {
    if (one == nullptr) continue;
    Hang(function, *one);
    const auto found = one->errors.find(function);
    if (found != one->errors.end()) return found->second;
  }
  return kSuccess;
}

[[maybe_unused]] int GiveText(const char* function, const Thing* thing, const char* word, char* to,
                              unsigned size) {
  if (const int code = Check(function, thing); code != kSuccess) return code;
  const auto found = thing->texts.find(word);
  if (found == thing->texts.end()) return kNotSupported;
  if (found->second.size() >= size) return kInsufficientSize;
  std::memcpy(to, found->second.c_str(), found->second.size() + 1);
  return kSuccess;
}

template <class T>
int GiveNumber(const char* function, const Thing* thing, const char* word, std::size_t place,
               T* to) {
  if (const int code = Check(function, thing); code != kSuccess) return code;
  const auto found = thing->numbers.find(word);
  if (found == thing->numbers.end() || found->second.size() <= place) return kNotSupported;
  *to = static_cast<T>(found->second[place]);
  return kSuccess;
}

[[maybe_unused]] int GiveEach(const char* function, const Thing* thing, const char* word,
                              std::initializer_list<unsigned*> to) {
  std::size_t place = 0;
  for (unsigned* const one : to) {
    if (const int code = GiveNumber(function, thing, word, place++, one); code != kSuccess) {
      return code;
    }
  }
  return kSuccess;
}

struct PciInfo {
  char legacy[16];
  unsigned domain;
  unsigned bus;
  unsigned device;
  unsigned ids[2];
  char text[32];
};

struct OldProcess {
  unsigned pid;
  Wide bytes;
};
struct NewProcess {
  unsigned pid;
  Wide bytes;
  unsigned gpu_instance;
  unsigned compute_instance;
};
struct OddProcess {
  NewProcess first;
  Wide protected_bytes;
};

[[maybe_unused]] void Fill(const Process& from, OldProcess& to) {
  to = {from.pid, from.bytes};
}
[[maybe_unused]] void Fill(const Process& from, NewProcess& to) {
  to = {from.pid, from.bytes, from.gpu_instance, from.compute_instance};
}
[[maybe_unused]] void Fill(const Process& from, OddProcess& to) {
  Fill(from, to.first);
  to.protected_bytes = 0;
}

template <class T>
int GiveProcesses(const char* function, const Thing* thing, const char* kind, unsigned* count,
                  void* to) {
  if (const int code = Check(function, thing); code != kSuccess) return code;
  const unsigned room = *count;
  *count = static_cast<unsigned>(
      std::count_if(thing->processes.begin(), thing->processes.end(),
                    [kind](const Process& process) { return process.kind == kind; }));
  if (*count > room) return kInsufficientSize;
  auto* entry = static_cast<T*>(to);
  for (const Process& process : thing->processes) {
    if (process.kind == kind) Fill(process, *entry++);
  }
  return kSuccess;
}

[[maybe_unused]] int Start(const char* function) {
  const std::lock_guard lock(starting);
  Act() = ReadScript();
  told = Act().xids.size();
  started = true;
  const int code = Check(function, nullptr);
  started = code == kSuccess;
  if (!started) Act() = Script();
  return code;
}

[[maybe_unused]] int Handle(const char* function, unsigned index, Thing** to) {
  if (const int code = Check(function, nullptr); code != kSuccess) return code;
  if (index >= Act().gpus.size()) return kInvalidArgument;
  if (const int code = Check(function, &Act().gpus[index]); code != kSuccess) return code;
  *to = &Act().gpus[index];
  return kSuccess;
}

[[maybe_unused]] int Count(const char* function, unsigned* to) {
  ReadAgain();
  if (const int code = Check(function, nullptr); code != kSuccess) return code;
  *to = static_cast<unsigned>(Act().gpus.size());
  return kSuccess;
}

}  // namespace
}  // namespace gpumon::fake_nvml

using namespace gpumon::fake_nvml;

// NOLINTBEGIN(readability-identifier-naming): the names are NVML's.

#define EXPORT extern "C" __attribute__((visibility("default"))) int
#define NUMBER(function, word)                        \
  EXPORT function(const Thing* thing, unsigned* to) { \
    return GiveNumber(#function, thing, word, 0, to); \
  }
#define TEXT(function, word)                                     \
  EXPORT function(const Thing* thing, char* to, unsigned size) { \
    return GiveText(#function, thing, word, to, size);           \
  }
#define SYSTEM_TEXT(function, word)                            \
  EXPORT function(char* to, unsigned size) {                   \
    return GiveText(#function, &Act().system, word, to, size); \
  }

#if FAKE_NVML_LEVEL >= 1
#if FAKE_NVML_LEVEL == 2
EXPORT nvmlInit() {
  return Start("nvmlInit");
}
EXPORT nvmlDeviceGetCount(unsigned* to) {
  return Count("nvmlDeviceGetCount", to);
}
EXPORT nvmlDeviceGetHandleByIndex(unsigned index, Thing** to) {
  return Handle("nvmlDeviceGetHandleByIndex", index, to);
}
#else
EXPORT nvmlInit_v2() {
  return Start("nvmlInit_v2");
}
EXPORT nvmlDeviceGetCount_v2(unsigned* to) {
  return Count("nvmlDeviceGetCount_v2", to);
}
EXPORT nvmlDeviceGetHandleByIndex_v2(unsigned index, Thing** to) {
  return Handle("nvmlDeviceGetHandleByIndex_v2", index, to);
}
#endif
EXPORT nvmlShutdown() {
  const std::lock_guard lock(starting);
  started = false;
  Act() = Script();
  return kSuccess;
}
#else
EXPORT nothingOfNvml() {
  return kNotFound;
}
#endif

#if FAKE_NVML_LEVEL >= 2
SYSTEM_TEXT(nvmlSystemGetDriverVersion, "driver")
TEXT(nvmlDeviceGetName, "name")
TEXT(nvmlDeviceGetUUID, "uuid")
TEXT(nvmlDeviceGetSerial, "serial")
NUMBER(nvmlDeviceGetPowerUsage, "power")
NUMBER(nvmlDeviceGetPowerManagementLimit, "management_limit")
NUMBER(nvmlDeviceGetPerformanceState, "pstate")
NUMBER(nvmlDeviceGetFanSpeed, "fan")

namespace {
int GivePci(const char* function, const Thing* thing, PciInfo* to, std::size_t size) {
  PciInfo info{};
  const int code = GiveEach(function, thing, "bus", {&info.domain, &info.bus, &info.device});
  if (code == kSuccess) std::memcpy(static_cast<void*>(to), &info, size);
  return code;
}
}  // namespace
EXPORT nvmlDeviceGetPciInfo(const Thing* thing, PciInfo* to) {
  return GivePci("nvmlDeviceGetPciInfo", thing, to, offsetof(PciInfo, text));
}
EXPORT nvmlDeviceGetTemperature(const Thing* thing, int sensor, unsigned* to) {
  if (sensor != 0) return kInvalidArgument;
  return GiveNumber("nvmlDeviceGetTemperature", thing, "temperature", 0, to);
}
EXPORT nvmlDeviceGetUtilizationRates(const Thing* thing, unsigned* to) {
  return GiveEach("nvmlDeviceGetUtilizationRates", thing, "utilization", {to, to + 1});
}
EXPORT nvmlDeviceGetMemoryInfo(const Thing* thing, Wide* to) {
  constexpr std::size_t kPlaces[] = {0, 2, 3};  // total, free, used
  for (std::size_t i = 0; i < 3; ++i) {
    const int code = GiveNumber("nvmlDeviceGetMemoryInfo", thing, "memory", kPlaces[i], to + i);
    if (code != kSuccess) return code;
  }
  return kSuccess;
}
EXPORT nvmlDeviceGetClockInfo(const Thing* thing, int type, unsigned* to) {
  return GiveNumber("nvmlDeviceGetClockInfo", thing, "clock", static_cast<std::size_t>(type), to);
}
EXPORT nvmlDeviceGetMaxClockInfo(const Thing* thing, int type, unsigned* to) {
  return GiveNumber("nvmlDeviceGetMaxClockInfo", thing, "max_clock", static_cast<std::size_t>(type),
                    to);
}
EXPORT nvmlDeviceGetTotalEccErrors(const Thing* thing, int kind, int counter, Wide* to) {
  return GiveNumber("nvmlDeviceGetTotalEccErrors", thing, kind == 0 ? "corrected" : "uncorrected",
                    static_cast<std::size_t>(counter), to);
}
EXPORT nvmlDeviceGetCurrentClocksThrottleReasons(const Thing* thing, Wide* to) {
  return GiveNumber("nvmlDeviceGetCurrentClocksThrottleReasons", thing, "throttle", 0, to);
}
EXPORT nvmlDeviceGetComputeRunningProcesses(const Thing* thing, unsigned* count, void* to) {
  return GiveProcesses<OldProcess>("nvmlDeviceGetComputeRunningProcesses", thing, "compute", count,
                                   to);
}
EXPORT nvmlDeviceGetGraphicsRunningProcesses(const Thing* thing, unsigned* count, void* to) {
  return GiveProcesses<OldProcess>("nvmlDeviceGetGraphicsRunningProcesses", thing, "graphics",
                                   count, to);
}
EXPORT nvmlSystemGetProcessName(unsigned pid, char* to, unsigned size) {
  if (const int code = Check("nvmlSystemGetProcessName", nullptr); code != kSuccess) return code;
  const auto found = Act().commands.find(pid);
  if (found == Act().commands.end()) return kNotFound;
  to[found->second.copy(to, size - 1)] = '\0';
  return kSuccess;
}
#endif

#if FAKE_NVML_LEVEL >= 3
SYSTEM_TEXT(nvmlSystemGetNVMLVersion, "nvml")
NUMBER(nvmlDeviceGetEnforcedPowerLimit, "limit")

EXPORT nvmlSystemGetCudaDriverVersion_v2(int* to) {
  return GiveNumber("nvmlSystemGetCudaDriverVersion_v2", &Act().system, "cuda", 0, to);
}
EXPORT nvmlDeviceGetPciInfo_v3(const Thing* thing, PciInfo* to) {
  return GivePci("nvmlDeviceGetPciInfo_v3", thing, to, sizeof(PciInfo));
}
EXPORT nvmlDeviceGetTotalEnergyConsumption(const Thing* thing, Wide* to) {
  return GiveNumber("nvmlDeviceGetTotalEnergyConsumption", thing, "energy", 0, to);
}
EXPORT nvmlDeviceGetCurrentClocksEventReasons(const Thing* thing, Wide* to) {
  return GiveNumber("nvmlDeviceGetCurrentClocksEventReasons", thing, "throttle", 0, to);
}
struct NewTemperature {
  unsigned version;
  int sensor;
  int celsius;
};
EXPORT nvmlDeviceGetTemperatureV(const Thing* thing, NewTemperature* to) {
  if (to->version != (sizeof(NewTemperature) | 1U << 24U)) return kVersionMismatch;
  return GiveNumber("nvmlDeviceGetTemperatureV", thing, "temperature", 0, &to->celsius);
}
struct NewMemory {
  unsigned version;
  Wide values[4];
};
EXPORT nvmlDeviceGetMemoryInfo_v2(const Thing* thing, NewMemory* to) {
  if (to->version != (sizeof(NewMemory) | 2U << 24U)) return kVersionMismatch;
  for (std::size_t i = 0; i < 4; ++i) {
    const int code = GiveNumber("nvmlDeviceGetMemoryInfo_v2", thing, "memory", i, &to->values[i]);
    if (code != kSuccess) return code;
  }
  return kSuccess;
}
NUMBER(nvmlDeviceGetPcieReplayCounter, "replays")
EXPORT nvmlDeviceGetEncoderUtilization(const Thing* thing, unsigned* to, unsigned* period) {
  *period = 1000;
  return GiveNumber("nvmlDeviceGetEncoderUtilization", thing, "encoder", 0, to);
}
EXPORT nvmlDeviceGetDecoderUtilization(const Thing* thing, unsigned* to, unsigned* period) {
  *period = 1000;
  return GiveNumber("nvmlDeviceGetDecoderUtilization", thing, "decoder", 0, to);
}
struct Field {
  unsigned id;
  unsigned scope;
  long long timestamp;
  long long latency;
  unsigned type;
  int code;
  Wide value;
};
EXPORT nvmlDeviceGetFieldValues(const Thing* thing, int count, Field* fields) {
  const char* const function = "nvmlDeviceGetFieldValues";
  if (const int code = Check(function, thing); code != kSuccess) return code;
  for (Field* field = fields; field != fields + count; ++field) {
    constexpr unsigned kWide = 3;
    constexpr unsigned kNarrow = 1;
    const std::string id = std::to_string(field->id);
    field->type = kWide;
    field->code = GiveNumber(function, thing, ("field" + id).c_str(), 0, &field->value);
    if (field->code == kSuccess) continue;
    field->type = kNarrow;
    field->code = GiveNumber(function, thing, ("narrow_field" + id).c_str(), 0, &field->value);
  }
  return kSuccess;
}
struct EventData {
  const Thing* thing;
  Wide type;
  Wide data;
  unsigned gpu_instance;
  unsigned compute_instance;
};
EXPORT nvmlEventSetCreate(void** to) {
  static int set;
  *to = &set;
  return Check("nvmlEventSetCreate", nullptr);
}
EXPORT nvmlEventSetFree(void*) {
  return Check("nvmlEventSetFree", nullptr);
}
EXPORT nvmlDeviceRegisterEvents(const Thing* thing, Wide, void*) {
  if (const int code = Check("nvmlDeviceRegisterEvents", thing); code != kSuccess) return code;
  return thing->numbers.count("events") == 0 ? kNotSupported : kSuccess;
}
EXPORT nvmlEventSetWait_v2(void*, EventData* to, unsigned) {
  constexpr int kTimeout = 10;
  ReadAgain();
  if (const int code = Check("nvmlEventSetWait_v2", nullptr); code != kSuccess) return code;
  if (told >= Act().xids.size()) return kTimeout;
  const XidEvent& xid = Act().xids[told++];
  *to = {&Act().gpus.at(xid.gpu), 8, xid.code, xid.gpu_instance, 0xFFFFFFFF};
  return kSuccess;
}
EXPORT nvmlDeviceGetRemappedRows(const Thing* thing, unsigned* a, unsigned* b, unsigned* c,
                                 unsigned* d) {
  return GiveEach("nvmlDeviceGetRemappedRows", thing, "rows", {a, b, c, d});
}
EXPORT nvmlDeviceGetComputeRunningProcesses_v2(const Thing* thing, unsigned* count, void* to) {
  return GiveProcesses<NewProcess>("nvmlDeviceGetComputeRunningProcesses_v2", thing, "compute",
                                   count, to);
}
EXPORT nvmlDeviceGetComputeRunningProcesses_v3(const Thing* thing, unsigned* count, void* to) {
  const auto give = Act().system.texts["driver"].starts_with("535.54") ? GiveProcesses<OddProcess>
                                                                       : GiveProcesses<NewProcess>;
  return give("nvmlDeviceGetComputeRunningProcesses_v3", thing, "compute", count, to);
}
EXPORT nvmlDeviceGetGraphicsRunningProcesses_v3(const Thing* thing, unsigned* count, void* to) {
  return GiveProcesses<NewProcess>("nvmlDeviceGetGraphicsRunningProcesses_v3", thing, "graphics",
                                   count, to);
}
EXPORT nvmlDeviceGetMigMode(const Thing* thing, unsigned* now, unsigned* pending) {
  *pending = 0;
  return GiveNumber("nvmlDeviceGetMigMode", thing, "mig", 0, now);
}
EXPORT nvmlDeviceGetMaxMigDeviceCount(const Thing* thing, unsigned* to) {
  constexpr unsigned kMost = 7;
  *to = kMost;
  return Check("nvmlDeviceGetMaxMigDeviceCount", thing);
}
EXPORT nvmlDeviceGetMigDeviceHandleByIndex(const Thing* thing, unsigned index, const Thing** to) {
  if (const int code = Check("nvmlDeviceGetMigDeviceHandleByIndex", thing); code != kSuccess) {
    return code;
  }
  if (index >= thing->instances.size()) return kNotFound;
  *to = &thing->instances[index];
  return kSuccess;
}
EXPORT nvmlDeviceGetGpuInstanceId(const Thing* thing, unsigned* to) {
  return GiveNumber("nvmlDeviceGetGpuInstanceId", thing, "ids", 0, to);
}
EXPORT nvmlDeviceGetComputeInstanceId(const Thing* thing, unsigned* to) {
  return GiveNumber("nvmlDeviceGetComputeInstanceId", thing, "ids", 1, to);
}
#endif
// NOLINTEND(readability-identifier-naming)
