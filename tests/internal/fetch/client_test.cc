#include "internal/fetch/client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::fetch {
namespace {

using fault::Broken;
using fault::FaultServer;
using fault::Json;
using Fault = fault::Reply::Fault;

class ClientTest : public ::testing::Test {
 protected:
  // Reading the system's roots takes its time in instrumented builds.
  static ClientOptions Patient() {
    ClientOptions options;
    options.connect_timeout = Millis(10000);
    return options;
  }
  void SetUp() override { Make(Patient()); }
  void Make(const ClientOptions& options) {
    client_.reset();
    client_ = MakeClient(options, clock_).value();
  }
  std::future<Result<Response>> Start(Request request, Millis budget = Millis(10000)) {
    auto answer = std::make_shared<std::promise<Result<Response>>>();
    client_->Fetch(std::move(request), Deadline::After(clock_, budget),
                   [answer](Result<Response> result) { answer->set_value(std::move(result)); });
    return answer->get_future();
  }
  Result<Response> Get(const std::string& path = "/", Millis budget = Millis(10000)) {
    return Start({.url = server_.url() + path}, budget).get();
  }
  Code Failure(Request request) {
    const Result<Response> result = Start(std::move(request)).get();
    return result ? Code::kOk : result.error().code;
  }

  // Moves only in tests that move it; budgets are in real time all the same.
  FakeClock clock_;
  FaultServer server_;
  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, GivesTheWholeAnswer) {
  server_.SetReply(fault::HttpStatus(503, "hello", "text/plain; charset=utf-8")
                       .With("Date", "Mon, 01 Jan 2024 12:00:00 GMT")
                       .With("retry-after", "7"));
  const Result<Response> response = Get("/a?b=c");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(response->date, "Mon, 01 Jan 2024 12:00:00 GMT");
  EXPECT_EQ(response->retry_after, "7");
  const fault::Request request = server_.requests().at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/a?b=c");
}

TEST_F(ClientTest, SendsAFormAndHeaders) {
  Request request{.url = server_.url() + "/x"};
  request.form = "a=b&c=" + std::string(5000, 'd');
  request.headers = {{"Accept", "application/json"}, {"X-One", "1"}};
  ASSERT_TRUE(Start(request).get());
  const fault::Request seen = server_.requests().at(0);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.body, request.form);
  EXPECT_EQ(seen.Header("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(seen.Header("Accept"), "application/json");
  EXPECT_EQ(seen.Header("X-One"), "1");
  EXPECT_EQ(seen.Header("Expect"), "");
}

TEST_F(ClientTest, SendsABodyByAnyMethod) {
  for (const char* const method : {"POST", "PUT"}) {
    Request request{.url = server_.url() + "/x"};
    request.method = method;
    request.body = std::string("a\0b", 3) + std::string(100'000, 'x');
    request.headers = {{"Content-Type", "text/plain"}};
    ASSERT_TRUE(Start(request).get());
    const fault::Request seen = server_.requests().back();
    EXPECT_EQ(seen.method, method);
    EXPECT_EQ(seen.body, request.body);
    EXPECT_EQ(seen.Header("Content-Type"), "text/plain");
    EXPECT_EQ(seen.Header("Expect"), "");
  }
  // The next request of the same handle is a plain one again.
  ASSERT_TRUE(Get());
  EXPECT_EQ(server_.requests().back().method, "GET");
}

TEST_F(ClientTest, KeepsTheConnection) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Get());
  EXPECT_EQ(server_.request_count(), 5U);
  EXPECT_EQ(server_.connection_count(), 1U);
}

TEST_F(ClientTest, AConnectionClosedMeanwhileIsNoError) {
  server_.Enqueue(Json("{}").ThenClosed());
  ASSERT_TRUE(Get());
  ASSERT_TRUE(server_.WaitForClosed(1));
  ASSERT_TRUE(Get());
  EXPECT_EQ(server_.connection_count(), 2U);
}

TEST_F(ClientTest, AConnectionClosedOnReuseIsTriedOnceMore) {
  // Closed or reset only once the second request is read: nothing told the client before.
  for (const Fault fault : {Fault::kClose, Fault::kReset}) {
    for (const char* form : {"", "a=b"}) {
      ASSERT_TRUE(Get());
      const std::size_t before = server_.request_count();
      server_.Enqueue(Broken(fault));
      Request request{.url = server_.url()};
      request.form = form;
      const Result<Response> response = Start(request).get();
      ASSERT_TRUE(response) << response.error().detail;
      EXPECT_EQ(server_.request_count(), before + 2);
    }
  }
}

TEST_F(ClientTest, ANewConnectionThatIsClosedIsAnError) {
  server_.SetReply(Broken(Fault::kClose));
  EXPECT_EQ(Failure({.url = server_.url()}), Code::kUpstreamUnreachable);
  server_.SetReply(Broken(Fault::kReset));
  EXPECT_EQ(Failure({.url = server_.url()}), Code::kUpstreamUnreachable);
  EXPECT_EQ(server_.request_count(), 2U);
}

TEST_F(ClientTest, AnAnswerThatIsCutInItsHeadersIsAnError) {
  // As far as that nothing says that more was to come: neither a length nor chunks.
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: now\r\n";
  for (std::size_t size = 1; size <= head.size(); ++size) {
    server_.SetReply(fault::Raw(head.substr(0, size)));
    EXPECT_NE(Failure({.url = server_.url()}), Code::kOk) << size;
  }
  server_.SetReply(fault::Raw(head.substr(0, head.find("Date"))));
  EXPECT_EQ(Failure({.url = server_.url()}), Code::kUpstreamUnreachable);
  server_.SetReply(fault::Raw("HTTP/1.1 100 Continue\r\n\r\n" + head));
  EXPECT_EQ(Failure({.url = server_.url()}), Code::kUpstreamUnreachable);
  server_.SetReply(fault::Raw(head + "\r\nhello"));
  EXPECT_EQ(Get()->body, "hello");
  server_.SetReply(fault::Raw(head + "\r\n"));
  EXPECT_EQ(Get()->body, "");
}

TEST_F(ClientTest, AfterATimeoutTheNextRequestGetsAFreshConnection) {
  ASSERT_TRUE(Get());
  server_.Enqueue(Broken(Fault::kHang));
  EXPECT_EQ(Get("/", Millis(50)).error().code, Code::kUpstreamTimeout);
  EXPECT_TRUE(Get());
  EXPECT_TRUE(server_.WaitForClosed(1));
}

TEST_F(ClientTest, CutsAnAnswerThatIsTooLarge) {
  const std::size_t cap = 100000;
  Request request{.url = server_.url()};
  request.max_response_bytes = cap;
  server_.SetReply(fault::Huge(cap));
  EXPECT_EQ(Failure(request), Code::kOk);
  server_.SetReply(fault::Huge(cap + 1));
  EXPECT_EQ(Failure(request), Code::kUpstreamTooLarge);
  server_.SetReply(fault::Huge(std::size_t{1} << 40U));
  EXPECT_EQ(Failure(request), Code::kUpstreamTooLarge);
  server_.SetReply(Broken(Fault::kNoLastChunk, std::string(cap + 1, 'x')));
  EXPECT_EQ(Failure(request), Code::kUpstreamTooLarge);
}

TEST_F(ClientTest, KeepsTheEndOfAnAnswerThatIsTooLarge) {
  std::string body;
  for (int i = 0; i < 100'000; ++i) body += std::to_string(i) + '\n';
  Request request{.url = server_.url()};
  request.keep_end = true;
  for (const std::size_t cap : {std::size_t{1}, std::size_t{1000}, std::size_t{300'000}}) {
    request.max_response_bytes = cap;
    for (const fault::Reply& reply : {fault::Json(body), fault::Gzipped(body)}) {
      server_.SetReply(reply);
      const auto answer = Start(request).get();
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(answer->body, body.substr(body.size() - cap));
      EXPECT_TRUE(answer->cut);
    }
  }
  request.max_response_bytes = body.size();
  const auto whole = Start(request).get();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->body, body);
  EXPECT_FALSE(whole->cut);
}

TEST_F(ClientTest, EndlessAnswersEndOneAfterAnotherAtTheirCap) {
  ClientOptions options = Patient();
  options.shared_body_bytes = std::size_t{1} << 20U;
  Make(options);
  server_.SetReply(fault::Endless());
  std::vector<std::future<Result<Response>>> answers;
  for (int i = 0; i < 6; ++i) {
    Request request{.url = server_.url()};
    request.max_response_bytes = std::size_t{4} << 20U;
    answers.push_back(Start(std::move(request)));
  }
  for (auto& answer : answers) {
    const Result<Response> result = answer.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kUpstreamTooLarge);
  }
  // And all room is given back.
  server_.SetReply(fault::Huge(std::size_t{3} << 20U));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Get()->body.size(), std::size_t{3} << 20U);
}

TEST_F(ClientTest, WhoFindsNoRoomWaitsForItAndLosesNothing) {
  ClientOptions options = Patient();
  options.shared_body_bytes = 1;
  Make(options);
  const std::string text(std::size_t{1} << 20U, 'y');
  server_.SetScript([&](const fault::Request& request) {
    if (request.target == "/small") return fault::Json("small");
    return request.target == "/large" ? fault::Json(text) : fault::Json(text).Held();
  });
  auto held = Start({.url = server_.url() + "/held"});
  ASSERT_TRUE(server_.WaitForRequests(1));
  std::vector<std::future<Result<Response>>> answers;
  for (int i = 0; i < 5; ++i) answers.push_back(Start({.url = server_.url() + "/large"}));
  // Small answers go past those that wait.
  EXPECT_EQ(Get("/small")->body, "small");
  for (auto& answer : answers) {
    EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  }
  server_.Release();
  EXPECT_EQ(held.get()->body, text);
  for (auto& answer : answers) EXPECT_EQ(answer.get()->body, text);
}

TEST_F(ClientTest, CompressedAnswersWaitForRoomTooWhenTheyWereAskedFor) {
  ClientOptions options = Patient();
  options.shared_body_bytes = 1;
  options.gzip = Gzip::kAlways;
  Make(options);
  const std::string text(std::size_t{8} << 20U, 'y');
  server_.SetScript([&](const fault::Request& request) {
    return request.target == "/held" ? fault::Json("first").Held() : fault::Gzipped(text);
  });
  auto held = Start({.url = server_.url() + "/held"});
  ASSERT_TRUE(server_.WaitForRequests(1));
  std::vector<std::future<Result<Response>>> answers;
  for (int i = 0; i < 5; ++i) answers.push_back(Start({.url = server_.url() + "/large"}));
  ASSERT_TRUE(server_.WaitForRequests(6));
  server_.Release();
  EXPECT_EQ(held.get()->body, "first");
  for (auto& answer : answers) EXPECT_TRUE(answer.get()->body == text);
}

TEST_F(ClientTest, WhoWaitsForRoomStillHasItsDeadline) {
  ClientOptions options = Patient();
  options.shared_body_bytes = 1;
  Make(options);
  server_.SetScript([&](const fault::Request& request) {
    return request.target == "/held" ? fault::Json("late").Held() : fault::Huge(1 << 20);
  });
  auto held = Start({.url = server_.url() + "/held"});
  ASSERT_TRUE(server_.WaitForRequests(1));
  const Result<Response> late = Get("/", Millis(200));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kUpstreamTimeout);
  server_.Release();
  EXPECT_EQ(held.get()->body, "late");
}

