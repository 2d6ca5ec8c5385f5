// GET /api/v1/hakuriver/...: what the HakuRiver host of HAKURIVER_URL tells.
#pragma once

#include <span>

#include "handlers/api.h"
#include "handlers/parameters.h"

namespace gpumon::handlers {

class HakuRiverHost;

// Null when there is none: then the call was answered so.
HakuRiverHost* HakuRiverHostOf(Call& call);

void GetHakuRiverNodes(const CallPtr& call);
std::span<const ParameterSpec> HakuRiverNodeParameters();

void GetHakuRiverHealth(const CallPtr& call);
std::span<const ParameterSpec> HakuRiverHealthParameters();

void GetHakuRiverTasks(const CallPtr& call);
std::span<const ParameterSpec> HakuRiverTasksParameters();
void GetHakuRiverTask(const CallPtr& call);
std::span<const ParameterSpec> HakuRiverTaskParameters();

void GetHakuRiverVps(const CallPtr& call);
std::span<const ParameterSpec> HakuRiverVpsParameters();

void GetHakuRiverStdout(const CallPtr& call);
void GetHakuRiverStderr(const CallPtr& call);
std::span<const ParameterSpec> HakuRiverLogParameters();

}  // namespace gpumon::handlers
