#include "handlers/debug.h"

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "internal/base/text.h"
#include "internal/json/writer.h"
#include "internal/profile/profile.h"
#include "internal/telemetry/process_stats.h"

namespace gpumon::handlers {
namespace {

constexpr std::int64_t kDefaultSeconds = 30;

void WriteMemory(json::Writer& writer, const telemetry::ProcessStats& stats) {
  writer.Key("memstats");
  writer.BeginObject();
  writer.Key("resident_bytes");
  writer.Unsigned(stats.resident_bytes);
  writer.Key("peak_resident_bytes");
  writer.Unsigned(stats.peak_resident_bytes);
  writer.Key("virtual_bytes");
  writer.Unsigned(stats.virtual_bytes);
  writer.EndObject();
  writer.Key("cpu_seconds");
  writer.Number(stats.cpu_seconds);
  writer.Key("threads");
  writer.Unsigned(stats.threads);
  writer.Key("open_fds");
  writer.Unsigned(stats.open_fds);
}

void WriteTexts(json::Writer& writer, std::string_view key, const std::vector<std::string>& texts) {
  writer.Key(key);
  writer.BeginArray();
  for (const auto& text : texts) writer.String(text);
  writer.EndArray();
}

// The lines of our own metrics, as numbers by series.
void WriteCounters(json::Writer& writer, std::string_view exposition) {
  writer.Key("counters");
  writer.BeginObject();
  while (!exposition.empty()) {
    const std::size_t end = exposition.find('\n');
    const std::string_view line = exposition.substr(0, end);
    exposition.remove_prefix(end == std::string_view::npos ? exposition.size() : end + 1);
    const std::size_t space = line.rfind(' ');
    if (line.empty() || line[0] == '#' || space == std::string_view::npos) continue;
    if (line.find("_bucket{") != std::string_view::npos) continue;
    writer.Key(line.substr(0, space));
    const std::string_view number = line.substr(space + 1);
    if (number.find_first_not_of("0123456789.eE+-") == std::string_view::npos) {
      writer.Raw(number);
    } else {
      writer.String(number);
    }
  }
  writer.EndObject();
}

std::string Vars(const Services& services, const telemetry::ProcessStats& stats) {
  json::Writer writer;
  writer.BeginObject();
  WriteTexts(writer, "cmdline", services.settings.command_line);
  writer.Key("version");
  writer.String(services.settings.version);
  writer.Key("uptime_seconds");
  const double now = static_cast<double>(services.clock.Wall().time_since_epoch().count()) / 1000.0;
  writer.Number(now - stats.start_time_seconds);
  WriteMemory(writer, stats);
  writer.Key("queries");
  writer.BeginObject();
  const auto queries = services.settings.queries
                           ? services.settings.queries()
                           : std::vector<std::pair<std::string, std::string>>();
  for (const auto& [name, promql] : queries) {
    writer.Key(name);
    writer.String(promql);
  }
  writer.EndObject();
  WriteCounters(writer, services.metrics.Text());
  writer.EndObject();
  return writer.Take();
}

void SendProfile(Call& call, Result<std::string> profile, std::string_view content_type) {
  if (!profile) {
    call.SendError(profile.error());
    return;
  }
  http::Response response;
  response.headers = {{"Content-Type", std::string(content_type)}, {"Cache-Control", "no-store"}};
  response.body = http::MakeBody(std::move(*profile));
  call.Send(std::move(response));
}

}  // namespace

void GetDebugVars(const CallPtr& call) {
  call->Defer([call] {
    const auto stats = telemetry::ReadProcessStats();
    if (!stats) {
      call->SendError(stats.error());
      return;
    }
    call->SendText(200, Vars(call->services(), *stats), call->route().content_type);
  });
}

void GetPprofIndex(const CallPtr& call) {
  std::string text;
  for (const auto& route : Routes()) {
    if (!route.path.starts_with("/debug/pprof/")) continue;
    text += call->services().settings.base_path;
    text += route.path;
    text += "  ";
    text += route.summary;
    text += '\n';
  }
  call->SendText(200, std::move(text), call->route().content_type);
}

void GetCpuProfile(const CallPtr& call) {
  const std::int64_t seconds = call->parameters().Integer("seconds").value_or(kDefaultSeconds);
  call->services().cpu_profiler.Start(
      std::chrono::seconds(seconds),
      [call](Result<std::string> profile) {
        SendProfile(*call, std::move(profile), call->route().content_type);
      },
      [call] { return call->Alive(); });
}

void GetHeapProfile(const CallPtr& call) {
  call->Defer([call] { SendProfile(*call, profile::HeapProfile(), call->route().content_type); });
}

void GetCommandLine(const CallPtr& call) {
  std::string text;
  for (const auto& argument : call->services().settings.command_line) {
    if (!text.empty()) text += '\0';
    text += argument;
  }
  call->SendText(200, std::move(text), call->route().content_type);
}

void Symbolize(const CallPtr& call) {
  const http::Request& request = call->request();
  constexpr std::string_view kOfAddresses = "0123456789abcdefABCDEFxX+";
  if (request.query.find_first_not_of(kOfAddresses) != std::string::npos) {
    call->SendError({Code::kInvalidParameter, "the query is a list of addresses: 0xADDR+0xADDR"});
    return;
  }
  const bool posted = request.method == "POST";
  if (!posted && request.query.empty()) {
    call->SendText(200, profile::SymbolCount(), call->route().content_type);
    return;
  }
  call->Defer([call, posted] {
    const http::Request& asked = call->request();
    call->SendText(200, profile::LookUpSymbols(posted ? asked.body : asked.query),
                   call->route().content_type);
  });
}

std::span<const ParameterSpec> CpuProfileParameters() {
  static constexpr std::array kParameters = {ParameterSpec{.name = "seconds",
                                                           .kind = ParameterKind::kInteger,
                                                           .help = "How long to sample.",
                                                           .min = 1,
                                                           .max = 300}};
  return kParameters;
}

std::span<const ParameterSpec> HeapProfileParameters() {
  // pprof sends them to every heap endpoint; a sampled heap has neither.
  static constexpr std::array kParameters = {
      ParameterSpec{.name = "gc", .kind = ParameterKind::kFlag, .help = "Accepted, no effect."},
      ParameterSpec{.name = "debug", .kind = ParameterKind::kFlag, .help = "Accepted, no effect."}};
  return kParameters;
}

}  // namespace gpumon::handlers
