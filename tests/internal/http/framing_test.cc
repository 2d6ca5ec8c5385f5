#include "internal/http/framing.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace gpumon::http {
namespace {

// What a parser made of some bytes: "GET /a?q [body]" for each request, then "more" or the status
// that refused the rest.
std::string Outcome(const std::string& bytes, std::size_t piece, const Limits& limits = {}) {
  RequestParser parser(limits);
  std::string out;
  std::string buffer;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    buffer += bytes.substr(at, piece);
    for (;;) {
      std::size_t used = 0;
      const auto state = parser.Parse(buffer, used);
      buffer.erase(0, used);
      if (state == RequestParser::State::kMore) break;
      if (state == RequestParser::State::kRefused) {
        return out + std::to_string(parser.refusal().http_status());
      }
      if (state == RequestParser::State::kDone) {
        out += parser.keep_alive() ? "" : "close ";
        const Request r = parser.Take();
        out +=
            r.method + ' ' + r.path + (r.query.empty() ? "" : '?' + r.query) + " [" + r.body + "] ";
      }
    }
  }
  return out + (parser.in_request() || !buffer.empty() ? "more" : "idle");
}

std::string Get(const std::string& rest) {
  return "GET /a HTTP/1.1\r\n" + rest + "\r\n";
}
std::string Post(const std::string& headers, const std::string& body) {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n" + body;
}

struct Case {
  const char* name;
  std::string bytes;
  std::string want;
};

std::vector<Case> RequestLines() {
  const std::string host = " HTTP/1.1\r\nHost: h\r\n\r\n";
  return {
      {"plain", "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a?b=c [] idle"},
      {"unknown method", "FETCH /a" + host, "FETCH /a [] idle"},
      {"lower case method", "get /a" + host, "get /a [] idle"},
      {"method that is no token", "G(T /a" + host, "400"},
      {"leading space", " GET /a" + host, "400"},
      {"two spaces", "GET  /a" + host, "400"},
      {"tab for a space", "GET\t/a" + host, "400"},
      {"no target", "GET HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"a space in the target", "GET /a b" + host, "400"},
      {"a space behind the version", "GET /a HTTP/1.1 \r\nHost: h\r\n\r\n", "400"},
      {"a tab behind the version", "GET /a HTTP/1.1\t\r\nHost: h\r\n\r\n", "400"},
      {"more behind the version", "GET /a HTTP/1.1 x\r\nHost: h\r\n\r\n", "400"},
      {"HTTP/3", "GET /a HTTP/3\r\nHost: h\r\n\r\n", "505"},
      {"HTTP/0.9", "GET /a\r\n", "400"},
      {"HTTP/1.32", "GET /a HTTP/1.32\r\nHost: h\r\n\r\n", "505"},
      {"HTTP/1.2", "GET /a HTTP/1.2\r\nHost: h\r\n\r\n", "505"},
      {"HTTP/2.0", "GET /a HTTP/2.0\r\nHost: h\r\n\r\n", "505"},
      {"h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      {"not HTTP", "GET /a FTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"short version", "GET /a H\r\n\r\n", "400"},
      {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9), "400"},
      {"one empty line first", "\r\nGET /a" + host, "GET /a [] idle"},
      {"two empty lines first", "\r\n\r\nGET /a" + host, "GET /a [] idle"},
      {"empty lines only", "\r\n\r\n\r\n", "idle"},
      {"empty lines without end", "\r\n\r\n\r\n\r\n\r\n\r\n", "400"},
      {"CR before anything", "\rGET /a" + host, "400"},
      {"LF before anything", "\nGET /a" + host, "400"},
      {"bare LF", "GET /a HTTP/1.1\nHost: h\n\n", "400"},
      {"bare CR", "GET /a HTTP/1.1\rHost: h\r\r", "400"},
      {"absolute form", "GET http://h/a?b" + host, "GET /a?b [] idle"},
      {"OPTIONS *", "OPTIONS *" + host, "OPTIONS * [] idle"},
      {"GET *", "GET *" + host, "400"},
      {"CONNECT", "CONNECT h:443" + host, "501"},
      {"relative target", "GET a" + host, "400"},
      {"fragment", "GET /a#b" + host, "400"},
      {"NUL in the target", std::string("GET /a\0b", 8) + host, "400"},
      {"raw UTF-8 in the target", "GET /\xc3\xa9" + host, "400"},
      {"long target", "GET /" + std::string(8191, 'a') + host,
       "GET /" + std::string(8191, 'a') + " [] idle"},
      {"too long target", "GET /" + std::string(8192, 'a') + host, "414"},
      {"target without end", "GET /" + std::string(20000, 'a'), "414"},
      {"garbage", "\x80\x81\x82 nonsense \xff", "400"},
      {"nothing", "", "idle"},
      {"half a line", "GET /a HT", "more"},
  };
}

