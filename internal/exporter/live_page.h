// The metric families of real GPUs.
#pragma once

#include <string_view>

#include "internal/exporter/driver_look.h"
#include "internal/exporter/exposition.h"
#include "internal/exporter/holders.h"

namespace gpumon::exporter {

// nvidia_gpu_*, as the synthetic fleet has them (families.h), and nvidia_gpu_mig_* of MIG
// instances. Series of a GPU carry node, gpu, gpu_name and uuid; those that a consumer needs also
// exported_namespace, exported_pod and exported_container, while one container alone has the GPU.
// Series of a process carry node, gpu, pid, process_name, user, command, and its pod. What the
// driver does not tell has no sample.
void WriteLivePage(std::string_view node, const DriverLook& look, const Holders& holders,
                   Exposition& out);

}  // namespace gpumon::exporter
