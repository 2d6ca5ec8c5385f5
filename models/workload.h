// Who holds a GPU.
#pragma once

#include <limits>
#include <string_view>

#include "models/null_reason.h"

namespace gpumon::models {

// A pod that holds a GPU, or a part of one. Texts are views into the snapshot's Arena.
struct Workload {
  std::string_view name_space;
  std::string_view pod;
  std::string_view container;
  // Its part of a GPU that several share; NaN where nobody measures it.
  double utilization = std::numeric_limits<double>::quiet_NaN();   // %
  double memory_used = std::numeric_limits<double>::quiet_NaN();   // bytes
  double memory_limit = std::numeric_limits<double>::quiet_NaN();  // bytes
  // Why they are NaN.
  NullReason no_utilization = NullReason::kNotExported;
  NullReason no_memory_used = NullReason::kNotExported;
  NullReason no_memory_limit = NullReason::kNotExported;
};

}  // namespace gpumon::models
