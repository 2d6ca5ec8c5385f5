#include "handlers/usage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using models::Quantity;
using models::Text;

class UsageRouteTest : public HandlersTest {
 protected:
  // Three pods: web/x on b alone, ml/a and ml/b on one GPU of a.
  static std::shared_ptr<models::Snapshot> Gpus() {
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->as_of = 1704110400;
    snapshot->sources = {"dcgm"};
    const auto add = [&](const char* node, double used, std::uint32_t first, std::uint32_t count) {
      auto& row = snapshot->gpus.emplace_back();
      row.set_text(Text::kNode, node);
      row.set_text(Text::kGpuId, "0");
      row.set_text(Text::kGpuName, "=H100");
      row.readings.Set(static_cast<std::size_t>(Quantity::kMemoryUsed), used);
      row.newest = row.oldest = 1704110399;
      row.first_workload = first;
      row.workload_count = count;
    };
    snapshot->workloads = {{"ml", "a", "c"}, {"ml", "b", "c"}, {"web", "x", "c"}};
    add("a", 1024, 0, 2);
    add("b", 4096, 2, 1);
    return snapshot;
  }

  std::string Pods(const std::string& query) {
    std::string pods;
    const auto json = Get("/api/v1/gpu/workloads" + query).json();
    for (const auto& row : json["data"].elements()) {
      const std::string* pod = row["pod"].AsString();
      pods += pod == nullptr ? "-" : *pod;
    }
    return pods;
  }
};

TEST_F(UsageRouteTest, APodIsARowWithReasonsForWhatNobodyMeasures) {
  Serve(Gpus());
  const auto json = Get("/api/v1/gpu/workloads").json();
  ASSERT_EQ(json["data"].size(), 3U);
  const auto& shared = json["data"][0];
  EXPECT_EQ(*shared["namespace"].AsString(), "ml");
  EXPECT_EQ(shared["gpu_share"].AsDouble(), 0.5);
  EXPECT_TRUE(shared["memory_used_bytes"].is_null());
  EXPECT_EQ(*shared["null_reasons"]["memory_used_bytes"].AsString(), "not_exported");
  const auto& alone = json["data"][2];
  EXPECT_EQ(*alone["memory_used_bytes"].AsNumberText(), "4096");
  EXPECT_EQ(*alone["timestamp"].AsString(), "2024-01-01T11:59:59Z");
  EXPECT_EQ(*json["meta"]["null_reasons"]["utilization"].AsString(), "not_exported");
  EXPECT_EQ(alone["null_reasons"].size(), 0U);
  EXPECT_EQ(json["meta"]["total"].AsDouble(), 3);
  EXPECT_EQ(*json["message"].AsString(), "GPU workloads retrieved successfully");
}

TEST_F(UsageRouteTest, FiltersSortsAndPagesLikeEveryList) {
  Serve(Gpus());
  EXPECT_EQ(Pods(""), "abx");
  EXPECT_EQ(Pods("?namespace=m*"), "ab");
  EXPECT_EQ(Pods("?node=b"), "x");
  EXPECT_EQ(Pods("?pod=a&pod=x"), "ax");
  EXPECT_EQ(Pods("?model=nothing"), "");
  EXPECT_EQ(Pods("?min_memory_used_bytes=1"), "x") << "null passes no bound";
  EXPECT_EQ(Pods("?sort=-pod"), "xba");
  EXPECT_EQ(Pods("?sort=memory_used_bytes"), "xab") << "nulls last";
  EXPECT_EQ(Pods("?sort=-memory_used_bytes"), "xab");
  EXPECT_EQ(Pods("?limit=1&offset=1"), "b");
  EXPECT_EQ(Pods("?by=namespace"), "--");
  const auto fields = Get("/api/v1/gpu/workloads?fields=pod,gpus").json();
  EXPECT_EQ(fields["data"][0].members().size(), 2U);
}

TEST_F(UsageRouteTest, RefusesWhatItDoesNotKnow) {
  Serve(Gpus());
  for (const std::string bad : {"?sort=gpuss", "?sort=node_names", "?fields=pod,pod", "?by=user",
                                "?limit=0", "?color=red", "?at=2100-01-01T00:00:00Z"}) {
    EXPECT_EQ(Get("/api/v1/gpu/workloads" + bad).status(), 400) << bad;
  }
  const auto answer = Get("/api/v1/gpu/workloads?sort=gpuss");
  EXPECT_NE(answer.json()["error"].AsString()->find("did you mean 'gpus'?"), std::string::npos);
}

TEST_F(UsageRouteTest, CsvSaysInAHeaderWhatTheEnvelopeWouldSay) {
  auto gpus = Gpus();
  gpus->partial = true;
  source_.gpus = gpu::Got{gpus, true, {Code::kUpstreamTimeout, "late"}, 5};
  const auto answer =
      Get("/api/v1/gpu/workloads?format=csv&fields=pod,gpu_names,memory_used_bytes");
  EXPECT_EQ(answer.body(),
            "pod,gpu_names,memory_used_bytes\r\na,'=H100,\r\nb,'=H100,\r\nx,'=H100,4096\r\n");
  EXPECT_NE(answer.header("Warning").find("110 - \"stale"), std::string::npos);
  const auto json = Get("/api/v1/gpu/workloads").json();
  EXPECT_TRUE(*json["meta"]["stale"].AsBool());
  EXPECT_TRUE(*json["meta"]["partial"].AsBool());
  EXPECT_EQ(Get("/api/v1/gpu/workloads?partial=abort").status(), 502);
}

TEST_F(UsageRouteTest, UsersComeFromBothLists) {
  Serve(Gpus());
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  processes->warnings = {"a warning"};
  auto& process = processes->processes.emplace_back();
  process.set_text(Text::kNode, "b");
  process.set_text(Text::kGpuId, "0");
  process.set_text(Text::kUser, "alice");
  Serve(processes);
  const auto json = Get("/api/v1/gpu/users").json();
  ASSERT_EQ(json["data"].size(), 1U);
  EXPECT_EQ(*json["data"][0]["user"].AsString(), "alice");
  EXPECT_EQ(json["data"][0]["gpus"].AsDouble(), 1);
  EXPECT_EQ(*json["data"][0]["gpu_names"][0].AsString(), "=H100");
  EXPECT_EQ(*json["warnings"][0].AsString(), "processes: a warning");
  source_.processes = Error(Code::kUpstreamTimeout, "late");
  EXPECT_EQ(Get("/api/v1/gpu/users").status(), 504);
}

TEST_F(UsageRouteTest, AnUnchangedAnswerIsNotSentAgain) {
  Serve(Gpus());
  const std::string etag = Get("/api/v1/gpu/workloads").header("ETag");
  ASSERT_FALSE(etag.empty());
  EXPECT_EQ(Get("/api/v1/gpu/workloads", {{"If-None-Match", etag}}).status(), 304);
}

TEST_F(UsageRouteTest, SchemaAnswersFromBothSnapshots) {
  Serve(Gpus());
  auto processes = std::make_shared<models::Snapshot>();
  processes->part = models::Part::kProcesses;
  Serve(processes);
  const auto json = Get("/api/v1/gpu/schema").json();
  EXPECT_EQ(*json["data"]["as_of"].AsString(), "2024-01-01T12:00:00Z");
  EXPECT_GT(json["data"]["fields"].size(), 50U);
}

}  // namespace
}  // namespace gpumon::handlers
