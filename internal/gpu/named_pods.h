// PromQL for the pods that exporters name.
#pragma once

#include <span>
#include <string>

#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// One series {namespace, pod} for each pod that some series of these exporters names as the holder
// of a GPU; also for exporters' own pods, where a label may be either's. "" where no exporter names
// pods. What names no namespace is left out.
std::string NamedPods(std::span<const schema::Exporter* const> exporters);

}  // namespace gpumon::gpu
