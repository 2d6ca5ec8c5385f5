// Requests that are not as they should be: one answer each, always an envelope, and the
// connection is closed where it can no longer be understood.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/e2e/http_client.h"
#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"

namespace gpumon::e2e {
namespace {

constexpr char kHost[] = "Host: localhost\r\n";

struct Row {
  std::string what;
  std::string bytes;
  int status;
  bool closes = true;
};

std::string Get(const std::string& target, const std::string& headers) {
  return "GET " + target + " HTTP/1.1\r\n" + kHost + headers + "\r\n";
}

std::vector<Row> RefusedRequests() {
  return {
      {"an unknown version", "GET /livez HTTP/2.0\r\n\r\n", 505},
      {"no version", "GET /livez\r\n\r\n", 400},
      {"a TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15), 400},
      {"a target of 9 KiB", Get('/' + std::string(9 * 1024, 'a'), ""), 414},
      {"no Host", "GET /livez HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", Get("/livez", "Host: other\r\n"), 400},
      {"a space before the colon", Get("/livez", "X-A : b\r\n"), 400},
      {"a folded header", Get("/livez", "X-A: b\r\n c\r\n"), 400},
      {"a header without a name", Get("/livez", ": b\r\n"), 400},
      {"a header without a colon", Get("/livez", "junk\r\n"), 400},
      {"a NUL in a header", Get("/livez", std::string("X-A: b\0c\r\n", 10)), 400},
      {"101 headers",
       [] {
         std::string headers;
         for (int i = 0; i < 101; ++i) headers += "X-" + std::to_string(i) + ": y\r\n";
         return Get("/livez", headers);
       }(),
       431},
      {"33 KiB of headers", Get("/livez", "X-A: " + std::string(33 * 1024, 'a') + "\r\n"), 431},
      {"a negative length", Get("/livez", "Content-Length: -5\r\n"), 400},
      {"a length with a plus", Get("/livez", "Content-Length: +5\r\n"), 400},
      {"a length in hexadecimal", Get("/livez", "Content-Length: 0x5\r\n"), 400},
      {"a length beyond 2^63", Get("/livez", "Content-Length: 9223372036854775808\r\n"), 400},
      {"two lengths", Get("/livez", "Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {"a length and chunks",
       Get("/livez", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400},
      {"an unknown coding", Get("/livez", "Transfer-Encoding: xchunked\r\n"), 501},
      {"a bad chunk size", Get("/livez", "Transfer-Encoding: chunked\r\n") + "0_2\r\nab\r\n", 400},
      {"a body of 1 MiB", Get("/livez", "Content-Length: 1048576\r\n") + std::string(1 << 20, 'a'),
       413},
      {"an unknown expectation", Get("/livez", "Expect: miracles\r\nContent-Length: 1\r\n") + "a",
       417},
  };
}

TEST(TransportTest, RefusesWhatIsNotHttpWithOneEnvelopeAndCloses) {
  const Subject subject;
  for (const Row& row : RefusedRequests()) {
    SCOPED_TRACE(row.what);
    Connection connection(subject.server.port());
    connection.Send(row.bytes);
    const Answer answer = connection.Read();
    const char* code = row.status == 413 ? "payload_too_large" : "bad_request";
    ExpectEnvelope(answer, row.status, code);
    EXPECT_EQ(answer.Header("Connection"), "close");
    EXPECT_TRUE(connection.AwaitClose(Millis(5000))) << "a second answer, or not closed";
  }
  EXPECT_EQ(subject.server.Get("/livez").status, 200);
}

TEST(TransportTest, ServesWhatIsUnusualButRight) {
  const Subject subject;
  const std::vector<Row> rows = {
      {"a CRLF before the request", "\r\n" + Get("/livez", ""), 200, false},
      {"an absolute target", Get("http://localhost/livez", ""), 200, false},
      {"junk in headers that do not matter",
       Get("/livez",
           "Accept: /;q=x\r\nCookie: ;;=\r\nDate: today\r\nRange: bytes=x\r\n"
           "Authorization: junk\r\nCache-Control: =\r\n"),
       200, false},
      {"a small body", Get("/livez", "Content-Length: 5\r\n") + "hello", 200, false},
      {"a small body in chunks",
       Get("/livez", "Transfer-Encoding: chunked\r\n") + "3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n", 200,
       false},
      {"a body after 100 Continue",
       Get("/livez", "Expect: 100-continue\r\nContent-Length: 2\r\n") + "ab", 200, false},
      {"HTTP/1.0", "GET /livez HTTP/1.0\r\n\r\n", 200, true},
      {"Connection: close", Get("/livez", "Connection: close\r\n"), 200, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Connection connection(subject.server.port());
    ASSERT_TRUE(connection.Send(row.bytes));
    const Answer answer = connection.Read();
    EXPECT_EQ(answer.status, row.status) << answer.Text();
    EXPECT_EQ(answer.body, "ok");
    if (row.closes) {
      EXPECT_TRUE(connection.AwaitClose(Millis(5000)));
      continue;
    }
    ASSERT_TRUE(connection.Send(RequestText("GET", "/nothing")));
    EXPECT_EQ(connection.Read().status, 404) << "the next answer belongs to the next request";
  }
}

TEST(TransportTest, PipelinedRequestsAreAnsweredInOrder) {
  const Subject subject;
  Connection connection(subject.server.port());
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all +=
        RequestText("GET", i % 2 == 0 ? kMetrics : "/livez", {{"X-Request-Id", std::to_string(i)}});
  }
  ASSERT_TRUE(connection.Send(all));
  for (int i = 0; i < 20; ++i) {
    const Answer answer = connection.Read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.Header("X-Request-Id"), std::to_string(i));
    EXPECT_EQ(answer.body == "ok", i % 2 == 1);
  }
}

TEST(TransportTest, ARequestMayComeByteByByte) {
  const Subject subject;
  Connection connection(subject.server.port());
  for (const char byte : Get("/livez", "")) {
    ASSERT_TRUE(connection.Send(std::string(1, byte)));
  }
  EXPECT_EQ(connection.Read().body, "ok");
}

TEST(TransportTest, AHalfClosedConnectionStillGetsItsAnswer) {
  const Subject subject;
  Connection connection(subject.server.port());
  ASSERT_TRUE(connection.Send(RequestText("GET", kMetrics)));
  connection.ShutDownSending();
  EXPECT_EQ(connection.Read().status, 200);
  EXPECT_TRUE(connection.AwaitClose(Millis(5000)));
}

TEST(TransportTest, ARequestThatEndsInItsMiddleIsAnswered) {
  const Subject subject;
  for (const std::string& part : {std::string("GET /livez HTTP/1.1\r\nHost: loc"),
                                  Get("/livez", "Content-Length: 5\r\n") + "he"}) {
    Connection connection(subject.server.port());
    ASSERT_TRUE(connection.Send(part));
    connection.ShutDownSending();
    const Answer answer = connection.Read();
    ExpectEnvelope(answer, 400, "bad_request");
    EXPECT_EQ(answer.Header("Connection"), "close");
    EXPECT_TRUE(connection.AwaitClose(Millis(5000)));
  }
}

}  // namespace
}  // namespace gpumon::e2e
