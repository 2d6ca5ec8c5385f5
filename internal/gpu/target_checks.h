// PromQL that tells whether the exporters themselves are well.
#pragma once

#include <cstddef>
#include <string>

#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// Scrape targets of which nothing that moves on a living GPU (power, energy, temperature, clock,
// utilization, used memory) has changed for 15 minutes. "" when the exporter has no such metric.
std::string FrozenQuery(const schema::Exporter& exporter);

// Targets that may answer scrapes without reading their GPUs: a GPU of theirs draws power, and for
// ten minutes neither its energy counter nor its power, read to fractions of a watt, has changed.
// "" when the exporter has no such metric. Where MovingQuery does not clear it that is proven, and
// its values are null; those of the targets of FrozenQuery are only doubted.
std::string StuckQuery(const schema::Exporter& exporter);

// The same where no power tells: a GPU of theirs works, and for ten minutes the utilization of
// none, whole percent from 5 to 95, has changed. Proven where MovingQuery does not clear it for
// half an hour: no load is so even.
std::string SteadyQuery(const schema::Exporter& exporter);

// Of the targets that `matcher` selects those of which anything that FrozenQuery looks at has
// changed within `window` ("10m"). "" when the exporter has no such metric.
std::string MovingQuery(const schema::Exporter& exporter, const std::string& matcher,
                        const std::string& window);

// Targets that exported percent within the last hour, of a metric that may be a ratio.
std::string PercentQuery(const std::string& metric);
// Targets that showed fractions within it, which percent never are, of jobs that have one that
// exported percent.
std::string FractionQuery(const std::string& metric);
// Of the targets that `matcher` selects, `count` of them, those whose last fraction came after
// their last percent. What is seen is every second of the last hour; of more than twenty targets
// less often, and of a hundred or more every minute.
std::string TurnedQuery(const std::string& metric, const std::string& matcher, std::size_t count);

}  // namespace gpumon::gpu
