// The OpenAPI document beside what the routes answer: neither has a status, a type of content or a
// key that the other lacks.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/about.h"
#include "internal/dashboard/assets.h"
#include "tests/handlers/fixture.h"

namespace gpumon::handlers {
namespace {

using json::Value;

std::string_view MediaType(std::string_view content_type) {
  return content_type.substr(0, content_type.find(';'));
}

// Says of each value of an answer where it differs from its schema.
class SchemaCheck {
 public:
  explicit SchemaCheck(const Value& document) : document_(document) {}

  void Check(const Value& schema, const Value& value, const std::string& place) {
    const Value& meant = Resolve(schema);
    if (value.is_null()) {
      Expect(meant["nullable"].AsBool().value_or(false), place + " is null");
      return;
    }
    if (meant.Find("oneOf") != nullptr) return;
    if (const std::string* type = meant["type"].AsString()) {
      Expect(IsOf(*type, value), place + " is no " + *type);
    }
    for (const Value& key : meant["required"].elements()) {
      Expect(value.Find(*key.AsString()) != nullptr, place + " lacks " + *key.AsString());
    }
    for (std::size_t i = 0; i < value.elements().size(); ++i) {
      Check(meant["items"], value[i], place + "[]");
    }
    for (const auto& [key, member] : value.members()) CheckMember(meant, key, member, place);
  }

  const std::vector<std::string>& differences() const { return differences_; }

 private:
  void CheckMember(const Value& schema, const std::string& key, const Value& member,
                   const std::string& place) {
    const std::string path = place + '.' + key;
    if (const Value* property = schema["properties"].Find(key)) {
      Check(*property, member, path);
    } else if (const Value* more = schema.Find("additionalProperties")) {
      Check(*more, member, path);
    } else {
      // What says no key at all allows any: {"type":"object"}.
      Expect(schema.Find("properties") == nullptr, path + " is not in the document");
    }
  }

  static bool IsOf(std::string_view type, const Value& value) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.AsString() != nullptr;
    if (type == "boolean") return value.AsBool().has_value();
    if (type == "integer") return value.AsInteger().has_value();
    return value.AsDouble().has_value();
  }

  const Value& Resolve(const Value& schema) const {
    const Value& reference = schema["allOf"].is_array() ? schema["allOf"][0] : schema;
    const std::string* target = reference["$ref"].AsString();
    if (target == nullptr) return schema;
    return document_["components"]["schemas"][target->substr(target->rfind('/') + 1)];
  }

  void Expect(bool holds, std::string difference) {
    if (!holds) differences_.push_back(std::move(difference));
  }

  const Value& document_;
  std::vector<std::string> differences_;
};

class OpenApiTest : public HandlersTest {
 protected:
  OpenApiTest() {
    settings_.debug = DebugAccess::kEverybody;
    auto gpus = ThreeGpus();
    gpus->warnings = {"1 series was dropped"};
    Serve(gpus);
    Serve(TwoProcesses());
    Serve(OneNode());
    Serve(TwoTasks());
    models::Explanation explanation;
    explanation.snapshot = gpus;
    explanation.rows = {0};
    explanation.samples.resize(1);
    explanation.findings = {{true, "2 rows have no node label", "relabel"}};
    explanation_ = explanation;
    document_ = *json::ParseDocument(OpenApiDocument(settings_));
  }

  struct Documented {
    std::string path;
    const Value& responses;
    const Value& parameters;
  };

  // Those that are asked here: a profile takes its time, and a heap wants a sampling allocator.
  std::vector<Documented> GetRoutes() const {
    std::vector<Documented> routes;
    for (const auto& [path, operations] : document_["paths"].members()) {
      if (path == "/debug/pprof/profile" || path == "/debug/pprof/heap") continue;
      routes.push_back({path, operations["get"]["responses"], operations["get"]["parameters"]});
    }
    return routes;
  }

  // What a route cannot do without.
  static std::string Target(const std::string& path) {
    return path == "/api/v1/debug/join" ? path + "?node=a&gpu=0" : Filled(path);
  }
  static std::string With(const std::string& target, const std::string& parameter) {
    return target + (target.find('?') == std::string::npos ? '?' : '&') + parameter;
  }

