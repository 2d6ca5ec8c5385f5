// Probes: for people (/api/healthz) and for machines (/livez, /readyz, /startupz).
#pragma once

#include <span>

#include "handlers/api.h"

namespace gpumon::handlers {

void GetHealthz(const CallPtr& call);
void GetLivez(const CallPtr& call);
void GetReadyz(const CallPtr& call);
void GetStartupz(const CallPtr& call);

std::span<const ParameterSpec> ProbeParameters();

// What /readyz says, for the gRPC health service too.
bool IsReady(const Services& services);

}  // namespace gpumon::handlers
