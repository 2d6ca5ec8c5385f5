// The metrics of a GPUd: names and units are its own.
#pragma once

#include <cstddef>

#include "cmd/gpu-demo-peers/peer.h"
#include "internal/exporter/fleet.h"

namespace gpumon::demo {

// The GPUs of a node that are there.
std::vector<const exporter::GpuState*> GpusOf(const exporter::FleetState& state, std::size_t node);

// Writes the `metrics` of each component, one value a minute for the last minutes, as objects of an
// array that the caller has begun. `wanted(component)` says which.
void PutMetrics(json::Writer& out, const exporter::Fleet& fleet, std::size_t node, WallTime now,
                const std::function<bool(std::string_view)>& wanted);

}  // namespace gpumon::demo
