// /debug/vars and /debug/pprof, as `go tool pprof` expects them.
#pragma once

#include <span>

#include "handlers/api.h"

namespace gpumon::handlers {

void GetDebugVars(const CallPtr& call);
void GetPprofIndex(const CallPtr& call);
void GetCpuProfile(const CallPtr& call);
void GetHeapProfile(const CallPtr& call);
void GetCommandLine(const CallPtr& call);
void Symbolize(const CallPtr& call);

std::span<const ParameterSpec> CpuProfileParameters();
std::span<const ParameterSpec> HeapProfileParameters();

}  // namespace gpumon::handlers
