// The probe against a real PostgreSQL.
#include "internal/checks/postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

#include "tests/fakes/servers/postgres_server.h"
#include "tests/internal/checks/leaping_clock.h"

namespace gpumon::checks {
namespace {

using servers::PostgresServer;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

class PostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"PGPASSWORD", "PGSSLMODE", "PGOPTIONS"}) unsetenv(name);
    setenv("PGPASSFILE", "/no/such/pgpass", 1);
    target_.port = server_.port();
  }
  Outcome Probe(const PostgresTarget& target, Millis budget = Millis(20'000)) const {
    return PostgresProbe(target)(clock_, Deadline::After(clock_, process::Scaled(budget)));
  }
  Outcome Probe() const { return Probe(target_); }
  std::string Failed(const std::string& why) const {
    return "PostgreSQL connection failed: " + why +
           " (127.0.0.1:" + std::to_string(server_.port()) + ")";
  }

  SystemClock clock_;
  const process::ScratchDirectory folder_;
  PostgresServer server_;
  PostgresTarget target_;
};

TEST_F(PostgresTest, AHealthyOneSaysItsVersionAndALateOneIsDegraded) {
  const Outcome outcome = Probe();
  EXPECT_EQ(outcome.status, Status::kHealthy) << outcome.error;
  EXPECT_THAT(outcome.details, MatchesRegex("Connected - PostgreSQL 15\\.[0-9]+"));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.hint, "");
  ASSERT_EQ(outcome.steps.size(), 3U);
  EXPECT_EQ(outcome.steps[0], "connect to 127.0.0.1 port " + std::to_string(server_.port()) +
                                  " as user postgres, database backend");
  EXPECT_THAT(outcome.steps[1], MatchesRegex("logged in, server version 15\\..*, no TLS"));
  EXPECT_THAT(outcome.steps[2], StartsWith("SELECT version(): PostgreSQL 15."));
  // By a name with more addresses than it listens on.
  target_.host = "localhost";
  EXPECT_EQ(Probe().status, Status::kHealthy);

  const LeapingClock clock;
  const auto probe = [&] {
    return PostgresProbe(target_)(clock, Deadline::After(clock, Millis(3'600'000)));
  };
  const Outcome late = probe();
  EXPECT_EQ(late.status, Status::kDegraded);
  EXPECT_THAT(late.details, MatchesRegex("Connected - PostgreSQL 15\\.[0-9]+ \\(slow\\)"));
  EXPECT_THAT(late.error, MatchesRegex("PostgreSQL is slow: it took [0-9.]+ s, more than 1 s"));
  target_.slow_after = Millis(0);
  EXPECT_EQ(probe().status, Status::kHealthy);
}

TEST(PostgresTlsTest, IsUsedWhereItIsOffered) {
  setenv("PGPASSFILE", "/no/such/pgpass", 1);
  const process::ScratchDirectory folder;
  const std::string key = folder.File("key.pem");
  const std::string certificate = folder.File("cert.pem");
  const auto made = process::Run(
      "/usr/bin/openssl", {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                           "/CN=127.0.0.1", "-keyout", key, "-out", certificate});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  const PostgresServer server({"ssl=on", "ssl_key_file=" + key, "ssl_cert_file=" + certificate});
  PostgresTarget target;
  target.port = server.port();
  const SystemClock clock;
  const Outcome outcome =
      PostgresProbe(target)(clock, Deadline::After(clock, process::Scaled(Millis(20'000))));
  EXPECT_EQ(outcome.status, Status::kHealthy) << outcome.error;
  EXPECT_THAT(outcome.steps.at(1), testing::EndsWith(", TLS"));
}

TEST_F(PostgresTest, WhatTheServerRefusesIsToldInItsWords) {
  target_.database = "nowhere";
  Outcome outcome = Probe();
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, "database \"nowhere\" does not exist");
  EXPECT_EQ(outcome.error, Failed("database \"nowhere\" does not exist, SQLSTATE 3D000"));
  EXPECT_EQ(outcome.hint,
            "create the database, or name the one that is there; check the container: docker logs "
            "backend.ai-halfstack-postgres-1; verify the connection parameters in manager.toml; "
            "test by hand: docker exec -it backend.ai-halfstack-postgres-1 psql -U postgres -d "
            "nowhere");

  target_.container = "";
  target_.user = "somebody";
  outcome = Probe();
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.error, Failed("role \"somebody\" does not exist, SQLSTATE 28000"));
  EXPECT_THAT(outcome.hint, HasSubstr("test by hand: psql -h 127.0.0.1 -p "));
}

TEST_F(PostgresTest, APasswordIsTakenFromItsPlacesAndNeverTold) {
  target_.user = "locked";
  Outcome outcome = Probe();
  EXPECT_EQ(outcome.status, Status::kDegraded);
  EXPECT_EQ(outcome.details, "A password is needed");
  EXPECT_EQ(outcome.error, Failed("fe_sendauth: no password supplied"));
  EXPECT_THAT(outcome.hint, StartsWith("give its password in "));

  target_.password_file = folder_.Write("password", "hunter2\n");
  outcome = Probe();
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.error,
            Failed("password authentication failed for user \"locked\", SQLSTATE 28P01"));
  EXPECT_THAT(outcome.steps, testing::Not(testing::Contains(HasSubstr("hunter2"))));

  folder_.Write("password", PostgresServer::kPassword);
  EXPECT_EQ(Probe().status, Status::kHealthy);

  target_.password_file = "";
  setenv("PGPASSWORD", PostgresServer::kPassword, 1);
  EXPECT_EQ(Probe().status, Status::kHealthy);
  unsetenv("PGPASSWORD");

  target_.password_file = "/no/such/password";
  outcome = Probe();
  EXPECT_EQ(outcome.status, Status::kUnknown);
  EXPECT_EQ(outcome.error, Failed("the password file /no/such/password cannot be read: "
                                  "No such file or directory"));
}

TEST_F(PostgresTest, AFullOneIsDegraded) {
  const auto one = server_.Connect();
  const auto two = server_.Connect();
  const Outcome outcome = Probe();
  EXPECT_EQ(outcome.status, Status::kDegraded);
  EXPECT_EQ(outcome.details, "sorry, too many clients already");
  EXPECT_EQ(outcome.error, Failed("sorry, too many clients already, SQLSTATE 53300"));
  EXPECT_THAT(outcome.hint, StartsWith("raise max_connections"));
}

TEST_F(PostgresTest, OneThatGoesIsDegradedThenRefuses) {
  {
    const auto last = server_.Connect();
    server_.process().Signal(SIGTERM);
    Outcome outcome;
    EXPECT_TRUE(process::WaitUntil(
        [&] {
          outcome = Probe();
          return outcome.status == Status::kDegraded;
        },
        Millis(10'000)));
    EXPECT_EQ(outcome.error, Failed("the database system is shutting down, SQLSTATE 57P03"));
  }
  ASSERT_TRUE(server_.process().Wait(Millis(20'000)));
  const Outcome outcome = Probe();
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, "Connection refused");
  EXPECT_EQ(outcome.error, Failed("Connection refused"));
  EXPECT_THAT(outcome.hint, StartsWith("see with `docker ps` that the container runs"));
}

TEST_F(PostgresTest, OneThatStandsStillIsUnhealthyAtTheDeadline) {
  server_.process().Signal(SIGSTOP);
  const Outcome outcome = Probe(target_, Millis(200));
  server_.process().Signal(SIGCONT);
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, "No answer in time");
  EXPECT_EQ(outcome.error,
            Failed("the connection was accepted, and the login not answered in time"));
}

}  // namespace
}  // namespace gpumon::checks
