// The join doctor: one GPU's row, explained by a join that keeps books.
#pragma once

#include <atomic>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/gpu/collector.h"
#include "internal/gpu/explained.h"
#include "internal/gpu/source.h"
#include "internal/prom/client.h"

namespace gpumon::gpu {

// Thread-safe; every reference must outlive it and what it has under way. Refreshes are no slower
// for it: it asks their queries anew, at the instant of `snapshot`, and beside them whether the
// exporters are well.
class Explainer {
 public:
  Explainer(Collector& collector, prom::Client& client) : collector_(collector), client_(client) {}

  // kNotFound when `snapshot` has no such GPU; kTooManyRequests while another one is under way;
  // the kUpstream* codes.
  void Explain(const GpuName& name, const SnapshotPtr& snapshot, Deadline deadline, Explained done);

 private:
  class Case;

  Collector& collector_;
  prom::Client& client_;
  std::atomic<bool> busy_{false};
};

}  // namespace gpumon::gpu
