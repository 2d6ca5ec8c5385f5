#include "internal/prom/api_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "internal/base/executor.h"
#include "internal/fetch/client.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::prom {
namespace {

using fault::Broken;
using fault::FaultServer;
using fault::HttpStatus;
using fault::Json;
using fault::OneSample;
using fault::Reply;
using Fault = fault::Reply::Fault;

class ApiClientTest : public ::testing::Test {
 protected:
  // Machines that run tests are busy: only what is about this time-out sets it.
  ApiClientTest() { fetch_options_.connect_timeout = Millis(10000); }
  void Make(std::vector<std::string> urls) {
    options_.urls = std::move(urls);
    fetch_ = fetch::MakeClient(fetch_options_, clock_).value();
    client_ = MakeApiClient(options_, *fetch_, pool_, clock_).value();
  }
  void TearDown() override {
    client_.reset();
    fetch_.reset();
  }

  std::future<Result<QueryResult>> Start(const std::string& promql = "up",
                                         Millis budget = Millis(5000)) {
    auto answer = std::make_shared<std::promise<Result<QueryResult>>>();
    client_->Query({promql, 1704110400.25}, Deadline::After(clock_, budget),
                   [answer](Result<QueryResult> result) { answer->set_value(std::move(result)); });
    return answer->get_future();
  }
  Result<QueryResult> Ask(Millis budget = Millis(5000)) { return Start("up", budget).get(); }
  // The status of one query against a server that always replies so.
  Status Failure(Reply reply) {
    server_.SetReply(std::move(reply));
    Make({server_.url()});  // a new one: whoever said 429 is left alone
    const Result<QueryResult> result = Ask();
    return result ? Status{Code::kOk, ""} : result.error();
  }

  SystemClock clock_;
  ThreadPool pool_{2, "worker"};
  FaultServer server_;
  fetch::ClientOptions fetch_options_;
  ApiClientOptions options_;
  std::unique_ptr<fetch::Client> fetch_;
  std::unique_ptr<Client> client_;
};

TEST_F(ApiClientTest, AsksAndDecodes) {
  server_.SetReply(Json(OneSample("7")).With("Date", "Mon, 01 Jan 2024 12:00:00 GMT"));
  Make({server_.url() + "/prometheus/"});
  const Result<QueryResult> result = Ask();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(std::get<InstantVector>(result->value).point(0).value, 7);
  EXPECT_EQ(result->server_time, 1704110400.0);
  const fault::Request request = server_.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/prometheus/api/v1/query");
  EXPECT_EQ(request.Header("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(request.Param("query"), "up");
  EXPECT_EQ(request.Param("time"), "1704110400.250");
  EXPECT_EQ(request.Param("nocache"), "1");
}

TEST_F(ApiClientTest, TellsTheServerHowLongWeWait) {
  Make({server_.url()});
  ASSERT_TRUE(Ask(Millis(5000)));
  ASSERT_TRUE(Ask(Millis(390)));
  const std::vector<fault::Request> requests = server_.requests();
  const double whole = std::stod(requests.at(0).Param("timeout"));
  EXPECT_GT(whole, 3.5);
  EXPECT_LE(whole, 4.8);
  const double half = std::stod(requests.at(1).Param("timeout"));
  EXPECT_GT(half, 0.0);
  EXPECT_LE(half, 0.195);
}

TEST_F(ApiClientTest, NoQueryGetsMoreThanTheTimeoutOption) {
  options_.timeout = Millis(100);
  server_.SetReply(Broken(Fault::kHang));
  Make({server_.url()});
  const Result<QueryResult> result = Ask(Millis(60000));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUpstreamTimeout);
  EXPECT_EQ(result.error().message.substr(0, 38), "Prometheus did not answer within 0.1 s");
}

TEST_F(ApiClientTest, WhatIsLeftOfARequestIsNotCalledTheTimeout) {
  options_.timeout = Millis(60000);
  server_.SetReply(Broken(Fault::kHang));
  Make({server_.url()});
  const Result<QueryResult> result = Ask(Millis(100));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message,
            "Prometheus did not answer within the 0.1 s that were left for this request; it may be "
            "overloaded, or too much was asked for");
}

TEST_F(ApiClientTest, NoTimeThatIsLeftIsNotATime) {
  Make({server_.url()});
  const Result<QueryResult> result = Ask(Millis(-700));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUpstreamTimeout);
  EXPECT_EQ(result.error().message,
            "the time of this request was over before Prometheus was asked all of it; too much was "
            "asked for, or REQUEST_TIMEOUT is too short");
}