TEST_F(ClientTest, CountsDecompressedBytes) {
  for (const bool accept : {false, true}) {
    ClientOptions options = Patient();
    options.gzip = accept ? Gzip::kAlways : Gzip::kNever;
    Make(options);
    Request request{.url = server_.url()};
    request.max_response_bytes = std::size_t{1} << 20U;
    server_.SetReply(fault::GzipBomb(std::size_t{16} << 20U));
    EXPECT_EQ(Failure(request), Code::kUpstreamTooLarge);
    server_.SetReply(fault::GzipBomb(std::size_t{1} << 20U));
    EXPECT_EQ(Failure(request), Code::kOk);
  }
}

TEST_F(ClientTest, AsksForGzipOnlyWhenToldAndReadsItAlways) {
  server_.SetReply(fault::Gzipped("hello hello hello"));
  EXPECT_EQ(Get()->body, "hello hello hello");
  EXPECT_EQ(server_.requests().at(0).Header("Accept-Encoding"), "identity");
  ClientOptions options = Patient();
  options.gzip = Gzip::kAlways;
  Make(options);
  EXPECT_EQ(Get()->body, "hello hello hello");
  EXPECT_EQ(server_.requests().at(1).Header("Accept-Encoding"), "gzip");
  // The server of this test is on this machine.
  options.gzip = Gzip::kAcrossMachines;
  Make(options);
  EXPECT_EQ(Get()->body, "hello hello hello");
  EXPECT_EQ(server_.requests().at(2).Header("Accept-Encoding"), "identity");
}

