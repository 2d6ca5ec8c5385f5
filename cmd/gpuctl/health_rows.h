// What gpuctl health reads of one row of the API's lists.
#pragma once

#include <string>

#include "internal/base/clock.h"
#include "internal/json/document.h"
#include "internal/store/snapshot.h"

namespace gpumon::ctl {

// Of the instance, as /metrics or as the others tell it; else of the GPU; "" when nobody knows it.
std::string UuidOf(const json::Value& row);
// What tells a GPU or MIG instance from all others in every answer.
std::string KeyOf(const json::Value& row);
// "NAMESPACE/NAME", or "NAME".
std::string NameOf(const json::Value& name_space, const json::Value& name);
// A workload's or a task's name: of its owner, or its own, which is in the field `own`.
std::string TaskName(const json::Value& row, const char* own);
// Whether somebody may mean that row by `asked`, which is no TaskName: its pod, with or without its
// namespace, or its owner without one.
bool IsCalled(const json::Value& row, const char* own, const std::string& asked);
// A row of /metrics.
store::GpuReading ReadingOf(const json::Value& row);
// A finding of /health; `whose` stands before what it says.
store::HealthState StateOf(const json::Value& finding, const std::string& whose, WallTime time);

}  // namespace gpumon::ctl
