// Lists: processes and MIG instances.
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "internal/base/text.h"
#include "internal/nvml/process_name.h"
#include "internal/nvml/read.h"

namespace gpumon::nvml {
namespace {

// A process may start between two questions.
constexpr int kTries = 4;
constexpr unsigned kSpare = 8;
constexpr unsigned kMostProcesses = 65'536;

std::optional<unsigned> InstanceOf(unsigned id) {
  if (id == std::numeric_limits<unsigned>::max()) return std::nullopt;
  return id;
}

Process ProcessOf(const abi::Process& entry) {
  Process process;
  process.pid = entry.pid;
  if (entry.used_memory == std::numeric_limits<Wide>::max()) {
    process.used_memory = AbsentOf(Return::kNotSupported);
  } else {
    process.used_memory = std::uint64_t{entry.used_memory};
  }
  return process;
}

Process ProcessOf(const abi::ProcessV2& entry) {
  Process process = ProcessOf(abi::Process{entry.pid, entry.used_memory});
  process.gpu_instance = InstanceOf(entry.gpu_instance);
  process.compute_instance = InstanceOf(entry.compute_instance);
  return process;
}

template <class Entry>
Return List(const Symbols& nvml, const std::string& function, Device device,
            std::vector<Process>& into) {
  unsigned count = 0;
  Return answer = nvml.Call<Device, unsigned*, Entry*>({function.c_str()}, device, &count, nullptr);
  for (int i = 0; i < kTries && answer == Return::kInsufficientSize; ++i) {
    count = std::min(count + kSpare, kMostProcesses);
    std::vector<Entry> entries(count);
    answer =
        nvml.Call<Device, unsigned*, Entry*>({function.c_str()}, device, &count, entries.data());
    if (answer != Return::kSuccess) continue;
    entries.resize(std::min<std::size_t>(count, entries.size()));
    for (const Entry& entry : entries) into.push_back(ProcessOf(entry));
  }
  return answer;
}

// The newest function that the driver has.
Return ListNewest(const Symbols& nvml, const std::string& function, Device device, bool without_v3,
                  std::vector<Process>& into) {
  Return answer = Return::kFunctionNotFound;
  if (!without_v3) answer = List<abi::ProcessV2>(nvml, function + "_v3", device, into);
  if (answer == Return::kFunctionNotFound) {
    answer = List<abi::ProcessV2>(nvml, function + "_v2", device, into);
  }
  if (answer == Return::kFunctionNotFound)
    answer = List<abi::Process>(nvml, function, device, into);
  return answer;
}

std::string NameOfProcess(const Symbols& nvml, unsigned pid) {
  std::array<char, 1024> buffer{};
  const Return answer = nvml.Call<unsigned, char*, unsigned>(
      {"nvmlSystemGetProcessName"}, pid, buffer.data(), static_cast<unsigned>(buffer.size() - 1));
  return answer == Return::kSuccess ? ProgramNameOf(buffer.data()) : std::string();
}

Process& FindOrAdd(std::vector<Process>& processes, const Process& one) {
  for (Process& process : processes) {
    if (process.pid == one.pid && process.gpu_instance == one.gpu_instance &&
        process.compute_instance == one.compute_instance) {
      return process;
    }
  }
  return processes.emplace_back(one);
}

MigInstance ReadInstance(const Symbols& nvml, Device device, unsigned index) {
  MigInstance instance;
  instance.index = index;
  instance.uuid = ReadText(nvml, "nvmlDeviceGetUUID", device);
  const std::string name = ReadText(nvml, "nvmlDeviceGetName", device).ValueOr("");
  constexpr std::string_view kBefore = "MIG ";
  const std::size_t at = name.rfind(kBefore);
  if (at != std::string::npos) instance.profile = name.substr(at + kBefore.size());
  const auto id = [&](const char* function) -> std::optional<unsigned> {
    unsigned value = 0;
    const Return answer = nvml.Call<Device, unsigned*>({function}, device, &value);
    return answer == Return::kSuccess ? InstanceOf(value) : std::nullopt;
  };
  instance.gpu_instance = id("nvmlDeviceGetGpuInstanceId");
  instance.compute_instance = id("nvmlDeviceGetComputeInstanceId");
  ReadMemory(nvml, device, instance.values);
  return instance;
}

}  // namespace

Reading<std::vector<Process>> ReadProcesses(const Symbols& nvml, Device device, bool without_v3) {
  struct Kind {
    const char* function;
    bool Process::*flag;
  };
  constexpr std::array kKinds = {Kind{"nvmlDeviceGetComputeRunningProcesses", &Process::compute},
                                 Kind{"nvmlDeviceGetGraphicsRunningProcesses", &Process::graphics}};
  std::vector<Process> all;
  std::optional<Return> failed;
  int answered = 0;
  for (const Kind& kind : kKinds) {
    std::vector<Process> some;
    const Return answer = ListNewest(nvml, kind.function, device, without_v3, some);
    if (answer != Return::kSuccess) {
      if (!failed) failed = answer;
      continue;
    }
    ++answered;
    for (const Process& one : some) FindOrAdd(all, one).*kind.flag = true;
  }
  if (answered == 0) return AbsentOf(*failed);
  for (Process& process : all) process.name = NameOfProcess(nvml, process.pid);
  return all;
}

void ReadMig(const Symbols& nvml, Device device, Gpu& gpu) {
  unsigned now = 0;
  unsigned pending = 0;
  const Return answer =
      nvml.Call<Device, unsigned*, unsigned*>({"nvmlDeviceGetMigMode"}, device, &now, &pending);
  if (answer != Return::kSuccess) {
    gpu.mig_mode = AbsentOf(answer);
    return;
  }
  gpu.mig_mode = now != 0;
  unsigned most = 0;
  if (now == 0 || nvml.Call<Device, unsigned*>({"nvmlDeviceGetMaxMigDeviceCount"}, device, &most) !=
                      Return::kSuccess) {
    return;
  }
  for (unsigned i = 0; i < most; ++i) {
    Device instance = nullptr;
    if (nvml.Call<Device, unsigned, Device*>({"nvmlDeviceGetMigDeviceHandleByIndex"}, device, i,
                                             &instance) == Return::kSuccess) {
      gpu.mig_instances.push_back(ReadInstance(nvml, instance, i));
    }
  }
}

}  // namespace gpumon::nvml