TEST_F(ClientTest, ABrokenCompressionIsInvalid) {
  server_.SetReply(Json("this is no gzip at all").With("Content-Encoding", "gzip"));
  EXPECT_EQ(Failure({.url = server_.url()}), Code::kUpstreamInvalid);
}

TEST_F(ClientTest, AnEncodingThatNobodyAskedForIsNamedAsTheCause) {
  for (const char* encoding : {"br", "BR", "zstd", "gzip, br", "x-secret"}) {
    server_.SetReply(Json("{\"status\":\"success\"}").With("Content-Encoding", encoding));
    const Result<Response> response = Get();
    ASSERT_FALSE(response) << encoding;
    EXPECT_EQ(response.error().code, Code::kUpstreamInvalid) << encoding;
    EXPECT_EQ(response.error().message, "it has a content encoding that was not asked for");
    EXPECT_NE(response.error().detail.find(std::string("content-encoding=") + encoding),
              std::string::npos)
        << response.error().detail;
  }
  server_.SetReply(Json("plain").With("Content-Encoding", "Identity"));
  EXPECT_EQ(Get()->body, "plain");
}

TEST_F(ClientTest, NeverFollowsARedirect) {
  FaultServer sink;
  server_.SetReply(fault::Redirect(302, sink.url()));
  const Result<Response> response = Get();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(sink.connection_count(), 0U);
}