std::string NinetyNineLines() {
  std::string lines;
  for (int i = 0; i < 99; ++i) lines += "X-" + std::to_string(i) + ": 1\r\n";
  return lines;
}

std::vector<Case> HeaderCases() {
  const std::string many = NinetyNineLines();
  const std::string ok = "GET /a [] idle";
  return {
      {"no Host", Get(""), "400"},
      {"two Hosts", Get("Host: a\r\nHost: b\r\n"), "400"},
      {"two equal Hosts", Get("Host: a\r\nHost: a\r\n"), "400"},
      {"bad Host", Get("Host: a b\r\n"), "400"},
      {"broken escape in Host", Get("Host: %zz\r\n"), "400"},
      {"bad port", Get("Host: a:99999\r\n"), "400"},
      {"no Host on 1.0", "GET /a HTTP/1.0\r\n\r\n", "close GET /a [] idle"},
      {"two Hosts on 1.0", "GET /a HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "400"},
      {"space before the colon", Get("Host: h\r\nX : 1\r\n"), "400"},
      {"folded", Get("Host: h\r\nX: 1\r\n 2\r\n"), "400"},
      {"folded with a tab", Get("Host: h\r\nX: 1\r\n\t2\r\n"), "400"},
      {"folded first", Get(" X: 1\r\nHost: h\r\n"), "400"},
      {"NUL in a value", Get(std::string("Host: h\r\nX: a\0b\r\n", 16)), "400"},
      {"NUL in a name", Get(std::string("Host: h\r\nX\0: b\r\n", 15)), "400"},
      {"control in a value", Get("Host: h\r\nX: a\x01\r\n"), "400"},
      {"DEL in a value", Get("Host: h\r\nX: a\x7f\r\n"), "400"},
      {"0x80 in a value", Get("Host: h\r\nX: a\x80\r\n"), "400"},
      {"0x80 in a name", Get("Host: h\r\nX\x80: a\r\n"), "400"},
      {"empty name", Get("Host: h\r\n: a\r\n"), "400"},
      {"no colon", Get("Host: h\r\nnothing\r\n"), "400"},
      {"tab in a value", Get("Host: h\r\nX: a\tb\r\n"), ok},
      {"empty value", Get("Host: h\r\nX:\r\n"), ok},
      {"bare LF in headers", Get("Host: h\r\nX: a\nY: b\r\n"), "400"},
      {"bare CR in a value", Get("Host: h\r\nX: a\rb\r\n"), "400"},
      {"LF LF ends the head", "GET /a HTTP/1.1\r\nHost: h\r\n\n", "400"},
      {"100 headers", Get("Host: h\r\n" + many), ok},
      {"101 headers", Get("Host: h\r\nY: 1\r\n" + many), "431"},
      {"large head", Get("Host: h\r\nX: " + std::string(32 * 1024, 'x') + "\r\n"), "431"},
      {"head without end", "GET /a HTTP/1.1\r\nX: " + std::string(40000, 'x'), "431"},
      {"junk Connection", Get("Host: h\r\nConnection: @@ , \"\r\n"), ok},
      {"junk Connection, two tokens", Get("Host: h\r\nconnection: a b\r\n"), ok},
      {"Connection: close", Get("Host: h\r\nConnection: close\r\n"), "close " + ok},
      {"close in a list", Get("Host: h\r\nConnection: foo, Close\r\n"), "close " + ok},
      {"keep-alive on 1.0", "GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", ok},
      {"Connection: Upgrade", Get("Host: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n"), ok},
      {"junk elsewhere",
       Get("Host: h\r\nAccept: a/b,\r\nDate: x\r\nCookie: ;\r\nRange: y\r\nAccept-Encoding: "
           ";;\r\n"),
       ok},
      {"odd expectation", Get("Host: h\r\nExpect: 200-ok\r\n"), "417"},
      {"odd expectation on 1.0", "GET /a HTTP/1.0\r\nExpect: x\r\n\r\n", "close " + ok},
  };
}

std::vector<Case> BodyCases() {
  const std::string many = NinetyNineLines();
  const std::string te = "Transfer-Encoding: chunked\r\n";
  const std::string five = "POST /a [hello] ";
  const std::string next = Get("Host: h\r\n");
  return {
      {"length", Post("Content-Length: 5\r\n", "hello"), five + "idle"},
      {"length 0", Post("Content-Length: 0\r\n", ""), "POST /a [] idle"},
      {"body on GET", Get("Host: h\r\nContent-Length: 2\r\n") + "hi", "GET /a [hi] idle"},
      {"short body", Post("Content-Length: 5\r\n", "hell"), "more"},
      {"pipelined", Post("Content-Length: 5\r\n", "hello") + next, five + "GET /a [] idle"},
      {"negative length", Post("Content-Length: -1\r\n", ""), "400"},
      {"+5", Post("Content-Length: +5\r\n", "hello"), "400"},
      {"0x5", Post("Content-Length: 0x5\r\n", "hello"), "400"},
      {"5abc", Post("Content-Length: 5abc\r\n", "hello"), "400"},
      {"empty length", Post("Content-Length:\r\n", ""), "400"},
      {"huge length", Post("Content-Length: 99999999999999999999999\r\n", ""), "400"},
      {"2^63", Post("Content-Length: 9223372036854775808\r\n", ""), "400"},
      {"two lengths", Post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), "400"},
      {"two equal lengths", Post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), "400"},
      {"length list", Post("Content-Length: 5, 5\r\n", "hello"), "400"},
      {"length and coding", Post("Content-Length: 5\r\n" + te, "0\r\n\r\n"), "400"},
      {"coding and length", Post(te + "Content-Length: 5\r\n", "0\r\n\r\n"), "400"},
      {"unknown coding and length", Post("Transfer-Encoding: x\r\nContent-Length: 5\r\n", ""),
       "400"},
      {"coding twice", Post(te + te, "0\r\n\r\n"), "400"},
      {"xchunked", Post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), "501"},
      {"gzip, chunked", Post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "501"},
      {"identity", Post("Transfer-Encoding: identity\r\n", ""), "501"},
      {"gzip then chunked", Post("Transfer-Encoding: gzip\r\n" + te, "0\r\n\r\n"), "501"},
      {"space before its colon", Post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), "400"},
      {"chunked on 1.0", "POST /a HTTP/1.0\r\n" + te + "\r\n0\r\n\r\n", "501"},
      {"too large", Post("Content-Length: 65537\r\n", ""), "413"},
      {"largest", Post("Content-Length: 65536\r\n", std::string(65536, 'b')),
       "POST /a [" + std::string(65536, 'b') + "] idle"},
      {"chunked", Post(te, "5\r\nhello\r\n0\r\n\r\n"), five + "idle"},
      {"two chunks", Post(te, "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), five + "idle"},
      {"empty chunked", Post(te, "0\r\n\r\n"), "POST /a [] idle"},
      {"chunked, then pipelined", Post(te, "0\r\n\r\n") + next, "POST /a [] GET /a [] idle"},
      {"upper case size", Post(te, "A\r\n0123456789\r\n0\r\n\r\n"), "POST /a [0123456789] idle"},
      {"zeros before the size", Post(te, "0005\r\nhello\r\n000\r\n\r\n"), five + "idle"},
      {"extension", Post(te, "5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n"), five + "idle"},
      {"trailers", Post(te, "5\r\nhello\r\n0\r\nX: 1\r\nY: 2\r\n\r\n") + next,
       five + "GET /a [] idle"},
      {"Host among the trailers", Post(te, "0\r\nHost: x\r\n\r\n"), "POST /a [] idle"},
      {"bad size", Post(te, "zz\r\nhello\r\n0\r\n\r\n"), "400"},
      {"negative size", Post(te, "-5\r\nhello\r\n0\r\n\r\n"), "400"},
      {"0_2", Post(te, "0_2\r\nhe\r\n0\r\n\r\n"), "400"},
      {"0x2", Post(te, "0x2\r\nhe\r\n0\r\n\r\n"), "400"},
      {"no size", Post(te, "\r\nhello\r\n0\r\n\r\n"), "400"},
      {"huge size", Post(te, "fffffffffffffffff\r\nhello"), "400"},
      {"2^64-1", Post(te, "ffffffffffffffff\r\nhello"), "400"},
      {"sum too large", Post(te, "8000\r\n" + std::string(0x8000, 'x') + "\r\n8001\r\n"), "413"},
      {"longer than its size", Post(te, "2\r\nhello\r\n0\r\n\r\n"), "400"},
      {"shorter than its size", Post(te, "6\r\nhello\r\n0\r\n\r\n"), "400"},
      {"bare LF after the size", Post(te, "5\nhello\r\n0\r\n\r\n"), "400"},
      {"bare LF after the chunk", Post(te, "5\r\nhello\n0\r\n\r\n"), "400"},
      {"bare LF after the last size", Post(te, "5\r\nhello\r\n0\n\n"), "400"},
      {"long size line", Post(te, "5;" + std::string(300, 'x') + "\r\nhello\r\n0\r\n\r\n"), "400"},
      {"100 trailers", Post(te, "0\r\n" + many + "Y: 1\r\n\r\n"), "POST /a [] idle"},
      {"101 trailers", Post(te, "0\r\n" + many + "Y: 1\r\nZ: 1\r\n\r\n"), "431"},
      {"trailers of two bodies",
       Post(te, "0\r\n" + many + "\r\n") + Post(te, "0\r\n" + many + "\r\n"),
       "POST /a [] POST /a [] idle"},
      {"bad trailer", Post(te, "0\r\nno colon\r\n\r\n"), "400"},
      {"trailers without end", Post(te, "0\r\nX: " + std::string(40000, 'x')), "431"},
      {"unfinished chunk", Post(te, "5\r\nhel"), "more"},
      {"unfinished end", Post(te, "5\r\nhello\r\n0\r\n"), "more"},
  };
}

