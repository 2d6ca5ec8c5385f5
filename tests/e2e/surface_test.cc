// Routes, headers and access rules, as a client sees them.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/programs.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using json::Value;
using process::WaitUntil;

constexpr char kMetrics[] = "/api/v1/gpu/metrics";
constexpr char kProcesses[] = "/api/v1/gpu/processes";

std::string TextOf(const Value& value) {
  return value.AsString() == nullptr ? std::string() : *value.AsString();
}

bool Holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A ready server over the scripted fleet.
struct Subject {
  explicit Subject(Environment variables = {})
      : upstream(FleetReply), server(upstream.url(), std::move(variables)) {
    EXPECT_TRUE(server.AwaitReady()) << server.log();
  }
  FaultServer upstream;
  ApiServer server;
};

void ExpectEnvelope(const Answer& answer, int status, const std::string& code) {
  EXPECT_EQ(answer.status, status) << answer.Text();
  EXPECT_EQ(answer.Header("Content-Type"), "application/json; charset=utf-8") << answer.Text();
  EXPECT_EQ(answer.Header("X-Content-Type-Options"), "nosniff");
  EXPECT_FALSE(answer.Header("X-Request-Id").empty());
  EXPECT_FALSE(answer.Header("Date").empty());
  const Value document = answer.Json();
  EXPECT_EQ(document["success"].AsBool(), false) << answer.Text();
  for (const char* key : {"data", "message"}) {
    ASSERT_NE(document.Find(key), nullptr) << key;
    EXPECT_TRUE(document[key].is_null()) << key;
  }
  EXPECT_FALSE(TextOf(document["error"]).empty());
  EXPECT_EQ(TextOf(document["code"]), code) << answer.Text();
}

TEST(SurfaceTest, EveryRouteOfTheOpenApiDocumentAnswersAndThereIsNoOther) {
  const Subject subject(
      Environment{{"DEBUG_ENDPOINTS", "true"}, {"TCMALLOC_SAMPLE_PARAMETER", "524288"}});
  const Value document = subject.server.Get("/api/openapi.json").Json();
  EXPECT_EQ(TextOf(document["openapi"]).rfind("3.", 0), 0U);
  std::set<std::string> documented;
  for (const auto& [path, methods] : document["paths"].members()) {
    documented.insert(path);
    for (const auto& [method, operation] : methods.members()) {
      const bool post = method == "post";
      const std::string target = path + (path == "/debug/pprof/profile" ? "?seconds=1" : "");
      const Answer answer =
          Fetch(subject.server.port(), target, {}, post ? "POST" : "GET", post ? "0x1" : "");
#ifdef GPUMON_SANITIZED
      if (path == "/debug/pprof/heap" || path == "/debug/pprof/profile") continue;
#endif
      EXPECT_EQ(answer.status, 200) << method << ' ' << path << ' ' << answer.Text();
      EXPECT_FALSE(answer.body.empty()) << path;
      const Value& content = operation["responses"]["200"]["content"];
      ASSERT_EQ(content.size(), content.is_object() ? content.size() : 1U) << path;
      const std::string type = answer.Header("Content-Type");
      EXPECT_TRUE(std::any_of(content.members().begin(), content.members().end(),
                              [&](const auto& member) {
                                return type.substr(0, type.find(';')) ==
                                       member.first.substr(0, member.first.find(';'));
                              }))
          << path << " answers " << type;
    }
  }
  std::set<std::string> listed;
  const Value routes = subject.server.Get("/api").Json();
  for (const Value& route : routes["data"].elements()) listed.insert(TextOf(route["path"]));
  EXPECT_EQ(listed, documented);
  EXPECT_GE(listed.size(), 17U);
}

