#include "cmd/gpuctl/get.h"

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>
#include <vector>

#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/output.h"
#include "cmd/gpuctl/progress.h"
#include "cmd/gpuctl/server.h"
#include "cmd/gpuctl/server_flags.h"
#include "internal/base/process.h"
#include "internal/base/text.h"
#include "internal/checks/columns.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr std::array kRows = {
    OptionRow{.flag = "--name",
              .kind = Kind::kTextList,
              .help = "Only these rows; the same as NAME.",
              .allowed = "names, comma-separated"},
    OptionRow{.flag = "--output",
              .fallback = "table",
              .kind = Kind::kWord,
              .help = "What to print.",
              .allowed = "table|wide|json|csv|name",
              .letter = "-o"},
    OptionRow{.flag = "--selector",
              .kind = Kind::kTextList,
              .help = "Only the rows that fit.",
              .allowed = "NAME=VALUE, comma-separated; the names are the list's parameters",
              .letter = "-l"},
    OptionRow{.flag = "--sort-by",
              .help = "The order of the rows.",
              .allowed = "a field of the list, or -FIELD for the highest first"},
    OptionRow{.flag = "--watch",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Ask again and again, until Ctrl-C.",
              .letter = "-w"},
    OptionRow{.flag = "--interval",
              .fallback = "2s",
              .kind = Kind::kDuration,
              .help = "With --watch, from one question to the next.",
              .min = 100,
              .max = 3'600'000},
};

struct Question {
  const Resource& resource;
  std::string output;
  Server::Query query;
  std::size_t width = 0;           // of the narrow table; 0: nothing is cut
  std::vector<std::string> names;  // of rows; none: all

  bool is_table() const { return output == "table" || output == "wide"; }
};

std::string FieldsOf(const Question& question) {
  std::string fields;
  const auto add = [&](std::string_view field) {
    const std::string one = (fields.empty() ? "" : ",") + std::string(field);
    if (("," + fields + ",").find("," + std::string(field) + ",") == std::string::npos) {
      fields += one;
    }
  };
  if (question.output == "name" || (question.is_table() && !question.names.empty())) {
    for (const std::string_view field : question.resource.names) add(field);
  }
  if (question.is_table()) {
    for (const Column& column : question.resource.columns) {
      if (!column.wide || question.output == "wide") add(column.field);
    }
  }
  return fields;
}

Result<Question> QuestionOf(const Resource& resource, const config::Values& values,
                            const std::ostream& out) {
  Question question{resource,
                    values.Text("--output"),
                    {},
                    IsPiped(out) ? 0 : TerminalWidth(out),
                    values.List("--name")};
  if (question.output == "csv" && !question.names.empty()) {
    return Error(values.Refuse("--name", "does not go with -o csv", "--selector chooses its rows"));
  }
  for (const std::string& entry : values.List("--selector")) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(values.Refuse("--selector", "has an entry that is not NAME=VALUE"));
    }
    question.query.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  if (const std::string& sort = values.Text("--sort-by"); !sort.empty()) {
    question.query.emplace_back("sort", sort);
  }
  if (const std::string fields = FieldsOf(question); !fields.empty()) {
    question.query.emplace_back("fields", fields);
  }
  if (question.output == "csv") question.query.emplace_back("format", "csv");
  return question;
}

// The server's CSV has nothing that a terminal acts on but its line ends; of another's this is not
// known.
void PrintCsv(std::string_view body, std::ostream& out) {
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    std::string_view line = body.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out << ReplaceHidden(ToValidUtf8(line), "\xEF\xBF\xBD") << '\n';
    body.remove_prefix(std::min(end + 1, body.size()));
  }
}

Result<Server::Raw> AskRaw(Server& server, const Question& question, std::ostream& err) {
  const Progress progress(err, "asking " + server.name());
  return server.GetRaw(std::string(question.resource.route), question.query);
}

Result<json::Value> AskForRows(Server& server, const Question& question, std::ostream& err) {
  const Progress progress(err, "asking " + server.name());
  return server.GetData(std::string(question.resource.route), question.query);
}

// A header line of the server's: field names, of which one names the rows, unless others were
// asked for.
bool IsHeader(const Question& question, std::string_view line) {
  constexpr std::string_view kInNames = "abcdefghijklmnopqrstuvwxyz0123456789_";
  bool names_rows = std::any_of(question.query.begin(), question.query.end(),
                                [](const auto& one) { return one.first == "fields"; });
  const auto& names = question.resource.names;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(',', at), line.size());
    const std::string_view cell = line.substr(at, end - at);
    if (cell.empty() || cell.find_first_not_of(kInNames) != std::string_view::npos) return false;
    names_rows |= std::find(names.begin(), names.end(), cell) != names.end();
    at = end + 1;
  }
  return names_rows;
}

