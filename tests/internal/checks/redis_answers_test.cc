// The probe against what answers in other ways than a healthy Redis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "internal/checks/redis.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"
#include "tests/fakes/servers/raw_server.h"

namespace gpumon::checks {
namespace {

using servers::After;
using servers::RawServer;
using servers::Turn;
using testing::HasSubstr;
using testing::StartsWith;

class RedisAnswersTest : public testing::Test {
 protected:
  void SetUp() override { unsetenv("REDISCLI_AUTH"); }
  Outcome ProbePort(int port, Millis budget = Millis(20'000)) {
    target_.port = static_cast<std::uint16_t>(port);
    return RedisProbe(target_)(clock_, Deadline::After(clock_, process::Scaled(budget)));
  }
  Outcome OnPing(std::string say, After after = After::kClose, Millis budget = Millis(20'000)) {
    const RawServer server({{"PING", std::move(say)}}, after);
    return ProbePort(server.port(), budget);
  }

  SystemClock clock_;
  RedisTarget target_;
};

TEST_F(RedisAnswersTest, EachErrorHasItsStatus) {
  struct Case {
    std::string error;
    Status status;
    std::string details;
  };
  for (const Case& one : {
           Case{"NOAUTH Authentication required.", Status::kDegraded, "A password is needed"},
           Case{"LOADING Redis is loading the dataset in memory", Status::kDegraded,
                "Loading its data"},
           Case{"MASTERDOWN Link with MASTER is down", Status::kDegraded, "Its master is down"},
           Case{"MISCONF Redis is configured to save RDB snapshots", Status::kDegraded,
                "Cannot save, refuses writes"},
           Case{"BUSY Redis is busy running a script.", Status::kDegraded, "Busy with a script"},
           Case{"NOPERM this user has no permissions", Status::kDegraded, "The user may not PING"},
           Case{"ERR max number of clients reached", Status::kDegraded, "Too many clients"},
           Case{"ERR invalid password", Status::kUnhealthy, "Wrong user or password"},
           Case{"DENIED Redis is running in protected mode", Status::kUnhealthy, "Protected mode"},
           Case{"ERR something new", Status::kDegraded, "Answered with an error"},
       }) {
    const Outcome outcome = OnPing('-' + one.error + "\r\n");
    EXPECT_EQ(outcome.status, one.status) << one.error;
    EXPECT_EQ(outcome.details, one.details) << one.error;
    EXPECT_THAT(outcome.error, StartsWith("Redis check failed: PING was answered with " +
                                          one.error + " (127.0.0.1:"));
  }
}

TEST_F(RedisAnswersTest, AnotherProgramIsNotRedis) {
  std::string endless = "+";
  endless.resize(10'000'000, 'x');
  for (const std::string& text :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n<html>"), std::string("*1000000000\r\n"),
        std::string("$1000000000\r\nx"), std::string("\0\xff", 2), endless}) {
    const Outcome outcome = OnPing(text);
    EXPECT_EQ(outcome.status, Status::kUnhealthy);
    EXPECT_EQ(outcome.details, "Not Redis") << outcome.error;
    EXPECT_THAT(outcome.hint, StartsWith("another program listens there: see which with "));
  }
  const Outcome outcome = OnPing("+HELLO \x1b[2J\r\n");
  EXPECT_EQ(outcome.status, Status::kDegraded);
  EXPECT_EQ(outcome.details, "Unexpected answer");
  EXPECT_THAT(outcome.error, HasSubstr("PING was answered with HELLO ?[2J"));
}

TEST_F(RedisAnswersTest, AConnectionThatEndsIsUnhealthy) {
  for (const std::string text : {"", "+PO"}) {
    const Outcome outcome = OnPing(text);
    EXPECT_EQ(outcome.status, Status::kUnhealthy);
    EXPECT_EQ(outcome.details, "Connection closed by the server") << outcome.error;
  }
  const Outcome reset = OnPing("", After::kReset);
  EXPECT_EQ(reset.status, Status::kUnhealthy);
  EXPECT_EQ(reset.details, "Connection failed");
  EXPECT_THAT(reset.error, HasSubstr("Connection reset by peer"));
}

TEST_F(RedisAnswersTest, SilenceEndsWithTheDeadline) {
  for (const std::string text : {"", "+PONG\r"}) {
    const Outcome outcome = OnPing(text, After::kHold, Millis(100));
    EXPECT_EQ(outcome.status, Status::kUnhealthy);
    EXPECT_EQ(outcome.details, "No answer in time");
  }
  const fault::BlackHole hole;
  const std::string url = hole.url();
  const Outcome outcome = ProbePort(std::stoi(url.substr(url.rfind(':') + 1)), Millis(100));
  EXPECT_EQ(outcome.details, "No answer in time");
  EXPECT_THAT(outcome.error, HasSubstr("the connection was not accepted in time"));
}

TEST_F(RedisAnswersTest, AServerThatTellsThePasswordIsNotQuoted) {
  const process::ScratchDirectory folder;
  target_.password_file = folder.Write("password", "hunter2");
  const RawServer server({Turn{"hunter2", "-WRONGPASS not hunter2\r\n"}});
  const Outcome outcome = ProbePort(server.port());
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_THAT(outcome.error, HasSubstr("AUTH was answered with WRONGPASS not ***"));
  for (const std::string& line : outcome.steps) EXPECT_THAT(line, Not(HasSubstr("hunter2")));
}

TEST_F(RedisAnswersTest, WhatCannotBeConnectedToIsUnhealthy) {
  target_.host = "no..name";
  Outcome outcome = ProbePort(1);
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.details, "Address not found");
  target_.host = "/no/such/redis.sock";
  target_.container = "";
  outcome = ProbePort(1);
  EXPECT_EQ(outcome.status, Status::kUnhealthy);
  EXPECT_EQ(outcome.error, "Redis check failed: No such file or directory (/no/such/redis.sock)");
  EXPECT_EQ(outcome.hint, "see its log; test by hand: redis-cli -s /no/such/redis.sock ping");
}

}  // namespace
}  // namespace gpumon::checks
