// What the join doctor hears of samples whose scrape target is down.
#pragma once

#include <cstddef>
#include <optional>

#include "internal/gpu/metric_index.h"
#include "internal/gpu/recorder.h"
#include "internal/gpu/row_table.h"
#include "internal/prom/value.h"

namespace gpumon::gpu {

// Each sample of `gone`, series of an exporter's targets that are down, that would be a value: of
// `metric`, or of what its name says (`names`). They have no row: `table` says what they name.
void TellGone(const prom::InstantVector& gone, std::optional<std::size_t> metric,
              const schema::Exporter& exporter, const MetricIndex& names,
              RowTable<models::GpuMetrics>& table, const OwnPods& own_pods, JoinRecorder& recorder);

}  // namespace gpumon::gpu
