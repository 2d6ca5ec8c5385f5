#include "internal/checks/peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>

#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::checks {
namespace {

TEST(QuotableTest, IsOneShortLineThatATerminalDoesNotActOn) {
  EXPECT_EQ(Quotable("FATAL:  no\n\tDETAIL: more \r\n", ""), "FATAL: no DETAIL: more");
  EXPECT_EQ(Quotable("a\x1b[2Jb\x01", ""), "a?[2Jb?");
  EXPECT_EQ(Quotable("\xff\xfe", ""), "\uFFFD\uFFFD");
  EXPECT_EQ(Quotable(std::string(5000, 'x'), "").size(), 300U);
  EXPECT_EQ(Quotable(" \n ", ""), "");
}

TEST(QuotableTest, HasNoSecret) {
  EXPECT_EQ(Quotable("you said hunter2, hunter2!", "hunter2"), "you said ***, ***!");
  EXPECT_EQ(Quotable("**", "*"), "******");
}

TEST(PasswordFileTest, IsOneLine) {
  const process::ScratchDirectory folder;
  EXPECT_EQ(*ReadPasswordFile(folder.Write("a", "hunter2")), "hunter2");
  EXPECT_EQ(*ReadPasswordFile(folder.Write("b", "hunter 2\r\n")), "hunter 2");
  for (const std::string& text : {std::string("hunter2\nmore"), std::string("hunter2\0", 8)}) {
    const auto two = ReadPasswordFile(folder.Write("c", text));
    ASSERT_FALSE(two);
    EXPECT_EQ(two.error().message, "the password file " + folder.File("c") + " must be one line");
  }
  EXPECT_EQ(ReadPasswordFile(folder.Write("d", "\n")).error().message,
            "the password file " + folder.File("d") + " is empty");
  EXPECT_EQ(ReadPasswordFile("/no/such").error().message,
            "the password file /no/such cannot be read: No such file or directory");
}

TEST(AddressesTest, AreThoseOfTheName) {
  const SystemClock clock;
  const Deadline deadline = Deadline::After(clock, Millis(20'000));
  EXPECT_THAT(*AddressesOf("127.0.0.2", clock, deadline), testing::ElementsAre("127.0.0.2"));
  EXPECT_THAT(*AddressesOf("::1", clock, deadline), testing::ElementsAre("::1"));
  EXPECT_THAT(*AddressesOf("localhost", clock, deadline), testing::Contains("127.0.0.1"));
  const auto none = AddressesOf("no..name", clock, deadline);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kUpstreamUnreachable);
  EXPECT_TRUE(none.error().message.starts_with("the name no..name has no address"))
      << none.error().message;
}

TEST(AwaitSocketTest, EndsWithTheDeadlineHoweverMuchThereIsToRead) {
  FakeClock clock;
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const Deadline deadline = Deadline::After(clock, Millis(60'000));
  EXPECT_TRUE(AwaitSocket(pipe[1], POLLOUT, clock, deadline));
  ASSERT_EQ(write(pipe[1], "x", 1), 1);
  EXPECT_TRUE(AwaitSocket(pipe[0], POLLIN, clock, deadline));
  clock.Advance(Millis(60'000));
  EXPECT_FALSE(AwaitSocket(pipe[0], POLLIN, clock, deadline));
  for (const int fd : pipe) close(fd);
  const SystemClock real;
  std::array<int, 2> silent{};
  ASSERT_EQ(::pipe(silent.data()), 0);
  EXPECT_FALSE(AwaitSocket(silent[0], POLLIN, real, Deadline::After(real, Millis(20))));
  for (const int fd : silent) close(fd);
}

TEST(PaceTest, OnlyWhatIsHealthyAndTooLateIsDegraded) {
  Outcome good;
  good.status = Status::kHealthy;
  good.details = "PING successful";
  JudgePace("Redis", Millis(1000), Millis(1000), good);
  EXPECT_EQ(good.status, Status::kHealthy);
  JudgePace("Redis", Millis(99'999), Millis(0), good);
  EXPECT_EQ(good.status, Status::kHealthy);
  JudgePace("Redis", Millis(1250), Millis(1000), good);
  EXPECT_EQ(good.status, Status::kDegraded);
  EXPECT_EQ(good.details, "PING successful (slow)");
  EXPECT_EQ(good.error, "Redis is slow: it took 1.25 s, more than 1 s");
  Outcome bad;
  bad.status = Status::kUnhealthy;
  JudgePace("Redis", Millis(1250), Millis(1000), bad);
  EXPECT_EQ(bad.status, Status::kUnhealthy);
}

TEST(PlaceTest, IsWrittenAsPeopleWriteIt) {
  EXPECT_EQ(PlaceOf("db", 8101), "db:8101");
  EXPECT_EQ(PlaceOf("::1", 8101), "[::1]:8101");
  EXPECT_EQ(PlaceOf("/run/postgresql", 8101), "/run/postgresql");
}

}  // namespace
}  // namespace gpumon::checks