TEST_F(ApiClientTest, EncodesAnyQuery) {
  Make({server_.url()});
  const std::string promql = "sum by (a) (x{b=~\"c|d+ %&=\\n\xc3\xa9\"})";
  ASSERT_TRUE(Start(promql).get());
  EXPECT_EQ(server_.requests().at(0).Param("query"), promql);
}

TEST_F(ApiClientTest, UsesGetWhenAsked) {
  options_.use_get = true;
  Make({server_.url()});
  ASSERT_TRUE(Start("up + 1").get());
  const fault::Request request = server_.requests().at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.Param("query"), "up + 1");
  EXPECT_EQ(request.body, "");
}

TEST_F(ApiClientTest, AsksForARange) {
  server_.SetReply(Json(
      R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]]}]}})"));
  Make({server_.url()});
  std::promise<Result<QueryResult>> answer;
  client_->QueryRange({"up", 10, 20.5, 0.5}, Deadline::After(clock_, Millis(5000)),
                      [&](Result<QueryResult> result) { answer.set_value(std::move(result)); });
  const Result<QueryResult> result = answer.get_future().get();
  ASSERT_TRUE(result);
  EXPECT_EQ(std::get<RangeVector>(result->value).points(0)[0].value, 2);
  const fault::Request request = server_.requests().at(0);
  EXPECT_EQ(request.target, "/api/v1/query_range");
  EXPECT_EQ(request.Param("start"), "10.000");
  EXPECT_EQ(request.Param("end"), "20.500");
  EXPECT_EQ(request.Param("step"), "0.500");
}

struct FaultRow {
  const char* name;
  Reply reply;
  Code code;
  std::size_t requests;  // tries are counted
};

std::string ErrorJson(const std::string& type) {
  return R"({"status":"error","errorType":")" + type + R"(","error":"upstream words"})";
}

