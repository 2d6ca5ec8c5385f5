#include "handlers/api.h"

#include <set>

#include "handlers/about.h"
#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using ApiTest = HandlersTest;

void ExpectEnvelope(const Answer& answer) {
  const auto json = answer.json();
  for (const std::string key : {"success", "data", "message", "error"}) {
    EXPECT_NE(json.Find(key), nullptr) << key << " in " << answer.body();
  }
  EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
  EXPECT_NE(answer.header("X-Request-Id"), "");
}

TEST_F(ApiTest, EveryRouteUnderApiAnswersAnEnvelope) {
  Serve(ThreeGpus());
  Serve(TwoProcesses());
  Serve(OneNode());
  Serve(TwoTasks());
  // The debug route there needs parameters: JoinRouteTest.
  for (const auto& route : RoutesThatExist(DebugAccess::kOff)) {
    if (!route.path.starts_with("/api") || route.data.empty()) continue;
    const auto answer = Get(Filled(route.path));
    EXPECT_EQ(answer.status(), 200) << route.path;
    ExpectEnvelope(answer);
  }
}

TEST_F(ApiTest, EveryCodeIsAnEnvelopeWithItsStatus) {
  for (const auto& row : kCodes) {
    if (row.code == Code::kOk) continue;
    const Answer answer{api_.Refuse(Status{row.code, "what happened"}, nullptr, "")};
    EXPECT_EQ(answer.status(), row.http_status);
    ExpectEnvelope(answer);
    EXPECT_EQ(*answer.json()["code"].AsString(), row.name);
    EXPECT_EQ(answer.header("Retry-After").empty(),
              row.http_status != 503 && row.http_status != 429);
  }
}

TEST_F(ApiTest, ARefusalOfTheMethodSaysWhatIsAllowed) {
  const Answer answer{api_.Refuse(Status{Code::kMethodNotAllowed, "no"}, nullptr, "GET, HEAD")};
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD");
}

TEST_F(ApiTest, AUsableRequestIdIsEchoed) {
  EXPECT_EQ(Get("/livez", {{"X-Request-Id", "a-B_9.z"}}).header("X-Request-Id"), "a-B_9.z");
  for (const std::string bad : {"a b", "a\"b", "", "<x>"}) {
    const auto id = Get("/livez", {{"X-Request-Id", bad}}).header("X-Request-Id");
    EXPECT_NE(id, bad);
    EXPECT_EQ(id.size(), 16U);
  }
  EXPECT_EQ(Get("/livez", {{"X-Request-Id", std::string(129, 'a')}}).header("X-Request-Id").size(),
            16U);
}

TEST_F(ApiTest, RequestIdsDiffer) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.insert(RequestIdOf(nullptr));
  EXPECT_EQ(ids.size(), 100U);
}

TEST_F(ApiTest, DebugRoutesThatAreOffAreNotEvenRoutes) {
  const auto count = [](DebugAccess debug) { return Api::HttpRoutes(debug).size(); };
  EXPECT_EQ(count(DebugAccess::kLoopback), Routes().size());
  EXPECT_LT(count(DebugAccess::kOff), Routes().size());
  EXPECT_EQ(OpenApiDocument(settings_).find("/debug/"), std::string::npos);
}

TEST_F(ApiTest, TheOpenApiDocumentHasEveryRouteAndNothingElse) {
  settings_.debug = DebugAccess::kLoopback;
  const auto document = json::ParseDocument(OpenApiDocument(settings_));
  ASSERT_TRUE(document.has_value());
  std::set<std::string> documented;
  for (const auto& [path, operations] : (*document)["paths"].members()) {
    for (const auto& [method, operation] : operations.members()) {
      documented.insert(method + ' ' + path);
    }
  }
  std::set<std::string> routes;
  for (const auto& route : Routes()) {
    routes.insert("get " + std::string(route.path));
    if (route.methods.find("POST") != std::string_view::npos) {
      routes.insert("post " + std::string(route.path));
    }
  }
  EXPECT_EQ(documented, routes);
}

TEST_F(ApiTest, TheOpenApiDocumentSaysWhetherATokenIsNeeded) {
  EXPECT_NE(OpenApiDocument(settings_).find(R"("security":[{"token":[]},{}])"), std::string::npos);
  settings_.asks_for_token = true;
  EXPECT_NE(OpenApiDocument(settings_).find(R"("security":[{"token":[]}],)"), std::string::npos);
}