class FramingTest : public testing::Test {
 protected:
  static void Check(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
      EXPECT_EQ(Outcome(c.bytes, std::max<std::size_t>(1, c.bytes.size())), c.want)
          << c.name << ", whole";
      for (const std::size_t piece : {1U, 2U, 3U, 7U}) {
        EXPECT_EQ(Outcome(c.bytes, piece), c.want) << c.name << ", in pieces of " << piece;
      }
    }
  }
};

TEST_F(FramingTest, DecidesRequestLinesAlikeHoweverTheyAreCut) {
  Check(RequestLines());
}
TEST_F(FramingTest, DecidesHeadersAlikeHoweverTheyAreCut) {
  Check(HeaderCases());
}
TEST_F(FramingTest, DecidesBodiesAlikeHoweverTheyAreCut) {
  Check(BodyCases());
}

TEST_F(FramingTest, BoundsTheFramingAroundTinyChunks) {
  std::string body;
  for (int i = 0; i < 20000; ++i) body += "1;" + std::string(200, 'x') + "\r\nx\r\n";
  EXPECT_EQ(Outcome(Post("Transfer-Encoding: chunked\r\n", body), 4096), "400");
  std::string honest;
  for (int i = 0; i < 60000; ++i) honest += "1\r\nx\r\n";
  const std::string want = "POST /a [" + std::string(60000, 'x') + "] idle";
  EXPECT_EQ(Outcome(Post("Transfer-Encoding: chunked\r\n", honest + "0\r\n\r\n"), 4096), want);
}

