#include "handlers/dashboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "handlers/about.h"
#include "internal/dashboard/assets.h"
#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using testing::HasSubstr;

constexpr char kBrowser[] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

TEST(NamesHtmlTest, ByNameAlone) {
  for (const char* accept : {kBrowser, "text/html", "TEXT/HTML", "application/json, text/html",
                             " text/html ; q=0.5", "text/html;level=1;q=0.001", "text/html; q=1"}) {
    EXPECT_TRUE(NamesHtml(accept)) << accept;
  }
  for (const char* accept : {"", "*/*", "text/*", "application/json", "text/html;q=0",
                             "text/html; q=0.000", "text/htmlx", "x-text/html", ",", ";"}) {
    EXPECT_FALSE(NamesHtml(accept)) << accept;
  }
}

class DashboardTest : public HandlersTest {
 protected:
  Answer Page() { return Get("/", {{"Accept", kBrowser}}); }
};

TEST_F(DashboardTest, ABrowserGetsThePageOthersJson) {
  const Answer page = Page();
  EXPECT_EQ(page.status(), 200);
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.header("Vary"), "Accept");
  EXPECT_EQ(page.header("Cache-Control"), "no-cache");
  EXPECT_THAT(page.body(), HasSubstr("GPU Monitoring"));
  for (const char* accept : {"*/*", "application/json"}) {
    EXPECT_EQ(*Get("/", {{"Accept", accept}}).json()["data"]["name"].AsString(),
              "gpu-monitoring-api");
  }
}

TEST_F(DashboardTest, ItsPolicyAllowsNothingInlineAndNothingFromElsewhere) {
  const std::string policy = Page().header("Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, HasSubstr("script-src 'self';"));
  EXPECT_THAT(policy, HasSubstr("style-src 'self';"));
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(Page().header("Referrer-Policy"), "no-referrer");
}

TEST_F(DashboardTest, ThePageAsksForTheTokenItself) {
  token_ = "s3cret-token";
  EXPECT_EQ(Page().status(), 200);
  EXPECT_EQ(Get("/").status(), 401);
  EXPECT_EQ(Get("/", {{"Authorization", "Bearer s3cret-token"}}).status(), 200);
  EXPECT_EQ(Get("/assets/none.js").status(), 404);
}

TEST_F(DashboardTest, ItsHostIsChecked) {
  settings_.allowed_hosts = {"gpu.example.com"};
  EXPECT_EQ(Get("/", {{"Accept", kBrowser}, {"Host", "evil.example.com"}}).status(), 403);
  EXPECT_EQ(Get("/", {{"Accept", kBrowser}, {"Host", "gpu.example.com"}}).status(), 200);
}

class AssetTest : public DashboardTest {
 protected:
  void SetUp() override {
    if (dashboard::Assets().empty()) GTEST_SKIP() << "built without npm";
  }
};

TEST_F(AssetTest, ThePageKnowsWhereItIs) {
  EXPECT_THAT(Page().body(), HasSubstr("<base href=\"/\""));
  settings_.base_path = "/gpu";
  EXPECT_THAT(Page().body(), HasSubstr("<base href=\"/gpu/\""));
}

TEST_F(AssetTest, FilesAreKeptForEverAndComeAsTheClientTakesThem) {
  for (const dashboard::Asset& asset : dashboard::Assets()) {
    if (asset.name == "index.html") continue;
    const std::string target = "/assets/" + std::string(asset.name);
    const Answer plain = Get(target);
    EXPECT_EQ(plain.body(), asset.bytes) << target;
    EXPECT_EQ(plain.header("Content-Type"), asset.content_type);
    EXPECT_EQ(plain.header("Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(plain.header("Content-Encoding"), "");
    const Answer gzip = Get(target, {{"Accept-Encoding", "gzip"}});
    EXPECT_EQ(gzip.body(), asset.gzip) << target;
    EXPECT_EQ(gzip.header("Content-Encoding"), "gzip");
  }
}

TEST_F(AssetTest, ThePageIsNoFile) {
  EXPECT_EQ(Get("/assets/index.html").status(), 404);
  EXPECT_EQ(*Get("/assets/index-0.js").json()["code"].AsString(), "not_found");
}

// One member of a list or object to a line, so that changes can be read.
std::string InLines(const std::string& json) {
  std::string lines;
  bool text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '"' && (i == 0 || json[i - 1] != '\\')) text = !text;
    lines += json[i];
    const bool closed = i > 0 && (json[i - 1] == '}' || json[i - 1] == ']');
    if (!text && json[i] == ',' && closed) lines += '\n';
  }
  return lines + '\n';
}

// The page's types are made of it.
TEST_F(DashboardTest, ThePageIsBuiltForThisApi) {
  settings_.version = "0";
  settings_.debug = DebugAccess::kLoopback;
  const std::string document = InLines(OpenApiDocument(settings_));
  const std::string path = std::string(GPUMON_SOURCE_DIR) + "/web/openapi.json";
  if (std::getenv("GPUMON_UPDATE_DOCS") != nullptr) std::ofstream(path) << document;
  std::ifstream file(path);
  const std::string kept{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(kept == document)
      << "web/openapi.json is of another API; GPUMON_UPDATE_DOCS=1 handlers_test writes it, then "
         "run `scripts/web.sh types`";
}

}  // namespace
}  // namespace gpumon::handlers
