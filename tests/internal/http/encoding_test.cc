#include "internal/http/encoding.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace gpumon::http {
namespace {

std::string Gunzip(const std::string& data, std::size_t size) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(size + 1, '\0');
  std::string in = data;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(GzipTest, RoundTripsEmptySmallAndLarge) {
  std::string noise;
  for (unsigned i = 0, x = 1; i < 3'000'000; ++i) {
    x = x * 1664525U + 1013904223U;
    noise += static_cast<char>(x >> 24U);
  }
  for (const std::string& text :
       {std::string(), std::string("a"), std::string(100000, 'x'), noise}) {
    EXPECT_EQ(Gunzip(Gzip(text), text.size()), text);
  }
  EXPECT_LT(Gzip(std::string(100000, 'x')).size(), 1000U);
}

TEST(GzipTest, GivesTheSameBytesEveryTime) {
  EXPECT_EQ(Gzip("abcabc"), Gzip("abcabc"));
}

TEST(AcceptsGzipTest, FollowsTheNamedCodingThenTheStar) {
  for (const char* yes :
       {"gzip", "GZIP", "x-gzip", "deflate, gzip;q=0.5", "gzip;q=1.000", "*",
        "identity;q=0.1, *;q=0.1", "br;q=junk, gzip", "*;q=0, gzip", "gzip ; q=0.3",
        "gzip, identity", "gzip;q=0.5, identity;q=0.5", "gzip;q=0.5, br", "gzip;q=0.5, *",
        "identity;q=0, gzip;q=0.001", "identity;q=0.999, gzip;q=1.0"}) {
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  }
  for (const char* no :
       {"", "identity", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzipped", "gzip;q=abc", "gzip;q=2",
        "gzip;q=1.5", "gzip;q=1.001", "*;q=1.9", ",,;;", "br", "gzip;q=0.5,identity;q=1",
        "identity, *;q=0.1", "Identity;q=0.6, gzip;q=0.59", "identity;q=0.002, gzip;q=0.001",
        "identity;q=0, gzip;q=0"}) {
    EXPECT_FALSE(AcceptsGzip(no)) << no;
  }
}

TEST(PercentTest, DecodesEscapesAndRefusesBrokenOnes) {
  EXPECT_EQ(PercentDecode("%41+b", true), "A b");
  EXPECT_EQ(PercentDecode("%41+b", false), "A+b");
  EXPECT_EQ(PercentDecode("%00", false), std::string(1, '\0'));
  EXPECT_EQ(PercentDecode("%fF", false), "\xff");
  for (const char* broken : {"%", "%4", "%zz", "a%", "%%41", "%4g"}) {
    EXPECT_FALSE(PercentDecode(broken, false)) << broken;
  }
}

TEST(PercentTest, EncodesAllButUnreserved) {
  EXPECT_EQ(PercentEncode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncode("a b/\xff+"), "a%20b%2F%FF%2B");
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(PercentDecode(PercentEncode(all), true), all);
}

TEST(ParseQueryTest, KeepsOrderAndRepeatsButNoEmptyPieces) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(ParseQuery(""), Pairs{});
  EXPECT_EQ(ParseQuery("a=1&b=2&a=3"), (Pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}}));
  EXPECT_EQ(ParseQuery("a"), (Pairs{{"a", ""}}));
  EXPECT_EQ(ParseQuery("a=b=c"), (Pairs{{"a", "b=c"}}));
  EXPECT_EQ(ParseQuery("a&&b"), (Pairs{{"a", ""}, {"b", ""}}));
  EXPECT_EQ(ParseQuery("&a=1&"), (Pairs{{"a", "1"}}));
  EXPECT_EQ(ParseQuery("&&&"), Pairs{});
  EXPECT_EQ(ParseQuery("=&=b"), (Pairs{{"", ""}, {"", "b"}}));
  EXPECT_EQ(ParseQuery("%61=%20+"), (Pairs{{"a", "  "}}));
  EXPECT_FALSE(ParseQuery("a=%zz"));
  EXPECT_FALSE(ParseQuery("ok=1&%"));
}

}  // namespace
}  // namespace gpumon::http
