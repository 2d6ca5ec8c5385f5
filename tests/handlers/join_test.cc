#include "handlers/join.h"

#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

class JoinRouteTest : public HandlersTest {
 protected:
  JoinRouteTest() {
    settings_.debug = DebugAccess::kEverybody;
    Serve(ThreeGpus());
  }

  static models::Explanation OneSample() {
    models::Explanation explanation;
    explanation.snapshot = ThreeGpus();
    explanation.rows = {1};
    models::ExplainedSample sample;
    sample.exporter = "nvidia_gpu";
    sample.metric = "nvidia_gpu_utilization_percent";
    sample.labels = {{"gpu", "1"}, {"node", "a"}};
    sample.field = "utilization";
    sample.value = 0;
    sample.at = explanation.snapshot->as_of - 2;
    sample.rule = "the only series";
    models::ExplainedSample dropped = sample;
    dropped.raw = std::numeric_limits<double>::quiet_NaN();
    dropped.value.reset();
    dropped.at = std::numeric_limits<double>::quiet_NaN();
    dropped.outcome = models::Outcome::kDropped;
    dropped.rule = "impossible value";
    explanation.samples = {sample, dropped};
    explanation.findings = {{true, "2 rows have no node label", "relabel"}};
    return explanation;
  }
};

TEST_F(JoinRouteTest, TellsTheRowItsSamplesAndTheFindings) {
  explanation_ = OneSample();
  const auto answer = Get("/api/v1/debug/join?node=a&gpu=1");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_EQ(explained_.node, "a");
  EXPECT_EQ(explained_.gpu_id, "1");
  EXPECT_EQ(explained_at_, ThreeGpus()->as_of);
  const auto data = answer.json()["data"];
  EXPECT_EQ(*data["rows"][0]["row"]["gpu_id"].AsString(), "1");
  const auto& used = data["rows"][0]["samples"][0];
  EXPECT_EQ(*used["labels"]["node"].AsString(), "a");
  EXPECT_EQ(used["value"].AsDouble(), 0);
  EXPECT_EQ(used["age_seconds"].AsDouble(), 2);
  EXPECT_EQ(*used["timestamp"].AsString(), "2024-01-01T11:59:58Z");
  EXPECT_EQ(*used["outcome"].AsString(), "used");
  const auto& dropped = data["rows"][0]["samples"][1];
  EXPECT_EQ(*dropped["raw"].AsString(), "NaN");
  EXPECT_TRUE(dropped["value"].is_null());
  EXPECT_TRUE(dropped["timestamp"].is_null());
  EXPECT_EQ(*dropped["outcome"].AsString(), "dropped");
  EXPECT_EQ(*data["findings"][0]["severity"].AsString(), "warning");
  EXPECT_EQ(*data["findings"][0]["next_step"].AsString(), "relabel");
}

TEST_F(JoinRouteTest, AGpuIsNamedByNodeAndGpuOrByUuid) {
  for (const std::string query : {"", "?node=a", "?gpu=1", "?uuid=x&node=a", "?uuid=x&gpu=1"}) {
    const auto answer = Get("/api/v1/debug/join" + query);
    EXPECT_EQ(answer.status(), 400) << query;
    EXPECT_NE(answer.body().find("by uuid alone"), std::string::npos) << answer.body();
  }
  explanation_ = OneSample();
  EXPECT_EQ(Get("/api/v1/debug/join?uuid=GPU-1").status(), 200);
  EXPECT_EQ(explained_.uuid, "GPU-1");
}

TEST_F(JoinRouteTest, ErrorsArePassedOn) {
  EXPECT_EQ(Get("/api/v1/debug/join?node=a&gpu=9").status(), 404);
  explanation_ = Error(Status{Code::kTooManyRequests, "busy", {}, 1});
  const auto answer = Get("/api/v1/debug/join?node=a&gpu=1");
  EXPECT_EQ(answer.status(), 429);
  EXPECT_EQ(answer.header("Retry-After"), "1");
}

TEST_F(JoinRouteTest, IsNotThereUnlessDebugEndpointsAre) {
  for (const auto& route : RoutesThatExist(DebugAccess::kOff)) {
    EXPECT_NE(route.path, "/api/v1/debug/join");
  }
}

}  // namespace
}  // namespace gpumon::handlers
