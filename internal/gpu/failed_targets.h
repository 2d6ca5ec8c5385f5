// Exporters that say themselves that their last collection failed.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "internal/gpu/metric_index.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// Those of the targets in `vector` of which a success metric of `exporter` is 0 and no series of
// the same metric says otherwise: while a pod takes another's place both say how it went. By
// Contest::TargetOf, with names as TargetName. `names`: of the exporter.
std::map<std::size_t, std::string> FailedTargets(const schema::Exporter& exporter,
                                                 const MetricIndex& names,
                                                 const prom::InstantVector& vector);

}  // namespace gpumon::gpu
