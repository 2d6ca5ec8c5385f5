#include "internal/fetch/url.h"

#include <gtest/gtest.h>

namespace gpumon::fetch {
namespace {

TEST(RedactUrlTest, HidesUserAndPassword) {
  EXPECT_EQ(RedactUrl("http://host:9090/a?b#c"), "http://host:9090/a?b#c");
  EXPECT_EQ(RedactUrl("http://user:secret@host/a"), "http://***@host/a");
  EXPECT_EQ(RedactUrl("https://secret@host"), "https://***@host");
  EXPECT_EQ(RedactUrl("http://u:se@cret@host/x"), "http://***@host/x");
  EXPECT_EQ(RedactUrl(""), "");
}

TEST(RedactUrlTest, HidesThemInAMalformedUrlToo) {
  EXPECT_EQ(RedactUrl("user:secret@host:9090"), "***@host:9090");
  EXPECT_EQ(RedactUrl("http://user:sec/ret@host"), "http://***@host");
  EXPECT_EQ(RedactUrl("http://user:sec?ret@host"), "http://***@host");
}

TEST(IsHttpUrlTest, TakesHttpAndHttpsOnly) {
  EXPECT_TRUE(IsHttpUrl("http://a"));
  EXPECT_TRUE(IsHttpUrl("HTTPS://a"));
  for (const char* url : {"", "http://", "a", "file:///etc/passwd", "ftp://a", "javascript:x"}) {
    EXPECT_FALSE(IsHttpUrl(url)) << url;
  }
}

TEST(IsLoopbackUrlTest, KnowsThisMachineByItsWrittenHost) {
  for (const char* url :
       {"http://localhost", "http://localhost:9090/x", "https://LocalHost/", "http://127.0.0.1",
        "http://127.1.2.3:80/a?b", "http://[::1]:9090/", "http://u:p@localhost:1/"}) {
    EXPECT_TRUE(IsLoopbackUrl(url)) << url;
  }
  for (const char* url :
       {"http://prometheus:9090", "http://10.0.0.1", "http://localhost.example:9090",
        "http://127.0.0.1.example/", "http://[fd00::1]:9090", "http://localhost@elsewhere/", "",
        "http://a/?x=localhost"}) {
    EXPECT_FALSE(IsLoopbackUrl(url)) << url;
  }
}

TEST(ParseDateTest, ReadsHttpDates) {
  EXPECT_EQ(ParseDate("Mon, 01 Jan 2024 12:00:00 GMT"), 1704110400.0);
  EXPECT_EQ(ParseDate("Monday, 01-Jan-24 12:00:00 GMT"), 1704110400.0);
  EXPECT_EQ(ParseDate("Mon Jan  1 12:00:00 2024"), 1704110400.0);
  EXPECT_EQ(ParseDate(""), std::nullopt);
  EXPECT_EQ(ParseDate("yesterday"), std::nullopt);
}

}  // namespace
}  // namespace gpumon::fetch
