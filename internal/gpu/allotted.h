// What schedulers hand out of GPUs (schema::Metric::allotted), while rows meet.
#pragma once

#include <cstddef>
#include <vector>

#include "internal/gpu/exporter_rows.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. A scheduler may hand out more of a GPU than there is, or less: what is
// measured, and what can be derived of that, stands before it and is not judged by it.
class Allotted {
 public:
  enum class Outcome { kShown, kNotNeeded, kImpossible };
  struct One {
    std::size_t exporter;
    std::size_t row;  // of the exporter's
    std::size_t slot;
    double value;
    // kShown where `gpu` had nothing there; kImpossible where it is less than what is in use.
    Outcome GiveTo(models::GpuMetrics& gpu) const;
  };

  // Takes what `exporter` shows of it out of `rows`.
  void TakeOut(const schema::Exporter& exporter, std::size_t place,
               ExporterRows<models::GpuMetrics>& rows);
  const std::vector<One>& all() const { return all_; }

 private:
  std::vector<One> all_;
};

}  // namespace gpumon::gpu
