// What NVML's functions return, and nvidia-smi ends with.
#pragma once

#include <string>
#include <string_view>

#include "internal/base/status.h"
#include "internal/nvml/gpu.h"

namespace gpumon::nvml {

enum class Return : int {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNoPermission = 4,
  kNotFound = 6,
  kInsufficientSize = 7,
  kDriverNotLoaded = 9,
  kFunctionNotFound = 13,
  kGpuIsLost = 15,
  kResetRequired = 16,
  kArgumentVersionMismatch = 25,
  kDeprecated = 26,
};

// Of any number, those of newer drivers too: "GPU is lost".
std::string_view TextOf(Return code);

Absent AbsentOf(Return code);

// What NVML answers once the driver or a GPU went away under it: only a new start may help.
bool AsksForANewStart(Return code);

// Why there is no NVML to ask: a sentence that begins with `where` and ends with the next step.
// kNotFound: there is no GPU to be used; kForbidden; kUnavailable: there is one that does not work.
Status StatusOf(Return code, std::string_view where);

}  // namespace gpumon::nvml
