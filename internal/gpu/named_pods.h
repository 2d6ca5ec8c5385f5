// PromQL for the pods that exporters name.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// The labels of `series` and beside them `of`, like "NAMESPACE/POD": of each part the first of these
// labels (one or two) that is not empty. No label of theirs is taken away, so what differed differs
// still: where a scrape renames labels, the target's own tell two kube-state-metrics apart.
std::string WithNames(const std::string& series,
                      const std::vector<std::vector<std::string>>& parts);
// As WithNames: of labels that a scrape may have renamed.
std::string WithOwnNames(const std::string& series, const std::vector<std::string>& labels);

// Series with an `of` for each pod that some series of these exporters names as the holder of a
// GPU; also for exporters' own pods, where a label may be either's. "" where no exporter names
// pods.
std::string NamedPods(std::span<const schema::Exporter* const> exporters);

}  // namespace gpumon::gpu