bool IsCsv(const Question& question, const Server::Raw& raw) {
  constexpr std::string_view kType = "text/csv";
  const std::string_view type = std::string_view(raw.content_type).substr(0, kType.size());
  std::string_view header = std::string_view(raw.body).substr(0, raw.body.find('\n'));
  if (header.ends_with('\r')) header.remove_suffix(1);
  return EqualsIgnoreCase(type, kType) && IsHeader(question, header);
}

// What a Warning header has between quotes: stale, or partial.
std::string CsvNotes(std::string_view warning) {
  std::string notes;
  for (std::size_t at = 0; (at = warning.find('"', at)) != std::string_view::npos;) {
    const std::size_t end = warning.find('"', at + 1);
    if (end == std::string_view::npos) break;
    const std::string text(warning.substr(at + 1, end - at - 1));
    notes += "gpuctl: " + checks::Shown(text) + "; see the server's log\n";
    at = end + 1;
  }
  return notes;
}

Result<void> AskForCsv(Server& server, const Question& question, std::ostream& out,
                       std::ostream& err) {
  const auto raw = AskRaw(server, question, err);
  if (!raw) return Error(raw.error());
  if (raw->status == 200) {
    if (!IsCsv(question, *raw)) {
      return Error(server.Lack(std::string(question.resource.route), "CSV"));
    }
    PrintCsv(raw->body, out);
    out.flush();
    err << CsvNotes(raw->warning);
    return {};
  }
  Server::Answer answer{raw->status, {}};
  if (auto document = json::ParseDocument(raw->body)) answer.document = *std::move(document);
  return Error(server.Refusal(std::string(question.resource.route), answer));
}

Status Unnamed(const Resource& resource, const std::vector<std::string>& missing) {
  std::string names;
  for (const std::string& name : missing) names += (names.empty() ? "" : ", ") + name;
  return {Code::kNotFound, "not found among the " + std::string(resource.name) + ": " + names +
                               "; gpuctl get " + std::string(resource.name) +
                               " -o name lists those there are"};
}

// kNotFound when a name names no row; the others are printed.
Result<void> Ask(Server& server, const Question& question, std::ostream& out, std::ostream& err) {
  if (question.output == "csv") return AskForCsv(server, question, out, err);
  auto answer = AskForRows(server, question, err);
  if (!answer) return Error(answer.error());
  if (!(*answer)["data"].is_array())
    return Error(server.Lack(std::string(question.resource.route), "rows"));
  std::vector<std::string> missing;
  if (!question.names.empty()) {
    answer = ChooseRows(question.resource, *answer, question.names, missing);
  }
  const Line line = [&](std::string_view text) { out << text << '\n'; };
  if (question.output == "json") {
    WriteRows(*answer, line);
  } else if (question.output == "name") {
    WriteNames(question.resource, *answer, line);
  } else {
    const bool wide = question.output == "wide";
    WriteTable(question.resource, *answer, wide, wide ? 0 : question.width, line);
  }
  out.flush();
  if (missing.size() < question.names.size() || missing.empty()) {
    err << Notes(question.resource, *answer);
  }
  if (!missing.empty()) return Error(Unnamed(question.resource, missing));
  return {};
}

}  // namespace

config::Rows GetOptions() {
  static const std::vector<OptionRow> kAll = [] {
    std::vector<OptionRow> rows(kRows.begin(), kRows.end());
    const std::vector<OptionRow> servers = WithServerFlags({});
    rows.insert(rows.end(), servers.begin(), servers.end());
    return rows;
  }();
  return kAll;
}

int RunGet(std::size_t index, const config::Values& values, std::ostream& out, std::ostream& err) {
  const auto end = [&](const Status& status, int code) {
    PrintError(status.message, err);
    return code;
  };
  const bool watch = values.Bool("--watch");
  std::optional<EndingSignals> signals;
  if (watch) signals.emplace();
  auto question = QuestionOf(Resources()[index], values, out);
  if (!question) return end(question.error(), kUsage);
  auto server = ServerOf(values);
  if (!server) return end(server.error(), kUsage);
  bool ended = false;
  server->SetGlance([&](Millis) {
    ended = ended || (signals && signals->Await(Millis(0)) != 0);
    return ended;
  });
  const SystemClock clock;
  for (bool first = true;; first = false) {
    const Deadline next = Deadline::After(clock, values.Duration("--interval"));
    if (watch) {
      // Programs read the other forms from standard output.
      std::ostream& to = question->is_table() ? out : err;
      to << (first ? "" : "\n") << FormatTime(clock.Wall()) << '\n';
    }
    const auto asked = Ask(*server, *question, out, err);
    if (ended) return kWell;
    if (!asked) {
      // What worked once may work again.
      if (!watch || first) {
        return end(asked.error(), asked.error().code == Code::kNotFound ? kFindings : kNoAnswer);
      }
      end(asked.error(), kNoAnswer);
    }
    if (!watch || !out) return kWell;
    if (signals->Await(next.Left(clock)) != 0) return kWell;
  }
}

}  // namespace gpumon::ctl
