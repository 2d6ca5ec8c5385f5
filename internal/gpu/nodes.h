// Machines with GPUs: rows from what node-exporter, GPU exporters and kube-state-metrics say.
#pragma once

#include <array>

#include "internal/gpu/node_queries.h"
#include "internal/gpu/node_targets.h"
#include "internal/prom/value.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// By NodeQuery; null: the query failed. What it gives is then absent for that reason.
using NodeAnswers = std::array<const prom::InstantVector*, kNodeQueries>;

// Fills `snapshot.nodes` and what belongs to it, sorted, the same in any order of the series. A row
// is a machine that Kubernetes or an exporter names. Series without a name of the machine are of
// the one that has the target's address in kube-state-metrics, or that node_uname_info of the same
// target names; a name that Kubernetes writes with or without its domain is Kubernetes's.
// Of several series of one value the largest counts; impossible values are null (kInvalidValue).
void ReadNodes(const NodeAnswers& answers, const TargetsKnown& known, models::Snapshot& snapshot);

}  // namespace gpumon::gpu