std::vector<FaultRow> FaultRows() {
  const std::string json = "application/json; charset=utf-8";
  const std::string body = OneSample();
  return {
      {"503Text", HttpStatus(503, "Service Unavailable"), Code::kUpstreamNotReady, 1},
      {"503Timeout", HttpStatus(503, ErrorJson("timeout"), json), Code::kUpstreamQueryTimeout, 1},
      {"503Unavailable", HttpStatus(503, ErrorJson("unavailable"), json), Code::kUpstreamNotReady,
       1},
      {"500", HttpStatus(500), Code::kUpstreamError, 2},
      {"502", HttpStatus(502, "<html>", "text/html"), Code::kUpstreamError, 2},
      {"504", HttpStatus(504), Code::kUpstreamError, 2},
      {"500Json", HttpStatus(500, ErrorJson("internal"), json), Code::kUpstreamError, 2},
      {"422", HttpStatus(422, ErrorJson("execution"), json), Code::kUpstreamRejectedQuery, 1},
      {"400", HttpStatus(400, ErrorJson("bad_data"), json), Code::kUpstreamRejectedQuery, 1},
      {"400Text", HttpStatus(400, "no"), Code::kUpstreamNotPrometheus, 1},
      {"400Https", HttpStatus(400, "Client sent an HTTP request to an HTTPS server.\n"),
       Code::kUpstreamTls, 1},
      {"429", HttpStatus(429), Code::kUpstreamThrottled, 1},
      {"401", HttpStatus(401, "Unauthorized"), Code::kUpstreamAuth, 1},
      {"403", HttpStatus(403), Code::kUpstreamAuth, 1},
      {"404", HttpStatus(404), Code::kUpstreamNotPrometheus, 1},
      {"405", HttpStatus(405), Code::kUpstreamNotPrometheus, 1},
      {"304", HttpStatus(304), Code::kUpstreamNotPrometheus, 1},
      {"Html", HttpStatus(200, "<html>login</html>", "text/html"), Code::kUpstreamNotPrometheus, 1},
      {"NoContentType", HttpStatus(200, body, ""), Code::kUpstreamNotPrometheus, 1},
      {"204", HttpStatus(204), Code::kUpstreamInvalid, 1},
      {"206", HttpStatus(206, body, "application/json"), Code::kUpstreamInvalid, 1},
      {"Empty", Json(""), Code::kUpstreamInvalid, 1},
      {"Array", Json("[]"), Code::kUpstreamInvalid, 1},
      {"Object", Json("{}"), Code::kUpstreamInvalid, 1},
      {"Null", Json("null"), Code::kUpstreamInvalid, 1},
      {"Bom", Json("\xef\xbb\xbf" + body), Code::kUpstreamInvalid, 1},
      {"ErrorWith200", Json(ErrorJson("execution")), Code::kUpstreamRejectedQuery, 1},
      {"TimeoutWith200", Json(ErrorJson("timeout")), Code::kUpstreamQueryTimeout, 1},
      {"UnavailableWith200", Json(ErrorJson("unavailable")), Code::kUpstreamNotReady, 1},
      {"UnknownStatus", Json(R"({"status":"maybe","data":{"resultType":"vector","result":[]}})"),
       Code::kUpstreamInvalid, 1},
      {"NoResult", Json(R"({"status":"success","data":{"resultType":"vector"}})"),
       Code::kUpstreamInvalid, 1},
      {"TruncatedJson", Json(body.substr(0, body.size() / 2)), Code::kUpstreamInvalid, 1},
      {"Deep", Json(std::string(1000000, '[')), Code::kUpstreamInvalid, 1},
      {"ShortBody", Broken(Fault::kTruncated, body), Code::kUpstreamUnreachable, 2},
      {"ResetMidBody", Broken(Fault::kResetMidBody, body), Code::kUpstreamUnreachable, 2},
      {"NoLastChunk", Broken(Fault::kNoLastChunk, body), Code::kUpstreamUnreachable, 2},
      {"Closes", Broken(Fault::kClose), Code::kUpstreamUnreachable, 2},
      {"Resets", Broken(Fault::kReset), Code::kUpstreamUnreachable, 2},
      {"NotHttp", fault::Raw("SSH-2.0-OpenSSH_9.2\r\n"), Code::kUpstreamInvalid, 1},
      {"TooLarge", fault::Huge(70000), Code::kUpstreamTooLarge, 1},
      {"Bomb", fault::GzipBomb(std::size_t{8} << 20U), Code::kUpstreamTooLarge, 1},
  };
}

class FaultRowTest : public ApiClientTest, public ::testing::WithParamInterface<FaultRow> {};

TEST_P(FaultRowTest, GivesItsCodeAndKeepsUpstreamTextOut) {
  options_.max_response_bytes = 65536;
  // The deep body must get as far as the decoder.
  if (GetParam().reply.body.size() > 65536) options_.max_response_bytes = 2000000;
  const Status status = Failure(GetParam().reply);
  EXPECT_EQ(status.wire_name(), RowOf(GetParam().code).name) << status.message;
  EXPECT_EQ(server_.request_count(), GetParam().requests);
  EXPECT_FALSE(status.message.empty());
  for (const char* secret : {"upstream words", "127.0.0.1", "html", "curl"}) {
    EXPECT_EQ(status.message.find(secret), std::string::npos) << status.message;
  }
  EXPECT_NE(status.detail.find(server_.url()), std::string::npos) << status.detail;
}

