// Room at the cap: which connection has been idle for longest.
#pragma once

#include <cstdint>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"

namespace gpumon::http {

class Flusher;

// Thread-safe. It looks at all connections once and then closes, call by call, those that were idle
// then and still are; so a flood of newcomers costs one look for each of its thousands.
class OldestIdle {
 public:
  // Closes the connection that has been idle for longest, of those that `flusher` keeps. False:
  // none is idle.
  bool CloseOne(const Flusher& flusher) EXCLUDES(mutex_);

 private:
  struct Idle {
    SteadyTime since;
    std::uint64_t id;
  };
  void Look(const Flusher& flusher) REQUIRES(mutex_);
  bool CloseNext(const Flusher& flusher) REQUIRES(mutex_);

  Mutex mutex_;
  std::vector<Idle> idle_ GUARDED_BY(mutex_);   // the oldest last
  SteadyTime look_again_ GUARDED_BY(mutex_){};  // after a look in vain
};

}  // namespace gpumon::http
