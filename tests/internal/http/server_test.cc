// One client at a time: what the server answers, and whether it closes.
#include "internal/http/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/internal/http/serving.h"

namespace gpumon::http {
namespace {

class ServerTest : public testing::Test {
 protected:
  RawAnswer Ask(const std::string& bytes, bool head_only = false) {
    RawClient client(serving_.port);
    return client.Ask(bytes, head_only).value_or(RawAnswer{});
  }
  Serving serving_;
};

TEST_F(ServerTest, AnswersWithLengthDateAndConnection) {
  const RawAnswer answer = Ask(Get("/hello"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.Value("Content-Length"), "5");
  EXPECT_EQ(answer.Value("Connection"), "keep-alive");
  EXPECT_EQ(answer.Value("Date").size(), 29U);
  EXPECT_EQ(answer.Value("Date").substr(26), "GMT");
}

TEST_F(ServerTest, GivesHandlersTheRawRequest) {
  EXPECT_EQ(Ask(Get("/echo?a=%41&b")).body, "GET /echo?a=%41&b 0 ");
  EXPECT_EQ(Ask(Get("http://elsewhere/echo?x")).body, "GET /echo?x 0 ");
  EXPECT_EQ(Ask(Get("/tag/a%20%C3%A9")).body, "a \xc3\xa9");
}

TEST_F(ServerTest, AnswersHeadLikeGetWithoutABody) {
  RawClient client(serving_.port);
  const auto head = client.Ask("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n", true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->Value("Content-Length"), "5");
  const auto error = client.Ask("HEAD /nothing HTTP/1.1\r\nHost: h\r\n\r\n", true);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->status, 404);
  EXPECT_NE(error->Value("Content-Length"), "0");
  // Had a body been sent, it would stand before the next answer.
  EXPECT_EQ(client.Ask(Get("/hello"))->body, "hello");
}

TEST_F(ServerTest, AnswersOptionsAndWrongMethodsWithAllow) {
  const RawAnswer options = Ask("OPTIONS /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.Value("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(options.Value("Content-Length"), "");
  EXPECT_EQ(Ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").status, 204);
  EXPECT_EQ(Ask("OPTIONS /nothing HTTP/1.1\r\nHost: h\r\n\r\n").status, 204);
  for (const char* method : {"POST", "PUT", "DELETE", "TRACE", "PATCH"}) {
    const RawAnswer wrong = Ask(std::string(method) + " /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(wrong.status, 405) << method;
    EXPECT_EQ(wrong.Value("Allow"), "GET, HEAD, OPTIONS") << method;
    EXPECT_EQ(wrong.Value("Connection"), "keep-alive") << method;
  }
  EXPECT_EQ(Ask("BREW /hello HTTP/1.1\r\nHost: h\r\n\r\n").status, 501);
  EXPECT_EQ(Ask("get /hello HTTP/1.1\r\nHost: h\r\n\r\n").status, 501);
}

TEST_F(ServerTest, MatchesPathsByteForByte) {
  for (const char* path : {"//hello", "/hello/", "/../hello", "/tag/..", "/nothing", "/hell%6f"}) {
    EXPECT_EQ(Ask(Get(path)).status, 404) << path;
  }
  for (const char* path : {"/tag%2fa", "/tag/a%00", "/tag/%ff", "/tag/%zz"}) {
    EXPECT_EQ(Ask(Get(path)).status, 400) << path;
  }
}

TEST_F(ServerTest, RefusesBadFramingOnceWithTheApplicationsAnswerAndCloses) {
  struct Row {
    const char* name;
    std::string bytes;
    int status;
  };
  const std::string smuggled = Get("/hello") + Get("/hello");
  const std::vector<Row> rows = {
      {"garbage", "\x01\x02\x03\x04", 400},
      {"TLS hello", std::string("\x16\x03\x01\x02\x00", 5), 400},
      {"HTTP/0.9", "GET /hello\r\n", 400},
      {"h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"bare LF", "GET /hello HTTP/1.1\nHost: h\n\n" + smuggled, 400},
      {"no Host", "GET /hello HTTP/1.1\r\n\r\n" + smuggled, 400},
      {"two Hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" + smuggled, 400},
      {"long URL", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
      {"slashes", "GET " + std::string(20000, '/') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
      {"large head", Get("/hello", "X: " + std::string(40000, 'x') + "\r\n"), 431},
      {"bad length", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n" + smuggled,
       400},
      {"length and coding",
       "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
       "0\r\n\r\n" +
           smuggled,
       400},
      {"unknown coding",
       "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x\r\n\r\n" + smuggled, 501},
      {"odd expectation", Get("/hello", "Expect: y\r\n") + smuggled, 417},
      {"CONNECT", "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n" + smuggled, 501},
  };
  for (const Row& row : rows) {
    RawClient client(serving_.port);
    client.Send(row.bytes);
    const auto answer = client.Read();
    ASSERT_TRUE(answer) << row.name;
    EXPECT_EQ(answer->status, row.status) << row.name;
    EXPECT_EQ(answer->Value("Connection"), "close") << row.name;
    EXPECT_NE(answer->Value("Date"), "") << row.name;
    EXPECT_NE(answer->body.find('|'), std::string::npos) << row.name;
    client.EndSending();
    EXPECT_TRUE(client.IsClosed()) << row.name << ": more than one answer, or not closed";
  }
  EXPECT_EQ(serving_.server().stats().refused, rows.size());
}

TEST_F(ServerTest, AnswersALargeBodyOnceAndRunsNothingInIt) {
  RawClient client(serving_.port);
  std::string body;
  while (body.size() < 1U << 20U) body += Get("/hello");
  client.Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  client.Send(body);
  const auto answer = client.Read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  client.EndSending();
  EXPECT_TRUE(client.IsClosed());
  EXPECT_EQ(serving_.server().stats().requests, 0U);
}

TEST_F(ServerTest, TakesBodiesByLengthAndInChunks) {
  EXPECT_EQ(Ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").body,
            "POST /echo? 5 hello");
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  RawClient client(serving_.port);
  client.Send(chunked + "5\r\nhello\r");  // cut between CR and LF
  EXPECT_FALSE(client.Read(false, Millis(30)));
  EXPECT_EQ(client.Ask("\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n")->body, "POST /echo? 8 helloabc");
  EXPECT_EQ(client.Ask(Get("/echo", "Content-Length: 2\r\n") + "hi")->body, "GET /echo? 2 hi");
  EXPECT_EQ(client
                .Ask("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" +
                     std::string(1000000, 'x'))
                ->body,
            "1000000");
  EXPECT_EQ(
      client.Ask("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n")->status,
      413);
}

TEST_F(ServerTest, SendsContinueWhenTheBodyIsAwaitedAndAcceptable) {
  const std::string expect = "Host: h\r\nExpect: 100-continue\r\n";
  RawClient client(serving_.port);
  const auto first = client.Ask("POST /echo HTTP/1.1\r\n" + expect + "Content-Length: 2\r\n\r\n");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->status, 100);
  EXPECT_EQ(client.Ask("hi")->body, "POST /echo? 2 hi");
  // The body is there already: no 100.
  EXPECT_EQ(client.Ask("POST /echo HTTP/1.1\r\n" + expect + "Content-Length: 2\r\n\r\nhi")->status,
            200);
  // No body is coming.
  EXPECT_EQ(client.Ask("GET /hello HTTP/1.1\r\n" + expect + "\r\n")->status, 200);
  // It would not be accepted.
  EXPECT_EQ(Ask("POST /echo HTTP/1.1\r\n" + expect + "Content-Length: 70000\r\n\r\n").status, 413);
  EXPECT_EQ(Ask("POST /hello HTTP/1.1\r\n" + expect + "Content-Length: 2\r\n\r\n").status, 405);
  const RawAnswer lost = Ask("POST /x HTTP/1.1\r\n" + expect + "Content-Length: 2\r\n\r\n");
  EXPECT_EQ(lost.status, 404);
  EXPECT_EQ(lost.Value("Connection"), "close");
}

TEST_F(ServerTest, HonoursCloseAndHttp10) {
  RawClient close(serving_.port);
  EXPECT_EQ(close.Ask(Get("/hello", "Connection: close\r\n"))->Value("Connection"), "close");
  EXPECT_TRUE(close.IsClosed());
  RawClient old(serving_.port);
  EXPECT_EQ(old.Ask("GET /hello HTTP/1.0\r\n\r\n")->Value("Connection"), "close");
  EXPECT_TRUE(old.IsClosed());
  RawClient kept(serving_.port);
  const std::string old_kept = "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  EXPECT_EQ(kept.Ask(old_kept)->Value("Connection"), "keep-alive");
  EXPECT_EQ(kept.Ask(old_kept)->body, "hello");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  RawClient client(serving_.port);
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all += Get((i % 3 == 0 ? "/later/" : "/tag/") + std::to_string(i));
  }
  client.Send(all);
  for (int i = 0; i < 200; ++i) {
    const auto answer = client.Read();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->body, std::to_string(i));
  }
}

TEST_F(ServerTest, AnswersBytesThatComeOneByOne) {
  RawClient client(serving_.port);
  for (const char c : "\r\n" + Get("/hello")) client.Send(std::string(1, c));
  EXPECT_EQ(client.Read()->body, "hello");
}

TEST_F(ServerTest, AnswersAfterAHalfClose) {
  for (const char* path : {"/tag/1", "/later/1"}) {
    RawClient client(serving_.port);
    client.Send(Get(path) + Get("/later/2") + "GET /unfinished");
    client.EndSending();
    EXPECT_EQ(client.Read()->body, "1") << path;
    EXPECT_EQ(client.Read()->body, "2") << path;
    const auto cut = client.Read();
    ASSERT_TRUE(cut) << path;
    EXPECT_EQ(cut->status, 400) << path;
    EXPECT_TRUE(client.IsClosed()) << path;
  }
}

TEST_F(ServerTest, TellsAClientThatEndsInTheMiddleOfARequest) {
  const std::vector<std::pair<const char*, std::string>> rows = {
      {"half a line", "GET /hel"},
      {"half a head", "GET /hello HTTP/1.1\r\nHost: h\r\nX-A: b"},
      {"half a body", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel"},
      {"no body", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"},
      {"chunks without an end",
       "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
  };
  for (const auto& [name, bytes] : rows) {
    RawClient client(serving_.port);
    client.Send(bytes);
    client.EndSending();
    const auto answer = client.Read();
    ASSERT_TRUE(answer) << name;
    EXPECT_EQ(answer->status, 400) << name;
    EXPECT_EQ(answer->body.substr(0, 50), "bad_request the request ended before it was whole|")
        << name;
    EXPECT_EQ(answer->Value("Connection"), "close") << name;
    EXPECT_TRUE(client.IsClosed()) << name;
  }
  EXPECT_EQ(serving_.server().stats().refused, rows.size());
}

TEST_F(ServerTest, HasNothingToSayToAClientThatEndsBetweenRequests) {
  RawClient silent(serving_.port);
  silent.EndSending();
  EXPECT_TRUE(silent.IsClosed());
  RawClient served(serving_.port);
  EXPECT_EQ(served.Ask(Get("/hello"))->body, "hello");
  served.Send("\r\n");
  served.EndSending();
  EXPECT_TRUE(served.IsClosed());
  EXPECT_EQ(serving_.server().stats().refused, 0U);
}

TEST(ServerGoneTest, AClientThatGoesBeforeItsAnswerIsNoErrorOfOurs) {
  // Work for somebody who has gone is dropped, or fails in its own way.
  for (const int status : {0, 200, 400, 502}) {
    Serving serving;
    RawClient client(serving.port);
    client.Send(Get("/hold"));
    auto held = serving.app.AwaitHeld(1);
    ASSERT_EQ(held.size(), 1U);
    client.Reset();
    EXPECT_TRUE(Eventually([&] { return !held[0]->Alive(); }));
    if (status != 0) held[0]->Send({status, {}, MakeBody("too late")});
    held.clear();
    const auto done = serving.app.AwaitDone(1);
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].status, kClientGone) << status;
    EXPECT_EQ(done[0].bytes, 0U);
    EXPECT_FALSE(done[0].complete);
  }
}

TEST_F(ServerTest, SurvivesHandlersThatThrowAnythingOrNeverAnswer) {
  for (const char* path : {"/throw", "/throw-int", "/drop", "/drop-later"}) {
    RawClient client(serving_.port);
    const auto answer = client.Ask(Get(path, "X-Request-Id: id-1\r\n"));
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 500) << path;
    EXPECT_EQ(answer->body.substr(0, 9), "internal ") << path;
    EXPECT_EQ(answer->body.substr(answer->body.find('|')), std::string("|GET ") + path);
    EXPECT_EQ(answer->body.find("secret"), std::string::npos) << path;
    EXPECT_EQ(answer->Value("X-Request-Id"), "id-1") << path;
    EXPECT_EQ(client.Ask(Get("/hello"))->body, "hello") << path;
  }
}

TEST_F(ServerTest, ARefusalInTheHeadHasTheIdOfItsRequest) {
  const std::string id = "Host: h\r\nX-Request-Id: id-1\r\n";
  const std::string large = "X: " + std::string(40'000, 'x') + "\r\n\r\n";
  const std::pair<std::string, int> rows[] = {{"GET /hello HTTP/2.0\r\n" + id + "\r\n", 505},
                                              {"GET /hello HTTP/1.1\r\n" + id + large, 431}};
  for (const auto& [bytes, status] : rows) {
    const RawAnswer answer = Ask(bytes);
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.Value("X-Request-Id"), "id-1") << status;
  }
}

TEST_F(ServerTest, CountsTheFirstAnswerOnly) {
  RawClient client(serving_.port);
  EXPECT_EQ(client.Ask(Get("/twice"))->body, "one");
  EXPECT_EQ(client.Ask(Get("/throw-after"))->body, "first");
  EXPECT_EQ(client.Ask(Get("/hello"))->body, "hello");
}

TEST_F(ServerTest, StripsLineEndsFromHeaderValuesAndOwnsTheFraming) {
  const RawAnswer answer = Ask(Get("/split"));
  EXPECT_EQ(answer.Value("X-Split"), "aX-Evil: 1b");
  EXPECT_EQ(answer.Value("X-Evil"), "");
  EXPECT_EQ(answer.Value("Content-Length"), "5");
}

TEST_F(ServerTest, TellsEveryAnswerOnceForTheAccessLog) {
  RawClient client(serving_.port);
  client.Ask(Get("/tag/abc"));
  client.Ask(Get("/nothing", "X-Request-Id: id-7\r\n"));
  client.Ask("junk\r\n\r\n");
  const auto done = serving_.app.AwaitDone(3);
  ASSERT_EQ(done.size(), 3U);
  EXPECT_EQ(done[0].method, "GET");
  EXPECT_EQ(done[0].target, "/tag/abc");
  EXPECT_EQ(done[0].peer, "127.0.0.1");
  EXPECT_EQ(done[0].route, 3);
  EXPECT_EQ(done[0].status, 200);
  EXPECT_EQ(done[0].bytes, 3U);
  EXPECT_TRUE(done[0].complete);
  EXPECT_EQ(done[1].route, -1);
  EXPECT_EQ(done[1].status, 404);
  EXPECT_EQ(done[1].request_id, "id-7");
  EXPECT_EQ(done[2].method, "-");
  EXPECT_EQ(done[2].status, 400);
}

TEST_F(ServerTest, ServesUnderABasePath) {
  Serving under({}, "/gpu");
  RawClient client(under.port);
  EXPECT_EQ(client.Ask(Get("/gpu/echo"))->body, "GET /gpu/echo? 0 ");
  EXPECT_EQ(client.Ask(Get("/echo"))->status, 404);
}

TEST_F(ServerTest, SaysWhyItCannotListen) {
  ScriptedApplication app;
  ServerOptions taken;
  taken.address = "127.0.0.1";
  taken.port = serving_.port;
  const auto port = MakeServer(taken, app)->Start();
  ASSERT_FALSE(port.has_value());
  EXPECT_EQ(port.error().code, Code::kUnavailable);
  EXPECT_NE(port.error().message.find("127.0.0.1:" + std::to_string(serving_.port)),
            std::string::npos);
  EXPECT_NE(port.error().message.find("Address already in use; --port sets another port"),
            std::string::npos)
      << port.error().message;
  ServerOptions name;
  name.address = "localhost";
  EXPECT_FALSE(MakeServer(name, app)->Start().has_value());
}

TEST_F(ServerTest, ListensOnIpv6) {
  ScriptedApplication app;
  ServerOptions options;
  options.address = "::1";
  options.routes = ScriptedApplication::Routes();
  const auto server = MakeServer(options, app);
  const auto port = server->Start();
  if (!port.has_value()) GTEST_SKIP() << "this machine has no IPv6: " << port.error().message;
  EXPECT_GT(*port, 0);
}

}  // namespace
}  // namespace gpumon::http