TEST_F(FramingTest, SaysWhatIsWrongBeforeARequestLine) {
  const auto why = [](std::string bytes) {
    RequestParser parser((Limits()));
    std::size_t used = 0;
    EXPECT_EQ(parser.Parse(bytes, used), RequestParser::State::kRefused);
    return parser.refusal().message;
  };
  EXPECT_EQ(why("\r\n\r\n\r\n\r\n\r\n"), "too many empty lines before a request line");
  EXPECT_EQ(why("\rGET / HTTP/1.1\r\n\r\n"), "a CR or LF stands alone; lines end with CRLF");
}

TEST_F(FramingTest, GivesHeadersAndExpectationAtTheHead) {
  RequestParser parser((Limits()));
  std::string bytes =
      "POST /a?b HTTP/1.1\r\nHost: h\r\nX-A:  v \r\nExpect: 100-Continue\r\n"
      "Content-Length: 3\r\n\r\n";
  std::size_t used = 0;
  ASSERT_EQ(parser.Parse(bytes, used), RequestParser::State::kHead);
  EXPECT_EQ(used, bytes.size());
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_EQ(parser.content_length(), 3U);
  EXPECT_EQ(*Find(parser.head().headers, "x-a"), "v");
  EXPECT_EQ(parser.head().query, "b");
  parser.AllowBody(2);
  std::string none;
  EXPECT_EQ(parser.Parse(none, used), RequestParser::State::kRefused);
  EXPECT_EQ(parser.refusal().http_status(), 413);
}

TEST_F(FramingTest, AllowsALargerBodyWhereTold) {
  RequestParser parser((Limits()));
  std::string bytes = Post("Content-Length: 100000\r\n", std::string(100000, 'b'));
  std::size_t used = 0;
  ASSERT_EQ(parser.Parse(bytes, used), RequestParser::State::kHead);
  parser.AllowBody(100000);
  bytes.erase(0, used);
  ASSERT_EQ(parser.Parse(bytes, used), RequestParser::State::kDone);
  EXPECT_EQ(parser.Take().body.size(), 100000U);
  // And the next request is measured by the usual limit again.
  std::string next = Post("Content-Length: 100000\r\n", "");
  ASSERT_EQ(parser.Parse(next, used), RequestParser::State::kHead);
  next.erase(0, used);
  EXPECT_EQ(parser.Parse(next, used), RequestParser::State::kRefused);
}

