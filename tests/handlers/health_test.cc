#include "handlers/health.h"

#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using HealthTest = HandlersTest;

TEST_F(HealthTest, AHealthyServiceSaysSoInTheRequirementsWords) {
  const auto answer = Get("/api/healthz");
  EXPECT_EQ(answer.status(), 200);
  const auto json = answer.json();
  EXPECT_EQ(*json["message"].AsString(), "Service is healthy");
  EXPECT_EQ(*json["data"]["status"].AsString(), "healthy");
  EXPECT_EQ(*json["data"]["timestamp"].AsString(), "2024-01-01T12:00:00Z");
  EXPECT_EQ(*json["data"]["version"].AsString(), "1.2.3");
  EXPECT_EQ(*json["data"]["prometheus"]["url_host"].AsString(), "prometheus:9090");
  EXPECT_EQ(json["data"]["prometheus"]["reachable"].AsBool(), true);
}

TEST_F(HealthTest, WithoutPrometheusItIs503) {
  reachability_.reachable = false;
  reachability_.why = Status{Code::kUpstreamTimeout, "Prometheus did not answer"};
  const auto answer = Get("/api/healthz");
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(*answer.json()["error"].AsString(), "Prometheus connection failed");
  EXPECT_EQ(*answer.json()["code"].AsString(), "upstream_timeout");
  EXPECT_EQ(answer.header("Retry-After"), "1");
}

TEST_F(HealthTest, LivenessDependsOnNothing) {
  reachability_.reachable = false;
  lifecycle_.first_refresh_ended = false;
  lifecycle_.draining = true;
  const auto answer = Get("/livez");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.body(), "ok");
}

TEST_F(HealthTest, ReadinessFollowsTheFirstRefreshAndTheDrain) {
  lifecycle_.first_refresh_ended = false;
  EXPECT_EQ(Get("/readyz").status(), 503);
  EXPECT_EQ(Get("/startupz").status(), 503);
  lifecycle_.first_refresh_ended = true;
  EXPECT_EQ(Get("/readyz").status(), 200);
  EXPECT_EQ(Get("/startupz").status(), 200);
  lifecycle_.draining = true;
  EXPECT_EQ(Get("/readyz").status(), 503);
  EXPECT_EQ(Get("/startupz").status(), 200);
}

TEST_F(HealthTest, ReadinessFollowsPrometheusOnlyWhenTold) {
  reachability_.reachable = false;
  EXPECT_EQ(Get("/readyz").status(), 200);
  settings_.ready_requires_prometheus = true;
  EXPECT_EQ(Get("/readyz").status(), 503);
  EXPECT_FALSE(IsReady(services_));
  reachability_.reachable = true;
  EXPECT_EQ(Get("/readyz").status(), 200);
  EXPECT_TRUE(IsReady(services_));
}

TEST_F(HealthTest, VerboseHasALinePerCheck) {
  lifecycle_.draining = true;
  const auto answer = Get("/readyz?verbose");
  EXPECT_EQ(answer.body(),
            "[+]first-refresh ok\n[-]draining failed: the server is shutting down\n"
            "not ok: the server is shutting down");
}

}  // namespace
}  // namespace gpumon::handlers
