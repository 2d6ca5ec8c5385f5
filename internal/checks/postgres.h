// PostgreSQL: can one log in, and does it answer a query.
#pragma once

#include <cstdint>
#include <string>

#include "internal/base/clock.h"
#include "internal/checks/check.h"

namespace gpumon::checks {

struct PostgresTarget {
  std::string host = "127.0.0.1";  // a name, an address, or the folder of a Unix socket
  std::uint16_t port = 8101;
  std::string user = "postgres";
  std::string database = "backend";
  // Holds the password as its one line and is read by each probe. "" leaves it to libpq, which
  // takes PGPASSWORD, else the line of PGPASSFILE or ~/.pgpass that fits.
  std::string password_file = {};
  // Named in hints; "" for a server that is in no container.
  std::string container = "backend.ai-halfstack-postgres-1";
  // A good answer that took longer is Degraded; zero: however long it took, it is good.
  Millis slow_after{1000};
};

// Logs in and asks SELECT version(). TLS is used where the server offers it (PGSSLMODE and its
// kind are libpq's own), Kerberos encryption never.
//
// Healthy: "Connected - PostgreSQL 15.3", the first two words of the version.
// Degraded: slow; it answers but takes nobody now (too many clients, starting up, shutting down,
// recovering); it wants a password and none was given, which says nothing against it; the query
// failed.
// Unhealthy: refused, silent until the deadline, reset, cut short, not PostgreSQL, a password or a
// user that it refuses, no such database.
// Unknown: the password file cannot be used.
Probe PostgresProbe(PostgresTarget target);

}  // namespace gpumon::checks
