// What a whole join has to say to who runs the cluster.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "internal/gpu/join_counts.h"
#include "internal/schema/exporter.h"
#include "models/explanation.h"
#include "models/gpu.h"

namespace gpumon::gpu {

struct JoinFacts {
  struct OfExporter {
    std::string name;
    std::size_t exported_pod = 0;  // rows with the workload in `exported_pod`, another in `pod`
    std::size_t own_pod = 0;       // rows with the exporter's own pod in `pod`, and no other
  };
  struct Overlap {
    std::string first;
    std::string second;
    std::size_t gpus = 0;
  };

  JoinCounts counts;
  std::vector<OfExporter> exporters;
  std::vector<Overlap> overlaps;  // GPUs that two exporters show
  // "job gpu, 10.0.0.1:9400": scrape targets of GPU exporters.
  std::vector<std::string> down;
  std::vector<std::string> frozen;         // by FrozenQuery: they may be idle
  std::vector<std::string> stuck;          // by StuckQuery and MovingQuery: proven
  std::vector<std::string> failed_checks;  // what could not be asked
};

// Plain sentences with the next step, warnings first. `exporters`: those that were asked.
std::vector<models::Finding> FindAll(const JoinFacts& facts, const models::Snapshot& snapshot,
                                     std::span<const schema::Exporter* const> exporters);

}  // namespace gpumon::gpu
