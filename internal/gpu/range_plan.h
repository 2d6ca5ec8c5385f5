// Which PromQL a range asks.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "internal/gpu/plan.h"
#include "internal/gpu/range.h"

namespace gpumon::gpu {

// For each exporter one query of what it is asked for at each instant; with another RangePart::over
// than kLast one for each metric, since their names are lost (of means two), and one for the texts
// of its GPUs.
// Beside them PlanSurroundings; none for times.
// `step` in seconds; `nodes` as in RangeWant, `instances` as in RangeSpan.
std::vector<PlannedQuery> PlanRange(std::span<const Subject> subjects, const RangePart& part,
                                    double step, const std::vector<std::string>& nodes,
                                    const std::vector<std::string>& instances = {});

// Its series name their nodes themselves, as rows show them.
bool SaysNode(const Subject& subject);

// The labels that name pods, the target's own among them; sorted.
std::vector<std::string> PodLabels(const schema::Exporter& exporter);

// The labels that tell apart the series of one GPU's value over time: PodLabels, and those of the
// series that repeat it for each pod that shares the GPU. A metric that needs such a label keeps
// it. Sorted.
std::vector<std::string> HolderLabels(const schema::Exporter& exporter,
                                      const schema::Metric& metric);

// Who is there, at both ends of a range: in the order of `exporters`, with the jobs of both. What
// holds of one instant alone (targets that are down or frozen) is left out.
std::vector<Subject> SubjectsOfBoth(
    std::span<const std::shared_ptr<const schema::Exporter>> exporters,
    const std::vector<Subject>& one, const std::vector<Subject>& other);

}  // namespace gpumon::gpu
