// Labels that a target gave to its series.
#pragma once

#include "internal/gpu/label_reader.h"
#include "internal/gpu/own_pods.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// Labels of `schema` that name pods and users are ones that a scrape configuration may give to
// targets too.
bool MayBeTargets(const schema::Labels& schema);

// Where the series lack them the target's own stand in their place: what `identity` has of these is
// taken from it.
void DropTargets(const schema::Labels& schema, const OwnPods& own_pods, prom::LabelSet labels,
                 Identity& identity);

}  // namespace gpumon::gpu
