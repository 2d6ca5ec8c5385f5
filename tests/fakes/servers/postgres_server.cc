#include "tests/fakes/servers/postgres_server.h"

#include <libpq-fe.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace gpumon::servers {
namespace {

constexpr char kFolder[] = "usr/lib/postgresql/15/bin/";

// The first line that fits counts.
constexpr char kWhoMayLogIn[] =
    "host all locked 127.0.0.1/32 scram-sha-256\n"
    "host all all 127.0.0.1/32 trust\n";

}  // namespace

void PostgresSession::Finish::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

PostgresSession::PostgresSession(std::uint16_t port, const std::string& database)
    : connection_(PQconnectdb(("host=127.0.0.1 user=postgres sslmode=disable gssencmode=disable "
                               "connect_timeout=20 dbname=" +
                               database + " port=" + std::to_string(port))
                                  .c_str())) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw std::runtime_error(PQerrorMessage(connection_.get()));
  }
}

void PostgresSession::Execute(const std::string& sql) {
  PGresult* const result = PQexec(connection_.get(), sql.c_str());
  const bool failed = PQresultStatus(result) == PGRES_FATAL_ERROR;
  PQclear(result);
  if (failed) throw std::runtime_error(PQerrorMessage(connection_.get()));
}

PostgresServer::PostgresServer(const std::vector<std::string>& settings)
    : data_(directory_.File("data")) {
  MakeCluster();
  std::vector<std::string> arguments = {"-D", data_};
  std::vector<std::string> all = {
      "listen_addresses=127.0.0.1",
      "unix_socket_directories=",
      "max_connections=" + std::to_string(kMostClients),
      "superuser_reserved_connections=0",
      "max_wal_senders=0",
      "autovacuum=off",
      "fsync=off",
      "jit=off",
      "shared_buffers=1MB",
      "dynamic_shared_memory_type=mmap",
      "lc_messages=C",
  };
  all.insert(all.end(), settings.begin(), settings.end());
  for (const std::string& setting : all) arguments.insert(arguments.end(), {"-c", setting});
  port_ = StartOnFreePort(
      [&](std::uint16_t port) {
        auto here = arguments;
        here.insert(here.end(), {"-p", std::to_string(port)});
        child_ = StartUnpacked(std::string(kFolder) + "postgres", here, User::kNobody);
        return child_->AwaitErrors("ready to accept connections", Millis(20'000));
      },
      [&] { return child_->Errors(); });
  auto session = Connect();
  session.Execute("CREATE DATABASE backend");
  session.Execute("CREATE ROLE locked LOGIN PASSWORD '" + std::string(kPassword) + "'");
}

PostgresServer::~PostgresServer() {
  // It removes its shared memory, which SIGKILL would leave behind.
  child_->Signal(SIGQUIT);
  child_->Wait(Millis(10'000));
}

void PostgresServer::MakeCluster() {
  // Whoever runs it must get to its folder.
  chmod(directory_.path().c_str(), 0755);
  std::filesystem::create_directory(data_);
  HandTo(User::kNobody, data_);
  auto initdb = StartUnpacked(std::string(kFolder) + "initdb",
                              {"-D", data_, "-U", "postgres", "--auth=trust", "--wal-segsize=1",
                               "--no-sync", "--locale=C", "--encoding=UTF8"},
                              User::kNobody);
  const auto ended = initdb->Wait(Millis(60'000));
  if (!ended || ended->exit_code != 0) {
    throw std::runtime_error("initdb failed: " + initdb->Output() + initdb->Errors());
  }
  std::ofstream rules(data_ + "/pg_hba.conf", std::ios::trunc);
  rules << kWhoMayLogIn;
  if (!rules.flush()) throw std::runtime_error("cannot write pg_hba.conf");
}

}  // namespace gpumon::servers
