// The probe against a real Redis.
#include "internal/checks/redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>

#include "tests/fakes/servers/redis_server.h"
#include "tests/internal/checks/leaping_clock.h"

namespace gpumon::checks {
namespace {

using servers::RedisServer;
using testing::HasSubstr;
using testing::StartsWith;

class RedisTest : public testing::Test {
 protected:
  void SetUp() override { unsetenv("REDISCLI_AUTH"); }
  Outcome Probe(const RedisServer& server, Millis budget = Millis(20'000)) {
    target_.port = server.port();
    return RedisProbe(target_)(clock_, Deadline::After(clock_, process::Scaled(budget)));
  }
  std::string Failed(const std::string& why) const {
    return "Redis check failed: " + why + " (127.0.0.1:" + std::to_string(target_.port) + ")";
  }

  SystemClock clock_;
  const process::ScratchDirectory folder_;
  RedisTarget target_;
};

TEST_F(RedisTest, AHealthyOneAnswersPing) {
  const RedisServer server;
  const Outcome outcome = Probe(server);
  EXPECT_EQ(outcome.status, Status::kHealthy) << outcome.error;
  EXPECT_EQ(outcome.details, "PING successful");
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.hint, "");
  EXPECT_THAT(
      outcome.steps,
      testing::ElementsAre("connect to 127.0.0.1:" + std::to_string(server.port()), "PING: PONG"));
  target_.host = "localhost";
  EXPECT_EQ(Probe(server).status, Status::kHealthy);
  target_.host = server.unix_socket();
  EXPECT_EQ(Probe(server).status, Status::kHealthy);
}

TEST_F(RedisTest, ALateAnswerIsDegraded) {
  const RedisServer server;
  const LeapingClock clock;
  target_.port = server.port();
  const Outcome outcome = RedisProbe(target_)(clock, Deadline::After(clock, Millis(3'600'000)));
  EXPECT_EQ(outcome.status, Status::kDegraded);
  EXPECT_EQ(outcome.details, "PING successful (slow)");
}

TEST_F(RedisTest, APasswordIsTakenFromItsPlacesAndNeverTold) {
  const RedisServer server;
  ASSERT_EQ(server.Ask("ACL SETUSER alice on >w0nder ~* +@all"), "+OK\r\n");
  ASSERT_EQ(server.Ask("CONFIG SET requirepass s3cret"), "+OK\r\n");
  Outcome outcome = Probe(server);
  EXPECT_EQ(outcome.status, Status::kDegraded);
  EXPECT_EQ(outcome.details, "A password is needed");
  EXPECT_EQ(outcome.error, Failed("PING was answered with NOAUTH Authentication required."));
  EXPECT_EQ(outcome.hint,
            "give its password in a password file or REDISCLI_AUTH; check the container: docker "
            "logs backend.ai-halfstack-redis-1; test by hand: docker exec -it "
            "backend.ai-halfstack-redis-1 redis-cli ping");

  target_.password_file = folder_.Write("password", "hunter2\n");
  outcome = Probe(server);
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, "Wrong user or password");
  EXPECT_EQ(outcome.error, Failed("AUTH was answered with WRONGPASS invalid username-password pair "
                                  "or user is disabled."));
  EXPECT_THAT(outcome.steps, testing::Not(testing::Contains(HasSubstr("hunter2"))));

  folder_.Write("password", "s3cret\n");
  EXPECT_EQ(Probe(server).status, Status::kHealthy);
  target_.user = "alice";
  EXPECT_EQ(Probe(server).status, Status::kUnhealthy);
  folder_.Write("password", "w0nder\n");
  EXPECT_EQ(Probe(server).status, Status::kHealthy);

  target_ = {};
  setenv("REDISCLI_AUTH", "s3cret", 1);
  EXPECT_EQ(Probe(server).status, Status::kHealthy);
  unsetenv("REDISCLI_AUTH");

  target_.password_file = "/no/such/password";
  outcome = Probe(server);
  EXPECT_EQ(outcome.status, Status::kUnknown);
  EXPECT_THAT(outcome.error, HasSubstr("the password file /no/such/password cannot be read"));
}

TEST_F(RedisTest, APasswordThatIsNotNeededDoesNoHarm) {
  const RedisServer server;
  target_.password_file = folder_.Write("password", "hunter2");
  const Outcome outcome = Probe(server);
  EXPECT_EQ(outcome.status, Status::kHealthy) << outcome.error;
  EXPECT_THAT(outcome.steps, testing::Contains(HasSubstr("without any password configured")));
}

TEST_F(RedisTest, AFullOneIsDegraded) {
  const RedisServer server({"--maxclients", "1"});
  {
    // In the list of its clients before the probe comes.
    const servers::HeldConnection only(server.port());
    Outcome outcome;
    EXPECT_TRUE(process::WaitUntil(
        [&] {
          outcome = Probe(server);
          return outcome.status == Status::kDegraded;
        },
        Millis(10'000)));
    EXPECT_EQ(outcome.details, "Too many clients");
    EXPECT_EQ(outcome.error, Failed("PING was answered with ERR max number of clients reached"));
    // It says so instead of an answer to AUTH, too.
    target_.password_file = folder_.Write("password", "hunter2");
    EXPECT_EQ(Probe(server).details, "Too many clients");
  }
}

TEST_F(RedisTest, AReplicaWithoutItsMasterIsDegraded) {
  const RedisServer server({"--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "no"});
  const Outcome outcome = Probe(server);
  EXPECT_EQ(outcome.status, Status::kDegraded);
  EXPECT_EQ(outcome.details, "Its master is down") << outcome.error;
}

TEST_F(RedisTest, OneThatCannotSaveIsDegraded) {
  const RedisServer server({"--save", "3600 1"});
  // What it saves cannot take the place of a folder.
  std::filesystem::create_directories(server.dump_file() + "/inside");
  ASSERT_THAT(server.Ask("BGSAVE"), StartsWith("+"));
  Outcome outcome;
  EXPECT_TRUE(process::WaitUntil(
      [&] {
        outcome = Probe(server);
        return outcome.status == Status::kDegraded;
      },
      Millis(10'000)));
  EXPECT_EQ(outcome.details, "Cannot save, refuses writes");
}

TEST_F(RedisTest, OneThatLoadsIsDegraded) {
  RedisServer server({"--enable-debug-command", "yes"});
  ASSERT_EQ(server.Ask("DEBUG POPULATE 20000"), "+OK\r\n");
  ASSERT_EQ(server.Ask("SAVE"), "+OK\r\n");
  // 20 s, of which the test needs the first moment.
  server.Restart({"--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"});
  const Outcome outcome = Probe(server);
  EXPECT_EQ(outcome.status, Status::kDegraded);
  EXPECT_EQ(outcome.details, "Loading its data") << outcome.error;
}

TEST_F(RedisTest, OneThatStandsStillIsUnhealthyAtTheDeadline) {
  RedisServer server;
  server.process().Signal(SIGSTOP);
  const Outcome outcome = Probe(server, Millis(200));
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, "No answer in time");
  EXPECT_EQ(outcome.error, Failed("PING was not answered in time"));
}

TEST_F(RedisTest, OneThatHasEndedRefuses) {
  RedisServer server;
  server.process().Signal(SIGTERM);
  ASSERT_TRUE(server.process().Wait(Millis(10'000)));
  const Outcome outcome = Probe(server);
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, "Connection refused");
  EXPECT_EQ(outcome.error, Failed("Connection refused"));
  EXPECT_THAT(outcome.hint, StartsWith("see with `docker ps` that the container runs"));
}

}  // namespace
}  // namespace gpumon::checks
