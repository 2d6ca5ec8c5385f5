// XID errors as NVML tells of them: events, from the moment on that they are watched for.
#pragma once

#include <optional>
#include <vector>

#include "internal/nvml/symbols.h"

namespace gpumon::nvml {

struct Xid {
  unsigned index = 0;  // of the GPU
  unsigned code = 0;   // 999: the driver does not know which
  std::optional<unsigned> gpu_instance;
};

// One thread at a time; the functions behind `nvml` must have been started and not yet ended, and
// `nvml` outlives this.
class XidEvents {
 public:
  // Watches the first `count` GPUs, as far as they have such events.
  XidEvents(const Symbols& nvml, unsigned count);
  ~XidEvents();
  XidEvents(const XidEvents&) = delete;
  XidEvents& operator=(const XidEvents&) = delete;

  bool Watches(unsigned index) const;
  // Those since the last call, the oldest first. Does not wait.
  std::vector<Xid> Take();

 private:
  const Symbols& nvml_;
  void* set_ = nullptr;          // NVML's own
  std::vector<Device> watched_;  // null where there are no such events
};

}  // namespace gpumon::nvml
