// One play for the fake NVML: its script, as long as this lives.
#pragma once

#include <cstdlib>
#include <string>

#include "tests/fakes/nvml/fake_nvml.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::fake_nvml {

// The graphics card of most examples, in the script's words.
inline constexpr const char* kRtx4090 = R"(gpu
name NVIDIA GeForce RTX 4090
uuid GPU-11111111-2222-3333-4444-555555555555
bus 0 65 0
memory 25757220864 402653184 22133342208 3221225472
utilization 45 18
temperature 65
power 180500
limit 450000
clock 2520 2520 10501
max_clock 3105 3105 10501
pstate 2
fan 30
throttle 0
)";

// One at a time in a process; sets FAKE_NVML_SCRIPT.
class Stage {
 public:
  explicit Stage(const std::string& script) {
    setenv(kScriptVariable, folder_.Write("script", script).c_str(), 1);
  }
  ~Stage() { unsetenv(kScriptVariable); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

 private:
  const process::ScratchDirectory folder_{};
};

}  // namespace gpumon::fake_nvml
