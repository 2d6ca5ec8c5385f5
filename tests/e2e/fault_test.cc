// What clients see while Prometheus misbehaves, in every way it can.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "internal/base/text.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/e2e/subject.h"
#include "tests/e2e/upstream_fault.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/fault/tls_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using fault::Reply;
using json::Value;
using Kind = Reply::Fault;
using process::Scaled;
using process::WaitUntil;

constexpr char kPassword[] = "s3cret-of-the-url";
const Millis kShort = Scaled(Millis(600));
// PROMETHEUS_TIMEOUT, and what a busy machine may add; less than REQUEST_TIMEOUT.
const Millis kLongest = kShort + Scaled(Millis(700));

std::string Text(Millis time) {
  return std::to_string(time.count()) + "ms";
}

// Where nothing hangs the time is long, so that a busy machine changes no answer.
Environment Variables(Millis prometheus_timeout = Millis(10'000)) {
  return {{"PROMETHEUS_TIMEOUT", Text(prometheus_timeout)},
          {"REQUEST_TIMEOUT", Text(prometheus_timeout + Scaled(Millis(1400)))},
          {"CACHE_TTL", "0s"},
          {"PROMETHEUS_MAX_RESPONSE_BYTES", "1MiB"}};
}

// Short only where the fault needs it: `hanging`; connecting has a time of its own.
Millis TimeoutFor(const UpstreamFault& fault, Millis hanging) {
  const bool hangs = std::string_view(fault.code) == "upstream_timeout";
  return hangs && fault.port == Port::kOpen ? hanging : Millis(10'000);
}

void ExpectWithin(const Answer& answer, Millis limit) {
  EXPECT_LT(answer.seconds * 1000, static_cast<double>(limit.count()));
}

std::string UrlWithPassword(const FaultServer& server) {
  return "http://alice:" + std::string(kPassword) + "@127.0.0.1:" + std::to_string(server.port());
}

std::string PlanMetric() {
  return "nvidia_gpu_utilization_percent";
}

// Every text a client or an operator can see is free of what must not be seen.
void ExpectNoSecrets(const Answer& answer, const ApiServer& server, const FaultServer& upstream) {
  std::string seen = answer.body;
  for (const auto& [name, value] : answer.headers) seen += '\n' + name + ": " + value;
  for (const std::string& secret :
       {std::string(kPassword), std::string(kUpstreamText), ':' + std::to_string(upstream.port()),
        std::string("http://"), std::string("std::")}) {
    EXPECT_EQ(seen.find(secret), std::string::npos) << secret << " in " << seen;
  }
  EXPECT_EQ(server.log().find(kPassword), std::string::npos) << server.log();
}

void ExpectError(const Answer& answer, int status, const std::string& code,
                 const std::string& retry_after = "") {
  EXPECT_EQ(answer.status, status) << answer.Text();
  const Value document = answer.Json();
  ASSERT_TRUE(document.is_object()) << answer.Text();
  EXPECT_EQ(document["success"].AsBool(), false);
  ASSERT_NE(document.Find("data"), nullptr);
  EXPECT_TRUE(document["data"].is_null());
  ASSERT_NE(document.Find("message"), nullptr);
  EXPECT_TRUE(document["message"].is_null());
  EXPECT_EQ(TextOf(document["code"]), code) << answer.Text();
  EXPECT_GT(TextOf(document["error"]).size(), 10U);
  if (status == 503) {
    EXPECT_EQ(answer.Header("Retry-After"), retry_after);
  }
  EXPECT_EQ(answer.Header("Content-Type"), "application/json; charset=utf-8");
}

class UpstreamFaultTest : public testing::TestWithParam<UpstreamFault> {};

TEST_P(UpstreamFaultTest, IsItsErrorInTimeWhenThereIsNoSnapshot) {
  const UpstreamFault& fault = GetParam();
  FaultServer upstream;
  Inject(upstream, fault);
  const ApiServer server(UrlWithPassword(upstream), Variables(TimeoutFor(fault, kShort)));
  const Answer answer = server.Get(kMetrics);
  ExpectError(answer, fault.status, fault.code, fault.retry_after);
  ExpectWithin(answer, Scaled(fault.limit));
  ExpectNoSecrets(answer, server, upstream);
  EXPECT_LE(GpuRefreshes(upstream), fault.max_attempts);
  EXPECT_EQ(server.Get("/livez").status, 200);
}

TEST_P(UpstreamFaultTest, ServesTheLastSnapshotMarkedStale) {
  const UpstreamFault& fault = GetParam();
  FaultServer upstream(FleetReply);
  // Long enough for the good answers before.
  const ApiServer server(UrlWithPassword(upstream),
                         Variables(TimeoutFor(fault, Scaled(Millis(1500)))));
  ASSERT_TRUE(server.AwaitReady());  // its own first refresh is over
  const Answer good = server.Get(kMetrics);
  ASSERT_EQ(good.status, 200) << good.Text();
  ASSERT_EQ(good.Json()["data"].size(), kScriptedGpus);
  EXPECT_EQ(good.Json()["meta"]["stale"].AsBool(), false);

  Inject(upstream, fault);
  const Answer stale = server.Get(kMetrics);
  ASSERT_EQ(stale.status, 200) << stale.Text();
  const Value document = stale.Json();
  EXPECT_EQ(document["meta"]["stale"].AsBool(), true);
  EXPECT_EQ(document["data"].size(), kScriptedGpus);
  EXPECT_EQ(TextOf(document["meta"]["as_of"]), TextOf(good.Json()["meta"]["as_of"]));
  ASSERT_GE(document["warnings"].size(), 1U);
  EXPECT_NE(TextOf(document["warnings"][0]).find(fault.code), std::string::npos);
  EXPECT_FALSE(stale.Header("Age").empty());
  EXPECT_NE(stale.Header("ETag"), good.Header("ETag")) << "the warnings differ";
  ExpectNoSecrets(stale, server, upstream);
  ExpectError(server.Get(std::string(kMetrics) + "?stale=never"), fault.status, fault.code,
              fault.retry_after);
}

TEST(FaultTest, RecoversASecondAfterPrometheusHas) {
  FaultServer upstream(FleetReply);
  const ApiServer server(upstream.url(), Variables());
  ASSERT_TRUE(server.AwaitReady());
  ASSERT_EQ(server.Get(kMetrics).status, 200);
  upstream.SetReply(fault::Broken(Kind::kReset));
  ASSERT_EQ(server.Get(kMetrics).Json()["meta"]["stale"].AsBool(), true);
  upstream.SetScript(FleetReply);
  EXPECT_TRUE(
      WaitUntil([&] { return server.Get(kMetrics).Json()["meta"]["stale"].AsBool() == false; },
                Millis(3000)));
}

TEST(FaultTest, AThrottlingPrometheusIsLeftAloneForAsLongAsItSays) {
  constexpr Millis kQuiet{2000};
  FaultServer upstream;
  upstream.SetReply(fault::HttpStatus(429).With("Retry-After", "2"));
  const auto first = std::chrono::steady_clock::now();
  const ApiServer server(upstream.url(), Variables());
  // The first thing that a server asks is whether anybody is there, and this one says 429.
  ASSERT_TRUE(server.AwaitReady());
  ASSERT_EQ(server.Get(kMetrics).status, 503);
  // Only where all this took as long as that it may have asked for GPUs by now.
  const std::size_t before = GpuRefreshes(upstream);
  const auto now = std::chrono::steady_clock::now();
  if (now - first < kQuiet) {
    ASSERT_EQ(before, 0U);
  }
  EXPECT_TRUE(WaitUntil(
      [&] {
        for (const char* const path : {kMetrics, "/api/v1/gpu/metrics?at=1704110400"}) {
          EXPECT_EQ(server.Get(path).status, 503) << path;
        }
        return GpuRefreshes(upstream) > before;
      },
      Millis(6000)));
  EXPECT_GE(std::chrono::steady_clock::now() - (before == 0 ? first : now), kQuiet - Millis(100));
}

std::string NameOf(const testing::TestParamInfo<UpstreamFault>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Transport, UpstreamFaultTest, testing::ValuesIn(TransportFaults()),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Content, UpstreamFaultTest, testing::ValuesIn(ContentFaults()), NameOf);

TEST(FaultTest, ARefusedConnectionIsAnsweredAtOnce) {
  const ApiServer server(fault::RefusingUrl(), Variables());
  const Answer answer = server.Get(kMetrics);
  ExpectError(answer, 502, "upstream_unreachable");
  EXPECT_LT(answer.seconds, 0.25);
  EXPECT_EQ(server.Get("/api/healthz").status, 503);
  EXPECT_EQ(TextOf(server.Get("/api/healthz").Json()["error"]), "Prometheus connection failed");
  EXPECT_EQ(server.Get("/livez").status, 200);
  EXPECT_TRUE(server.AwaitReady()) << "the first attempt has ended, badly";
}

TEST(FaultTest, APortThatDropsPacketsIsGivenUpAfterTheConnectTime) {
  const fault::BlackHole hole;
  const ApiServer server(hole.url(), {{"PROMETHEUS_TIMEOUT", "5s"}});
  const Answer answer = server.Get(kMetrics);
  ExpectError(answer, 504, "upstream_timeout");
  EXPECT_LT(answer.seconds * 1000, static_cast<double>(Scaled(Millis(1750)).count()));
}

TEST(FaultTest, ASlowBodyCannotOutlastTheTotalTime) {
  FaultServer upstream;
  upstream.SetReply(fault::Slow(std::string(4096, ' ') + fault::OneSample(), 1));
  const ApiServer server(upstream.url(), Variables(kShort));
  auto asked = std::async(std::launch::async, [&] { return server.Get(kMetrics); });
  EXPECT_TRUE(WaitUntil(
      [&] {
        upstream.Step();  // one byte more: no read ever waits for long
        return asked.wait_for(Millis(0)) == std::future_status::ready;
      },
      Millis(5000)));
  const Answer answer = asked.get();
  ExpectError(answer, 504, "upstream_timeout");
  EXPECT_NE(answer.body.find("did not answer within "), std::string::npos) << answer.Text();
  ExpectWithin(answer, kLongest);
}

TEST(FaultTest, RedirectsAreNotFollowed) {
  for (const int status : {301, 302, 303, 307, 308}) {
    SCOPED_TRACE(status);
    FaultServer elsewhere(FleetReply);
    FaultServer upstream;
    upstream.SetReply(fault::Redirect(status, elsewhere.url() + "/api/v1/query"));
    const ApiServer server(UrlWithPassword(upstream), Variables());
    const Answer answer = server.Get(kMetrics);
    ExpectError(answer, 502, "upstream_not_prometheus");
    ExpectNoSecrets(answer, server, upstream);
    EXPECT_EQ(elsewhere.request_count(), 0U);
  }
}

TEST(FaultTest, JsonCutAtAnyByteIsNeverASuccess) {
  FaultServer upstream;
  const ApiServer server(upstream.url(), {{"LOG_LEVEL", "off"}});
  const std::string whole = fault::OneSample();
  for (std::size_t size = 0; size < whole.size() && !HasFailure(); ++size) {
    upstream.SetReply(fault::Json(whole.substr(0, size)));
    const Answer answer =
        server.Get(std::string(kMetrics) + "?at=" + std::to_string(1704110400 + size));
    EXPECT_EQ(answer.status, 502) << size << ' ' << answer.Text();
  }
}

TEST(FaultTest, AFailedQueryNullsItsFieldAlone) {
  FaultServer upstream([](const fault::Request& request) {
    return Asks(request, "nvidia_gpu_temperature_celsius") ? fault::HttpStatus(500, kUpstreamText)
                                                           : FleetReply(request);
  });
  const ApiServer server(upstream.url(), Variables());
  const Answer answer = server.Get(kMetrics);
  ASSERT_EQ(answer.status, 200) << answer.Text();
  const Value document = answer.Json();
  EXPECT_EQ(document["meta"]["partial"].AsBool(), true);
  EXPECT_EQ(TextOf(document["message"]), "GPU metrics retrieved successfully");
  ASSERT_EQ(document["data"].size(), kScriptedGpus);
  for (const Value& row : document["data"].elements()) {
    EXPECT_TRUE(row["temperature"].is_null());
    EXPECT_EQ(row["utilization"].AsDouble(), 75.5);
    EXPECT_EQ(row["memory_used"].AsDouble(), 8.0);
  }
  EXPECT_EQ(TextOf(document["data"][0]["null_reasons"]["temperature"]), "query_failed");
  ASSERT_GE(document["warnings"].size(), 1U);
  EXPECT_EQ(TextOf(document["warnings"][0]),
            "nvidia_gpu_temperature_celsius: query failed (upstream_error)");
  EXPECT_EQ(answer.body.find(kUpstreamText), std::string::npos);
  ExpectError(server.Get(std::string(kMetrics) + "?partial=abort"), 502, "upstream_partial");
}

TEST(FaultTest, AValueThatIsNoNumberIsInvalidAndItsRowStays) {
  FaultServer upstream([](const fault::Request& request) {
    Reply reply = FleetReply(request);
    for (std::size_t at = 0; (at = reply.body.find("\"65\"", at)) != std::string::npos;) {
      reply.body.replace(at, 4, "\"1e400\"");
    }
    return reply;
  });
  const ApiServer server(upstream.url(), Variables());
  const Value document = server.Get(kMetrics).Json();
  ASSERT_EQ(document["data"].size(), kScriptedGpus);
  EXPECT_TRUE(document["data"][0]["temperature"].is_null());
  EXPECT_EQ(TextOf(document["data"][0]["null_reasons"]["temperature"]), "invalid_value");
  EXPECT_EQ(document["warnings"].size(), 1U);
}

TEST(FaultTest, ASlowQueryNullsItsFieldAloneInTime) {
  FaultServer upstream([](const fault::Request& request) {
    return Asks(request, PlanMetric()) ? fault::Broken(Kind::kHang) : FleetReply(request);
  });
  const ApiServer server(upstream.url(), Variables(kShort));
  const Answer answer = server.Get(kMetrics);
  ASSERT_EQ(answer.status, 200) << answer.Text();
  ExpectWithin(answer, kLongest);
  const Value document = answer.Json();
  ASSERT_EQ(document["data"].size(), kScriptedGpus);
  EXPECT_TRUE(document["data"][0]["utilization"].is_null());
  EXPECT_EQ(document["data"][0]["temperature"].AsDouble(), 65.0);
  EXPECT_EQ(TextOf(document["data"][0]["null_reasons"]["utilization"]), "query_failed");
}

TEST(FaultTest, ASlowQueryHoldsUpNobodyWhoHasASnapshot) {
  FaultServer upstream(FleetReply);
  const ApiServer server(upstream.url(), Variables(Scaled(Millis(4000))));
  ASSERT_TRUE(server.AwaitReady());
  ASSERT_EQ(server.Get(kMetrics).Json()["meta"]["stale"].AsBool(), false);
  upstream.SetScript([](const fault::Request& request) {
    return Asks(request, PlanMetric()) ? fault::Broken(Kind::kHang) : FleetReply(request);
  });
  const Answer answer = server.Get(kMetrics);
  ASSERT_EQ(answer.status, 200) << answer.Text();
  ExpectWithin(answer, Millis(1000) + Scaled(Millis(700)));
  EXPECT_EQ(answer.Json()["meta"]["stale"].AsBool(), true);
  EXPECT_EQ(answer.Json()["data"][0]["utilization"].AsDouble(), 75.5);
  // Once the query's time is over what the others say is known.
  EXPECT_TRUE(WaitUntil(
      [&] {
        const Value document = server.Get(kMetrics).Json();
        return document["meta"]["partial"].AsBool() == true &&
               TextOf(document["data"][0]["null_reasons"]["utilization"]) == "query_failed" &&
               document["data"][0]["temperature"].AsDouble() == 65.0;
      },
      Millis(10'000)));
}

// As behind a router that has forgotten them: nobody ends them, and nobody answers.
TEST(FaultTest, KeptConnectionsThatFallSilentCostOneAnswerEach) {
  std::atomic<std::size_t> silent{0};  // connections before this one
  FaultServer upstream([&](const fault::Request& request) {
    return request.connection < silent ? fault::Broken(Kind::kHang) : FleetReply(request);
  });
  const auto is_fresh = [](const Answer& answer) {
    const Value document = answer.Json();
    return answer.status == 200 && document["meta"]["stale"].AsBool() == false &&
           document["meta"]["partial"].AsBool() == false;
  };
  const ApiServer server(upstream.url(), Variables(kShort));
  ASSERT_TRUE(server.AwaitReady());
  ASSERT_TRUE(WaitUntil([&] { return is_fresh(server.Get(kMetrics)); }, Millis(10'000)));
  const auto never = std::string(kMetrics) + "?stale=never";
  silent = upstream.connection_count();
  const Answer stale = server.Get(kMetrics);
  EXPECT_EQ(stale.status, 200) << stale.Text();
  EXPECT_EQ(stale.Json()["meta"]["stale"].AsBool(), true) << stale.Text();
  ExpectError(server.Get(never), 504, "upstream_timeout");
  // The next refresh has connections of its own.
  const std::size_t before = GpuRefreshes(upstream);
  EXPECT_TRUE(
      WaitUntil([&] { return server.Get(never).status != 504 || GpuRefreshes(upstream) > before; },
                Millis(5000)));
  EXPECT_TRUE(is_fresh(server.Get(never)));
  EXPECT_TRUE(is_fresh(server.Get(kMetrics)));
}

// Of a peer that answers there is time enough: a handshake takes long on a busy machine.
void ExpectTlsError(const std::string& url, int status, const std::string& code) {
  const bool hangs = code == "upstream_timeout";
  const ApiServer server(url, Variables(hangs ? kShort : Millis(10'000)));
  const Answer answer = server.Get(kMetrics);
  ExpectError(answer, status, code);
  ExpectWithin(answer, hangs ? kLongest : Scaled(Millis(3000)));
  EXPECT_EQ(server.Get("/livez").status, 200);
  EXPECT_EQ(server.Get("/api/healthz").status, 503);
}

TEST(FaultTest, TlsThatCannotBeTrustedIsNeverGivenUpFor) {
  const fault::TlsServer own;
  ExpectTlsError(own.url(), 502, "upstream_tls");
  FaultServer plain(FleetReply);
  ExpectTlsError("https://127.0.0.1:" + std::to_string(plain.port()), 502, "upstream_tls");
  EXPECT_EQ(plain.request_count(), 0U) << "asked without TLS";
  const fault::SilentPort silent;
  ExpectTlsError("https://127.0.0.1:" + std::to_string(silent.port()), 504, "upstream_timeout");
}

// Sets the limit of open files of a process that runs.
void LimitFiles(pid_t pid, rlim_t files) {
  rlimit limit{};
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = files;
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);
}

TEST(FaultTest, WithoutAFreeDescriptorItSaysSoAndRecovers) {
  FaultServer upstream(FleetReply);
  ApiServer server(upstream.url(), Variables());
  ASSERT_TRUE(server.AwaitReady());
  const pid_t pid = server.process().pid();
  rlimit before{};
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &before), 0);
  Connection kept(server.port());
  const auto ask = [&](const std::string& target) {
    kept.Send(RequestText("GET", target));
    return kept.Read();
  };
  ASSERT_EQ(ask(kMetrics).status, 200);
  LimitFiles(pid, 3);
  upstream.GoDown();  // its connections end, and no other can be made
  upstream.ComeBack();
  const Answer stale = ask(kMetrics);
  EXPECT_EQ(stale.status, 200) << stale.Text();
  EXPECT_EQ(stale.Json()["meta"]["stale"].AsBool(), true);
  ExpectError(ask(std::string(kMetrics) + "?stale=never"), 502, "upstream_unreachable");
  EXPECT_EQ(ask("/livez").status, 200);
  LimitFiles(pid, before.rlim_cur);
  EXPECT_TRUE(
      WaitUntil([&] { return server.Get(kMetrics).Json()["meta"]["stale"].AsBool() == false; },
                Millis(3000)));
  EXPECT_TRUE(server.process().Running());
}

TEST(FaultTest, UpstreamWarningsArePassedOnAndShortenTheCache) {
  FaultServer upstream([](const fault::Request& request) {
    Reply reply = FleetReply(request);
    reply.body.insert(1, R"("warnings":["store-gateway \u0007 is away"],"isPartial":true,)");
    return reply;
  });
  const ApiServer server(upstream.url(), {{"CACHE_TTL", "60s"}});
  const Answer answer = server.Get(kMetrics);
  ASSERT_EQ(answer.status, 200) << answer.Text();
  EXPECT_NE(answer.body.find("store-gateway"), std::string::npos) << answer.Text();
  EXPECT_EQ(answer.Json()["data"].size(), kScriptedGpus);
  // Not for a minute: a second later it asks again.
  EXPECT_TRUE(
      WaitUntil([&] { return server.Get(kMetrics).status == 200 && GpuRefreshes(upstream) >= 2; },
                Millis(5000)));
}

TEST(FaultTest, HostileLabelsStayValidUtf8Json) {
  static constexpr char kHostile[] = "\"n\xff\xc0\\u0000\\u202e\\\"<b>\"";
  FaultServer upstream([](const fault::Request& request) {
    Reply reply = FleetReply(request);
    std::size_t at = 0;
    while ((at = reply.body.find("\"n0\"", at)) != std::string::npos) {
      reply.body.replace(at, 4, kHostile);
      at += 4;
    }
    return reply;
  });
  const ApiServer server(upstream.url(), Variables());
  const Answer answer = server.Get(kMetrics);
  ASSERT_EQ(answer.status, 200) << answer.Text();
  EXPECT_TRUE(IsValidUtf8(answer.body));
  EXPECT_EQ(answer.body.find('\0'), std::string::npos);
  const Value document = answer.Json();
  EXPECT_EQ(document["data"].size(), kScriptedGpus) << answer.Text();
  const Answer csv = server.Get(std::string(kMetrics) + "?format=csv");
  EXPECT_EQ(csv.status, 200);
  EXPECT_TRUE(IsValidUtf8(csv.body));
}

TEST(FaultTest, CredentialsReachPrometheusAndNobodyElse) {
  FaultServer upstream(FleetReply);
  const ApiServer server(UrlWithPassword(upstream),
                         {{"DEBUG_ENDPOINTS", "all"}, {"LOG_LEVEL", "debug"}});
  ASSERT_TRUE(server.AwaitReady());
  std::size_t with_credentials = 0;
  for (const auto& request : upstream.requests()) {
    with_credentials += request.Header("Authorization").rfind("Basic ", 0) == 0 ? 1U : 0U;
    EXPECT_EQ(request.target.find(kPassword), std::string::npos);
  }
  EXPECT_EQ(with_credentials, upstream.requests().size());
  for (const char* path : {"/", "/api", "/api/healthz", kMetrics, "/api/openapi.json", "/metrics",
                           "/debug/vars", "/debug/pprof/cmdline", "/nothing"}) {
    const Answer answer = server.Get(path);
    EXPECT_NE(answer.status, 0) << path;
    EXPECT_EQ(answer.body.find(kPassword), std::string::npos) << path;
  }
  const Value health = server.Get("/api/healthz").Json();
  EXPECT_EQ(TextOf(health["data"]["prometheus"]["url_host"]),
            "127.0.0.1:" + std::to_string(upstream.port()));
  EXPECT_EQ(server.log().find(kPassword), std::string::npos) << server.log();
}

TEST(FaultTest, ASecondReplicaAnswersWhenTheFirstIsGone) {
  FaultServer replica(FleetReply);
  const ApiServer server(fault::RefusingUrl() + ',' + replica.url(), Variables());
  const Answer answer = server.Get(kMetrics);
  ASSERT_EQ(answer.status, 200) << answer.Text();
  EXPECT_EQ(answer.Json()["data"].size(), kScriptedGpus);
  EXPECT_EQ(answer.Json()["meta"]["partial"].AsBool(), false);
}

TEST(FaultTest, AfterMaxStaleTheErrorIsShown) {
  FaultServer upstream(FleetReply);
  auto variables = Variables();
  variables["MAX_STALE"] = "1s";
  const ApiServer server(upstream.url(), variables);
  ASSERT_EQ(server.Get(kMetrics).status, 200);
  upstream.SetReply(fault::HttpStatus(500));
  ASSERT_EQ(server.Get(kMetrics).Json()["meta"]["stale"].AsBool(), true);
  EXPECT_TRUE(WaitUntil([&] { return server.Get(kMetrics).status == 502; }, Millis(5000)));
}

}  // namespace
}  // namespace gpumon::e2e