TEST_F(ClientTest, ADeadlineThatHasPassedIsATimeoutFromAnotherThread) {
  std::promise<std::thread::id> thread;
  client_->Fetch({.url = server_.url()}, Deadline::After(clock_, Millis(-1)),
                 [&](const Result<Response>& result) {
                   EXPECT_EQ(result.error().code, Code::kUpstreamTimeout);
                   thread.set_value(std::this_thread::get_id());
                 });
  EXPECT_NE(thread.get_future().get(), std::this_thread::get_id());
  EXPECT_EQ(server_.connection_count(), 0U);
}

TEST_F(ClientTest, TheDeadlineIsForTheWholeAnswer) {
  server_.SetReply(fault::Slow(std::string(10, 'x'), 1));
  for (int i = 0; i < 5; ++i) server_.Step();
  EXPECT_EQ(Get("/", Millis(100)).error().code, Code::kUpstreamTimeout);
}

TEST_F(ClientTest, ConnectingHasATimeoutOfItsOwn) {
  const fault::BlackHole hole;
  ClientOptions options = Patient();
  options.connect_timeout = Millis(50);
  Make(options);
  EXPECT_EQ(Failure({.url = hole.url()}), Code::kUpstreamTimeout);
}

TEST_F(ClientTest, TellsKindsOfFailureApart) {
  EXPECT_EQ(Failure({.url = fault::RefusingUrl()}), Code::kUpstreamUnreachable);
  EXPECT_EQ(Failure({.url = "https" + server_.url().substr(4)}), Code::kUpstreamTls);
  EXPECT_EQ(Failure({.url = "ftp" + server_.url().substr(4)}), Code::kInternal);
  EXPECT_EQ(Failure({.url = "file:///etc/passwd"}), Code::kInternal);
  EXPECT_EQ(Failure({.url = "http://[::1"}), Code::kInternal);
  server_.SetReply(fault::Raw("220 smtp ready\r\n"));
  EXPECT_EQ(Failure({.url = server_.url()}), Code::kUpstreamInvalid);
  server_.SetReply(Broken(Fault::kTruncated, "0123456789"));
  EXPECT_EQ(Failure({.url = server_.url()}), Code::kUpstreamUnreachable);
  server_.SetReply(Json("{}").With("X-Long", std::string(200000, 'x')));
  EXPECT_EQ(Failure({.url = server_.url()}), Code::kUpstreamInvalid);
}

