// Machines over time: what a range asks of them and what an instant of it shows.
#pragma once

#include <span>
#include <vector>

#include "internal/gpu/plan.h"
#include "internal/gpu/range.h"
#include "internal/gpu/range_replay.h"

namespace gpumon::gpu {

// For RangePart::part kNodes: PlannedQuery::exporter is the NodeQuery that the answer stands for.
// Rates are over a step, and five minutes at least; gauges are those of the instant.
std::vector<PlannedQuery> PlanNodesRange(std::span<const Subject> subjects, const RangePart& part,
                                         double step);

// As a refresh of the part kNodes reads them, but for what it was not asked. `subjects` is who is
// there.
models::SnapshotPtr NodesAt(std::span<const RangeReplay::Answer> answers,
                            std::span<const Subject> subjects, double time);

}  // namespace gpumon::gpu
