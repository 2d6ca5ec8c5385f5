// Where the GPUs are that MIG instances are parts of.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string_view>

#include "internal/gpu/exporter_rows.h"
#include "models/gpu.h"

namespace gpumon::gpu {

using GpuParts = std::span<const std::unique_ptr<ExporterRows<models::GpuMetrics>>>;

// Two exporters may call one node by two names. Rows of a GPU that has instances, and of those, are
// from now on where the best exporter that names its node has it, as GPUs without instances are
// when their rows meet. An exporter that shows a UUID on several nodes tells of cloned machines:
// such rows stay. `parts`, the best exporter's first, are settled. Returns the UUIDs of GPUs that
// were on several nodes; their texts are the rows'.
std::set<std::string_view> PlaceBoards(GpuParts parts);

}  // namespace gpumon::gpu