INSTANTIATE_TEST_SUITE_P(Faults, FaultRowTest, ::testing::ValuesIn(FaultRows()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(ApiClientTest, SaysWhyAnAnswerCannotBeUsed) {
  for (const int status : {201, 204, 206}) {
    const Status failure = Failure(HttpStatus(status, OneSample("1"), "application/json"));
    EXPECT_EQ(failure.message, "Prometheus's answer cannot be used: its status is " +
                                   std::to_string(status) +
                                   ", not 200; check that PROMETHEUS_URL is a Prometheus server");
  }
  EXPECT_EQ(Failure(Json(OneSample("1")).With("Content-Encoding", "br")).message,
            "Prometheus's answer cannot be used: it has a content encoding that was not asked for; "
            "check that PROMETHEUS_URL is a Prometheus server");
}

TEST_F(ApiClientTest, CopiesRetryAfterWithinBounds) {
  EXPECT_EQ(Failure(HttpStatus(429).With("Retry-After", "17")).retry_after_s, 17);
  EXPECT_EQ(Failure(HttpStatus(503).With("Retry-After", "0")).retry_after_s, 1);
  EXPECT_EQ(Failure(HttpStatus(503).With("Retry-After", "-5")).retry_after_s, 1);
  EXPECT_EQ(Failure(HttpStatus(429).With("Retry-After", "99999999999999999999")).retry_after_s, 60);
  EXPECT_EQ(Failure(HttpStatus(503)).retry_after_s, 1);
  EXPECT_EQ(Failure(HttpStatus(503).With("Retry-After", "soon")).retry_after_s, 1);
  EXPECT_EQ(Failure(HttpStatus(503)
                        .With("Retry-After", "Mon, 01 Jan 2024 12:00:30 GMT")
                        .With("Date", "Mon, 01 Jan 2024 12:00:00 GMT"))
                .retry_after_s,
            30);
  EXPECT_EQ(Failure(HttpStatus(500)).retry_after_s, 0);
}

TEST_F(ApiClientTest, WhoeverSaid429IsLeftAlone) {
  server_.Enqueue(HttpStatus(429).With("Retry-After", "50"));
  Make({server_.url()});
  ASSERT_FALSE(Ask());
  const Result<QueryResult> next = Ask();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, Code::kUpstreamThrottled);
  EXPECT_LE(next.error().retry_after_s, 50);
  EXPECT_GT(next.error().retry_after_s, 10);
  EXPECT_EQ(server_.request_count(), 1U);
}

TEST_F(ApiClientTest, AfterThatItIsAskedAgain) {
  server_.Enqueue(HttpStatus(429).With("Retry-After", "1"));
  Make({server_.url()});
  const SteadyTime begin = clock_.Steady();
  ASSERT_FALSE(Ask());
  while (!Ask()) ASSERT_LT(clock_.Steady() - begin, Millis(30000));
  EXPECT_GE(clock_.Steady() - begin, Millis(1000));
  EXPECT_EQ(server_.request_count(), 2U);
}

TEST_F(ApiClientTest, OtherServersAreAskedMeanwhile) {
  FaultServer other;
  other.SetReply(Json(OneSample("7")));
  server_.Enqueue(HttpStatus(429).With("Retry-After", "50"));
  Make({server_.url(), other.url()});
  EXPECT_TRUE(Ask());
  EXPECT_TRUE(Ask());
  EXPECT_EQ(server_.request_count(), 1U);
  EXPECT_EQ(other.request_count(), 2U);
}

TEST_F(ApiClientTest, TriesOnceMoreWhenTheAnswerWasCut) {
  server_.Enqueue(Broken(Fault::kResetMidBody, OneSample()));
  Make({server_.url()});
  EXPECT_TRUE(Ask());
  EXPECT_EQ(server_.request_count(), 2U);
}

TEST_F(ApiClientTest, ARefusedConnectionIsSaidAtOnce) {
  Make({fault::RefusingUrl()});
  const SteadyTime begin = clock_.Steady();
  const Result<QueryResult> result = Ask();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUpstreamUnreachable);
  EXPECT_EQ(result.error().message,
            "Prometheus cannot be reached: the connection was refused; check that it runs and that "
            "PROMETHEUS_URL is right");
  EXPECT_LT(clock_.Steady() - begin, Millis(2000));
}

