// NVIDIA's XID errors: what a code means, and what to do.
#pragma once

#include <cstdint>
#include <string_view>

namespace gpumon::fleet {

// What GPUd suggests (its repair actions).
enum class Action : std::uint8_t { kNone, kReboot, kInspect, kCheckApplication };
std::string_view NameOf(Action action);  // "REBOOT_SYSTEM"

enum class XidClass : std::uint8_t {
  kNone,         // code 0: no error
  kInformation,  // something was recorded, or repaired
  kApplication,  // mostly the program's fault; the GPU goes on
  kContained,    // its program has ended; the GPU should be reset when nobody uses it
  kReset,        // the GPU needs a reset, its machine a reboot, or somebody to look at it
  kUnknown       // not in the table
};
std::string_view NameOf(XidClass which);  // "reset"

struct Xid {
  int code = 0;
  XidClass which = XidClass::kUnknown;
  Action action = Action::kInspect;
  std::string_view text;  // "" where it is not in the table
};

// Texts: https://docs.nvidia.com/deploy/xid-errors/ . Classes: those codes that nvidia_gpu_exporter
// and GPUd call fatal are kReset.
Xid XidOf(int code);

}  // namespace gpumon::fleet
