// PromQL for the pods that exporters name.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "internal/gpu/plan.h"

namespace gpumon::gpu {

// The labels of `series` and beside them `of`, like "NAMESPACE/POD": of each of these labels, or of
// exported_* where a scrape has renamed it. No label is taken away, so what differed differs still:
// the targets' own tell two kube-state-metrics apart.
std::string WithOwnNames(const std::string& series, const std::vector<std::string>& labels);

// Series with an `of` for each pod that some series of these exporters names as the holder of a
// GPU, by the labels that rows read; also for exporters' own pods, where a label may be either's.
// "" where no exporter names pods.
std::string NamedPods(std::span<const Subject> subjects);

}  // namespace gpumon::gpu