TEST_F(ApiClientTest, ASilentServerCostsTheDeadlineAndNoMore) {
  server_.SetReply(Broken(Fault::kHang));
  Make({server_.url()});
  const SteadyTime begin = clock_.Steady();
  const Result<QueryResult> result = Ask(Millis(200));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUpstreamTimeout);
  EXPECT_GE(clock_.Steady() - begin, Millis(195));
  EXPECT_EQ(server_.request_count(), 1U);
  EXPECT_TRUE(server_.WaitForClosed(1));
}

TEST_F(ApiClientTest, ASlowBodyCostsTheDeadlineAndNoMore) {
  server_.SetReply(fault::Slow(OneSample(), 1));
  server_.Step();
  Make({server_.url()});
  const Result<QueryResult> result = Ask(Millis(200));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUpstreamTimeout);
}

TEST_F(ApiClientTest, ABlackHoleCostsTheConnectTimeout) {
  fetch_options_.connect_timeout = Millis(100);
  const fault::BlackHole hole;
  Make({hole.url()});
  const Result<QueryResult> result = Ask(Millis(60000));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUpstreamTimeout);
  EXPECT_EQ(result.error().message,
            "Prometheus cannot be reached: connecting took too long; check that PROMETHEUS_URL is "
            "right");
}

TEST_F(ApiClientTest, NeverFollowsARedirect) {
  FaultServer sink;
  for (const int status : {301, 302, 307, 308}) {
    EXPECT_EQ(Failure(fault::Redirect(status, sink.url() + "/api/v1/query")).code,
              Code::kUpstreamNotPrometheus);
  }
  EXPECT_EQ(sink.connection_count(), 0U);
}

TEST_F(ApiClientTest, HttpsToAPortThatSpeaksHttpIsATlsError) {
  Make({"https" + server_.url().substr(4)});
  const Result<QueryResult> result = Ask();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUpstreamTls);
  EXPECT_EQ(server_.request_count(), 0U);
}

TEST_F(ApiClientTest, ANameThatIsNotThereIsUnreachable) {
  Make({"http://prometheus.invalid:9090"});
  const Result<QueryResult> result = Ask();
  ASSERT_FALSE(result);
  // A resolver that does not answer may use the whole time up instead.
  EXPECT_TRUE(result.error().code == Code::kUpstreamUnreachable ||
              result.error().code == Code::kUpstreamTimeout)
      << result.error().detail;
}

TEST_F(ApiClientTest, PassesNoticesOn) {
  server_.SetReply(Json(
      R"({"status":"success","warnings":["w"],"infos":["i"],"isPartial":true,"data":{"resultType":"vector","result":[]}})"));
  Make({server_.url()});
  const Result<QueryResult> result = Ask();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->warnings, std::vector<std::string>{"w"});
  EXPECT_EQ(result->infos, std::vector<std::string>{"i"});
  EXPECT_TRUE(result->partial);
  EXPECT_EQ(result->server_time, std::nullopt);
}

TEST_F(ApiClientTest, AsksTheNextReplicaAndRemembersTheGoodOne) {
  for (Reply reply : {HttpStatus(503), HttpStatus(500), Broken(Fault::kReset)}) {
    FaultServer bad;
    bad.SetReply(reply);
    FaultServer good;
    Make({bad.url(), good.url()});
    EXPECT_TRUE(Ask());
    EXPECT_TRUE(Ask());
    EXPECT_EQ(bad.request_count(), 1U);
    EXPECT_EQ(good.request_count(), 2U);
    client_.reset();
    fetch_.reset();
  }
}

