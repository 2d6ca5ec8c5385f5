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
  struct One {
    std::size_t exporter;
    std::size_t row;  // of the exporter's
    std::size_t slot;
    double value;
    // True: `row` shows it, since it had nothing there.
    bool GiveTo(models::GpuMetrics& row) const;
  };

  // Takes what `exporter` shows of it out of `rows`.
  void TakeOut(const schema::Exporter& exporter, std::size_t place,
               ExporterRows<models::GpuMetrics>& rows);
  const std::vector<One>& all() const { return all_; }

 private:
  std::vector<One> all_;
};

}  // namespace gpumon::gpu