  Value document_;
};

TEST_F(OpenApiTest, EveryAnswerHasTheTypeAndTheKeysThatTheDocumentSays) {
  for (const Documented& route : GetRoutes()) {
    const Answer answer = Get(Target(route.path));
    if (route.path == "/assets/{file}" && dashboard::Assets().empty()) continue;
    ASSERT_EQ(answer.status(), 200) << route.path << ' ' << answer.body();
    const std::string type(MediaType(answer.header("Content-Type")));
    const Value* content = route.responses["200"]["content"].Find(type);
    if (content == nullptr) content = route.responses["200"]["content"].Find("*/*");
    ASSERT_NE(content, nullptr) << route.path << " answers " << type;
    if (type != "application/json") continue;
    SchemaCheck check(document_);
    check.Check((*content)["schema"], answer.json(), route.path);
    EXPECT_EQ(check.differences(), std::vector<std::string>());
  }
}

TEST_F(OpenApiTest, ARouteThatAnswers304SaysSoAndNoOther) {
  std::set<std::string> tagged;
  for (const Documented& route : GetRoutes()) {
    const Answer answer = Get(Target(route.path));
    const Answer again = Get(Target(route.path), {{"If-None-Match", "*"}});
    EXPECT_EQ(again.status() == 304, route.responses.Find("304") != nullptr) << route.path;
    EXPECT_EQ(again.status() == 304, !answer.header("ETag").empty()) << route.path;
    if (again.status() == 304) tagged.insert(route.path);
  }
  EXPECT_EQ(tagged.count("/api/v1/gpu/users"), 1U);
}

TEST_F(OpenApiTest, ARouteThatAnswersCsvSaysSoAndNoOther) {
  std::set<std::string> tables;
  for (const Documented& route : GetRoutes()) {
    if (route.path == "/health") continue;  // it answers whatever is asked
    const Answer csv = Get(With(Target(route.path), "format=csv"));
    const bool documented = route.responses["200"]["content"].Find("text/csv") != nullptr;
    EXPECT_EQ(csv.status(), documented ? 200 : 400) << route.path;
    if (!documented) continue;
    EXPECT_EQ(MediaType(csv.header("Content-Type")), "text/csv") << route.path;
    tables.insert(route.path);
  }
  EXPECT_EQ(tables.count("/api/v1/gpu/workloads"), 1U);
}

TEST_F(OpenApiTest, EveryParameterOfTheDocumentIsKnownAndErrorsAreAsItSays) {
  for (const Documented& route : GetRoutes()) {
    for (const Value& parameter : route.parameters.elements()) {
      if (*parameter["in"].AsString() == "path") continue;
      const Answer answer = Get(Filled(route.path) + '?' + *parameter["name"].AsString() + "=%00");
      EXPECT_EQ(answer.status(), 400) << route.path << ' ' << *parameter["name"].AsString();
      EXPECT_EQ(answer.body().find("unknown parameter"), std::string::npos) << answer.body();
    }
    if (route.path == "/health") continue;  // it answers whatever is asked
    const Answer refused = Get(With(Target(route.path), "colour=red"));
    EXPECT_EQ(refused.status(), 400) << route.path;
    SchemaCheck check(document_);
    check.Check(document_["components"]["schemas"]["Error"], refused.json(), route.path);
    EXPECT_EQ(check.differences(), std::vector<std::string>());
  }
}

TEST_F(OpenApiTest, EachNameInAPathIsARequiredParameterOfIt) {
  std::size_t found = 0;
  for (const Documented& route : GetRoutes()) {
    for (const Value& parameter : route.parameters.elements()) {
      const std::string place = '{' + *parameter["name"].AsString() + '}';
      const bool in_path = route.path.find(place) != std::string::npos;
      EXPECT_EQ(*parameter["in"].AsString(), in_path ? "path" : "query") << route.path;
      EXPECT_EQ(parameter["required"].AsBool().value_or(false), in_path) << route.path;
      found += in_path ? 1U : 0U;
    }
  }
  EXPECT_EQ(found, 7U);
}

TEST_F(OpenApiTest, AFailureOfPrometheusIsAnErrorOfTheDocument) {
  source_.gpus = source_.processes = Error(Code::kUpstreamUnreachable, "it cannot be reached");
  for (const Documented& route : GetRoutes()) {
    const Answer answer = Get(Target(route.path));
    if (answer.status() == 200) continue;
    EXPECT_EQ(answer.status(), 502) << route.path;
    SchemaCheck check(document_);
    check.Check(document_["components"]["schemas"]["Error"], answer.json(), route.path);
    EXPECT_EQ(check.differences(), std::vector<std::string>());
    EXPECT_NE(route.responses.Find("5XX"), nullptr) << route.path;
  }
}

}  // namespace
}  // namespace gpumon::handlers
