#include "handlers/parameters.h"

#include "internal/fleet/events.h"
#include "internal/fleet/health.h"
#include "internal/fleet/missing.h"
#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using ParametersTest = HandlersTest;

struct Bad {
  std::string query;
  std::string names;  // what the error has to name
};

TEST_F(ParametersTest, EveryWrongParameterIsNamed) {
  Serve(ThreeGpus());
  const std::vector<Bad> table = {
      {"nod=a", "'nod'; did you mean 'node'"},
      {"limit=0", "'limit'"},
      {"limit=-1", "'limit'"},
      {"limit=100001", "'limit'"},
      {"limit=01", "'limit'"},
      {"limit=0x10", "'limit'"},
      {"limit=%201", "'limit'"},
      {"limit=99999999999999999999", "'limit'"},
      {"limit=", "'limit'"},
      {"offset=-1", "'offset'"},
      {"limit=1&limit=2", "'limit' may be given once"},
      {"sort=temprature", "did you mean 'temperature'"},
      {"sort=null_reasons", "'sort'"},
      {"fields=node_name,nope", "'fields'"},
      {"fields=node_name,node_name", "twice"},
      {"fields=", "'fields'"},
      {"at=yesterday", "'at'"},
      {"at=NaN", "'at'"},
      {"at=-5", "'at'"},
      {"at=2024-13-01T00:00:00Z", "'at'"},
      {"at=1704110400.", "'at'"},
      {"at=.5", "'at'"},
      {"at=253402300800", "in the years 1970 to 9999"},
      {"stale=maybe", "'stale'"},
      {"partial=", "'partial'"},
      {"format=xml", "'format'"},
      {"node=%60%22%7D%29%20or%20vector%281%29", "'node'"},
      {"node=(a%2B)%2B$", "'node'"},
      {"node=" + std::string(254, 'a'), "'node'"},
      {"node=a%0Ab", "'node'"},
      {"node=a%E2%80%AEb", "'node'"},
      {"node=", "'node'"},
      {"pod=a%E2%80%AEb", "direction of text"},
      {"pod=%ff", "'pod'"},
      {"pod=%C2%85", "'pod'"},
      {"pod=" + std::string(257, 'a'), "'pod'"},
      {"min_utilization=abc", "'min_utilization'"},
      {"min_utilization=inf", "'min_utilization'"},
      {"min_gpu_name=1", "'min_gpu_name'"},
      {"owner=alice", "'owner'"},
      {"=1", "a parameter has a `=` but no name before it"},
      {"limit=1&=", "a parameter has a `=` but no name before it"},
      {"min_=3", "'min_' needs a field, as 'min_"},
      {"max_=3", "'max_' needs a field, as 'max_"},
      {"limi_=3", "'limi_'; did you mean 'limit'"},
      {"%zz", "percent escape"},
      {"node=a&pod=%zz", "'pod'"},
      {"node=%", "'node'"},
      {"%", "percent escape"},
      {"node=%00", "'node'"},
      {"%0a=1", "unprintable"},
  };
  for (const auto& bad : table) {
    const auto answer = Get("/api/v1/gpu/metrics?" + bad.query);
    EXPECT_EQ(answer.status(), 400) << bad.query;
    const auto json = answer.json();
    EXPECT_EQ(*json["code"].AsString(), "invalid_parameter") << bad.query;
    EXPECT_NE(json["error"].AsString()->find(bad.names), std::string::npos)
        << bad.query << " -> " << *json["error"].AsString();
  }
  EXPECT_TRUE(source_.wants.empty()) << "nothing of it reached the source";
}

TEST_F(ParametersTest, AWordThatNoRowCanHaveIsRefusedAndNotFilteredFor) {
  Serve(ThreeGpus());
  for (const std::string query :
       {"events?type=bad", "events?severity=warn", "health?level=bad", "alerts?state=resolved",
        "missing?what=gone", "nodes?status=up", "nodes?level=Healthy", "tasks?phase=running",
        "summary?level=x*", "workloads?phase=done", "events?type=gpu_lost&type=gpu"}) {
    const auto answer = Get("/api/v1/gpu/" + query);
    EXPECT_EQ(answer.status(), 400) << query;
    const std::string error = *answer.json()["error"].AsString();
    EXPECT_NE(error.find("one of "), std::string::npos) << error;
  }
  for (const std::string query : {"health?level=crit*", "health?level=degraded&level=*"}) {
    EXPECT_EQ(Get("/api/v1/gpu/" + query).status(), 200) << query;
  }
}

// The words of filters are the names of what they filter.
template <class Enum>
std::string WordsOf(std::size_t count) {
  std::string words;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = NameOf(static_cast<Enum>(i));
    if (name.empty()) continue;
    words.append(words.empty() ? "" : "|").append(name);
  }
  return words;
}
TEST(FilterWordsTest, AreAllNames) {
  EXPECT_EQ(WordsOf<fleet::Level>(fleet::kLevels), fleet::kLevelWords);
  EXPECT_EQ(WordsOf<fleet::EventType>(fleet::kEventTypes), fleet::kEventTypeWords);
  EXPECT_EQ(WordsOf<fleet::Loss>(4), fleet::kLossWords);
  EXPECT_EQ(WordsOf<fleet::Severity>(3), fleet::kSeverityWords);
}

TEST_F(ParametersTest, NothingBetweenTwoAmpersandsIsNoParameter) {
  Serve(ThreeGpus());
  for (const std::string query : {"&", "&&&", "limit=1&", "&limit=1", "limit=1&&offset=0"}) {
    EXPECT_EQ(Get("/api/v1/gpu/metrics?" + query).status(), 200) << query;
  }
}

TEST_F(ParametersTest, AThousandRepeatsAreRefused) {
  Serve(ThreeGpus());
  std::string query = "node=a";
  for (int i = 0; i < 1000; ++i) query += "&node=a";
  EXPECT_EQ(Get("/api/v1/gpu/metrics?" + query).status(), 400);
}

TEST_F(ParametersTest, RoutesWithoutParametersTakeNone) {
  EXPECT_EQ(Get("/api/v1/gpu/fields?x=1").status(), 400);
  EXPECT_EQ(Get("/livez?verbose").status(), 200);
  EXPECT_EQ(Get("/livez?verbose=maybe").status(), 400);
}

TEST_F(ParametersTest, UserFiltersProcesses) {
  Serve(TwoProcesses());
  const auto json = Get("/api/v1/gpu/processes?user=b*").json();
  ASSERT_EQ(json["data"].size(), 1U);
  EXPECT_EQ(json["data"][0]["pid"].AsInteger(), 1235);
}

TEST_F(ParametersTest, ALongNameIsNobodysMisspelling) {
  const std::string name(64, 'a');
  const std::string longer = name + 'a';
  EXPECT_EQ(MeantBy("nod", {"gpu", "node"}), "node");
  EXPECT_EQ(MeantBy(name, {"node", longer}), longer);
  EXPECT_EQ(MeantBy(longer, {"node", name}), "");
}

}  // namespace
}  // namespace gpumon::handlers
