// The check of the GPUs of this machine.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/checks/check.h"
#include "internal/checks/gpu_look.h"

namespace gpumon::checks {

// The row where there is no GPU, or where a look does not end.
inline constexpr std::string_view kGpuHardware = "GPU Hardware";
// Of a look that does not end in time, and of a program that does not.
inline constexpr std::string_view kDriverHangsHint =
    "the driver hangs, it seems: look for Xid errors in dmesg, run `nvidia-smi` by hand, look for "
    "processes in state D (`ps -eo pid,stat,comm`); a reboot ends it";

// The detailed text of a look, for whoever asks once it has ended. Thread-safe.
class GpuDetails {
 public:
  void Set(std::string text);
  // "" before.
  std::string Get() const;

 private:
  mutable Mutex mutex_;
  std::string text_ GUARDED_BY(mutex_);
};

// A look and its rows (GpuRows): how many GPUs there are is known only then. Blocks its thread
// until the deadline and throws nothing. A driver that hangs may hold it up for longer: its thread
// is then left behind, and needs the function itself and the clock alone.
using GpuProbe = std::function<std::vector<Done>(const Clock& clock, Deadline deadline)>;
GpuProbe MakeGpuProbe(GpuOptions options, std::shared_ptr<GpuDetails> details = nullptr);

// "NVIDIA GPU 0" for each GPU, or kGpuHardware.
// Temperature above 95 °C is Unhealthy, above 85 °C Degraded; memory above 90 %, or power above
// 95 % of its limit, Degraded. A GPU that is lost is Unhealthy, and so is who does not
// answer in time; one of which nothing can be read Unknown. `extra` has the fields of
// models/fields.h that were asked for, null where absent with the reason under "null_reasons", and
// "utilization_per_watt".
std::vector<Done> GpuRows(const GpuLook& look);

// For people: "GPU Summary: NVIDIA GPUs available", and a block for each GPU. What is absent is
// "N/A".
std::string DetailedGpuText(const GpuLook& look);

}  // namespace gpumon::checks
