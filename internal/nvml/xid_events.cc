#include "internal/nvml/xid_events.h"

#include <algorithm>
#include <limits>

namespace gpumon::nvml {
namespace {

constexpr Wide kXidCriticalError = 8;
// A GPU in trouble may have more than anybody reads.
constexpr int kMostAtOnce = 4096;

}  // namespace

XidEvents::XidEvents(const Symbols& nvml, unsigned count) : nvml_(nvml), watched_(count, nullptr) {
  if (nvml_.Call<void**>({"nvmlEventSetCreate"}, &set_) != Return::kSuccess) {
    set_ = nullptr;
    return;
  }
  for (unsigned i = 0; i < count; ++i) {
    Device device = nullptr;
    if (nvml_.Call<unsigned, Device*>(
            {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"}, i, &device) ==
            Return::kSuccess &&
        nvml_.Call<Device, Wide, void*>({"nvmlDeviceRegisterEvents"}, device, kXidCriticalError,
                                        set_) == Return::kSuccess) {
      watched_[i] = device;
    }
  }
}

XidEvents::~XidEvents() {
  if (set_ != nullptr) nvml_.Call<void*>({"nvmlEventSetFree"}, set_);
}

bool XidEvents::Watches(unsigned index) const {
  return index < watched_.size() && watched_[index] != nullptr;
}

std::vector<Xid> XidEvents::Take() {
  std::vector<Xid> taken;
  if (set_ == nullptr) return taken;
  for (int i = 0; i < kMostAtOnce; ++i) {
    constexpr unsigned kNone = std::numeric_limits<unsigned>::max();
    abi::Event event{nullptr, 0, 0, kNone, kNone};
    const Return answer = nvml_.Call<void*, abi::Event*, unsigned>(
        {"nvmlEventSetWait_v2", "nvmlEventSetWait"}, set_, &event, 0U);
    if (answer != Return::kSuccess) break;  // a time-out: there is none
    // Its number is not asked for: of a GPU that fell off the bus nothing can be.
    const auto device = std::find(watched_.begin(), watched_.end(), event.device);
    if ((event.type & kXidCriticalError) == 0 || device == watched_.end()) continue;
    Xid xid;
    xid.index = static_cast<unsigned>(device - watched_.begin());
    xid.code = static_cast<unsigned>(event.data);
    if (event.gpu_instance != kNone) xid.gpu_instance = event.gpu_instance;
    taken.push_back(xid);
  }
  return taken;
}

}  // namespace gpumon::nvml
