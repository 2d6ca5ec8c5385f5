#include "internal/http/message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "internal/http/answer_head.h"
#include "internal/http/descriptor_plan.h"
#include "internal/http/target.h"

namespace gpumon::http {
namespace {

TEST(MessageTest, FindsTheFirstHeaderWhateverItsCase) {
  const Headers headers = {{"Accept", "a"}, {"ACCEPT", "b"}};
  ASSERT_NE(Find(headers, "accept"), nullptr);
  EXPECT_EQ(*Find(headers, "accept"), "a");
  EXPECT_EQ(Find(headers, "Accept-Encoding"), nullptr);
}

TEST(MessageTest, KnowsTheReasonOfEveryStatusWeUse) {
  for (const int status : {200, 204, 304, 400, 401, 403, 404, 405, 408, 413,
                           414, 417, 429, 431, 500, 501, 502, 503, 504, 505}) {
    EXPECT_NE(ReasonPhrase(status), "Unknown") << status;
  }
  EXPECT_EQ(ReasonPhrase(414), "URI Too Long");
  EXPECT_EQ(ReasonPhrase(299), "Unknown");
  EXPECT_EQ(ReasonPhrase(999), "Unknown");
}

TEST(AnswerHeadTest, WritesTheServersHeadersAndStripsLineEnds) {
  Response response{200,
                    {{"X-A", std::string("1\r\nEvil: 2\0", 11)},
                     {"content-length", "7"},
                     {"Transfer-Encoding", "chunked"},
                     {"connection", "upgrade"},
                     {"Date", "never"}},
                    nullptr};
  std::string out;
  AppendHead(out, response, {BodyEnd::Kind::kLength, 42}, true);
  EXPECT_EQ(out.find("HTTP/1.1 200 OK\r\nDate: "), 0U);
  EXPECT_NE(out.find("\r\nX-A: 1Evil: 2\r\n"), std::string::npos) << out;
  EXPECT_NE(out.find("\r\nContent-Length: 42\r\n"), std::string::npos);
  EXPECT_NE(out.find("\r\nConnection: keep-alive\r\n\r\n"), std::string::npos);
  EXPECT_EQ(out.find("never"), std::string::npos);
  EXPECT_EQ(out.find("upgrade"), std::string::npos);
  EXPECT_EQ(out.find("chunked"), std::string::npos);
  EXPECT_EQ(out.find("content-length: 7"), std::string::npos);
}

TEST(AnswerHeadTest, TellsHowTheBodyEnds) {
  std::string chunked;
  AppendHead(chunked, {}, {BodyEnd::Kind::kChunked, 0}, false);
  EXPECT_NE(chunked.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(chunked.find("Connection: close\r\n"), std::string::npos);
  std::string none;
  AppendHead(none, {304, {}, nullptr}, {BodyEnd::Kind::kNoBody, 0}, true);
  EXPECT_EQ(none.find("Content-Length"), std::string::npos);
  EXPECT_FALSE(MayHaveBody(204));
  EXPECT_FALSE(MayHaveBody(304));
  EXPECT_TRUE(MayHaveBody(404));
}

TEST(TargetTest, ReducesEveryFormToItsPath) {
  const auto path = [](const char* target) {
    const auto parsed = ParseTarget("GET", target);
    return parsed ? parsed->path + "|" + parsed->query : "refused";
  };
  EXPECT_EQ(path("/a/b?c=d?e"), "/a/b|c=d?e");
  EXPECT_EQ(path("/"), "/|");
  EXPECT_EQ(path("/?"), "/|");
  EXPECT_EQ(path("http://h/a?b"), "/a|b");
  EXPECT_EQ(path("HTTPS://h:1/a"), "/a|");
  EXPECT_EQ(path("http://h"), "/|");
  EXPECT_EQ(path("http://h?x=1"), "/|x=1");
  for (const char* bad :
       {"a", "*", "http:///a", "http://u@h/", "ftp://h/", "/a#b", "h:80", "http://h:x/", "://h/"}) {
    EXPECT_EQ(path(bad), "refused") << bad;
  }
  EXPECT_TRUE(ParseTarget("OPTIONS", "*"));
}

TEST(TargetTest, ChecksHosts) {
  for (const char* good : {"", "a", "a.b-c_d", "a:80", "a:", "[::1]", "[::1]:80", "127.0.0.1:1",
                           "a%2Db", "[::ffff:1.2.3.4]"}) {
    EXPECT_TRUE(IsValidHost(good)) << good;
  }
  for (const char* bad : {"a b", "a,b c", "a:99999", "a:x",    "a:1:2",     "[::1",     "[]",
                          "[z]", "a/b",   "u@h",     "[::1]x", "a\"b",      "<a>",      "%zz",
                          "%",   "a%2",   "a%2:80",  "[:::]",  "[1.2.3.4]", "[1::2::3]"}) {
    EXPECT_FALSE(IsValidHost(bad)) << bad;
  }
}

TEST(DescriptorPlanTest, NeverPromisesMoreThanTheLimitHolds) {
  for (const int threads : {1, 2, 64}) {
    const auto least = static_cast<std::size_t>(136 + 8 * threads);
    for (const std::size_t limit :
         {least, least + 1, std::size_t{1024}, std::size_t{4096}, std::size_t{1000000}}) {
      for (const std::size_t wanted : {1U, 16U, 8192U}) {
        const auto plan = PlanDescriptors(wanted, threads, limit);
        ASSERT_TRUE(plan) << threads << ' ' << limit;
        EXPECT_GE(plan->connections, std::min<std::size_t>(wanted, 16));
        EXPECT_LE(plan->connections, wanted);
        const std::size_t open = plan->connections + plan->refusals;
        // What the rest of the process has open beside them.
        EXPECT_GE(static_cast<std::size_t>(plan->first_duplicate),
                  open + plan->leaving + 88 + 8 * static_cast<std::size_t>(threads));
        EXPECT_LE(static_cast<std::size_t>(plan->first_duplicate) + open, limit);
      }
    }
  }
  EXPECT_EQ(PlanDescriptors(8192, 2, 20000)->connections, 8192U);
  EXPECT_EQ(PlanDescriptors(8192, 2, 18944)->connections, 8192U);
}

// A listener whose threads get no time closes nothing while newcomers push the oldest out.
TEST(DescriptorPlanTest, GivesWhatFewConnectionsLeaveOverToThoseThatLeave) {
  EXPECT_EQ(PlanDescriptors(64, 2, 2688)->connections, 64U);
  EXPECT_EQ(PlanDescriptors(64, 2, 2688)->leaving, 1024U);
  EXPECT_EQ(PlanDescriptors(8192, 2, 18944)->leaving, 1024U);
  EXPECT_LT(PlanDescriptors(8192, 2, 1024)->leaving, 64U);
}

TEST(DescriptorPlanTest, SaysHowManyFilesItNeeds) {
  EXPECT_TRUE(PlanDescriptors(8192, 2, 152));
  const auto plan = PlanDescriptors(8192, 2, 151);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message,
            "the limit of open files is 151, and this server needs 152 or more (18944 for 8192 "
            "connections); raise it, as with `ulimit -n 18944` or the service's LimitNOFILE");
  for (const std::size_t limit : {0U, 1U, 16U, 64U}) EXPECT_FALSE(PlanDescriptors(1, 1, limit));
}

}  // namespace
}  // namespace gpumon::http