TEST(SurfaceTest, SuccessesAreEnvelopesWithTheWordsOfTheRequirement) {
  const Subject subject;
  const struct {
    const char* path;
    const char* message;
  } rows[] = {{"/api/healthz", "Service is healthy"},
              {kMetrics, "GPU metrics retrieved successfully"},
              {kProcesses, "GPU processes retrieved successfully"}};
  for (const auto& row : rows) {
    const Answer answer = subject.server.Get(row.path);
    EXPECT_EQ(answer.status, 200) << answer.Text();
    const Value document = answer.Json();
    EXPECT_EQ(document["success"].AsBool(), true);
    EXPECT_EQ(TextOf(document["message"]), row.message);
    ASSERT_NE(document.Find("error"), nullptr);
    EXPECT_TRUE(document["error"].is_null());
    EXPECT_TRUE(document.Find("code") == nullptr);
  }
  const Value health = subject.server.Get("/api/healthz").Json();
  EXPECT_EQ(TextOf(health["data"]["status"]), "healthy");
  EXPECT_EQ(health["data"]["prometheus"]["reachable"].AsBool(), true);
}

TEST(SurfaceTest, HeadIsGetWithoutItsBody) {
  const Subject subject;
  for (const char* path : {"/", "/api", "/api/healthz", "/api/openapi.json", kMetrics, kProcesses,
                           "/api/v1/gpu/fields", "/livez", "/readyz", "/startupz", "/nothing"}) {
    const Answer get = subject.server.Get(path);
    Connection connection(subject.server.port());
    ASSERT_TRUE(connection.Send(RequestText("HEAD", path) + RequestText("GET", "/livez")));
    const Answer head = connection.Read(true);
    EXPECT_EQ(head.status, get.status) << path;
    EXPECT_EQ(head.Header("Content-Type"), get.Header("Content-Type")) << path;
    if (std::string(path) != "/api/healthz") {  // a time stands in it
      EXPECT_EQ(head.Header("Content-Length"), get.Header("Content-Length")) << path;
    }
    EXPECT_EQ(connection.Read().body, "ok") << "a body came with HEAD " << path;
  }
}

TEST(SurfaceTest, OptionsAndWrongMethodsNameWhatIsAllowed) {
  const Subject subject(Environment{{"DEBUG_ENDPOINTS", "true"}});
  const std::uint16_t port = subject.server.port();
  for (const char* path : {"/", "/api", kMetrics, "/livez", "/metrics"}) {
    const Answer options = Fetch(port, path, {}, "OPTIONS");
    EXPECT_EQ(options.status, 204) << path;
    EXPECT_EQ(options.Header("Allow"), "GET, HEAD, OPTIONS") << path;
    EXPECT_EQ(options.Header("Access-Control-Allow-Origin"), "") << "CORS is off";
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "TRACE"}) {
      const Answer wrong = Fetch(port, path, {}, method);
      ExpectEnvelope(wrong, 405, "method_not_allowed");
      EXPECT_EQ(wrong.Header("Allow"), "GET, HEAD, OPTIONS") << method << ' ' << path;
    }
  }
  EXPECT_TRUE(Holds(Fetch(port, "/debug/pprof/symbol", {}, "OPTIONS").Header("Allow"), "POST"));
  EXPECT_EQ(Fetch(port, "*", {}, "OPTIONS").status, 204);
  ExpectEnvelope(Fetch(port, "/livez", {}, "BREW"), 501, "bad_request");
}

TEST(SurfaceTest, PathsMatchByteForByte) {
  const Subject subject;
  for (const char* path :
       {"/nothing", "/api/", "//api", "/api/v1/gpu/metrics/", "/API", "/api/v1/gpu/../gpu/metrics",
        "/api%2fv1/gpu/metrics", "/api/v1/gpu", "/livez/", "/.", "/debug/vars", "/debug/pprof/",
        "/debug/pprof/profile"}) {
    const Answer answer = subject.server.Get(path);
    EXPECT_TRUE(answer.status == 404 || answer.status == 400) << path << ' ' << answer.Text();
    ExpectEnvelope(answer, answer.status, answer.status == 404 ? "not_found" : "bad_request");
  }
}

