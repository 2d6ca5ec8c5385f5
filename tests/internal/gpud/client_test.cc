#include "internal/gpud/client.h"

#include <gtest/gtest.h>

#include "internal/base/text.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/fault/tls_server.h"

namespace gpumon::gpud {
namespace {

class ClientTest : public ::testing::Test {
 protected:
  Result<Host> Ask(std::uint16_t port, const std::string& bind = "127.0.0.1") {
    Client client(*fetch_, bind, port);
    return client.Ask(*ParseTime("1772356500"), Deadline::After(clock_, Millis(10'000)));
  }

  const SystemClock clock_{};
  std::unique_ptr<fetch::Client> fetch_ = std::move(*fetch::MakeClient({}, clock_));
};

TEST_F(ClientTest, AsksForEventsSinceATimeAndTakesWhatThereIs) {
  fault::FaultServer server([](const fault::Request& request) {
    if (request.target == "/v1/states") {
      return fault::Json(R"([{"component":"cpu","states":[{"health":"Healthy"}]}])");
    }
    if (request.target == "/machine-info") return fault::HttpStatus(500);
    return fault::Json("null");
  });
  const auto host = Ask(server.port(), "0.0.0.0");
  ASSERT_TRUE(host) << host.error().message;
  EXPECT_EQ(host->states.size(), 1U);
  ASSERT_EQ(host->missing.size(), 1U);
  EXPECT_EQ(host->missing[0], "machine info: it answered 500");
  bool asked = false;
  for (const auto& request : server.requests()) {
    asked |= request.target == "/v1/events?startTime=1772356500";
    if (request.target.starts_with("/v1/")) {
      EXPECT_EQ(request.Header("Content-Type"), "application/json");
    }
  }
  EXPECT_TRUE(asked);
}

TEST_F(ClientTest, StatesWithoutAHealthAreMissed) {
  fault::FaultServer server([](const fault::Request& request) {
    return fault::Json(request.target == "/v1/states"
                           ? R"([{"component":"cpu","states":[{"health":5},{"health":"Healthy"}]}])"
                           : R"({"hostname":"a"})");
  });
  const auto host = Ask(server.port());
  ASSERT_TRUE(host) << host.error().message;
  ASSERT_FALSE(host->missing.empty());
  EXPECT_EQ(host->missing[0], "states: 1 of 2 have no health");
}

TEST_F(ClientTest, NoStatesAreMissed) {
  const std::pair<std::string, std::string> rows[] = {
      {"[]", "states: there are none"},
      {"null", "states: there are none"},
      {R"([{"component":"cpu","states":[]}])", "states: 1 of 1 have no health"},
      {R"([{"component":"cpu","states":null},{"component":"disk","states":[)"
       R"({"health":"Healthy"}]}])",
       "states: 1 of 2 have no health"}};
  for (const auto& [body, text] : rows) {
    fault::FaultServer server([&states = body](const fault::Request& request) {
      return fault::Json(request.target == "/v1/states" ? states : R"({"hostname":"a"})");
    });
    const auto host = Ask(server.port());
    ASSERT_TRUE(host) << host.error().message;
    ASSERT_FALSE(host->missing.empty());
    EXPECT_EQ(host->missing[0], text) << body;
  }
}

TEST_F(ClientTest, NobodyThereIsOneSentence) {
  fault::FaultServer server;
  server.Refuse();
  const auto host = Ask(server.port());
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().message, "GPUd at 127.0.0.1:" + std::to_string(server.port()) +
                                      " does not answer: the connection was refused");
}

TEST_F(ClientTest, TakesACertificateThatNobodySignedOnLoopback) {
  const fault::TlsServer server;
  const std::string url = server.url();
  const auto host = Ask(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  ASSERT_FALSE(host);
  // It was reached: its page is no JSON.
  EXPECT_NE(host.error().message.find("its states are no JSON"), std::string::npos)
      << host.error().message;
}

TEST_F(ClientTest, OneAnswerIsGivenAsItCame) {
  fault::FaultServer server([](const fault::Request& request) {
    return request.target == "/healthz" ? fault::Json(R"({"status":"ok"} )")
                                        : fault::HttpStatus(404);
  });
  Client client(*fetch_, "127.0.0.1", server.port(), Trust::kAnyone);
  const Deadline deadline = Deadline::After(clock_, Millis(10'000));
  EXPECT_EQ(client.GetRaw("/healthz", deadline).value_or(""), R"({"status":"ok"} )");
  const auto none = client.GetRaw("/v1/gpu", deadline);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "GPUd at 127.0.0.1:" + std::to_string(server.port()) +
                                      " does not give /v1/gpu: it answered 404");
}

TEST_F(ClientTest, WhatItSaysOfARequestThatItRefusesIsSaid) {
  fault::FaultServer server([](const fault::Request&) {
    return fault::HttpStatus(400, "{\"code\":1,\"message\":\"failed to parse\\u001b time\"}",
                             "application/json");
  });
  Client client(*fetch_, "127.0.0.1", server.port(), Trust::kAnyone);
  const auto refused = client.GetRaw("/v1/events", Deadline::After(clock_, Millis(10'000)));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("it answered 400: failed to parse  time"),
            std::string::npos)
      << refused.error().message;
}

TEST_F(ClientTest, SomethingElseThatSpeaksHttpIsSaid) {
  fault::FaultServer server([](const fault::Request&) { return fault::HttpStatus(404); });
  const auto host = Ask(server.port());
  ASSERT_FALSE(host);
  EXPECT_NE(host.error().message.find("it answered 404"), std::string::npos)
      << host.error().message;
}

}  // namespace
}  // namespace gpumon::gpud
