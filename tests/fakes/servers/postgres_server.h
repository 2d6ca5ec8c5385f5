// A real PostgreSQL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/fakes/servers/unpacked.h"

struct pg_conn;

namespace gpumon::servers {

// A connection of user postgres that is held open. One thread at a time.
class PostgresSession {
 public:
  // Throws std::runtime_error, with the server's words, when it cannot be opened.
  PostgresSession(std::uint16_t port, const std::string& database);
  // The same for a statement that fails.
  void Execute(const std::string& sql);

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Finish> connection_;
};

// Listens on 127.0.0.1 with a new, empty cluster of its own (a second or two). The superuser
// postgres needs no password (trust), the user `locked` wants kPassword (scram-sha-256). There is a
// database `backend`. kMostClients clients find a place.
class PostgresServer {
 public:
  static constexpr const char* kPassword = "s3cret-of-postgres";
  static constexpr int kMostClients = 2;

  // `settings` are further ones of postgresql.conf: "ssl=on". Throws std::runtime_error, with what
  // it printed, when it does not come up.
  explicit PostgresServer(const std::vector<std::string>& settings = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  std::uint16_t port() const { return port_; }
  PostgresSession Connect(const std::string& database = "postgres") const {
    return PostgresSession(port_, database);
  }
  // SIGTERM lets it shut down once the last client has gone, and refuse others until then.
  process::ChildProcess& process() { return *child_; }

 private:
  void MakeCluster();

  process::ScratchDirectory directory_;
  std::string data_;
  std::unique_ptr<process::ChildProcess> child_;
  std::uint16_t port_ = 0;
};

}  // namespace gpumon::servers
