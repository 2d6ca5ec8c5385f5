// Where handlers get snapshots.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "models/gpu.h"

namespace gpumon::gpu {

using models::SnapshotPtr;

struct Want {
  models::Part part = models::Part::kGpus;
  std::optional<WallTime> at;  // a past instant; nothing = now
  bool allow_stale = true;
};

struct Got {
  SnapshotPtr snapshot;
  bool stale = false;  // the refresh failed; `why` says how
  Status why;
  double age_seconds = 0;  // since the snapshot was asked for; of a past instant: since then
};

// Called once: from inside Get when the answer is at hand, else on a worker thread.
using GotSnapshot = std::function<void(Result<Got>)>;

// Thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  // Errors: the kUpstream* codes of the refresh; kOverloaded when too many past instants are
  // asked for at once.
  virtual void Get(const Want& want, Deadline deadline, GotSnapshot done) = 0;
};

}  // namespace gpumon::gpu
