#include "internal/checks/gpu_look.h"

#include <utility>

#include "internal/checks/all_smi.h"
#include "internal/checks/mac_gpu.h"
#include "internal/nvml/library.h"
#include "internal/nvml/nvidia_smi.h"

namespace gpumon::checks {
namespace {

using nvml::Gpu;

Millis Since(SteadyTime begin, const Clock& clock) {
  return std::chrono::duration_cast<Millis>(clock.Steady() - begin);
}

// GPUs that were read together.
void Add(std::vector<Gpu> gpus, SteadyTime begin, const Clock& clock, GpuLook& look) {
  for (Gpu& gpu : gpus) {
    look.gpus.push_back({std::move(gpu), Since(begin, clock), clock.Wall()});
  }
}

// What says that something is there and does not work tells more than that nothing is.
void Fail(const gpumon::Status& why, GpuLook& look) {
  if (!look.error) {
    look.error = why;
  } else if (look.error->code == Code::kNotFound) {
    if (why.code == Code::kNotFound) {
      look.error->message += "; " + why.message;
    } else {
      look.error = why;
    }
  }
}

void LookWithNvml(const GpuOptions& options, const Clock& clock, Deadline deadline, GpuLook& look) {
  const auto library = nvml::Library::Open(options.nvml_library);
  const auto count = library ? (*library)->Count() : Result<unsigned>(Error(library.error()));
  if (!count) {
    look.steps.push_back(count.error().message);
    return Fail(count.error(), look);
  }
  look.steps.push_back("NVML counts " + std::to_string(*count) + " GPUs");
  if (*count == 0) return Fail({Code::kNotFound, "NVML counts no GPU"}, look);
  look.software = (*library)->ReadSoftware();
  for (unsigned i = 0; i < *count; ++i) {
    const SteadyTime begin = clock.Steady();
    SeenGpu seen;
    if (deadline.Passed(clock)) {
      seen.gpu.index = i;
      seen.gpu.unreadable = nvml::Absent{nvml::Absence::kNotAsked, "there was no time left"};
    } else {
      seen.gpu = (*library)->Read(i);
    }
    seen.took = Since(begin, clock);
    seen.at = clock.Wall();
    look.gpus.push_back(std::move(seen));
  }
  look.source = "NVML";
}

void LookWithNvidiaSmi(const GpuOptions& options, const Clock& clock, Deadline deadline,
                       GpuLook& look) {
  const SteadyTime begin = clock.Steady();
  auto answer = nvml::AskNvidiaSmi(options.nvidia_smi, clock, deadline, look.steps);
  if (!answer) return Fail(answer.error(), look);
  look.source = "nvidia-smi";
  look.software = std::move(answer->software);
  Add(std::move(answer->gpus), begin, clock, look);
}

void LookWithMac(const GpuOptions& options, const Clock& clock, Deadline deadline, GpuLook& look) {
  if (access(options.mac.system_profiler.c_str(), X_OK) != 0) return;
  const SteadyTime begin = clock.Steady();
  auto gpus = AskMac(options.mac, clock, deadline, look.steps);
  if (!gpus) return Fail(gpus.error(), look);
  look.source = "macOS";
  Add(*std::move(gpus), begin, clock, look);
}

void LookWithAllSmi(const GpuOptions& options, const Clock& clock, Deadline deadline,
                    GpuLook& look) {
  const SteadyTime begin = clock.Steady();
  look.source = kAllSmi;
  auto answer = AskAllSmi(options.all_smi_url, clock, deadline, look.steps);
  if (!answer) return Fail(answer.error(), look);
  const bool one_host = answer->gpus.front().host == answer->gpus.back().host;
  for (AllSmiGpu& gpu : answer->gpus) {
    SeenGpu seen{std::move(gpu), Since(begin, clock), clock.Wall()};
    seen.software = std::move(gpu.software);
    if (!one_host) seen.host = std::move(gpu.host);
    look.gpus.push_back(std::move(seen));
  }
}

}  // namespace

std::string MakerOf(const GpuLook& look, const nvml::Gpu& gpu) {
  if (look.source == "NVML" || look.source == "nvidia-smi") return std::string(kNvidia);
  const std::string name = gpu.name.ValueOr("");
  if (name.starts_with("NVIDIA ")) return std::string(kNvidia);
  return name.starts_with("Apple ") ? std::string(kAppleSilicon) : std::string();
}

GpuLook LookAtGpus(const GpuOptions& options, const Clock& clock, Deadline deadline) {
  GpuLook look;
  const SteadyTime begin = clock.Steady();
  if (!options.all_smi_url.empty()) {
    LookWithAllSmi(options, clock, deadline, look);
  } else {
    for (auto* const ask : {LookWithNvml, LookWithNvidiaSmi, LookWithMac}) {
      ask(options, clock, deadline, look);
      if (!look.gpus.empty()) break;
    }
  }
  if (!look.gpus.empty()) look.error.reset();
  look.maker = MakerOf(look, look.gpus.empty() ? Gpu() : look.gpus.front().gpu);
  look.took = Since(begin, clock);
  look.at = clock.Wall();
  return look;
}

}  // namespace gpumon::checks
