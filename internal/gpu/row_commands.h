// The command lines of process rows.
#pragma once

#include <vector>

#include "internal/gpu/command.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// Shows each row's command as `style` says; new texts are kept in `arena`. So it does the name of
// the process, in which some exporters put the whole command line; of a name, kHidden leaves what
// kName does.
void ShowCommands(std::vector<models::GpuProcess>& rows, CommandStyle style, models::Arena& arena);

}  // namespace gpumon::gpu
