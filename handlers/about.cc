#include "handlers/about.h"

#include <string>
#include <utility>

#include "handlers/access.h"
#include "handlers/dashboard.h"
#include "internal/base/words.h"
#include "internal/http/encoding.h"
#include "internal/json/writer.h"

namespace gpumon::handlers {
namespace {

void WriteMethods(json::Writer& writer, std::string_view methods) {
  writer.BeginArray();
  for (const std::string_view method : WordsOf(methods)) writer.String(method);
  writer.EndArray();
}

void WriteRoutes(json::Writer& writer, const Settings& settings) {
  writer.BeginArray();
  for (const auto& route : RoutesThatExist(settings.debug)) {
    writer.BeginObject();
    writer.Key("path");
    writer.String(settings.base_path + std::string(route.path));
    writer.Key("methods");
    WriteMethods(writer, route.methods);
    writer.Key("summary");
    writer.String(route.summary);
    writer.EndObject();
  }
  writer.EndArray();
}

// Text that may be long: compressed for who takes it.
void SendLong(Call& call, std::string text, std::string_view content_type) {
  http::Response response;
  response.headers = {{"Content-Type", std::string(content_type)},
                      {"Cache-Control", "no-cache"},
                      {"Vary", "Accept-Encoding"}};
  const std::string* accepted = http::Find(call.request().headers, "Accept-Encoding");
  if (accepted != nullptr && http::AcceptsGzip(*accepted)) {
    text = http::Gzip(text);
    response.headers.push_back({"Content-Encoding", "gzip"});
  }
  response.body = http::MakeBody(std::move(text));
  call.Send(std::move(response));
}

}  // namespace

void GetRoot(const CallPtr& call) {
  if (WantsPage(call->request())) return SendPage(*call);
  if (auto shown = CheckToken(call->services(), call->request()); !shown) {
    return call->SendError(shown.error());
  }
  const Settings& settings = call->services().settings;
  json::Writer writer;
  writer.BeginObject();
  writer.Key("name");
  writer.String("gpu-monitoring-api");
  writer.Key("version");
  writer.String(settings.version);
  // What a page need not ask in vain.
  writer.Key("features");
  writer.BeginArray();
  if (call->services().hakuriver != nullptr) writer.String("hakuriver");
  if (settings.debug != DebugAccess::kOff) writer.String("debug");
  writer.EndArray();
  writer.Key("routes");
  WriteRoutes(writer, settings);
  writer.EndObject();
  call->SendData(writer.view(), "GPU Monitoring API", {{"Vary", "Accept"}});
}

void GetApi(const CallPtr& call) {
  json::Writer writer;
  WriteRoutes(writer, call->services().settings);
  call->SendData(writer.view(), "Routes retrieved successfully");
}

void GetOpenApi(const CallPtr& call) {
  call->Defer([call] {
    SendLong(*call, OpenApiDocument(call->services().settings), call->route().content_type);
  });
}

void GetOwnMetrics(const CallPtr& call) {
  call->Defer(
      [call] { SendLong(*call, call->services().metrics.Text(), call->route().content_type); });
}

}  // namespace gpumon::handlers
