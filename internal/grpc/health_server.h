// The standard gRPC health service, for probes that speak gRPC.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"

namespace gpumon::grpc {

// grpc.health.v1.Health, Check and Watch, without TLS. Services: "" and "readiness" (alike), not
// serving until SetReadiness(true); "liveness", serving until SetLiveness(false). Any other
// service is NOT_FOUND to Check and SERVICE_UNKNOWN to Watch. Thread-safe.
class HealthServer {
 public:
  HealthServer();
  ~HealthServer();  // stops at once
  HealthServer(const HealthServer&) = delete;
  HealthServer& operator=(const HealthServer&) = delete;

  // Listens on `address` (an IPv4 or IPv6 literal) and serves on its own threads; port 0 lets the
  // kernel choose. The port; kUnavailable when it cannot listen there. Call at most once.
  Result<std::uint16_t> Start(const std::string& address, std::uint16_t port);

  // May be called at any time; watchers hear of a change at once.
  void SetReadiness(bool serving);
  void SetLiveness(bool serving);

  // Closes the listener and ends every call: a Check gets its answer, a Watch is cancelled when
  // `limit` has passed (so with watchers it blocks that long). Idempotent.
  void Stop(Millis limit);

 private:
  struct Parts;  // gRPC's own
  void Publish() REQUIRES(mutex_);

  Mutex mutex_;
  bool ready_ GUARDED_BY(mutex_) = false;
  bool live_ GUARDED_BY(mutex_) = true;
  std::unique_ptr<Parts> parts_ GUARDED_BY(mutex_);  // while it serves
};

}  // namespace gpumon::grpc
