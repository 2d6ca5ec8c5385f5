#include "handlers/health_history.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "handlers/list_answer.h"
#include "internal/base/text.h"
#include "internal/http/encoding.h"
#include "internal/json/writer.h"
#include "internal/store/history.h"
#include "internal/store/snapshot.h"
#include "internal/wire/encode.h"
#include "models/envelope.h"

namespace gpumon::handlers {
namespace {

constexpr std::int64_t kDefaultHours = 24;
constexpr std::int64_t kMostHours = 720;
constexpr std::int64_t kDefaultLimit = 100;
constexpr std::int64_t kMostLimit = 1000;
constexpr std::int64_t kMostOffset = 9000;

constexpr std::array kParameters = {
    ParameterSpec{.name = "task",
                  .kind = ParameterKind::kText,
                  .help = "task_id, exact or with *: namespace/pod, or a node's name."},
    ParameterSpec{.name = "node",
                  .kind = ParameterKind::kNodeName,
                  .help = "Where the task ran, exact or with *."},
    ParameterSpec{.name = "hours",
                  .kind = ParameterKind::kInteger,
                  .help = "The window, 24 when absent.",
                  .min = 1,
                  .max = kMostHours},
    ParameterSpec{.name = "at", .kind = ParameterKind::kTime, .help = "Its end, now when absent."},
    ParameterSpec{.name = "limit",
                  .kind = ParameterKind::kInteger,
                  .help = "Snapshots in the answer, 100 when absent.",
                  .min = 1,
                  .max = kMostLimit},
    ParameterSpec{.name = "offset",
                  .kind = ParameterKind::kInteger,
                  .help = "How many of the newest are left out.",
                  .min = 0,
                  .max = kMostOffset},
};

struct Asked {
  store::HistoryQuery query;
  std::int64_t hours = kDefaultHours;
};

Asked Read(const Call& call) {
  const Parameters& parameters = call.parameters();
  Asked asked;
  asked.hours = parameters.Integer("hours").value_or(kDefaultHours);
  asked.query.task = parameters.Text("task");
  asked.query.node = parameters.Text("node");
  asked.query.to = call.services().clock.Wall();
  if (parameters.Has("at")) {
    asked.query.to = ParseTime(parameters.Text("at")).value_or(asked.query.to);
  }
  asked.query.from = asked.query.to - std::chrono::hours(asked.hours);
  constexpr double kPercent = 100;
  asked.query.healthy = call.services().settings.health_rules.healthy / kPercent;
  asked.query.limit = static_cast<std::size_t>(parameters.Integer("limit").value_or(kDefaultLimit));
  asked.query.offset = static_cast<std::size_t>(parameters.Integer("offset").value_or(0));
  return asked;
}

void NumberOrNull(json::Writer& writer, std::string_view key, const std::optional<double>& number) {
  writer.Key(key);
  number ? writer.Number(*number) : writer.Null();
}

void TextOrNull(json::Writer& writer, std::string_view key, const std::string& text) {
  writer.Key(key);
  text.empty() ? writer.Null() : writer.String(text);
}

void Count(json::Writer& writer, std::string_view key, std::size_t count) {
  writer.Key(key);
  writer.Unsigned(count);
}

std::string DataOf(const Asked& asked, const store::History& history) {
  json::Writer writer;
  writer.BeginObject();
  TextOrNull(writer, "task_id", asked.query.task);
  TextOrNull(writer, "node", asked.query.node);
  Count(writer, "snapshot_count", history.snapshot_count);
  Count(writer, "task_count", history.task_count);
  writer.Key("hours");
  writer.Integer(asked.hours);
  writer.Key("from");
  writer.String(FormatTime(asked.query.from));
  writer.Key("to");
  writer.String(FormatTime(asked.query.to));
  writer.Key("health_score");
  writer.BeginObject();
  NumberOrNull(writer, "current", history.current);
  NumberOrNull(writer, "average", history.average);
  NumberOrNull(writer, "min", history.min);
  NumberOrNull(writer, "max", history.max);
  writer.EndObject();
  writer.Key("gpu_count");
  writer.Integer(history.gpu_count);
  Count(writer, "critical_events", history.critical_events);
  Count(writer, "unhealthy_periods", history.unhealthy_periods);
  Count(writer, "limit", asked.query.limit);
  Count(writer, "offset", asked.query.offset);
  writer.Key("snapshots");
  writer.BeginArray();
  for (const std::string& line : history.lines) {
    if (const auto snapshot = store::DecodeLine(line)) {
      writer.Raw(store::EncodeAnswer(*snapshot));
    }
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take();
}

std::vector<std::string> WarningsOf(const std::string& folder, const store::History& history,
                                    const std::optional<Status>& unreadable) {
  std::vector<std::string> warnings;
  if (unreadable) {
    warnings.push_back("no snapshots: " + folder + ": " + unreadable->message +
                       "; gpu-monitoring-api collect writes them, METRICS_DIR says where");
    return warnings;
  }
  if (history.snapshot_count == 0) {
    warnings.push_back("no such snapshot in " + folder + " (" +
                       std::to_string(history.report.files) +
                       " files of that time); gpu-monitoring-api collect writes them");
  }
  if (history.report.bad_lines > 0) {
    warnings.push_back(std::to_string(history.report.bad_lines) +
                       " lines are no snapshots and were passed over");
  }
  for (const std::string& problem : history.report.problems) {
    warnings.push_back("not read to its end: " + problem);
  }
  if (history.cut > 0) {
    warnings.push_back(
        "the oldest of the page are left out: they are too large for one answer; "
        "ask with limit and offset");
  }
  return warnings;
}

void Send(Call& call, const Asked& asked) {
  const std::string& folder = call.services().settings.metrics_dir;
  store::History history;
  std::optional<Status> unreadable;
  if (folder.empty()) {
    unreadable = Status{Code::kNotFound, "neither METRICS_DIR nor HOME is set"};
  } else {
    const Deadline deadline = call.deadline();
    const Clock& clock = call.services().clock;
    auto read = store::ReadHistory(folder, asked.query,
                                   [&] { return call.Alive() && !deadline.Passed(clock); });
    if (read) {
      history = *std::move(read);
    } else if (read.error().code == Code::kOverloaded) {
      return call.SendError(read.error());
    } else {
      unreadable = read.error();
    }
  }
  models::Envelope envelope;
  const std::string data = DataOf(asked, history);
  envelope.data = data;
  envelope.message = "GPU health history retrieved successfully";
  envelope.warnings = WarningsOf(folder, history, unreadable);
  std::string body = wire::EncodeEnvelope(envelope);
  http::Response response;
  response.headers = {{"Content-Type", std::string(call.route().content_type)},
                      {"Cache-Control", "no-store"},
                      {"Vary", "Accept-Encoding"}};
  constexpr std::size_t kWorthCompressing = 1024;
  if (body.size() >= kWorthCompressing && WantsGzip(call)) {
    body = http::Gzip(body);
    response.headers.push_back({"Content-Encoding", "gzip"});
  }
  response.body = http::MakeBody(std::move(body));
  call.Send(std::move(response));
}

}  // namespace

void GetHealthHistory(const CallPtr& call) {
  const Asked asked = Read(*call);
  if (const auto refused = FutureRefused(*call, asked.query.to)) return call->SendError(*refused);
  call->DeferSlow([call, asked] { Send(*call, asked); });
}

std::span<const ParameterSpec> HealthHistoryParameters() {
  return kParameters;
}

}  // namespace gpumon::handlers