TEST_F(ApiTest, EveryReferenceOfTheOpenApiDocumentHasATarget) {
  const std::string text = OpenApiDocument(settings_);
  const auto document = json::ParseDocument(text);
  ASSERT_TRUE(document.has_value());
  constexpr std::string_view kRef = "\"$ref\":\"#/components/";
  std::size_t found = 0;
  for (std::size_t at = text.find(kRef); at != std::string::npos; at = text.find(kRef, at + 1)) {
    const std::size_t begin = at + kRef.size();
    const std::string path = text.substr(begin, text.find('"', begin) - begin);
    const std::size_t slash = path.find('/');
    EXPECT_NE((*document)["components"][path.substr(0, slash)].Find(path.substr(slash + 1)),
              nullptr)
        << path;
    ++found;
  }
  EXPECT_GT(found, 20U);
}

TEST_F(ApiTest, TheOpenApiDocumentHasEveryNullReason) {
  const auto document = json::ParseDocument(OpenApiDocument(settings_));
  ASSERT_TRUE(document.has_value());
  std::vector<std::string> reasons = {"none"};
  for (const auto& reason : (*document)["components"]["schemas"]["NullReason"]["enum"].elements()) {
    reasons.push_back(*reason.AsString());
  }
  EXPECT_TRUE(std::equal(reasons.begin(), reasons.end(), models::kNullReasonNames.begin(),
                         models::kNullReasonNames.end()));
}

TEST_F(ApiTest, TheRouteListHidesDebugRoutesThatAreOff) {
  const auto has_debug = [&] {
    return Get("/api").body().find("/debug/vars") != std::string::npos;
  };
  EXPECT_FALSE(has_debug());
  settings_.debug = DebugAccess::kLoopback;
  EXPECT_TRUE(has_debug());
}

TEST_F(ApiTest, TheRootSaysWhatThisIs) {
  const auto json = Get("/").json();
  EXPECT_EQ(*json["data"]["name"].AsString(), "gpu-monitoring-api");
  EXPECT_EQ(*json["data"]["version"].AsString(), "1.2.3");
  EXPECT_GT(json["data"]["routes"].size(), 5U);
}

TEST_F(ApiTest, EachAnswerIsCountedByItsRoute) {
  http::Access access;
  access.method = "GET";
  access.route = RouteOf("/api/v1/gpu/metrics");
  access.status = 200;
  api_.Done(access);
  access.route = -1;
  access.status = 404;
  api_.Done(access);
  const std::string text = Get("/metrics").body();
  EXPECT_NE(text.find(R"(method="GET",route="/api/v1/gpu/metrics",status="200"} 1)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"(status="404"} 1)"), std::string::npos);
}

TEST_F(ApiTest, WhatIsNotOurFailureIsNoErrorInTheLog) {
  const auto logged = [&](int route, int status) {
    http::Access access;
    access.method = "GET";
    access.route = route;
    access.status = status;
    testing::internal::CaptureStderr();
    log::SetLevel(log::Level::kDebug);
    api_.Done(access);
    log::SetLevel(log::Level::kOff);
    log::Flush(log::kEndLimit);
    const std::string line = testing::internal::GetCapturedStderr();
    const std::size_t begin = line.find("level=") + 6;
    return line.substr(begin, line.find(' ', begin) - begin);
  };
  EXPECT_EQ(logged(RouteOf("/readyz"), 503), "info");
  EXPECT_EQ(logged(RouteOf("/startupz"), 503), "info");
  EXPECT_EQ(logged(RouteOf("/api/healthz"), 503), "warn");
  EXPECT_EQ(logged(RouteOf("/readyz"), 500), "error");
  EXPECT_EQ(logged(RouteOf("/api/v1/gpu/metrics"), 503), "error");
  EXPECT_EQ(logged(-1, 503), "error");
  EXPECT_EQ(logged(-1, 404), "warn");
  EXPECT_EQ(logged(RouteOf("/debug/pprof/profile"), 503), "warn") << "draining";
  EXPECT_EQ(logged(RouteOf("/debug/pprof/profile"), 500), "error");
  EXPECT_EQ(logged(-1, 501), "warn") << "an unknown method";
  EXPECT_EQ(logged(-1, 505), "warn") << "as HTTP/2 and port scanners begin";
  EXPECT_EQ(logged(RouteOf("/debug/pprof/heap"), 501), "error");
}

}  // namespace
}  // namespace gpumon::handlers
