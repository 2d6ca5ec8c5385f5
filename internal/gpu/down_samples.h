// Samples that outlive their scrape target.
#pragma once

#include <optional>

#include "internal/gpu/down_targets.h"
#include "internal/prom/value.h"

namespace gpumon::gpu {

// A scrape that fails makes a target's series stale; where samples bring time stamps of their own
// (a federation, an exporter that writes them) Prometheus cannot, and answers with the last ones
// for five more minutes. They were sampled before the scrape that failed: nobody knows the present.
struct DownSamples {
  prom::InstantVector up;
  prom::InstantVector down;  // of targets that are down

  // Nothing where all of `vector` is of others.
  static std::optional<DownSamples> Split(const DownTargets& targets,
                                          const prom::InstantVector& vector);
  // Leaves those of targets that are not down.
  static void Drop(const DownTargets& targets, prom::InstantVector& vector);
};

}  // namespace gpumon::gpu
