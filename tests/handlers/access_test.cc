#include "handlers/access.h"

#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using AccessTest = HandlersTest;

TEST_F(AccessTest, WithoutATokenFileEverybodyMayAsk) {
  Serve(ThreeGpus());
  EXPECT_EQ(Get("/api/v1/gpu/metrics").status(), 200);
}

TEST_F(AccessTest, OnlyTheTokenOpensTheApi) {
  Serve(ThreeGpus());
  token_ = "s3cret-token";
  const auto refused = Get("/api/v1/gpu/metrics");
  EXPECT_EQ(refused.status(), 401);
  EXPECT_EQ(refused.header("WWW-Authenticate"), "Bearer realm=\"gpu-monitoring\"");
  for (const std::string wrong : {"Bearer", "Bearer ", "Bearer s3cret-tokem", "Basic s3cret-token",
                                  "Bearer s3cret-token ", "s3cret-token"}) {
    EXPECT_EQ(Get("/api/v1/gpu/metrics", {{"Authorization", wrong}}).status(), 401) << wrong;
  }
  EXPECT_EQ(Get("/api/v1/gpu/metrics", {{"Authorization", "bearer s3cret-token"}}).status(), 200);
  EXPECT_EQ(Get("/api/v1/gpu/metrics", {{"Authorization", "Bearer  s3cret-token"}}).status(), 200);
  EXPECT_EQ(refused.body().find("s3cret"), std::string::npos);
  const auto both =
      Get("/api", {{"Authorization", "Bearer s3cret-token"}, {"Authorization", "Bearer bad"}});
  EXPECT_EQ(both.status(), 400);
  EXPECT_EQ(both.body().find("s3cret"), std::string::npos);
}

TEST_F(AccessTest, ProbesStayOpen) {
  token_ = "s3cret-token";
  settings_.allowed_hosts = {"gpu.example"};
  for (const std::string probe : {"/livez", "/readyz", "/startupz", "/api/healthz"}) {
    EXPECT_EQ(Get(probe, {{"Host", "10.0.0.1:8080"}}).status(), 200) << probe;
  }
}

TEST_F(AccessTest, OnlyAllowedHostsAreAnswered) {
  Serve(ThreeGpus());
  settings_.allowed_hosts = {"gpu.example", "::1"};
  const auto status = [&](const std::string& host) {
    return Get("/api/v1/gpu/metrics", {{"Host", host}}).status();
  };
  EXPECT_EQ(status("GPU.example:8080"), 200);
  EXPECT_EQ(status("[::1]:8080"), 200);
  EXPECT_EQ(status("[::2]:8080"), 403);
  EXPECT_EQ(status("["), 403);
  EXPECT_EQ(status("evil.example"), 403);
  EXPECT_EQ(status("gpu.example.evil"), 403);
  EXPECT_EQ(Get("/api/v1/gpu/metrics").status(), 403);
}

TEST_F(AccessTest, CorsIsOffUnlessConfigured) {
  Serve(ThreeGpus());
  const auto answer = Get("/api/v1/gpu/metrics", {{"Origin", "https://dash.example"}});
  EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "");
}

TEST_F(AccessTest, OnlyListedOriginsMayRead) {
  Serve(ThreeGpus());
  settings_.cors_origins = {"https://dash.example", "http://localhost:3000"};
  const auto allowed = [&](const std::string& origin) {
    return Get("/api/v1/gpu/metrics", {{"Origin", origin}}).header("Access-Control-Allow-Origin");
  };
  EXPECT_EQ(allowed("https://dash.example"), "https://dash.example");
  EXPECT_EQ(allowed("http://localhost:3000"), "http://localhost:3000");
  for (const std::string evil :
       {"https://evil.example", "null", "https://dash.example.evil", "https://evil-dash.example",
        "http://dash.example", "https://dash.example:8443", "https://dash.example/",
        "https://DASH.example", "HTTPS://dash.example", ""}) {
    EXPECT_EQ(allowed(evil), "") << evil;
  }
  const auto answer = Get("/api");
  EXPECT_EQ(answer.header("Vary"), "Origin") << "caches must know, with and without an Origin";
}

TEST_F(AccessTest, AStarAllowsEveryOriginWithoutCredentials) {
  settings_.cors_origins = {"*"};
  const auto answer = Get("/livez", {{"Origin", "https://any.example"}});
  EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(answer.header("Access-Control-Allow-Credentials"), "");
}

TEST_F(AccessTest, APreflightNamesTheMethods) {
  settings_.cors_origins = {"https://dash.example"};
  http::Request request;
  request.method = "OPTIONS";
  request.headers = {{"Origin", "https://dash.example"}};
  const Answer answer{api_.Options(request, "GET, HEAD, OPTIONS")};
  EXPECT_EQ(answer.status(), 204);
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(answer.header("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
  request.headers = {{"Origin", "https://evil.example"}};
  EXPECT_EQ(Answer{api_.Options(request, "GET")}.header("Access-Control-Allow-Methods"), "");
}

TEST_F(AccessTest, DebugRoutesDoNotExistUnlessSwitchedOn) {
  EXPECT_EQ(Get("/debug/vars").status(), 404);
  settings_.debug = DebugAccess::kLoopback;
  EXPECT_EQ(Get("/debug/vars").status(), 403) << "the peer is not on this machine";
  http::Request local;
  local.method = "GET";
  local.path = "/debug/vars";
  local.peer_is_loopback = true;
  EXPECT_EQ(Ask(local).status(), 200);
  settings_.debug = DebugAccess::kEverybody;
  EXPECT_EQ(Get("/debug/vars").status(), 200);
}

TEST_F(AccessTest, IfNoneMatchComparesWeakly) {
  http::Request request;
  const auto matches = [&](const std::string& header) {
    request.headers = {{"If-None-Match", header}};
    return NoneMatch(request, "W/\"abc\"");
  };
  EXPECT_TRUE(matches("W/\"abc\""));
  EXPECT_TRUE(matches("\"abc\""));
  EXPECT_TRUE(matches("*"));
  EXPECT_TRUE(matches("\"x\" ,\tW/\"abc\""));
  EXPECT_FALSE(matches("\"ab\""));
  EXPECT_FALSE(matches(""));
  request.headers.clear();
  EXPECT_FALSE(NoneMatch(request, "W/\"abc\""));
}

}  // namespace
}  // namespace gpumon::handlers
