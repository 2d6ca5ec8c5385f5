// Redis, and what speaks its protocol (Valkey): does it answer PING.
#pragma once

#include <cstdint>
#include <string>

#include "internal/base/clock.h"
#include "internal/checks/check.h"

namespace gpumon::checks {

struct RedisTarget {
  std::string host = "127.0.0.1";  // a name, an address, or the path of a Unix socket
  std::uint16_t port = 8111;
  std::string user = {};  // of Redis 6 and later; "" for the default one
  // Holds the password as its one line and is read by each probe. "" takes REDISCLI_AUTH, as
  // redis-cli does, where that is set.
  std::string password_file = {};
  // Named in hints; "" for a server that is in no container.
  std::string container = "backend.ai-halfstack-redis-1";
  // A good answer that took longer is Degraded; zero: however long it took, it is good.
  Millis slow_after{1000};
};

// Logs in where there is a password, and sends PING. No TLS.
//
// Healthy: "PING successful".
// Degraded: slow; it answers with an error that others may not see (it wants a password and none
// was given: that says nothing against it) or that leaves it of some use (too many clients,
// loading, its master is down, it cannot save and refuses writes).
// Unhealthy: refused, silent until the deadline, reset, cut short, not Redis, a password that it
// refuses, protected mode.
// Unknown: the password file cannot be used.
Probe RedisProbe(RedisTarget target);

}  // namespace gpumon::checks
