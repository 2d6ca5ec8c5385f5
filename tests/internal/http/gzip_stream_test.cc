#include "internal/http/gzip_stream.h"

#include <gtest/gtest.h>

#include <string>

namespace gpumon::http {
namespace {

std::string Numbers() {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i * 7919) + '\n';
  return text;
}

std::string Compressed(const std::string& text, std::size_t piece) {
  GzipWriter writer;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    out += writer.Add(std::string_view(text).substr(at, piece), false);
  }
  return out + writer.Add({}, true);
}

TEST(GzipStreamTest, PiecesOfAnySizeGiveTheTextBack) {
  const std::string text = Numbers();
  for (const std::size_t piece : {std::size_t{1} << 10U, text.size()}) {
    const std::string compressed = Compressed(text, piece);
    EXPECT_LT(compressed.size(), text.size() / 2);
    for (const std::size_t step : {std::size_t{7}, compressed.size()}) {
      GzipReader reader;
      std::string back;
      for (std::size_t at = 0; at < compressed.size(); at += step) {
        ASSERT_TRUE(
            reader.Add(std::string_view(compressed).substr(at, step), [&](std::string_view part) {
              back += part;
              return true;
            }));
      }
      EXPECT_TRUE(reader.complete());
      EXPECT_TRUE(back == text);
    }
  }
}

TEST(GzipStreamTest, MembersBehindEachOtherAreOneText) {
  const std::string compressed = Compressed("one\n", 4) + Compressed("two\n", 4);
  GzipReader reader;
  std::string back;
  ASSERT_TRUE(reader.Add(compressed, [&](std::string_view part) {
    back += part;
    return true;
  }));
  EXPECT_EQ(back, "one\ntwo\n");
  EXPECT_TRUE(reader.complete());
}

TEST(GzipStreamTest, WhatIsCutOrBrokenIsNotComplete) {
  const std::string compressed = Compressed(Numbers(), 1 << 16U);
  const auto ignore = [](std::string_view) { return true; };
  GzipReader cut;
  EXPECT_TRUE(cut.Add(std::string_view(compressed).substr(0, compressed.size() - 1), ignore));
  EXPECT_FALSE(cut.complete());
  GzipReader no_gzip;
  EXPECT_FALSE(no_gzip.Add("plain text", ignore));
  EXPECT_FALSE(no_gzip.Add(compressed, ignore));
  GzipReader stopped;
  EXPECT_FALSE(stopped.Add(compressed, [](std::string_view) { return false; }));
}

}  // namespace
}  // namespace gpumon::http