TEST(SurfaceTest, BadParametersAreNamed) {
  const Subject subject;
  const struct {
    const char* query;
    const char* name;
  } rows[] = {{"colour=red", "colour"},
              {"limit=-1", "limit"},
              {"limit=0", "limit"},
              {"limit=100001", "limit"},
              {"limit=01", "limit"},
              {"limit=0x10", "limit"},
              {"limit=%201", "limit"},
              {"limit=99999999999999999999", "limit"},
              {"limit=1&limit=2", "limit"},
              {"offset=x", "offset"},
              {"sort=colour", "sort"},
              {"fields=node_name,colour", "fields"},
              {"at=yesterday", "at"},
              {"at=-1", "at"},
              {"stale=maybe", "stale"},
              {"partial=maybe", "partial"},
              {"format=xml", "format"},
              {"node=a%20b", "node"},
              {"node=%22%7D%20or%20vector(1)", "node"},
              {"user=%E2%80%AEevil", "user"},
              {"user=a%0Ab", "user"},
              {"min_utilization=NaN", "min_utilization"},
              {"min_utilization=x", "min_utilization"}};
  for (const auto& row : rows) {
    const Answer answer = subject.server.Get(std::string(kMetrics) + '?' + row.query);
    ExpectEnvelope(answer, 400, "invalid_parameter");
    EXPECT_TRUE(Holds(TextOf(answer.Json()["error"]), row.name)) << row.query << answer.Text();
  }
  for (const char* query : {"%zz", "node=%", "=1"}) {
    const Answer answer = subject.server.Get(std::string(kMetrics) + '?' + query);
    EXPECT_EQ(answer.status, 400) << query << ' ' << answer.Text();
  }
  EXPECT_EQ(subject.server.Get("/livez?colour=red").status, 400);
}

TEST(SurfaceTest, FiltersSortingPagingAndFieldsWork) {
  const Subject subject;
  const auto rows = [&](const std::string& query) {
    const Answer answer = subject.server.Get(std::string(kMetrics) + '?' + query);
    EXPECT_EQ(answer.status, 200) << query << ' ' << answer.Text();
    return answer.Json();
  };
  EXPECT_EQ(rows("node=n1")["data"].size(), 2U);
  EXPECT_EQ(rows("node=n0&node=n1")["data"].size(), 4U);
  EXPECT_EQ(rows("node=n*&gpu=1")["data"].size(), 2U);
  EXPECT_EQ(rows("node=other")["data"].size(), 0U);
  EXPECT_EQ(rows("min_utilization=76")["data"].size(), 0U);
  EXPECT_EQ(rows("max_utilization=75.5")["data"].size(), 4U);
  const Value page = rows("sort=-node_name&limit=1&offset=1&fields=node_name,gpu_index");
  ASSERT_EQ(page["data"].size(), 1U);
  EXPECT_EQ(page["data"][0].size(), 2U);
  EXPECT_EQ(TextOf(page["data"][0]["node_name"]), "n1");
  EXPECT_EQ(page["meta"]["total"].AsInteger(), 4);
  EXPECT_EQ(page["meta"]["limit"].AsInteger(), 1);
  EXPECT_EQ(page["meta"]["offset"].AsInteger(), 1);
}

