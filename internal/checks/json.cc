#include "internal/checks/json.h"

#include <cstddef>
#include <string_view>
#include <vector>

#include "internal/base/text.h"
#include "internal/json/writer.h"

namespace gpumon::checks {
namespace {

std::string TimeOf(WallTime at) {
  return FormatTime(std::chrono::floor<std::chrono::seconds>(at));
}

void WriteList(std::string_view name, const std::vector<std::string>& lines, json::Writer& writer) {
  writer.Key(name);
  writer.BeginArray();
  for (const std::string& line : lines) writer.String(line);
  writer.EndArray();
}

void WriteCheck(const Done& done, bool verbose, json::Writer& writer) {
  const Outcome& outcome = done.outcome;
  writer.BeginObject();
  writer.Key("service_name");
  writer.String(done.name);
  writer.Key("status");
  writer.String(NameOf(outcome.status));
  writer.Key("response_time_ms");
  writer.Integer(done.took.count());
  writer.Key("details");
  writer.String(outcome.details);
  writer.Key("timestamp");
  writer.String(TimeOf(done.at));
  writer.Key("error_message");
  if (outcome.error.empty()) {
    writer.Null();
  } else {
    writer.String(outcome.error);
  }
  if (!outcome.extra.empty()) {
    writer.Key("extra");
    writer.Raw(outcome.extra);
  }
  if (verbose && outcome.status != Status::kHealthy) {
    writer.Key("hint");
    writer.String(outcome.hint);
    WriteList("steps", outcome.steps, writer);
    WriteList("logs", outcome.log_lines, writer);
  }
  writer.EndObject();
}

std::string Compact(const Report& report, bool verbose) {
  struct Count {
    std::string_view name;
    std::size_t value;
  };
  json::Writer writer;
  writer.BeginObject();
  writer.Key("timestamp");
  writer.String(TimeOf(report.at));
  writer.Key("overall_status");
  writer.String(NameOf(report.overall));
  for (const Count& count :
       {Count{"total_checks", report.counts.total()}, Count{"healthy_count", report.counts.healthy},
        Count{"unhealthy_count", report.counts.unhealthy},
        Count{"degraded_count", report.counts.degraded},
        Count{"unknown_count", report.counts.unknown}}) {
    writer.Key(count.name);
    writer.Unsigned(count.value);
  }
  writer.Key("checks");
  writer.BeginArray();
  for (const Done& done : report.checks) WriteCheck(done, verbose, writer);
  writer.EndArray();
  writer.Key("summary");
  writer.String(SummaryLine(report.counts));
  writer.EndObject();
  return writer.Take();
}

// The end of the string that begins at `begin`, behind its quote.
std::size_t EndOfString(std::string_view json, std::size_t begin) {
  std::size_t i = begin + 1;
  while (json[i] != '"') i += json[i] == '\\' ? 2U : 1U;
  return i + 1;
}

// `json` has no white space between its parts, as json::Writer writes it.
std::string Indented(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  const auto new_line = [&] { out.append("\n").append(2 * depth, ' '); };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') {
      const std::size_t end = EndOfString(json, i);
      out += json.substr(i, end - i);
      i = end - 1;
    } else if ((c == '{' || c == '[') && (json[i + 1] == '}' || json[i + 1] == ']')) {
      out += json.substr(i, 2);
      ++i;
    } else if (c == '{' || c == '[') {
      out += c;
      ++depth;
      new_line();
    } else if (c == '}' || c == ']') {
      --depth;
      new_line();
      out += c;
    } else if (c == ',') {
      out += c;
      new_line();
    } else {
      out += c;
      if (c == ':') out += ' ';
    }
  }
  return out;
}

}  // namespace

std::string JsonText(const Report& report, bool verbose) {
  return Indented(Compact(report, verbose)) + '\n';
}

std::string JsonLine(const Report& report, bool verbose) {
  return Compact(report, verbose) + '\n';
}

}  // namespace gpumon::checks
