#include "cmd/gpuctl/get.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <optional>
#include <vector>

#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/page.h"
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
  std::size_t width = 0;  // of the narrow table

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
  if (question.output == "name") {
    for (const std::string_view field : question.resource.names) add(field);
  } else if (question.is_table()) {
    for (const Column& column : question.resource.columns) {
      if (!column.wide || question.output == "wide") add(column.field);
    }
  }
  return fields;
}

Result<Question> QuestionOf(const Resource& resource, const config::Values& values,
                            const std::ostream& out) {
  Question question{resource, values.Text("--output"), {}, TerminalWidth(out)};
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

Result<void> AskForCsv(Server& server, const Question& question, Progress& progress,
                       std::ostream& out) {
  const std::string path(question.resource.route);
  const auto raw = server.GetRaw(path, question.query);
  progress.Clear();
  if (!raw) return Error(raw.error());
  if (raw->status == 200) {
    PrintCsv(raw->body, out);
    return {};
  }
  Server::Answer answer{raw->status, {}};
  if (auto document = json::ParseDocument(raw->body)) answer.document = *std::move(document);
  return Error(server.Refusal(path, answer));
}

Result<void> Ask(Server& server, const Question& question, Progress& progress, std::ostream& out,
                 std::ostream& err) {
  if (question.output == "csv") return AskForCsv(server, question, progress, out);
  const std::string path(question.resource.route);
  const auto answer = server.GetData(path, question.query);
  progress.Clear();
  if (!answer) return Error(answer.error());
  if (!(*answer)["data"].is_array()) return Error(server.Lack(path, "rows"));
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
  err << Notes(question.resource, *answer);
  return {};
}

}  // namespace

std::size_t TerminalWidth(const std::ostream& out) {
  winsize size{};
  if (&out != &std::cout || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return Page::kColumns;
  return std::max<std::size_t>(Page::kColumns, size.ws_col);
}

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
    err << "gpuctl: " << checks::Shown(status.message) << '\n';
    return code;
  };
  const bool watch = values.Bool("--watch");
  std::optional<EndingSignals> signals;
  if (watch) signals.emplace();
  auto question = QuestionOf(Resources()[index], values, out);
  if (!question) return end(question.error(), kUsage);
  auto server = ServerOf(values);
  if (!server) return end(server.error(), kUsage);
  Progress progress(server->name(), err);
  bool ended = false;
  server->SetGlance([&](Millis waited) {
    progress.Show(waited);
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
    const auto asked = Ask(*server, *question, progress, out, err);
    if (ended) return kWell;
    if (!asked) {
      // What worked once may work again.
      if (!watch || first) return end(asked.error(), kNoAnswer);
      end(asked.error(), kNoAnswer);
    }
    if (!watch || !out) return kWell;
    if (signals->Await(next.Left(clock)) != 0) return kWell;
  }
}

}  // namespace gpumon::ctl
