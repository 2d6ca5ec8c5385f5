#include "internal/http/router.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

namespace gpumon::http {
namespace {

using Kind = Verdict::Kind;

std::vector<Route> Table() {
  return {{{"GET"}, "/"},
          {{"GET"}, "/api"},
          {{"GET", "POST"}, "/api/items"},
          {{"GET"}, "/api/items/{id}"},
          {{"GET"}, "/api/items/latest"},
          {{"GET"}, "/api/tasks/{namespace}/{name}"},
          {{"GET"}, "/debug/pprof/"},
          {{"GET"}, "/debug/pprof/{profile}"},
          {{"POST"}, "/only-post"}};
}

class RouterTest : public testing::Test {
 protected:
  int RouteOf(const std::string& path) { return router_.Find("GET", path).match.route; }
  Kind KindOf(const std::string& path) { return router_.Find("GET", path).kind; }
  Router router_{Table(), ""};
};

TEST_F(RouterTest, FindsFixedPathsAndParameters) {
  EXPECT_EQ(RouteOf("/"), 0);
  EXPECT_EQ(RouteOf("/api"), 1);
  EXPECT_EQ(RouteOf("/api/items"), 2);
  EXPECT_EQ(RouteOf("/api/items/latest"), 4);
  EXPECT_EQ(RouteOf("/debug/pprof/"), 6);
  EXPECT_EQ(RouteOf("/debug/pprof/heap"), 7);
  const Verdict verdict = router_.Find("GET", "/api/tasks/a%20b/%C3%A9:+");
  ASSERT_EQ(verdict.kind, Kind::kMatch);
  EXPECT_EQ(verdict.match.route, 5);
  EXPECT_EQ(verdict.match.params, (std::vector<std::string>{"a b", "\xc3\xa9:+"}));
  EXPECT_EQ(verdict.route->path, "/api/tasks/{namespace}/{name}");
}

TEST_F(RouterTest, MatchesByteForByte) {
  for (const char* path :
       {"//",           "//api",         "/api/",       "/api//items",       "/api/items/",
        "/API",         "/./api",        "/api/../api", "/api/..",           "/api/.",
        "/a%70i",       "/api/items/x/", "api",         "/api/items/x/y",    "/debug/pprof",
        "/api/items//", "/nothing",      ":id",         "/api/items/a/../b", "/debug/pprof//"}) {
    EXPECT_EQ(KindOf(path), Kind::kNotFound) << path;
  }
}

TEST_F(RouterTest, RefusesEscapesThatNoPathMayHave) {
  for (const char* path : {"/api%2fitems", "/api/items/a%2Fb", "/api/items/%00", "/%00",
                           "/api/items/%zz", "/api/items/%", "/api/items/%ff", "/api/items/%0a",
                           "/api/items/%2e%2e", "/api/items/%7f"}) {
    EXPECT_EQ(KindOf(path), Kind::kBadPath) << path;
  }
}

TEST_F(RouterTest, SaysWhatIsAllowed) {
  EXPECT_EQ(router_.Find("HEAD", "/api").kind, Kind::kMatch);
  const Verdict wrong = router_.Find("DELETE", "/api/items");
  EXPECT_EQ(wrong.kind, Kind::kWrongMethod);
  EXPECT_EQ(wrong.allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(router_.Find("GET", "/only-post").allow, "POST, OPTIONS");
  EXPECT_EQ(router_.Find("PUT", "/api/items/7").allow, "GET, HEAD, OPTIONS");
  EXPECT_EQ(router_.Find("OPTIONS", "/only-post").kind, Kind::kOptions);
  EXPECT_EQ(router_.Find("OPTIONS", "/nothing").kind, Kind::kOptions);
  EXPECT_EQ(router_.Find("OPTIONS", "/nothing").allow, "GET, HEAD, OPTIONS");
  EXPECT_EQ(router_.Find("OPTIONS", "*").allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(router_.Find("DELETE", "/nothing").kind, Kind::kNotFound);
  EXPECT_EQ(router_.Find("get", "/api").kind, Kind::kUnknownMethod);
  EXPECT_EQ(router_.Find("BREW", "/nothing").kind, Kind::kUnknownMethod);
}

TEST_F(RouterTest, TakesTheBasePathOff) {
  const Router router(Table(), "/gpu/x");
  EXPECT_EQ(router.Find("GET", "/gpu/x/api").match.route, 1);
  EXPECT_EQ(router.Find("GET", "/gpu/x/").match.route, 0);
  EXPECT_EQ(router.Find("GET", "/gpu/x").match.route, 0) << "it is its own root";
  for (const char* path : {"/api", "/gpu/xapi", "/gpu/x//", "/gpu/y/api", "/", "/gpu/x//api"}) {
    EXPECT_EQ(router.Find("GET", path).kind, Kind::kNotFound) << path;
  }
  EXPECT_EQ(router.Find("OPTIONS", "*").kind, Kind::kOptions);
}

TEST_F(RouterTest, SurvivesTheLongestPathsALimitAllows) {
  EXPECT_EQ(KindOf("/" + std::string(8190, 'a')), Kind::kNotFound);
  EXPECT_EQ(KindOf("/api/items/" + std::string(8000, 'a')), Kind::kMatch);
  std::string deep;
  while (deep.size() < 8190) deep += "/a";
  EXPECT_EQ(KindOf(deep), Kind::kNotFound);
  EXPECT_EQ(KindOf(std::string(8192, '/')), Kind::kNotFound);
}

TEST_F(RouterTest, RefusesATableThatContradictsItself) {
  EXPECT_THROW(Router({{{"GET"}, "/a"}, {{"GET"}, "/a"}}, ""), std::invalid_argument);
  const Router split({{{"GET"}, "/a"}, {{"POST"}, "/a"}}, "");
  EXPECT_EQ(split.Find("POST", "/a").match.route, 1);
}

TEST_F(RouterTest, IsAskedFromSeveralThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(router_.Find("GET", "/api/items/" + std::to_string(i)).match.params.at(0),
                  std::to_string(i));
        EXPECT_EQ(router_.Find("PATCH", "/nothing").kind, Kind::kNotFound);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace gpumon::http
