// The OpenAPI document, written from the tables that the server itself runs on.
#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "handlers/about.h"
#include "handlers/openapi_schemas.h"
#include "handlers/openapi_writing.h"
#include "internal/base/words.h"
#include "internal/json/writer.h"

namespace gpumon::handlers {
namespace {

using json::Writer;

// "/api/v1/gpu/metrics" -> "getApiV1GpuMetrics"
std::string OperationId(std::string_view method, std::string_view path) {
  std::string id;
  for (const char c : method) id += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  bool upper = true;
  for (const char c : path) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      upper = true;
      continue;
    }
    id += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return path == "/" ? id + "Root" : id;
}

std::string_view TagOf(const RouteRow& route) {
  if (route.guard == Guard::kDebug) return "debug";
  if (route.path.starts_with("/api/v1/gpu/")) return "gpu";
  return route.guard == Guard::kOpen ? "health" : "service";
}

void WriteWords(Writer& writer, std::string_view words) {
  writer.Key("enum");
  writer.BeginArray();
  for (const std::string_view word : WordsOf(words)) writer.String(word);
  writer.EndArray();
}

void WriteParameterSchema(Writer& writer, const ParameterSpec& spec) {
  writer.BeginObject();
  switch (spec.kind) {
    case ParameterKind::kFlag:
      Text(writer, "type", "string");
      WriteWords(writer, "|true|false|1|0");
      break;
    case ParameterKind::kInteger:
      Text(writer, "type", "integer");
      writer.Key("minimum");
      writer.Integer(spec.min);
      writer.Key("maximum");
      writer.Integer(spec.max);
      break;
    case ParameterKind::kNumber:
      Text(writer, "type", "number");
      break;
    case ParameterKind::kWord:
      Text(writer, "type", "string");
      WriteWords(writer, spec.words);
      break;
    case ParameterKind::kNodeName:
      Text(writer, "type", "string");
      Text(writer, "pattern", "^[A-Za-z0-9._:*-]{1,253}$");
      break;
    case ParameterKind::kDuration:
      Text(writer, "type", "string");
      Text(writer, "pattern", "^(0|[1-9][0-9]*)(ms|s|m|h|d|w)?$");
      break;
    case ParameterKind::kName:
      Text(writer, "type", "string");
      Text(writer, "pattern", "^[A-Za-z0-9._:-]{1,253}$");
      break;
    case ParameterKind::kPattern:
    case ParameterKind::kText:
    case ParameterKind::kList:
    case ParameterKind::kTime:
      Text(writer, "type", "string");
      writer.Key("maxLength");
      writer.Integer(spec.kind == ParameterKind::kList ? 4096 : 256);
      break;
  }
  writer.EndObject();
}

void WriteParameter(Writer& writer, const ParameterSpec& spec, std::string_view in) {
  writer.BeginObject();
  Text(writer, "name", spec.name);
  Text(writer, "in", in);
  if (in == "path") {
    writer.Key("required");
    writer.Bool(true);
  }
  Text(writer, "description", spec.help);
  writer.Key("schema");
  if (spec.repeatable) {
    writer.BeginObject();
    Text(writer, "type", "array");
    writer.Key("maxItems");
    writer.Integer(100);
    writer.Key("items");
    WriteParameterSchema(writer, spec);
    writer.EndObject();
    Text(writer, "style", "form");
    writer.Key("explode");
    writer.Bool(true);
  } else {
    WriteParameterSchema(writer, spec);
  }
  writer.EndObject();
}

void WriteEnvelope(Writer& writer, const RouteRow& route) {
  const std::string_view data = route.data;
  const bool list = data.starts_with("[]");
  const bool meta = route.form == Form::kList;
  writer.BeginObject();
  Text(writer, "type", "object");
  writer.Key("required");
  writer.Raw(meta ? R"(["success","data","message","error","meta"])"
                  : R"(["success","data","message","error"])");
  writer.Key("properties");
  writer.BeginObject();
  writer.Key("success");
  writer.Raw(R"({"type":"boolean","enum":[true]})");
  writer.Key("data");
  if (list) {
    writer.BeginObject();
    Text(writer, "type", "array");
    writer.Key("items");
    Ref(writer, data.substr(2));
    writer.EndObject();
  } else {
    Ref(writer, data);
  }
  writer.Key("message");
  writer.Raw(R"({"type":"string"})");
  writer.Key("error");
  writer.Raw(R"({"type":"string","nullable":true,"enum":[null]})");
  writer.Key("warnings");
  writer.Raw(R"({"type":"array","items":{"type":"string"}})");
  if (meta) {
    writer.Key("meta");
    Ref(writer, "ListMeta");
  }
  writer.EndObject();
  writer.EndObject();
}

std::string_view MediaType(std::string_view content_type) {
  return content_type.substr(0, content_type.find(';'));
}

void WriteSuccess(Writer& writer, const RouteRow& route) {
  writer.Key("200");
  writer.BeginObject();
  Text(writer, "description", "Success.");
  writer.Key("content");
  writer.BeginObject();
  writer.Key(MediaType(route.content_type));
  writer.BeginObject();
  writer.Key("schema");
  if (route.form == Form::kBare) {
    Ref(writer, route.data);
  } else if (route.form != Form::kPlain) {
    WriteEnvelope(writer, route);
  } else if (MediaType(route.content_type) == "application/json") {
    writer.Raw(R"({"type":"object"})");
  } else {
    writer.Raw(R"({"type":"string"})");
  }
  writer.EndObject();
  const std::string_view other =
      route.form == Form::kList ? std::string_view("text/csv") : MediaType(route.other_type);
  if (!other.empty()) {
    writer.Key(other);
    writer.Raw(R"({"schema":{"type":"string"}})");
  }
  writer.EndObject();
  writer.EndObject();
}

void WriteResponses(Writer& writer, const RouteRow& route) {
  writer.Key("responses");
  writer.BeginObject();
  WriteSuccess(writer, route);
  if (IsTagged(route.form)) {
    writer.Key("304");
    writer.Raw(R"({"description":"The client has this answer already (If-None-Match)."})");
  }
  if (route.form == Form::kBare) {
    writer.Key("503");
    writer.BeginObject();
    Text(writer, "description", "It is not available.");
    writer.Key("content");
    writer.BeginObject();
    writer.Key(MediaType(route.content_type));
    writer.BeginObject();
    writer.Key("schema");
    Ref(writer, route.data);
    writer.EndObject();
    writer.EndObject();
    writer.EndObject();
  }
  if (route.guard == Guard::kOpen && route.form == Form::kPlain) {
    writer.Key("503");
    writer.Raw(
        R"({"description":"Not ok.","content":{"text/plain":{"schema":{"type":"string"}}}})");
  }
  writer.Key("4XX");
  writer.Raw(R"({"$ref":"#/components/responses/Error"})");
  writer.Key("5XX");
  writer.Raw(R"({"$ref":"#/components/responses/Error"})");
  writer.EndObject();
}

void WriteOperation(Writer& writer, std::string_view method, const RouteRow& route) {
  std::string key(method);
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  writer.Key(key);
  writer.BeginObject();
  Text(writer, "operationId", OperationId(method, route.path));
  Text(writer, "summary", route.summary);
  writer.Key("tags");
  writer.BeginArray();
  writer.String(TagOf(route));
  writer.EndArray();
  if (route.guard == Guard::kOpen || (route.guard == Guard::kPage && route.form == Form::kPlain)) {
    writer.Key("security");
    writer.Raw("[]");
  }
  const auto in_path = PathParametersOf(route.path);
  if (route.parameters != nullptr || !in_path.empty()) {
    writer.Key("parameters");
    writer.BeginArray();
    for (const ParameterSpec* spec : in_path) WriteParameter(writer, *spec, "path");
    if (route.parameters != nullptr) {
      for (const auto& spec : route.parameters()) WriteParameter(writer, spec, "query");
    }
    writer.EndArray();
  }
  if (method == "POST") {
    writer.Key("requestBody");
    writer.Raw(R"({"required":true,"content":{"text/plain":{"schema":{"type":"string"}}}})");
  }
  WriteResponses(writer, route);
  writer.EndObject();
}

void WritePaths(Writer& writer, DebugAccess debug) {
  writer.Key("paths");
  writer.BeginObject();
  for (const auto& route : RoutesThatExist(debug)) {
    writer.Key(route.path);
    writer.BeginObject();
    for (const std::string_view method : WordsOf(route.methods)) {
      WriteOperation(writer, method, route);
    }
    writer.EndObject();
  }
  writer.EndObject();
}

void WriteComponents(Writer& writer) {
  writer.Key("components");
  writer.BeginObject();
  writer.Key("securitySchemes");
  writer.Raw(R"({"token":{"type":"http","scheme":"bearer"}})");
  writer.Key("responses");
  writer.Raw(
      R"({"Error":{"description":"Any error, from whichever layer.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}})");
  writer.Key("schemas");
  writer.Raw(OpenApiSchemas());
  writer.EndObject();
}

}  // namespace

