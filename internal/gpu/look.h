// The look for exporters: what is asked, and what the answers tell.
#pragma once

#include <string>
#include <vector>

#include "internal/gpu/plan.h"
#include "internal/prom/value.h"
#include "internal/schema/registry.h"

namespace gpumon::gpu {

// One query. Samples: {exporter="name",job} for each exporter that shows its marks; with
// is="without_node" where series of it name no node; with is="frozen" or "steady" and `instance`
// for targets as StuckQuery and SteadyQuery find them; with is="percent" or "fraction", `instance`
// and `metric` as PercentQuery and FractionQuery find them; and, of no exporter,
// {is="down",job,instance} of targets that are.
std::string LookQuery(const schema::Registry& registry);

// What is asked after it: of exporters that it did not find whether they are there by their other
// names, with samples as above; and of those targets alone, where some are down
// {exporter="name",job,instance,shown} and the labels that name nodes and GPU instances, of each
// metric that they showed within the last hour; where some may be frozen
// {exporter="name",is="moving" or "unsteady",job,instance} as MovingQuery finds them; where some
// showed both {exporter="name",is="turned",job,instance,metric} as TurnedQuery does. "" where there
// are none.
std::string SecondLookQuery(const schema::Registry& registry, const prom::InstantVector& found);

// Who is there, in the registry's order, from what was found and what came of the second query;
// null: nobody could tell.
std::vector<Subject> ReadLook(const schema::Registry& registry, const prom::InstantVector& found,
                              const prom::InstantVector* second);

// When exporters that are not among `found` were seen last in the `seconds` before: one sample for
// each, {exporter="name"}, its value Unix seconds, of a grid of five minutes. "" where there is
// nothing to ask.
std::string LastSeenQuery(const schema::Registry& registry, const std::vector<Subject>& found,
                          double seconds);

}  // namespace gpumon::gpu