TEST_F(ClientTest, UserinfoIsSentAndNeverTold) {
  const std::string host = server_.url().substr(7);
  ASSERT_TRUE(Start({.url = "http://Aladdin:open%20sesame@" + host}).get());
  EXPECT_EQ(server_.requests().at(0).Header("Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  server_.SetReply(Broken(Fault::kClose));
  const Result<Response> failed = Start({.url = "http://user:secret@" + host + "/x"}).get();
  ASSERT_FALSE(failed);
  EXPECT_EQ((failed.error().message + failed.error().detail).find("secret"), std::string::npos);
  EXPECT_NE(failed.error().detail.find("***@127.0.0.1"), std::string::npos);
}

TEST_F(ClientTest, RotatesATokenWithoutAFailedRequest) {
  char folder[] = "/tmp/fetch-test-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  ClientOptions options = Patient();
  options.bearer_token_file = std::string(folder) + "/token";
  std::ofstream(options.bearer_token_file) << "one\n";
  Make(options);
  ASSERT_TRUE(Get());
  std::ofstream(options.bearer_token_file + ".new") << "two\n";
  std::filesystem::rename(options.bearer_token_file + ".new", options.bearer_token_file);
  ASSERT_TRUE(Get());
  clock_.Advance(Millis(1000));
  ASSERT_TRUE(Get());
  EXPECT_EQ(server_.requests().at(0).Header("Authorization"), "Bearer one");
  EXPECT_EQ(server_.requests().at(2).Header("Authorization"), "Bearer two");
  std::filesystem::remove_all(folder);
}

TEST_F(ClientTest, ACredentialsFileThatVanishedIsNoFaultOfOurs) {
  char folder[] = "/tmp/fetch-test-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  ClientOptions options = Patient();
  options.bearer_token_file = std::string(folder) + "/token";
  std::ofstream(options.bearer_token_file) << "one\n";
  Make(options);
  ASSERT_TRUE(Get());
  std::filesystem::remove_all(folder);
  clock_.Advance(Millis(1000));
  const Result<Response> refused = Get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUpstreamAuth);
  EXPECT_EQ(refused.error().message, "a file with its credentials cannot be used");
  EXPECT_EQ(refused.error().detail, "bearer-token-file: " + options.bearer_token_file +
                                        " cannot be read: No such file or directory");
}

TEST_F(ClientTest, ACredentialsFileThatIsMissingStopsTheStart) {
  ClientOptions options = Patient();
  options.basic_auth_file = "/nowhere/basic";
  const auto client = MakeClient(options, clock_);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, Code::kInvalidParameter);
  EXPECT_EQ(client.error().message,
            "basic-auth-file: /nowhere/basic cannot be read: No such file or directory");
}

TEST_F(ClientTest, RunsManyAtOnceOverFewConnections) {
  ClientOptions options = Patient();
  options.max_connections_per_host = 4;
  Make(options);
  std::vector<std::future<Result<Response>>> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(Start({.url = server_.url()}));
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_LE(server_.connection_count(), 4U);
  EXPECT_EQ(server_.request_count(), 100U);
}

TEST_F(ClientTest, TakesRequestsFromManyThreads) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) good += Get() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 100);
}

TEST_F(ClientTest, ACallbackMayAskAgainAndMayThrow) {
  std::promise<int> status;
  client_->Fetch({.url = server_.url()}, Deadline::After(clock_, Millis(10000)),
                 [&](const Result<Response>&) {
                   client_->Fetch({.url = server_.url()}, Deadline::After(clock_, Millis(10000)),
                                  [&](const Result<Response>& response) {
                                    status.set_value(response ? response->status : 0);
                                    throw std::runtime_error("from a callback");
                                  });
                   throw 42;
                 });
  EXPECT_EQ(status.get_future().get(), 200);
  EXPECT_TRUE(Get());
}

TEST_F(ClientTest, TheDestructorEndsWhatIsUnderWay) {
  server_.SetReply(Broken(Fault::kHang));
  std::atomic<int> ended{0};
  for (int i = 0; i < 3; ++i) {
    client_->Fetch({.url = server_.url()}, Deadline::After(clock_, Millis(60000)),
                   [&](const Result<Response>& result) {
                     if (!result && result.error().code == Code::kDraining) ++ended;
                   });
  }
  ASSERT_TRUE(server_.WaitForRequests(3));
  client_.reset();
  EXPECT_EQ(ended.load(), 3);
}

}  // namespace
}  // namespace gpumon::fetch