std::string OpenApiDocument(const Settings& settings) {
  Writer writer(64 * 1024);
  writer.BeginObject();
  Text(writer, "openapi", "3.0.3");
  writer.Key("info");
  writer.BeginObject();
  Text(writer, "title", "GPU Monitoring API");
  Text(writer, "version", settings.version);
  Text(writer, "description",
       "GPU metrics and processes of a cluster, read from any Prometheus. Every answer under /api "
       "and every error has the envelope success, data, message, error.");
  writer.Key("license");
  writer.Raw(R"({"name":"Apache-2.0","url":"https://www.apache.org/licenses/LICENSE-2.0.html"})");
  writer.EndObject();
  writer.Key("servers");
  writer.BeginArray();
  writer.BeginObject();
  Text(writer, "url", settings.base_path.empty() ? "/" : settings.base_path);
  writer.EndObject();
  writer.EndArray();
  writer.Key("security");
  writer.Raw(settings.asks_for_token ? R"([{"token":[]}])" : R"([{"token":[]},{}])");
  writer.Key("tags");
  writer.Raw(
      R"([{"name":"gpu","description":"GPUs and their processes"},{"name":"health","description":"Probes"},{"name":"service","description":"The server about itself"},{"name":"debug","description":"Only with DEBUG_ENDPOINTS"}])");
  WritePaths(writer, settings.debug);
  WriteComponents(writer);
  writer.EndObject();
  return writer.Take();
}

}  // namespace gpumon::handlers
