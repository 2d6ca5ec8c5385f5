// Routes, parameters and the forms of a list, as a client sees them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/programs.h"
#include "tests/e2e/subject.h"
#include "tests/fakes/hakuriver/fake_host.h"

namespace gpumon::e2e {
namespace {

using json::Value;

// The first file that the page names; "" where it names none.
std::string FileOfThePage(std::uint16_t port) {
  const std::string page = Fetch(port, "/", {{"Accept", "text/html"}}).body;
  const std::size_t at = page.find("/assets/");
  return at == std::string::npos ? "" : page.substr(at, page.find('"', at) - at);
}

TEST(SurfaceTest, EveryRouteOfTheOpenApiDocumentAnswersAndThereIsNoOther) {
  fault::FaultServer vmm;
  vmm.SetReply(fault::Json(R"({"gpus":[],"allow_attach_all":true})"));
  const hakuriver::FakeHost river(hakuriver::Generation::kC);
  // A stream is an answer too, once its connection is old enough.
  const Subject subject(Environment{{"DEBUG_ENDPOINTS", "true"},
                                    {"DSTACK_URL", vmm.url()},
                                    {"HAKURIVER_URL", river.url()},
                                    {"TCMALLOC_SAMPLE_PARAMETER", "524288"},
                                    {"CONNECTION_MAX_AGE", "1s"}});
  const Value row = subject.server.Get(kMetrics).Json()["data"][0];
  // What a route cannot do without.
  const std::map<std::string, std::string> queries = {
      {"/debug/pprof/profile", "?seconds=1"},
      {"/api/v1/debug/join",
       "?node=" + TextOf(row["node_name"]) + "&gpu=" + TextOf(row["gpu_id"])}};
  const std::string nodes = "/api/v1/gpu/nodes";
  const std::string one_node = nodes + "/{node}";
  const std::string one_task = "/api/v1/gpu/tasks/{namespace}/{name}";
  const Value document = subject.server.Get("/api/openapi.json").Json();
  EXPECT_EQ(TextOf(document["openapi"]).rfind("3.", 0), 0U);
  std::set<std::string> documented;
  for (const auto& [path, methods] : document["paths"].members()) {
    documented.insert(path);
    for (const auto& [method, operation] : methods.members()) {
      const bool post = method == "post";
      const auto query = queries.find(path);
      if (path == one_task) {
        // This fleet has no kube-state-metrics.
        ExpectEnvelope(subject.server.Get("/api/v1/gpu/tasks/a/b"), 404, "not_found");
        continue;
      }
      std::string target = path == one_node ? nodes + '/' + TextOf(row["node_name"])
                                            : path + (query == queries.end() ? "" : query->second);
      if (const auto id = target.find("{id}"); id != std::string::npos) {
        target.replace(id, std::string_view("{id}").size(), hakuriver::kRunningTask);
      }
      if (path == "/assets/{file}") {
        target = FileOfThePage(subject.server.port());
        if (target.empty()) continue;  // built without it
      }
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
                                return member.first == "*/*" ||
                                       type.substr(0, type.find(';')) ==
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

}  // namespace
}  // namespace gpumon::e2e
