#include "internal/dashboard/assets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace gpumon::dashboard {
namespace {

std::string Gunzip(std::string_view data, std::size_t size) {
  std::string text(size + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string in(data);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

class AssetsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (Assets().empty()) GTEST_SKIP() << "built without npm";
  }
};

TEST_F(AssetsTest, ThePageIsThereAndNamesItsFiles) {
  const Asset* const page = Find("index.html");
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->content_type, "text/html; charset=utf-8");
  EXPECT_THAT(std::string(page->bytes), testing::HasSubstr("<base href=\"/\""));
  std::size_t named = 0;
  for (const Asset& asset : Assets()) {
    named += page->bytes.find("./assets/" + std::string(asset.name)) != std::string_view::npos;
  }
  EXPECT_GE(named, 3U);  // script, style, icon
  EXPECT_EQ(Find("index"), nullptr);
}

TEST_F(AssetsTest, NothingIsInlineForTheSakeOfItsPolicy) {
  const std::string page(Find("index.html")->bytes);
  EXPECT_EQ(page.find("<style"), std::string::npos);
  EXPECT_EQ(page.find(" style="), std::string::npos);
  for (std::size_t at = page.find("<script"); at != std::string::npos;
       at = page.find("<script", at + 1)) {
    EXPECT_NE(page.substr(at, page.find('>', at) - at).find(" src="), std::string::npos);
  }
}

TEST_F(AssetsTest, EachIsTwiceTheSame) {
  for (const Asset& asset : Assets()) {
    EXPECT_FALSE(asset.bytes.empty()) << asset.name;
    EXPECT_EQ(Gunzip(asset.gzip, asset.bytes.size()), asset.bytes) << asset.name;
  }
}

// The first view is the frame with its styles and the largest of the others.
TEST_F(AssetsTest, TheFirstViewIsSmall) {
  std::size_t frame = 0;
  std::size_t largest = 0;
  for (const Asset& asset : Assets()) {
    if (!asset.name.ends_with(".js")) continue;
    if (asset.name.starts_with("index-")) frame += asset.gzip.size();
    largest = std::max(largest, asset.gzip.size());
  }
  EXPECT_LE(frame + 2 * largest, 150'000U);
}

}  // namespace
}  // namespace gpumon::dashboard