TEST_F(ApiClientTest, AsksNoOtherReplicaWhenTheQueryIsAtFault) {
  FaultServer other;
  server_.SetReply(HttpStatus(422, ErrorJson("execution"), "application/json"));
  Make({server_.url(), other.url()});
  EXPECT_EQ(Ask().error().code, Code::kUpstreamRejectedQuery);
  EXPECT_EQ(other.request_count(), 0U);
}

TEST_F(ApiClientTest, WhatIsWrongWithOneReplicaNeedNotBeWithTheNext) {
  FaultServer good;
  FaultServer proxy;
  proxy.SetReply(HttpStatus(200, "<html>", "text/html"));
  FaultServer locked;
  locked.SetReply(HttpStatus(401));
  // The first one speaks no TLS.
  Make({"https://127.0.0.1:" + std::to_string(server_.port()), proxy.url(), locked.url(),
        good.url()});
  EXPECT_TRUE(Ask());
  EXPECT_EQ(proxy.request_count(), 1U);
  EXPECT_EQ(locked.request_count(), 1U);
  EXPECT_EQ(good.request_count(), 1U);
}

TEST_F(ApiClientTest, GivesUpWhenEveryReplicaFailed) {
  FaultServer other;
  other.SetReply(HttpStatus(503));
  server_.SetReply(HttpStatus(500));
  Make({server_.url(), fault::RefusingUrl(), other.url()});
  EXPECT_EQ(Ask().error().code, Code::kUpstreamNotReady);
  EXPECT_EQ(server_.request_count(), 1U);
  EXPECT_EQ(other.request_count(), 1U);
}

TEST_F(ApiClientTest, ASilentReplicaCostsItsShareOfTheTimeOnce) {
  FaultServer other;
  server_.SetReply(Broken(Fault::kHang));
  Make({server_.url(), other.url()});
  EXPECT_TRUE(Ask(process::Scaled(Millis(1000))));
  EXPECT_TRUE(Ask());
  EXPECT_EQ(server_.request_count(), 1U);
  EXPECT_EQ(other.request_count(), 2U);
}

TEST_F(ApiClientTest, WhenEveryReplicaIsSilentTheDeadlineHolds) {
  FaultServer other;
  other.SetReply(Broken(Fault::kHang));
  server_.SetReply(Broken(Fault::kHang));
  Make({server_.url(), other.url()});
  const auto begun = clock_.Steady();
  EXPECT_EQ(Ask(Millis(300)).error().code, Code::kUpstreamTimeout);
  EXPECT_LT(clock_.Steady() - begun, process::Scaled(Millis(1500)));
  EXPECT_EQ(other.request_count(), 1U);
}

TEST_F(ApiClientTest, NoMoreQueriesAreUnderWayThanAllowed) {
  options_.max_concurrency = 3;
  server_.SetReply(Json(OneSample()).Held());
  Make({server_.url()});
  std::vector<std::future<Result<QueryResult>>> answers;
  for (int i = 0; i < 12; ++i) answers.push_back(Start());
  ASSERT_TRUE(server_.WaitForRequests(3));
  server_.Release();
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_LE(server_.peak_in_flight(), 3U);
  EXPECT_EQ(server_.request_count(), 12U);
  EXPECT_LE(server_.connection_count(), 3U);
}

TEST_F(ApiClientTest, OneWhoWaitsEndsAtItsOwnDeadline) {
  options_.max_concurrency = 1;
  server_.SetReply(Json(OneSample()).Held());
  Make({server_.url()});
  auto first = Start();
  ASSERT_TRUE(server_.WaitForRequests(1));
  const Result<QueryResult> second = Ask(Millis(50));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kUpstreamTimeout);
  server_.Release();
  EXPECT_TRUE(first.get());
  EXPECT_EQ(server_.request_count(), 1U);
}