TEST(SurfaceTest, AListIsNotSentTwice) {
  const Subject subject(Environment{{"CACHE_TTL", "60s"}});
  const Answer first = subject.server.Get(kMetrics);
  const std::string etag = first.Header("ETag");
  EXPECT_EQ(etag.rfind("W/\"", 0), 0U) << etag;
  EXPECT_EQ(first.Header("Cache-Control"), "private, no-cache");
  EXPECT_TRUE(Holds(first.Header("Vary"), "Accept-Encoding"));
  EXPECT_FALSE(first.Header("Age").empty());
  const std::string opaque = etag.substr(2);
  for (const std::string& given : {etag, opaque, std::string("*"), "\"other\", " + etag}) {
    const Answer again = subject.server.Get(kMetrics, {{"If-None-Match", given}});
    EXPECT_EQ(again.status, 304) << given;
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(again.Header("ETag"), etag);
  }
  EXPECT_EQ(subject.server.Get(kMetrics, {{"If-None-Match", "\"other\""}}).status, 200);
  EXPECT_NE(subject.server.Get(std::string(kMetrics) + "?limit=1").Header("ETag"), etag);
  EXPECT_EQ(subject.server.Get(kMetrics).body, first.body)
      << "the same bytes for a snapshot's life";
}

TEST(SurfaceTest, GzipIsTheSameList) {
  const Subject subject(Environment{{"CACHE_TTL", "60s"}});
  for (const std::string& path : {std::string(kMetrics), std::string(kMetrics) + "?node=n*",
                                  std::string("/metrics"), std::string("/api/openapi.json")}) {
    const Answer packed = subject.server.Get(path, {{"Accept-Encoding", "br, gzip;q=0.5"}});
    EXPECT_EQ(packed.Header("Content-Encoding"), "gzip") << path;
    const std::string unpacked = Gunzip(packed.body);
    EXPECT_FALSE(unpacked.empty()) << path;
    if (path != "/metrics") {
      EXPECT_EQ(unpacked, subject.server.Get(path).body) << path;
    }
    const Answer plain = subject.server.Get(path, {{"Accept-Encoding", "gzip;q=0, identity"}});
    EXPECT_EQ(plain.Header("Content-Encoding"), "") << path;
  }
}

TEST(SurfaceTest, CsvHasAHeaderAndARowForEachGpu) {
  const Subject subject;
  const Answer csv = subject.server.Get(std::string(kMetrics) + "?format=csv");
  EXPECT_EQ(csv.status, 200);
  EXPECT_EQ(csv.Header("Content-Type").rfind("text/csv", 0), 0U);
  EXPECT_EQ(csv.body.rfind("node_name,gpu_index,gpu_name,utilization,", 0), 0U) << csv.body;
  EXPECT_EQ(std::count(csv.body.begin(), csv.body.end(), '\n'), 5);
  EXPECT_TRUE(Holds(csv.body, "n1,1,T,75.5,8,16,8,50.5,65,")) << csv.body;
}