TEST_F(FramingTest, TheHostOfAnAbsoluteTargetReplacesTheHostHeader) {
  const auto host = [](std::string bytes) {
    RequestParser parser((Limits()));
    std::size_t used = 0;
    EXPECT_EQ(parser.Parse(bytes, used), RequestParser::State::kHead) << bytes;
    std::string hosts;
    for (const Header& header : parser.head().headers) {
      if (header.name == "host" || header.name == "Host") hosts += header.value + ' ';
    }
    return hosts;
  };
  EXPECT_EQ(host("GET http://evil:1/a HTTP/1.1\r\nhost: good\r\n\r\n"), "evil:1 ");
  EXPECT_EQ(host("GET http://evil/a HTTP/1.0\r\n\r\n"), "evil ");
  EXPECT_EQ(host("GET /a HTTP/1.1\r\nHost: good\r\n\r\n"), "good ");
}

TEST_F(FramingTest, KeepsWhatWasUnderstoodOfARefusedRequest) {
  RequestParser parser((Limits()));
  std::string bytes = "GET /seen HTTP/1.1\r\nBad Header\r\n\r\n";
  std::size_t used = 0;
  ASSERT_EQ(parser.Parse(bytes, used), RequestParser::State::kRefused);
  ASSERT_TRUE(parser.has_request_line());
  EXPECT_EQ(parser.head().path, "/seen");
}

TEST_F(FramingTest, KeepsTheIdOfARequestThatIsRefusedInItsHead) {
  const auto id = [](const std::string& bytes) {
    RequestParser parser((Limits()));
    std::string input = bytes;
    std::size_t used = 0;
    EXPECT_EQ(parser.Parse(input, used), RequestParser::State::kRefused) << bytes.substr(0, 99);
    const std::string* found = Find(parser.head().headers, "X-Request-Id");
    return found == nullptr ? std::string("none") : *found;
  };
  const std::string given = "Host: h\r\nx-request-id: \tid-1 \r\n";
  const std::string large = "X: " + std::string(40'000, 'x') + "\r\n";
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  EXPECT_EQ(id("GET /a HTTP/2.0\r\n" + given + "\r\n"), "id-1");
  EXPECT_EQ(id("GET /a HTTP/2.0\r\n\r\n" + given), "none") << "of another request";
  EXPECT_EQ(id("GET /a HTTP/2.0\r\nHost: h\r\nX-Request-Id: id-1"), "none") << "not whole";
  EXPECT_EQ(id(Get(given + large)), "id-1");
  EXPECT_EQ(id(Get(many + given)), "id-1");
  EXPECT_EQ(id(Get(large + given)), "id-1") << "it came, beyond what is read";
  EXPECT_EQ(id(Get(given + "X: a\x01\r\n")), "id-1");
  EXPECT_EQ(id(Get(given + "X-Request-Id: id-2\r\nBad Header\r\n")), "id-1");
  EXPECT_EQ(id("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + given + "\r\n"), "id-1");
}

// Whole and in random pieces, a mutated request is decided alike, and nothing is read outside the
// bytes given (under a sanitizer).
TEST_F(FramingTest, DecidesMutatedRequestsAlikeHoweverTheyAreCut) {
  std::vector<std::string> seeds;
  for (const auto& cases : {RequestLines(), HeaderCases(), BodyCases()}) {
    for (const Case& c : cases) {
      if (c.bytes.size() < 600) seeds.push_back(c.bytes);
    }
  }
  std::mt19937 random(7);
  const std::string alphabet = std::string("\r\n \t:;,0159aZ/*%\"") + '\0' + "\x80\xff";
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = seeds[random() % seeds.size()] + seeds[random() % seeds.size()];
    for (unsigned edits = random() % 4; edits > 0 && !bytes.empty(); --edits) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = alphabet[random() % alphabet.size()];
          break;
        case 1:
          bytes.erase(at, 1 + random() % 3);
          break;
        default:
          bytes.insert(at, 1, alphabet[random() % alphabet.size()]);
      }
    }
    const std::string whole = Outcome(bytes, bytes.size() + 1);
    ASSERT_EQ(Outcome(bytes, 1), whole) << testing::PrintToString(bytes);
    ASSERT_EQ(Outcome(bytes, 1 + random() % 40), whole) << testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace gpumon::http