TEST_F(ApiClientTest, DoneRunsOnAWorkerThread) {
  Make({server_.url()});
  std::promise<std::string> name;
  client_->Query({"up", 1}, Deadline::After(clock_, Millis(5000)), [&](const Result<QueryResult>&) {
    std::string text(16, '\0');
    pthread_getname_np(pthread_self(), text.data(), text.size());
    name.set_value(text.c_str());
  });
  EXPECT_EQ(name.get_future().get(), "worker");
}

TEST_F(ApiClientTest, ADeadlineThatHasPassedIsATimeout) {
  Make({server_.url()});
  EXPECT_EQ(Ask(Millis(-10)).error().code, Code::kUpstreamTimeout);
  EXPECT_EQ(server_.request_count(), 0U);
}

TEST_F(ApiClientTest, StoppingAnswersEveryQueryOnceAndSaysSo) {
  options_.max_concurrency = 2;
  server_.SetReply(Broken(Fault::kHang));
  Make({server_.url()});
  std::atomic<int> answered{0};
  std::atomic<int> told{0};
  for (int i = 0; i < 6; ++i) {
    client_->Query({"up", 1}, Deadline::After(clock_, Millis(60000)),
                   [&](const Result<QueryResult>& result) {
                     if (!result && result.error().code == Code::kDraining &&
                         result.error().message == "the server is ending; ask again in a moment") {
                       ++told;
                     }
                     ++answered;
                   });
  }
  ASSERT_TRUE(server_.WaitForRequests(2));
  client_.reset();
  fetch_.reset();
  pool_.Stop();
  EXPECT_EQ(answered.load(), 6);
  EXPECT_EQ(told.load(), 6);
}

TEST_F(ApiClientTest, ACredentialsFileThatVanishedIsNotShownToClients) {
  char directory[] = "/tmp/api-client-test-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  fetch_options_.bearer_token_file = std::string(directory) + "/token";
  FILE* file = fopen(fetch_options_.bearer_token_file.c_str(), "w");
  ASSERT_NE(file, nullptr);
  fputs("secret", file);
  fclose(file);
  Make({server_.url()});
  ASSERT_TRUE(Ask());
  EXPECT_EQ(server_.requests().at(0).Header("Authorization"), "Bearer secret");
  EXPECT_EQ(Failure(HttpStatus(401)).message.find("secret"), std::string::npos);
  unlink(fetch_options_.bearer_token_file.c_str());
  rmdir(directory);
  server_.SetReply(Json(OneSample("7")));
  Status status;
  ASSERT_TRUE(process::WaitUntil(
      [&] {
        const Result<QueryResult> result = Ask();
        if (!result) status = result.error();
        return !result;
      },
      Millis(10'000)));
  EXPECT_EQ(status.code, Code::kUpstreamAuth);
  EXPECT_EQ(status.message.find(directory), std::string::npos);
  EXPECT_NE(status.message.find("PROMETHEUS_BEARER_TOKEN_FILE"), std::string::npos);
  EXPECT_NE(status.detail.find(directory), std::string::npos);
}

TEST(MakeApiClientTest, RefusesAWrongUrlWithoutShowingItsPassword) {
  const SystemClock clock;
  ThreadPool pool(1, "worker");
  const auto fetch = fetch::MakeClient({}, clock).value();
  const auto error = [&](std::vector<std::string> urls) {
    ApiClientOptions options;
    options.urls = std::move(urls);
    const auto client = MakeApiClient(options, *fetch, pool, clock);
    return client ? std::string("none") : client.error().message;
  };
  EXPECT_EQ(error({"http://a:9090", "https://b/c"}), "none");
  EXPECT_NE(error({}), "none");
  for (const char* url : {"", "prometheus:9090", "ftp://u:secret@x", "http://", "u:secret@host",
                          "http://u:secret@x/?a=b"}) {
    const std::string text = error({url});
    EXPECT_NE(text, "none") << url;
    EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace gpumon::prom
