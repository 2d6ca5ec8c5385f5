// What a task of a HakuRiver host has printed.
#include <array>
#include <string>
#include <utility>

#include "handlers/hakuriver.h"
#include "handlers/hakuriver_host.h"
#include "handlers/list_answer.h"
#include "internal/http/encoding.h"
#include "internal/json/writer.h"
#include "internal/wire/encode.h"
#include "models/envelope.h"

namespace gpumon::handlers {
namespace {

using hakuriver::Stream;

constexpr std::array kParameters = {
    ParameterSpec{.name = "tail",
                  .kind = ParameterKind::kInteger,
                  .help = "Only the last so many lines. 1 MiB is the most in any case.",
                  .min = 1,
                  .max = 100'000},
    ParameterSpec{.name = "format",
                  .kind = ParameterKind::kWord,
                  .help = "text: what was printed, by itself.",
                  .words = "json|text"},
};

std::string WarningOf(const hakuriver::Log& log) {
  if (!log.truncated) return "";
  return "only the last " + std::to_string(log.text.size()) +
         " bytes are here; tail asks for less, and the host has all";
}

std::string DataOf(const std::string& id, std::string_view stream, const hakuriver::Log& log) {
  json::Writer writer(log.text.size() + 256);
  writer.BeginObject();
  writer.Key("task_id");
  writer.String(id);
  writer.Key("stream");
  writer.String(stream);
  writer.Key("text");
  log.none_yet ? writer.Null() : writer.String(log.text);
  writer.Key("bytes");
  writer.Unsigned(log.text.size());
  writer.Key("truncated");
  writer.Bool(log.truncated);
  writer.EndObject();
  return writer.Take();
}

void SendLog(Call& call, std::string_view stream, const hakuriver::Log& log) {
  const bool text = call.parameters().Text("format") == "text";
  const std::string warning = WarningOf(log);
  http::Response response;
  response.headers = {
      {"Content-Type", std::string(text ? call.route().other_type : call.route().content_type)},
      {"Cache-Control", "no-store"},
      {"Vary", "Accept-Encoding"}};
  std::string body;
  if (text) {
    body = log.text;
    if (!warning.empty()) response.headers.push_back({"Warning", "199 - \"" + warning + '"'});
  } else {
    models::Envelope envelope;
    const std::string data = DataOf(call.path_parameters()[0], stream, log);
    envelope.data = data;
    envelope.message = "HakuRiver log retrieved successfully";
    if (!warning.empty()) envelope.warnings = {warning};
    body = wire::EncodeEnvelope(envelope);
  }
  constexpr std::size_t kWorthCompressing = 1024;
  if (body.size() >= kWorthCompressing && WantsGzip(call)) {
    body = http::Gzip(body);
    response.headers.push_back({"Content-Encoding", "gzip"});
  }
  response.body = http::MakeBody(std::move(body));
  call.Send(std::move(response));
}

void GetLog(const CallPtr& call, Stream stream) {
  HakuRiverHost* const host = HakuRiverHostOf(*call);
  if (host == nullptr) return;
  const auto lines = static_cast<std::size_t>(call->parameters().Integer("tail").value_or(0));
  const std::string_view name = stream == Stream::kStdout ? "stdout" : "stderr";
  // One that is stale would look like a task that prints nothing more.
  host->log.Get(HakuRiverHost::LogKey(stream, call->path_parameters()[0], lines), false,
                [call, name](Result<Shared<hakuriver::Log>> got) {
                  if (!got) return call->SendError(got.error());
                  call->Defer([call, name, log = got->value] { SendLog(*call, name, *log); });
                });
}

}  // namespace

void GetHakuRiverStdout(const CallPtr& call) {
  GetLog(call, Stream::kStdout);
}

void GetHakuRiverStderr(const CallPtr& call) {
  GetLog(call, Stream::kStderr);
}

std::span<const ParameterSpec> HakuRiverLogParameters() {
  return kParameters;
}

}  // namespace gpumon::handlers
