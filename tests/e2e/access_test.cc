// Who may see what: origins, hosts, tokens, base paths, command lines.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using json::Value;
using process::WaitUntil;

TEST(AccessTest, CorsIsForListedOriginsOnly) {
  const Subject subject(
      Environment{{"CORS_ALLOWED_ORIGINS", "https://a.example,http://b.example:3000"}});
  const std::uint16_t port = subject.server.port();
  const Answer listed = subject.server.Get(kMetrics, {{"Origin", "https://a.example"}});
  EXPECT_EQ(listed.Header("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_TRUE(Holds(listed.Header("Access-Control-Expose-Headers"), "ETag"));
  const auto varies = [](const Answer& answer) {
    return std::any_of(answer.headers.begin(), answer.headers.end(), [](const auto& header) {
      return header.first == "Vary" && Holds(header.second, "Origin");
    });
  };
  EXPECT_TRUE(varies(listed));
  const Answer other = subject.server.Get(kMetrics, {{"Origin", "https://evil.example"}});
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(other.Header("Access-Control-Allow-Origin"), "");
  EXPECT_TRUE(varies(other));
  EXPECT_TRUE(varies(subject.server.Get(kMetrics)));
  const Answer error = subject.server.Get("/nothing", {{"Origin", "http://b.example:3000"}});
  EXPECT_EQ(error.Header("Access-Control-Allow-Origin"), "http://b.example:3000");

  const Headers preflight = {{"Origin", "https://a.example"},
                             {"Access-Control-Request-Method", "GET"},
                             {"Access-Control-Request-Headers", "authorization"}};
  const Answer allowed = Fetch(port, kMetrics, preflight, "OPTIONS");
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.Header("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(allowed.Header("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
  EXPECT_TRUE(Holds(allowed.Header("Access-Control-Allow-Headers"), "Authorization"));
  const Answer refused = Fetch(port, kMetrics, {{"Origin", "https://evil.example"}}, "OPTIONS");
  EXPECT_EQ(refused.Header("Access-Control-Allow-Methods"), "");
}

TEST(AccessTest, ABasePathIsInFrontOfEverything) {
  const Subject subject(Environment{{"BASE_PATH", "/gpu"}});
  const ApiServer& server = subject.server;
  EXPECT_EQ(server.Get("/gpu" + std::string(kMetrics)).status, 200);
  EXPECT_EQ(server.Get("/gpu/livez").body, "ok");
  EXPECT_EQ(server.Get("/gpu/").status, 200);
  EXPECT_EQ(server.Get("/gpu").body, server.Get("/gpu/").body);
  ExpectEnvelope(server.Get(kMetrics), 404, "not_found");
  ExpectEnvelope(server.Get("/gpux/livez"), 404, "not_found");
  const Value routes = server.Get("/gpu/api").Json();
  for (const Value& route : routes["data"].elements()) {
    EXPECT_EQ(TextOf(route["path"]).rfind("/gpu", 0), 0U);
  }
}

TEST(AccessTest, ATokenGuardsEverythingButTheProbes) {
  const ScratchDirectory directory;
  const std::string file = directory.Write("token", "first-token\n");
  const Subject subject(Environment{{"API_BEARER_TOKEN_FILE", file}, {"DEBUG_ENDPOINTS", "true"}});
  const ApiServer& server = subject.server;
  for (const char* path : {"/", "/api", "/api/openapi.json", kMetrics, kProcesses,
                           "/api/v1/gpu/fields", "/metrics", "/debug/vars"}) {
    const Answer bare = server.Get(path);
    ExpectEnvelope(bare, 401, "unauthorized");
    EXPECT_EQ(bare.Header("WWW-Authenticate").rfind("Bearer", 0), 0U) << path;
    for (const char* wrong : {"Bearer first-tokem", "Bearer first-token2", "Bearer ", "Bearer",
                              "Basic first-token", "first-token"}) {
      EXPECT_EQ(server.Get(path, {{"Authorization", wrong}}).status, 401) << path << ' ' << wrong;
    }
    EXPECT_EQ(server.Get(path, {{"Authorization", "Bearer first-token"}}).status, 200) << path;
    EXPECT_EQ(server.Get(path, {{"authorization", "bearer first-token"}}).status, 200) << path;
  }
  for (const char* path : {"/livez", "/readyz", "/startupz", "/api/healthz"}) {
    EXPECT_EQ(server.Get(path).status, 200) << path;
  }
  directory.Write("token", "second-token\n");
  EXPECT_TRUE(WaitUntil(
      [&] {
        return server.Get("/api", {{"Authorization", "Bearer second-token"}}).status == 200;
      },
      Millis(15'000)));
  EXPECT_EQ(server.Get("/api", {{"Authorization", "Bearer first-token"}}).status, 401);
  EXPECT_FALSE(Holds(server.log(), "first-token"));
  EXPECT_FALSE(Holds(server.log(), "second-token"));
}

TEST(AccessTest, OnlyAllowedHostsAreServed) {
  const Subject subject(Environment{{"ALLOWED_HOSTS", "gpu.example,127.0.0.1"}});
  const ApiServer& server = subject.server;
  for (const char* host : {"gpu.example", "GPU.example:8080", "127.0.0.1:1"}) {
    EXPECT_EQ(server.Get(kMetrics, {{"Host", host}}).status, 200) << host;
  }
  for (const char* host : {"evil.example", "gpu.example.evil.example", "gpu"}) {
    ExpectEnvelope(server.Get(kMetrics, {{"Host", host}}), 403, "forbidden");
  }
  EXPECT_EQ(server.Get("/livez", {{"Host", "10.0.0.1:8080"}}).status, 200) << "the kubelet's Host";
  // The host of an absolute target counts, whatever Host says.
  const auto absolute = [&](const std::string& authority, const std::string& host) {
    return server.Get("http://" + authority + kMetrics, {{"Host", host}});
  };
  ExpectEnvelope(absolute("evil.example", "gpu.example"), 403, "forbidden");
  EXPECT_EQ(absolute("gpu.example:8080", "evil.example").status, 200);
}

TEST(AccessTest, RequestIdsAreEchoedWhenTheyAreHarmless) {
  const Subject subject;
  const ApiServer& server = subject.server;
  const auto id = [&](const char* path, const std::string& given) {
    return server.Get(path, {{"X-Request-Id", given}}).Header("X-Request-Id");
  };
  for (const char* path : {"/livez", kMetrics, "/nothing"}) {
    EXPECT_EQ(id(path, "abc-1.2_X"), "abc-1.2_X") << path;
    const std::string own = id(path, "a b;<script>");
    EXPECT_EQ(own.size(), 16U) << path;
    EXPECT_NE(id(path, std::string(129, 'a')).size(), 129U) << path;
    EXPECT_NE(server.Get(path).Header("X-Request-Id"), server.Get(path).Header("X-Request-Id"));
  }
}

TEST(AccessTest, CommandsAreShownAsConfigured) {
  const auto secret = [](const fault::Request& request) {
    fault::Reply reply = FleetReply(request);
    const std::string from = "python train.py";
    for (std::size_t at = 0; (at = reply.body.find(from, at)) != std::string::npos;) {
      const std::string to = "python train.py --password=hunter2";
      reply.body.replace(at, from.size(), to);
      at += to.size();
    }
    return reply;
  };
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"redacted", "python train.py --password=***"},
      {"full", "python train.py --password=hunter2"},
      {"name", "python"},
      {"hidden", ""}};
  for (const auto& [style, expected] : rows) {
    FaultServer upstream(secret);
    const ApiServer server(upstream.url(), {{"PROCESS_COMMANDS", style}});
    const Answer answer = server.Get(kProcesses);
    ASSERT_EQ(answer.status, 200) << answer.Text();
    EXPECT_EQ(TextOf(answer.Json()["data"][0]["command"]), expected) << style;
    EXPECT_EQ(TextOf(answer.Json()["meta"]["null_reasons"]["command"]),
              style == "hidden" ? "hidden" : "");
  }
}

TEST(AccessTest, OptionsMayComeFromAFileAndFlagsWin) {
  const ScratchDirectory directory;
  const std::string file = directory.Write("config.yaml", "base_path: /file\nlog_level: error\n");
  FaultServer upstream(FleetReply);
  const ApiServer from_file(upstream.url(), {{"CONFIG_FILE", file}});
  EXPECT_EQ(from_file.Get("/file/livez").status, 200);
  const ApiServer from_variable(upstream.url(),
                                {{"CONFIG_FILE", file}, {"BASE_PATH", "/variable"}});
  EXPECT_EQ(from_variable.Get("/variable/livez").status, 200);
  const ApiServer from_flag(upstream.url(), {{"CONFIG_FILE", file}, {"BASE_PATH", "/variable"}},
                            {"--base-path", "/flag"});
  EXPECT_EQ(from_flag.Get("/flag/livez").status, 200);
}

}  // namespace
}  // namespace gpumon::e2e
