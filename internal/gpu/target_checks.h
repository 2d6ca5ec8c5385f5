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

// Targets that are proven to answer scrapes without reading their GPUs: a GPU of theirs draws
// power, and for ten minutes neither its energy counter nor its power, read to fractions of a watt,
// has changed. "" when the exporter has no such metric. Stricter than FrozenQuery: values of these
// targets are null, those of the others are doubted.
std::string StuckQuery(const schema::Exporter& exporter);

}  // namespace gpumon::gpu
