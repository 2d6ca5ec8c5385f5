#include "handlers/debug.h"

#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

class DebugTest : public HandlersTest {
 protected:
  DebugTest() {
    settings_.debug = DebugAccess::kEverybody;
    settings_.command_line = {"gpu-monitoring-api", "--port=1"};
    settings_.queries = [] {
      return std::vector<std::pair<std::string, std::string>>{
          {"gpus/x", "nvidia_gpu_utilization_percent"}};
    };
  }
};

TEST_F(DebugTest, VarsHaveCommandLineMemoryUptimeAndCounters) {
  const auto json = Get("/debug/vars").json();
  EXPECT_EQ(*json["cmdline"][0].AsString(), "gpu-monitoring-api");
  EXPECT_GT(json["memstats"]["resident_bytes"].AsInteger().value_or(0), 1 << 20);
  EXPECT_NE(json.Find("uptime_seconds"), nullptr);
  EXPECT_GT(json["counters"].size(), 3U);
  EXPECT_EQ(*json["queries"]["gpus/x"].AsString(), "nvidia_gpu_utilization_percent");
}

TEST_F(DebugTest, TheIndexNamesTheProfiles) {
  const std::string body = Get("/debug/pprof/").body();
  for (const std::string path : {"profile", "heap", "cmdline", "symbol"}) {
    EXPECT_NE(body.find("/debug/pprof/" + path), std::string::npos) << path;
  }
}

TEST_F(DebugTest, TheIndexNamesTheProfilesUnderTheBasePath) {
  settings_.base_path = "/gpu";
  const std::string body = Get("/debug/pprof/").body();
  EXPECT_EQ(body.find("/gpu/debug/pprof/"), 0U) << body;
  EXPECT_EQ(body.find("\n/debug"), std::string::npos) << body;
}

TEST_F(DebugTest, TheCommandLineIsSeparatedByNul) {
  EXPECT_EQ(Get("/debug/pprof/cmdline").body(), std::string("gpu-monitoring-api\0--port=1", 27));
}

TEST_F(DebugTest, SymbolsAreLookedUpByGetAndPost) {
  EXPECT_EQ(Get("/debug/pprof/symbol").body(), "num_symbols: 1\n");
  http::Request request;
  request.method = "POST";
  request.path = "/debug/pprof/symbol";
  request.body = "0x1+0x2";
  const auto answer = Ask(request);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_NE(answer.body().find("0x1\t"), std::string::npos) << answer.body();
  const auto by_query = Get("/debug/pprof/symbol?0x1+0x2");
  EXPECT_EQ(by_query.status(), 200);
  EXPECT_EQ(by_query.body(), answer.body());
  for (const std::string query : {"nonsense", "address=0x1", "0x1%2B0x2"}) {
    const auto refused = Get("/debug/pprof/symbol?" + query);
    EXPECT_EQ(refused.status(), 400) << query;
    EXPECT_NE(refused.body().find("0xADDR+0xADDR"), std::string::npos) << refused.body();
  }
  request.query = "colour=red";
  EXPECT_EQ(Ask(request).status(), 400);
}

TEST_F(DebugTest, ProfileLengthsAreBounded) {
  EXPECT_EQ(Get("/debug/pprof/profile?seconds=0").status(), 400);
  EXPECT_EQ(Get("/debug/pprof/profile?seconds=301").status(), 400);
}

}  // namespace
}  // namespace gpumon::handlers
