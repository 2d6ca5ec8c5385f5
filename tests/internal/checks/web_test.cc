#include "internal/checks/web.h"

#include <gtest/gtest.h>

#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/internal/checks/fixture.h"
#include "tests/internal/checks/web_client.h"

namespace gpumon::checks {
namespace {

using fault::HttpStatus;
using fault::Json;
using fault::Reply;

using Make = Probe (*)(WebClient, WebTarget);

class WebTest : public testing::Test {
 protected:
  // "Healthy: what it says", and the error behind it where there is one.
  std::string Said(Make make, int ms = 20'000) {
    seen_ = Ask(
        make(RealClient(), {.name = "Service", .url = server_.url(), .slow_after = Millis(0)}), ms);
    return std::string(NameOf(seen_.status)) + ": " + seen_.details;
  }
  void Script(std::vector<std::pair<std::string, Reply>> replies) {
    server_.SetScript([replies](const fault::Request& request) {
      for (const auto& [target, reply] : replies) {
        if (request.target == target) return reply;
      }
      return HttpStatus(404);
    });
  }

  fault::FaultServer server_;
  Outcome seen_;
};

TEST_F(WebTest, EtcdOfEitherGenerationIsHealthyByItsWord) {
  Script({{"/health", HttpStatus(200, R"({"health":"true"})")}});
  EXPECT_EQ(Said(EtcdProbe), "Healthy: Health check passed");
  EXPECT_EQ(seen_.error, "");
  Script({{"/health", Json(R"({"health":true,"reason":""})")}});
  EXPECT_EQ(Said(EtcdProbe), "Healthy: Health check passed");
}

TEST_F(WebTest, EtcdWithoutSpaceIsUnhealthyAndSaysSo) {
  Script({{"/health", HttpStatus(503, "{\"health\":\"false\",\"reason\":\"ALARM NOSPACE\"}\n")}});
  EXPECT_EQ(Said(EtcdProbe), "Unhealthy: Its database is full (ALARM NOSPACE): it takes no writes");
  EXPECT_NE(seen_.hint.find("etcdctl alarm disarm"), std::string::npos);
}

TEST_F(WebTest, EtcdThatGivesNoReasonIsAskedForItsAlarms) {
  Script({{"/health", HttpStatus(503, "{\"health\":\"false\"}\n")},
          {"/v3/maintenance/alarm",
           Json(R"({"alarms":[{"memberID":"1","alarm":"NOSPACE"},{"alarm":"NOSPACE"}]})")}});
  EXPECT_EQ(Said(EtcdProbe), "Unhealthy: Its database is full (ALARM NOSPACE): it takes no writes");
  ASSERT_EQ(server_.request_count(), 2U);
  EXPECT_EQ(server_.requests()[1].method, "POST");
  EXPECT_EQ(server_.requests()[1].body, R"({"action":"GET"})");
  EXPECT_EQ(seen_.steps.size(), 2U);
}

TEST_F(WebTest, EtcdMaySayWhyItIsIllInItsOwnWords) {
  Script({{"/health", HttpStatus(503, R"({"health":"false","reason":"RAFT NO LEADER"})")}});
  EXPECT_EQ(Said(EtcdProbe), "Unhealthy: It says that it is not healthy: \"RAFT NO LEADER\"");
  Script({{"/health", HttpStatus(503, R"({"health":"false"})")}});
  EXPECT_EQ(Said(EtcdProbe), "Unhealthy: It says that it is not healthy");
}

TEST_F(WebTest, WhatAServiceSaysOfItselfIsCut) {
  const std::string reason = "NOSPACE " + std::string(100'000, 'x');
  Script({{"/health", HttpStatus(503, R"({"health":"false","reason":")" + reason + "\"}")}});
  Said(EtcdProbe);
  EXPECT_LE(seen_.details.size(), 500U);
  EXPECT_LE(seen_.error.size(), 600U);
}

TEST_F(WebTest, AWordThatOnlyHoldsTheRightOneIsAnother) {
  Script({{"/health", Json(R"({"health":"untrue"})")}});
  EXPECT_TRUE(Said(EtcdProbe).starts_with("Unhealthy: The answer is not Service's"))
      << seen_.details;
  Script({{"/api/health", Json(R"({"database":"not ok"})")}});
  EXPECT_EQ(Said(GrafanaProbe), "Degraded: Database status: not ok");
  Script({{"/health", Json(R"({"status":"okay"})")}});
  EXPECT_EQ(Said(ManagerProbe), "Unhealthy: Its status is \"okay\"");
}

TEST_F(WebTest, PrometheusIsHealthyWhenItIsReadyToo) {
  Script({{"/-/healthy", HttpStatus(200, "Prometheus Server is Healthy.\n")},
          {"/-/ready", HttpStatus(200, "Prometheus Server is Ready.\n")}});
  EXPECT_EQ(Said(PrometheusProbe), "Healthy: Healthy endpoint accessible");
  Script({{"/-/healthy", HttpStatus(200, "Prometheus Server is Healthy.\n")},
          {"/-/ready", HttpStatus(503, "Service Unavailable")}});
  EXPECT_EQ(Said(PrometheusProbe), "Degraded: Not ready: it is starting or stopping");
}

TEST_F(WebTest, GrafanaIsAsWellAsItsDatabase) {
  Script({{"/api/health", Json(R"({"commit":"x","database":"ok","version":"11.4.0"})")}});
  EXPECT_EQ(Said(GrafanaProbe), "Healthy: Database connection OK");
  EXPECT_EQ(seen_.extra, R"({"version":"11.4.0"})");
  Script({{"/api/health", Json(R"({"database":"ok"})")}});
  EXPECT_EQ(Said(GrafanaProbe), "Healthy: Database connection OK");
  Script({{"/api/health", HttpStatus(503, R"({"database":"failing"})")}});
  EXPECT_EQ(Said(GrafanaProbe), "Unhealthy: Database status: failing");
}

TEST_F(WebTest, BothGenerationsOfTheManagerAreUnderstood) {
  Script({{"/health", Json(R"({"status":"ok","version":"26.8.0rc1"})")}});
  EXPECT_EQ(Said(ManagerProbe), "Healthy: API accessible - Status: 200 OK");
  EXPECT_EQ(seen_.extra, R"({"version":"26.8.0rc1"})");
  Script({{"/", Json(R"({"version":"v9.20250722","manager":"25.12.1"})")}});
  EXPECT_EQ(Said(ManagerProbe), "Healthy: API accessible - Status: 200 OK");
  EXPECT_EQ(seen_.extra, R"({"version":"25.12.1"})");
  for (const fault::Request& request : server_.requests()) {
    EXPECT_NE(request.target, "/server/version") << "no manager has it";
  }
}

TEST_F(WebTest, AnotherServerInTheManagersPlaceIsNotHealthy) {
  Script({{"/", Json("{}")}});
  EXPECT_EQ(Said(ManagerProbe),
            "Unhealthy: The answer is not Service's: it has no manager version");
}

TEST_F(WebTest, AnAgentMayBeDegraded) {
  Script({{"/health", Json(R"({"status":"degraded","component":"agent"})")}});
  EXPECT_EQ(Said(AgentProbe), "Degraded: Its status is \"degraded\"");
  Script({{"/health", Json(R"({"status":"ok","component":"agent","connectivity":null})")}});
  EXPECT_EQ(Said(AgentProbe), "Healthy: API accessible - Status: 200 OK");
  Script({{"/health", HttpStatus(503, R"({"status":"error"})")}});
  EXPECT_EQ(Said(AgentProbe), "Unhealthy: Its status is \"error\"");
}

TEST_F(WebTest, AGoodAnswerThatComesLateIsDegraded) {
  FakeClock clock;
  server_.SetScript([&](const fault::Request&) {
    clock.Advance(Millis(1001));
    return Json(R"({"database":"ok"})");
  });
  const auto ask = [&](Millis slow_after) {
    return GrafanaProbe(RealClient(), {"Grafana", server_.url(), slow_after})(
        clock, Deadline::After(SystemClock(), Millis(20'000)));
  };
  const Outcome slow = ask(Millis(1000));
  EXPECT_EQ(slow.status, Status::kDegraded);
  EXPECT_EQ(slow.details, "Database connection OK (slow)");
  EXPECT_EQ(slow.error, "Grafana is slow: it took 1.001 s, more than 1 s");
  EXPECT_NE(slow.hint.find("docker stats"), std::string::npos);
  EXPECT_EQ(ask(Millis(1001)).status, Status::kHealthy);
  EXPECT_EQ(ask(Millis(0)).status, Status::kHealthy);
}

TEST_F(WebTest, WhereNobodyListensTheConnectionIsRefused) {
  server_.Refuse();
  for (const Make make : {EtcdProbe, PrometheusProbe, GrafanaProbe, ManagerProbe, AgentProbe}) {
    EXPECT_EQ(Said(make), "Unhealthy: Connection refused");
    EXPECT_EQ(seen_.error, "Service: Connection refused");
    EXPECT_NE(seen_.hint.find("docker ps"), std::string::npos);
    EXPECT_EQ(seen_.steps.size(), 1U);
  }
}

TEST_F(WebTest, SilenceIsNoAnswerWithinTheTime) {
  server_.SetReply(fault::Broken(Reply::Fault::kHang));
  EXPECT_EQ(Said(GrafanaProbe, 100), "Unhealthy: No answer within 1 s");
  EXPECT_EQ(Said(ManagerProbe, 1100), "Unhealthy: No answer within 2 s");
}

TEST_F(WebTest, ABlackHoleIsNoAnswerWithinTheTime) {
  const fault::BlackHole hole;
  seen_ = Ask(EtcdProbe(RealClient(), {.name = "etcd", .url = hole.url()}), 200);
  EXPECT_EQ(seen_.details, "No answer within 1 s");
}

struct Failure {
  std::string_view name;
  Reply reply;
  Status status;
  std::string_view details;
};

std::vector<Failure> Failures() {
  constexpr std::string_view kCut = "The connection was cut before the whole answer came";
  return {
      {"close", fault::Broken(Reply::Fault::kClose), Status::kUnhealthy, kCut},
      {"reset", fault::Broken(Reply::Fault::kReset), Status::kUnhealthy, kCut},
      {"reset in the body", fault::Broken(Reply::Fault::kResetMidBody, "{\"status\":\"ok\"}"),
       Status::kUnhealthy, kCut},
      {"truncated", fault::Broken(Reply::Fault::kTruncated, "{\"status\":\"ok\"}"),
       Status::kUnhealthy, kCut},
      {"10 MB", fault::Huge(std::size_t{10} << 20U), Status::kUnhealthy,
       "The answer is larger than allowed"},
      {"endless", fault::Endless(), Status::kUnhealthy, "The answer is larger than allowed"},
      {"not HTTP", fault::Raw("SSH-2.0-OpenSSH_9.2\r\n"), Status::kUnhealthy,
       "What came back is not HTTP"},
      {"HTML", HttpStatus(200, "<html>Welcome</html>", "text/html"), Status::kUnhealthy,
       "The answer is not Service's: not JSON"},
      {"no UTF-8", Json("{\"status\":\"\xFF\"}"), Status::kUnhealthy, "Its status is"},
      {"duplicate keys", Json(R"({"status":"ok","status":"ok"})"), Status::kUnhealthy,
       "The answer is not Service's:"},
      {"null", Json("null"), Status::kUnhealthy, "The answer is not Service's: it has no status"},
      {"null inside", Json(R"({"status":null})"), Status::kUnhealthy,
       "The answer is not Service's: it has no status"},
      {"empty", Json(""), Status::kUnhealthy, "The answer is not Service's:"},
      {"redirect", fault::Redirect(302, "http://127.0.0.1:1/"), Status::kDegraded, "HTTP 302"},
      {"401", HttpStatus(401), Status::kDegraded, "HTTP 401"},
      {"403", HttpStatus(403), Status::kDegraded, "HTTP 403"},
      {"429", HttpStatus(429), Status::kDegraded, "HTTP 429"},
      {"500", HttpStatus(500), Status::kUnhealthy, "HTTP 500"},
      {"503", HttpStatus(503), Status::kUnhealthy, "HTTP 503"},
  };
}

TEST_F(WebTest, EveryFailureIsOneClearLine) {
  for (const Failure& failure : Failures()) {
    server_.SetReply(failure.reply);
    Said(AgentProbe);
    EXPECT_EQ(seen_.status, failure.status) << failure.name << ": " << seen_.details;
    EXPECT_TRUE(seen_.details.starts_with(failure.details))
        << failure.name << ": " << seen_.details;
    EXPECT_EQ(seen_.error.find('\n'), std::string::npos) << failure.name;
    EXPECT_FALSE(seen_.hint.empty()) << failure.name;
  }
}

TEST_F(WebTest, NoFailureOfAnotherServiceIsHealthy) {
  for (const Make make : {EtcdProbe, PrometheusProbe, GrafanaProbe, ManagerProbe}) {
    for (const Failure& failure : Failures()) {
      server_.SetReply(failure.reply);
      Said(make);
      EXPECT_NE(seen_.status, Status::kHealthy) << failure.name;
      EXPECT_NE(seen_.status, Status::kUnknown) << failure.name;
    }
  }
}

TEST_F(WebTest, CredentialsOfTheAddressAreShownNowhere) {
  server_.SetReply(HttpStatus(401));
  std::string url = server_.url();
  url.insert(url.find("//") + 2, "user:hunter2@");
  const Outcome outcome = Ask(GrafanaProbe(RealClient(), {.name = "Grafana", .url = url}));
  std::string all = outcome.details + outcome.error + outcome.hint + outcome.extra;
  for (const std::string& step : outcome.steps) all += step;
  EXPECT_EQ(all.find("hunter2"), std::string::npos) << all;
}

}  // namespace
}  // namespace gpumon::checks
