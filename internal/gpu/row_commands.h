// The command lines of process rows.
#pragma once

#include <vector>

#include "internal/gpu/command.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// Shows each row's command as `style` says; new texts are kept in `arena`.
void ShowCommands(std::vector<models::GpuProcess>& rows, CommandStyle style, models::Arena& arena);

}  // namespace gpumon::gpu
