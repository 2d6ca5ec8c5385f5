// Since when what is the matter with GPUs has been the matter.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/api.h"
#include "internal/fleet/finding_ages.h"
#include "internal/fleet/health.h"
#include "internal/fleet/host_health.h"
#include "models/gpu.h"

namespace gpumon::handlers {

// By name of the machine.
using HostHealths = std::map<std::string_view, fleet::HostHealth>;

// Of each row, and then of each host, and each of its findings: `healths` are those of `gpus`, row
// by row.
std::vector<std::vector<fleet::Began>> LookAt(const models::Snapshot& gpus,
                                              const std::vector<fleet::Health>& healths,
                                              const HostHealths& hosts, fleet::FindingAges& ages);

// After the first look, at `gpus`: walks through the day before it and then the hour, beside all
// else, so that later looks know what began in them.
void LearnAges(const CallPtr& call, const models::SnapshotPtr& gpus);

// What a walk through the past of an instant saw.
struct PastAges {
  fleet::FindingAges findings{fleet::FindingAges::Looks::kAreAll};
  // By node and UUID (else id): Unix seconds of the last instant of the hour that showed the GPU.
  std::map<std::pair<std::string, std::string>, double> seen;
};

// The same of a past instant, within half of the time that the call has left. `then` is called on a
// worker thread while the client is there, with what could be seen; null: nothing.
void AgesAt(const CallPtr& call, const models::SnapshotPtr& gpus,
            std::function<void(const std::shared_ptr<PastAges>&)> then);

}  // namespace gpumon::handlers
