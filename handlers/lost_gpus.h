// GPUs that were there and are no longer, though whoever shows GPUs of their node is up: what
// /health, /nodes and /summary share.
#pragma once

#include <functional>
#include <map>
#include <string_view>
#include <vector>

#include "handlers/api.h"
#include "handlers/gpu_groups.h"
#include "handlers/node_rows.h"
#include "handlers/record_answer.h"
#include "internal/fleet/health.h"
#include "internal/fleet/seen_gpus.h"

namespace gpumon::handlers {

using GoneGpus = std::vector<fleet::SeenGpus::Gone>;

// What is no longer shown at the instant of parts[0], the GPUs, whyever. At present: of all that
// this process has seen, and of the day before its first look; at a past instant: of the day before
// it, of the last hour from where they were shown last. Empty where the GPUs are partial, which
// ends nothing. `then` is called on a worker thread while the client is there; where the past
// cannot be had, a past instant is an error, and the present is asked for it again.
void FindGone(const CallPtr& call, const RecordQuery& query, const GotParts& parts,
              std::function<void(GoneGpus)> then);

// Those of `gone` that are lost: all GPU exporters of its node were up when it was not shown, and
// had found their GPUs. `nodes` are of the instant that no longer shows them.
GoneGpus LostOf(GoneGpus gone, const std::map<std::string_view, NodeRow>& nodes);

// Counts those of them in `groups`, which `gone`, cleared of the others, has to outlive.
void AddLost(GoneGpus& gone, const models::Snapshot& gpus, const models::Snapshot* nodes,
             const fleet::HealthRules& rules, GpuGroups& groups);

fleet::Health HealthOf(const fleet::SeenGpus::Gone& lost, const fleet::HealthRules& rules);

}  // namespace gpumon::handlers
