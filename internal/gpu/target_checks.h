// PromQL that tells whether the exporters themselves are well.
#pragma once

#include <span>
#include <string>

#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// Scrape targets that showed one of these exporters within the last hour and are down.
std::string DownQuery(std::span<const schema::Exporter* const> exporters);

// Scrape targets of which nothing that moves on a living GPU (power, energy, temperature, clock,
// utilization, used memory) has changed for 15 minutes. "" when the exporter has no such metric.
std::string FrozenQuery(const schema::Exporter& exporter);

}  // namespace gpumon::gpu
