// What the connections of one server share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "internal/http/application_guard.h"
#include "internal/http/flusher.h"
#include "internal/http/oldest_idle.h"
#include "internal/http/pulse.h"
#include "internal/http/router.h"
#include "internal/http/server.h"

namespace gpumon::http {

// Thread-safe. Shared with every Responder: it lives as long as the last of them.
struct Core {
  Core(const ServerOptions& options, Application& served)
      : limits(options.limits),
        router(options.routes, options.base_path),
        application(served),
        flusher(options.limits) {}

  const Limits limits;
  const Router router;
  ApplicationGuard application;
  Flusher flusher;
  OldestIdle oldest_idle;
  Pulse pulse;

  std::atomic<bool> draining{false};
  std::atomic<bool> stopping{false};  // take no connection
  std::atomic<bool> crowded{false};   // close idle connections early: the cap is near
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> refused{0};
};

}  // namespace gpumon::http