TEST(SurfaceTest, CorsIsForListedOriginsOnly) {
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

TEST(SurfaceTest, ABasePathIsInFrontOfEverything) {
  const Subject subject(Environment{{"BASE_PATH", "/gpu"}});
  const ApiServer& server = subject.server;
  EXPECT_EQ(server.Get("/gpu" + std::string(kMetrics)).status, 200);
  EXPECT_EQ(server.Get("/gpu/livez").body, "ok");
  EXPECT_EQ(server.Get("/gpu/").status, 200);
  ExpectEnvelope(server.Get(kMetrics), 404, "not_found");
  ExpectEnvelope(server.Get("/gpux/livez"), 404, "not_found");
  const Value routes = server.Get("/gpu/api").Json();
  for (const Value& route : routes["data"].elements()) {
    EXPECT_EQ(TextOf(route["path"]).rfind("/gpu", 0), 0U);
  }
}

TEST(SurfaceTest, ATokenGuardsEverythingButTheProbes) {
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

TEST(SurfaceTest, OnlyAllowedHostsAreServed) {
  const Subject subject(Environment{{"ALLOWED_HOSTS", "gpu.example,127.0.0.1"}});
  const ApiServer& server = subject.server;
  for (const char* host : {"gpu.example", "GPU.example:8080", "127.0.0.1:1"}) {
    EXPECT_EQ(server.Get(kMetrics, {{"Host", host}}).status, 200) << host;
  }
  for (const char* host : {"evil.example", "gpu.example.evil.example", "gpu"}) {
    ExpectEnvelope(server.Get(kMetrics, {{"Host", host}}), 403, "forbidden");
  }
  EXPECT_EQ(server.Get("/livez", {{"Host", "10.0.0.1:8080"}}).status, 200) << "the kubelet's Host";
}

TEST(SurfaceTest, RequestIdsAreEchoedWhenTheyAreHarmless) {
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

TEST(SurfaceTest, DebugRoutesAreNotThereUnlessAskedFor) {
  const Subject subject;
  for (const char* path : {"/debug/vars", "/debug/pprof/", "/debug/pprof/profile?seconds=1",
                           "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/pprof/symbol"}) {
    ExpectEnvelope(subject.server.Get(path), 404, "not_found");
  }
  EXPECT_FALSE(Holds(subject.server.Get("/api").body, "/debug"));
}

TEST(SurfaceTest, DebugRoutesTellOfTheProcess) {
  const Subject subject(
      Environment{{"DEBUG_ENDPOINTS", "true"}, {"TCMALLOC_SAMPLE_PARAMETER", "524288"}});
  const ApiServer& server = subject.server;
  const Value vars = server.Get("/debug/vars").Json();
  EXPECT_GE(vars["cmdline"].size(), 1U);
  EXPECT_GT(vars["memstats"]["resident_bytes"].AsDouble().value_or(0), 1e6);
  EXPECT_GT(vars["uptime_seconds"].AsDouble().value_or(0), 0);
  EXPECT_GT(vars["counters"].size(), 10U);
  EXPECT_EQ(server.Get("/debug/pprof/cmdline").body.rfind(ApiProgram(), 0), 0U);
  EXPECT_TRUE(Holds(server.Get("/debug/pprof/symbol").body, "num_symbols: "));
  EXPECT_EQ(server.Get("/debug/pprof/profile?seconds=0").status, 400);
  EXPECT_EQ(server.Get("/debug/pprof/profile?seconds=301").status, 400);
#ifndef GPUMON_SANITIZED
  EXPECT_TRUE(Holds(server.Get("/debug/pprof/heap").body, "heap profile:"));
  Connection first(server.port());
  ASSERT_TRUE(first.Send(RequestText("GET", "/debug/pprof/profile?seconds=1")));
  // One at a time: the second is told so while the first runs.
  int second = 0;
  WaitUntil(
      [&] {
        second = server.Get("/debug/pprof/profile?seconds=1").status;
        return second != 200;
      },
      Millis(5000));
  EXPECT_GE(second, 429);
  const Answer profile = first.Read();
  EXPECT_EQ(profile.status, 200);
  EXPECT_EQ(profile.Header("Content-Type"), "application/octet-stream");
  EXPECT_GT(profile.body.size(), 100U);
#endif
}

TEST(SurfaceTest, DebugRoutesStayOpenToThisMachineAlone) {
  const Subject subject(Environment{{"DEBUG_ENDPOINTS", "true"}, {"REQUEST_TIMEOUT", "1s"}});
  // A profile outlasts REQUEST_TIMEOUT, and is given.
#ifndef GPUMON_SANITIZED
  EXPECT_EQ(subject.server.Get("/debug/pprof/profile?seconds=2").status, 200);
#endif
  EXPECT_EQ(subject.server.Get("/debug/vars").status, 200);
}

std::vector<std::string> LinesWith(const std::string& text, const std::string& part) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (Holds(line, part)) lines.push_back(line);
    at = end + 1;
  }
  return lines;
}

TEST(SurfaceTest, EachRequestIsOneLineOfTheLog) {
  const Subject subject;
  const ApiServer& server = subject.server;
  server.Get(std::string(kMetrics) + "?node=hidden-word",
             {{"X-Request-Id", "one-1"}, {"Authorization", "Bearer hidden-token"}});
  server.Get("/nothing", {{"X-Request-Id", "two-2"}});
  server.Get("/livez", {{"X-Request-Id", "three-3"}});
  ASSERT_TRUE(WaitUntil(
      [&] {
        const std::string log = server.log();
        return Holds(log, "=one-1") && Holds(log, "=two-2") && Holds(log, "=three-3");
      },
      Millis(5000)));
  const auto listed = LinesWith(server.log(), "request_id=one-1");
  ASSERT_EQ(listed.size(), 1U) << server.log();
  for (const char* part : {"level=info", "msg=request", "method=GET", "path=/api/v1/gpu/metrics ",
                           "status=200", "bytes=", "ms=", "peer=127.0.0.1"}) {
    EXPECT_TRUE(Holds(listed[0], part)) << part << " in " << listed[0];
  }
  const auto missing = LinesWith(server.log(), "request_id=two-2");
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_TRUE(Holds(missing[0], "level=warn")) << missing[0];
  EXPECT_TRUE(Holds(missing[0], "status=404")) << missing[0];
  EXPECT_FALSE(Holds(server.log(), "hidden-word"));
  EXPECT_FALSE(Holds(server.log(), "hidden-token"));
}

TEST(SurfaceTest, LogLevelOffSaysNothing) {
  const Subject subject(Environment{{"LOG_LEVEL", "off"}});
  subject.server.Get(kMetrics);
  subject.server.Get("/nothing");
  EXPECT_EQ(subject.server.log(), "");
}

TEST(SurfaceTest, CommandsAreShownAsConfigured) {
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
  }
}

