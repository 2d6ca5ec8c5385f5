#include <gtest/gtest.h>

#include "internal/hakuriver/client.h"
#include "tests/fakes/hakuriver/fake_host.h"

namespace gpumon::hakuriver {
namespace {

using fault::Broken;
using fault::Reply;

class HakuFailure : public ::testing::Test {
 protected:
  Status FailureOf(const std::string& url, Millis timeout = Millis(10'000)) {
    Client client(*fetch_, clock_, {.base_url = url, .most_bytes = kMostBytes});
    const auto nodes = Await<std::vector<Node>>(
        [&](auto got) { client.GetNodes(Deadline::After(clock_, timeout), got); });
    return nodes ? Status{Code::kOk, "no failure"} : nodes.error();
  }
  // Of a host whose generation is known and that then answers with `reply`.
  Status FailureOf(Reply reply, Millis timeout = Millis(10'000)) {
    FakeHost host(Generation::kB);
    Client client(*fetch_, clock_, {.base_url = host.url(), .most_bytes = kMostBytes});
    const auto ask = [&](Millis limit) {
      return Await<std::vector<Node>>(
          [&](auto got) { client.GetNodes(Deadline::After(clock_, limit), got); });
    };
    EXPECT_TRUE(ask(Millis(10'000)));
    host.server().SetReply(std::move(reply));
    const auto nodes = ask(timeout);
    return nodes ? Status{Code::kOk, "no failure"} : nodes.error();
  }

  static constexpr std::size_t kMostBytes = std::size_t{1} << 20U;
  const SystemClock clock_{};
  std::unique_ptr<fetch::Client> fetch_ = std::move(*fetch::MakeClient({}, clock_));
};

TEST_F(HakuFailure, NobodyThere) {
  const Status failure = FailureOf(fault::RefusingUrl());
  EXPECT_EQ(failure.code, Code::kUpstreamUnreachable);
  EXPECT_EQ(failure.message, "the HakuRiver host does not answer: the connection was refused");
}

TEST_F(HakuFailure, SilenceEndsAtTheDeadline) {
  const fault::BlackHole hole;
  EXPECT_EQ(FailureOf(hole.url(), Millis(200)).code, Code::kUpstreamTimeout);
  const Status hang = FailureOf(Broken(Reply::Fault::kHang), Millis(200));
  EXPECT_EQ(hang.code, Code::kUpstreamTimeout);
  EXPECT_EQ(hang.message, "the HakuRiver host does not answer: it did not answer in time");
}

TEST_F(HakuFailure, EachStatusHasItsCodeAndOneSentence) {
  struct Case {
    int status;
    Code code;
    const char* message;
  };
  constexpr Case kCases[] = {
      {301, Code::kUpstreamInvalid,
       "the HakuRiver host redirects (301), which is not followed: give the URL where it ends"},
      {401, Code::kUpstreamAuth, "the HakuRiver host wants a token, or another one (401)"},
      {403, Code::kUpstreamAuth,
       "the HakuRiver host refuses this (403): there is no token, or its user's role is too low"},
      {422, Code::kInvalidParameter, "the HakuRiver host does not take that parameter (422)"},
      {429, Code::kUpstreamThrottled,
       "the HakuRiver host asks us to slow down (429); try again later"},
      {500, Code::kUpstreamError, "the HakuRiver host failed (500); its own log has the reason"},
      {502, Code::kUpstreamNotReady, "the HakuRiver host is not ready (502); try again later"},
      {503, Code::kUpstreamNotReady, "the HakuRiver host is not ready (503); try again later"},
      {418, Code::kUpstreamInvalid, "the HakuRiver host answers 418 where HakuRiver would not"},
  };
  for (const Case& one : kCases) {
    const Status failure = FailureOf(fault::HttpStatus(one.status));
    EXPECT_EQ(failure.code, one.code) << one.status;
    EXPECT_EQ(failure.message, one.message);
  }
}

TEST_F(HakuFailure, EachBrokenAnswerHasItsCode) {
  struct Case {
    const char* what;
    Reply reply;
    Code code;
  };
  const std::string deep = "[" + std::string(200, '[') + std::string(200, ']') + "]";
  const Case cases[] = {
      {"closed", Broken(Reply::Fault::kClose), Code::kUpstreamUnreachable},
      {"reset", Broken(Reply::Fault::kReset), Code::kUpstreamUnreachable},
      {"reset in the body", Broken(Reply::Fault::kResetMidBody, "[{\"hostname\":\"a\"}]"),
       Code::kUpstreamUnreachable},
      {"truncated", Broken(Reply::Fault::kTruncated, "[{\"hostname\":\"a\"}]"),
       Code::kUpstreamUnreachable},
      {"no HTTP", fault::Raw("SSH-2.0-OpenSSH_9.2\r\n"), Code::kUpstreamInvalid},
      {"10 MB", fault::Huge(std::size_t{10} << 20U), Code::kUpstreamTooLarge},
      {"of another type", fault::Json("{\"nodes\":[]}"), Code::kUpstreamInvalid},
      {"null", fault::Json("null"), Code::kUpstreamInvalid},
      {"a key twice", fault::Json(R"([{"hostname":"a","hostname":"b"}])"), Code::kUpstreamInvalid},
      {"half of a text", fault::Json(R"([{"hostname":"a)"), Code::kUpstreamInvalid},
      {"too deep", fault::Json(deep), Code::kUpstreamInvalid},
      {"no UTF-8", fault::Json("[{\"hostname\":\"a\xff\"}]"), Code::kOk},
  };
  for (const Case& one : cases) {
    const Status failure = FailureOf(one.reply);
    EXPECT_EQ(failure.code, one.code) << one.what << ": " << failure.message;
    EXPECT_EQ(failure.message.find('\n'), std::string::npos) << one.what;
  }
}

TEST_F(HakuFailure, AWebPageIsNoHakuRiver) {
  const fault::FaultServer server(
      [](const fault::Request&) { return fault::HttpStatus(200, "<html>hi</html>", "text/html"); });
  const Status failure = FailureOf(server.url());
  EXPECT_EQ(failure.code, Code::kUpstreamInvalid);
  EXPECT_EQ(failure.message,
            "what answers as the HakuRiver host is not HakuRiver's API: it has no list of nodes");
}

TEST_F(HakuFailure, AnotherServerIsNoHakuRiver) {
  const fault::FaultServer server([](const fault::Request&) { return fault::HttpStatus(404); });
  const Status failure = FailureOf(server.url());
  EXPECT_EQ(failure.code, Code::kUpstreamInvalid);
  EXPECT_EQ(failure.message,
            "the HakuRiver host has no such page (404): it is no HakuRiver host, or the path in "
            "its URL is wrong");
}

TEST_F(HakuFailure, OnlyHakuRiversOwn404IsOfATaskOrANode) {
  struct Case {
    const char* detail;
    Code of_task;
    Code of_node;
  };
  constexpr Case kCases[] = {
      {"Task id not found", Code::kNotFound, Code::kUpstreamInvalid},
      {"Task not found.", Code::kNotFound, Code::kUpstreamInvalid},
      {"Node n not found in health data.", Code::kUpstreamInvalid, Code::kNotFound},
      {"Not found.", Code::kUpstreamInvalid, Code::kUpstreamInvalid},  // Django REST framework
      {"Not Found", Code::kUpstreamInvalid, Code::kUpstreamInvalid},   // FastAPI
      {"item not found", Code::kUpstreamInvalid, Code::kUpstreamInvalid},
  };
  for (const Case& one : kCases) {
    const auto said = fault::HttpStatus(404, std::string(R"({"detail":")") + one.detail + "\"}",
                                        "application/json");
    EXPECT_EQ(FailureOf(said).code, Code::kUpstreamInvalid) << "of a list: " << one.detail;
    const Deadline deadline = Deadline::After(clock_, Millis(10'000));
    const auto code_of = [&](auto begin, auto kind) {
      FakeHost host(Generation::kB);
      Client client(*fetch_, clock_, {.base_url = host.url()});
      EXPECT_TRUE(Await<Task>([&](auto got) { client.GetTask(kRunningTask, deadline, got); }));
      host.server().SetReply(said);
      return Await<decltype(kind)>([&](auto got) { begin(client, got); }).error().code;
    };
    const auto task = [&](Client& client, auto got) { client.GetTask("5", deadline, got); };
    EXPECT_EQ(code_of(task, Task()), one.of_task) << one.detail;
    const auto log = [&](Client& client, auto got) { client.GetLog({.id = "5"}, deadline, got); };
    EXPECT_EQ(code_of(log, Log()), one.of_task) << one.detail;
    const auto node = [&](Client& client, auto got) {
      client.GetHealth({.hostname = "n"}, deadline, got);
    };
    EXPECT_EQ(code_of(node, Health()), one.of_node) << one.detail;
  }
}

TEST_F(HakuFailure, AServerThatSaysNotFoundToEverythingIsNoHakuRiver) {
  const fault::FaultServer server([](const fault::Request&) {
    return fault::HttpStatus(404, R"({"detail":"Not found."})", "application/json");
  });
  const Status failure = FailureOf(server.url());
  EXPECT_EQ(failure.code, Code::kUpstreamInvalid);
  EXPECT_NE(failure.message.find("it is no HakuRiver host"), std::string::npos);
}

TEST_F(HakuFailure, HttpOnAPortOfHttpsIsSaid) {
  const fault::FaultServer server([](const fault::Request&) {
    return fault::HttpStatus(400, "Client sent an HTTP request to an HTTPS server.");
  });
  EXPECT_EQ(FailureOf(server.url()).code, Code::kUpstreamTls);
}

TEST_F(HakuFailure, WhatIsNoPlainTextIsNoLog) {
  FakeHost host(Generation::kB);
  Client client(*fetch_, clock_, {.base_url = host.url()});
  const auto ask = [&] {
    return Await<Log>([&](auto got) {
      client.GetLog({.id = kRunningTask}, Deadline::After(clock_, Millis(10'000)), got);
    });
  };
  ASSERT_TRUE(ask());
  host.server().SetReply(fault::HttpStatus(200, "<html>", "text/html"));
  const auto log = ask();
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, Code::kUpstreamInvalid);
  host.server().SetReply(fault::Json("[]"));
  const auto json = ask();
  ASSERT_FALSE(json) << "logs are plain text";
  EXPECT_EQ(json.error().code, Code::kUpstreamInvalid);
  host.server().SetReply(fault::HttpStatus(500, R"({"detail":"x"})", "application/json"));
  const auto failed = ask();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kUpstreamError);
}

TEST_F(HakuFailure, OnlyTheHostsOwnWordsAreAYes) {
  FakeHost host(Generation::kB);
  Client client(*fetch_, clock_, {.base_url = host.url()});
  const auto kill = [&] {
    return Await<void>([&](auto got) {
      client.Act(Action::kKill, kRunningTask, Deadline::After(clock_, Millis(10'000)), got);
    });
  };
  ASSERT_TRUE(kill());
  host.server().SetReply(fault::HttpStatus(200, "<html>", "text/html"));
  const auto page = kill();
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Code::kUpstreamInvalid);
}

TEST_F(HakuFailure, WhatTheHostSaysIsNotRepeated) {
  const Status failure =
      FailureOf(fault::HttpStatus(500, R"({"detail":"password=hunter2"})", "application/json"));
  EXPECT_EQ(failure.message.find("hunter2"), std::string::npos);
  EXPECT_EQ(failure.detail, "password=hunter2");
}

}  // namespace
}  // namespace gpumon::hakuriver
