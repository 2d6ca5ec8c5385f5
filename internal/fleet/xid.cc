#include "internal/fleet/xid.h"

#include <algorithm>
#include <array>

namespace gpumon::fleet {
namespace {

using enum XidClass;
constexpr Action kReboot = Action::kReboot;
constexpr Action kInspect = Action::kInspect;
constexpr Action kCheckApplication = Action::kCheckApplication;

// By code.
constexpr std::array kXids = {
    Xid{0, XidClass::kNone, Action::kNone, "No error"},
    Xid{1, kApplication, kCheckApplication, "Invalid or corrupted push buffer stream"},
    Xid{2, kApplication, kCheckApplication, "Invalid or corrupted push buffer stream"},
    Xid{3, kApplication, kCheckApplication, "Invalid or corrupted push buffer stream"},
    Xid{4, kApplication, kCheckApplication, "Invalid or corrupted push buffer stream"},
    Xid{6, kApplication, kCheckApplication, "Invalid or corrupted push buffer stream"},
    Xid{7, kApplication, kCheckApplication, "Invalid or corrupted push buffer address"},
    Xid{8, kApplication, kCheckApplication, "GPU stopped processing"},
    Xid{9, kApplication, kCheckApplication, "Driver error programming the GPU"},
    Xid{11, kApplication, kCheckApplication, "Invalid or corrupted push buffer stream"},
    Xid{12, kApplication, kCheckApplication, "Driver error handling a GPU exception"},
    Xid{13, kApplication, kCheckApplication, "Graphics engine exception"},
    Xid{16, kInformation, kInspect, "Display engine hung"},
    Xid{18, kInformation, kInspect, "Bus mastering disabled in PCI configuration space"},
    Xid{19, kInformation, kInspect, "Display engine error"},
    Xid{24, kApplication, kCheckApplication, "GPU semaphore timeout"},
    Xid{25, kApplication, kCheckApplication, "Invalid or illegal push buffer stream"},
    Xid{26, kInformation, kInspect, "Framebuffer timeout"},
    Xid{27, kApplication, kCheckApplication, "Video processor exception"},
    Xid{30, kApplication, kCheckApplication, "GPU semaphore access error"},
    Xid{31, kApplication, kCheckApplication, "GPU memory page fault"},
    Xid{32, kApplication, kCheckApplication, "Invalid or corrupted push buffer stream"},
    Xid{33, kInformation, kInspect, "Internal micro-controller error"},
    Xid{34, kApplication, kCheckApplication, "Video processor exception"},
    Xid{38, kInformation, kInspect, "Driver firmware error"},
    Xid{42, kApplication, kCheckApplication, "Video processor exception"},
    Xid{43, kApplication, kCheckApplication, "GPU stopped processing"},
    Xid{44, kApplication, kCheckApplication, "Graphics engine fault during a context switch"},
    Xid{45, kInformation, kCheckApplication, "Preemptive cleanup, due to earlier errors"},
    Xid{46, kApplication, kCheckApplication, "GPU stopped processing"},
    Xid{47, kApplication, kCheckApplication, "Video processor exception"},
    Xid{48, kReset, kReboot, "Double bit ECC error"},
    Xid{54, kReset, kInspect, "Auxiliary power is not connected to the board"},
    Xid{56, kInformation, kInspect, "Display engine error"},
    Xid{57, kInformation, kInspect, "Error programming the video memory interface"},
    Xid{58, kInformation, kInspect, "Unstable video memory interface"},
    Xid{59, kInformation, kInspect, "Internal micro-controller error"},
    Xid{60, kApplication, kCheckApplication, "Video processor exception"},
    Xid{61, kInformation, kInspect, "Internal micro-controller breakpoint or warning"},
    Xid{62, kReset, kReboot, "Internal micro-controller halt"},
    Xid{63, kInformation, Action::kNone, "Page retirement or row remapping recorded"},
    Xid{64, kReset, kInspect, "Page retirement or row remapping could not be recorded"},
    Xid{65, kApplication, kCheckApplication, "Video processor exception"},
    Xid{66, kApplication, kCheckApplication, "Illegal access by the driver"},
    Xid{67, kApplication, kCheckApplication, "Illegal access by the driver"},
    Xid{68, kApplication, kCheckApplication, "NVDEC0 exception"},
    Xid{69, kApplication, kCheckApplication, "Graphics engine class error"},
    Xid{70, kInformation, kInspect, "Copy engine 3: unknown error"},
    Xid{71, kInformation, kInspect, "Copy engine 4: unknown error"},
    Xid{72, kInformation, kInspect, "Copy engine 5: unknown error"},
    Xid{73, kInformation, kInspect, "NVENC2 error"},
    Xid{74, kReset, kInspect, "NVLink error"},
    Xid{78, kInformation, kInspect, "vGPU start error"},
    Xid{79, kReset, kReboot, "GPU has fallen off the bus"},
    Xid{80, kInformation, kInspect, "Corrupted data sent to the GPU"},
    Xid{81, kInformation, kInspect, "VGA subsystem error"},
    Xid{82, kInformation, kInspect, "NVJPG0 error"},
    Xid{83, kInformation, kInspect, "NVDEC1 error"},
    Xid{84, kInformation, kInspect, "NVDEC2 error"},
    Xid{86, kInformation, kInspect, "OFA exception"},
    Xid{92, kInformation, kInspect, "High rate of single bit ECC errors"},
    Xid{93, kInformation, kInspect, "InfoROM wear limit passed"},
    Xid{94, kContained, kCheckApplication, "Contained ECC error"},
    Xid{95, kReset, kReboot, "Uncontained ECC error"},
    Xid{109, kApplication, kCheckApplication, "Context switch timeout"},
    Xid{110, kReset, kReboot, "Security fault"},
    Xid{119, kReset, kReboot, "GSP RPC timeout"},
    Xid{120, kReset, kReboot, "GSP error"},
    Xid{121, kInformation, kInspect, "C2C link error"},
    Xid{122, kInformation, kInspect, "SPI PMU RPC read failure"},
    Xid{123, kInformation, kInspect, "SPI PMU RPC write failure"},
    Xid{124, kInformation, kInspect, "SPI PMU RPC erase failure"},
    Xid{125, kInformation, kInspect, "InfoROM file system failure"},
    Xid{137, kApplication, kCheckApplication, "NVLink FLA privilege error"},
    Xid{140, kReset, kReboot, "Unrecovered ECC error"},
    Xid{143, kReset, kReboot, "GPU initialisation error"},
    Xid{154, kInformation, kInspect, "GPU recovery action changed"},
    Xid{156, kInformation, Action::kNone, "Resource retirement recorded"},
    Xid{157, kReset, kInspect, "Resource retirement failed"},
};
static_assert(std::is_sorted(kXids.begin(), kXids.end(),
                             [](const Xid& a, const Xid& b) { return a.code < b.code; }));

}  // namespace

std::string_view NameOf(Action action) {
  static constexpr std::array<std::string_view, 4> kNames = {"IGNORE_NO_ACTION_REQUIRED",
                                                             "REBOOT_SYSTEM", "HARDWARE_INSPECTION",
                                                             "CHECK_USER_APP_AND_GPU"};
  return kNames[static_cast<std::size_t>(action)];
}

std::string_view NameOf(XidClass which) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "none", "information", "application", "contained", "reset", "unknown"};
  return kNames[static_cast<std::size_t>(which)];
}

Xid XidOf(int code) {
  const auto* const found =
      std::lower_bound(kXids.begin(), kXids.end(), code,
                       [](const Xid& xid, int wanted) { return xid.code < wanted; });
  if (found != kXids.end() && found->code == code) return *found;
  return {code, kUnknown, kInspect, ""};
}

}  // namespace gpumon::fleet