TEST(SurfaceTest, OptionsMayComeFromAFileAndFlagsWin) {
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

// What promtool has to say against a page; "" is nothing.
std::string Complaints(const std::string& page) {
  const ScratchDirectory directory;
  const std::string file = directory.Write("page", page);
  const auto checked = process::Run(
      "/bin/sh", {"-c", '"' + PrometheusProgram("promtool") + "\" check metrics < " + file});
  return checked.exit_code == 0 ? "" : checked.output + checked.errors + " (promtool)";
}

TEST(SurfaceTest, PromtoolAcceptsTheMetricsOfBothPrograms) {
  const Subject subject;
  subject.server.Get(kMetrics);
  subject.server.Get("/nothing");
  const Answer own = subject.server.Get("/metrics");
  EXPECT_TRUE(Holds(own.body, "gpu_monitoring_")) << own.Text();
  EXPECT_EQ(Complaints(own.body), "");

  const Exporter exporter({"--nodes", "2", "--gpus-per-node", "8"});
  std::string page = Fetch(exporter.port(), "/metrics").body;
  EXPECT_TRUE(Holds(page, "nvidia_gpu_utilization_percent{"));
  // node-exporter's own names, which promtool would like to be spelt otherwise.
  for (const std::string& name : {std::string("MemTotal"), std::string("MemAvailable")}) {
    for (std::size_t at = 0; (at = page.find(name, at)) != std::string::npos;) {
      page.replace(at, name.size(), name == "MemTotal" ? "total" : "available");
    }
  }
  EXPECT_EQ(Complaints(page), "");
}

TEST(SurfaceTest, MetricsCountWhatHappened) {
  const Subject subject;
  for (int i = 0; i < 3; ++i) subject.server.Get("/nothing");
  for (int i = 0; i < 5; ++i) subject.server.Get(kMetrics);
  const auto counted = [&](const std::string& part, const std::string& value) {
    const auto lines = LinesWith(subject.server.Get("/metrics").body, part);
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line[0] != '#' && Holds(line, "requests_total") && line.ends_with(" " + value);
    });
  };
  EXPECT_TRUE(
      WaitUntil([&] { return counted("route=\"/api/v1/gpu/metrics\"", "5"); }, Millis(5000)))
      << subject.server.Get("/metrics").body;
  EXPECT_TRUE(counted("404", "3"));
}

}  // namespace
}  // namespace gpumon::e2e
