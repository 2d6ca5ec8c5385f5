// What pods have of GPUs that they share, while rows are put together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "internal/gpu/contest.h"
#include "internal/gpu/held_workloads.h"
#include "internal/gpu/join_counts.h"
#include "internal/gpu/pod_claims.h"
#include "internal/gpu/row_times.h"
#include "internal/gpu/value_reader.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. A pod may have several parts of one GPU: together they are its share. Of
// several series of one part the newest counts, then the first by their numbers: never the order in
// which they were entered. What a part of it is not known of, or contradicted, is not known. Pods
// whose series are all older than another's of the same metric have left.
class PodParts {
 public:
  struct Part {
    std::uint32_t row = 0;
    const schema::ShareMetric* of = nullptr;
    models::Workload workload;  // of HeldWorkloads: only its texts count
    std::size_t family = 0;     // any number that tells its metric apart
    std::size_t part = 0;       // Contest::PartOf its labels
    std::size_t target = 0;     // Contest::TargetOf
    std::size_t series = 0;     // any number that tells series apart
    Reading reading;
    double at = 0;  // Settle's
  };

  bool empty() const { return parts_.empty(); }
  void Enter(const Part& part) { parts_.push_back(part); }
  // Those that need a device's series and have none are not known. `has(row, metric)`: there is
  // one.
  template <class Has>
  void LookForDevices(Has has) {
    for (Part& part : parts_) {
      if (part.of->needs_device && !has(part.row, *part.of)) {
        part.reading = {0, models::NullReason::kNotExported};
      }
    }
  }
  // Puts shares into `workloads`, and tells `claims` of their pods. `times`: of series where they
  // are known (Unix seconds).
  void Settle(const RowTimes& row_times, const std::unordered_map<std::size_t, double>& times,
              HeldWorkloads& workloads, PodClaims& claims, JoinCounts& counts);

 private:
  std::vector<Part> parts_;
};

// What the series of a GPU's pods say of the value in `slot` (models::Quantity), beside the
// device's own, which comes first in `ranking`; `left`: those pods have. Series of another target
// or time repeat another value of it. Of a pod's the best stays in `workloads`.
void SharePods(const Contest::Ranking& ranking, const std::vector<bool>& left, std::size_t slot,
               HeldWorkloads& workloads);

}  // namespace gpumon::gpu
