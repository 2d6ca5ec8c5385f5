// Asks Prometheus for next to nothing, again and again: is it there, and what time is it there?
#pragma once

#include <memory>
#include <optional>
#include <thread>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"
#include "internal/gpu/upstream_clock.h"
#include "internal/prom/client.h"

namespace gpumon::gpu {

struct Reachability {
  bool checked = false;  // false before the first check ended
  bool reachable = false;
  double latency_ms = 0;  // of the newest check that succeeded or failed
  WallTime checked_at{};
  Status why;  // when not reachable
};

// Checks once at start and then every `interval` on its own thread; a check is given
// `timeout`, so what it last saw is never older than both together. One check at a time. A check
// ends with its client's answer, so `clock` and `upstream_clock` must outlive the client's work.
// Thread-safe.
class UpstreamProbe {
 public:
  UpstreamProbe(prom::Client& client, const Clock& clock, UpstreamClock& upstream_clock,
                Millis interval = Millis(2000), Millis timeout = Millis(2000));
  ~UpstreamProbe();  // ends the thread; a check under way may end later
  UpstreamProbe(const UpstreamProbe&) = delete;
  UpstreamProbe& operator=(const UpstreamProbe&) = delete;

  void Start();
  Reachability Last() const;
  // Waits until a first check has ended, at most until `deadline`. Blocks the caller.
  void AwaitFirst(Deadline deadline);

 private:
  struct State;
  void Run();
  void Check();

  prom::Client& client_;
  const Clock& clock_;
  const Millis interval_;
  const Millis timeout_;
  const std::shared_ptr<State> state_;  // outlives us in a late answer
  std::thread thread_;
};

}  // namespace gpumon::gpu
