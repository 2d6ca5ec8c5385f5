#include "internal/config/help.h"

#include <algorithm>
#include <ostream>

#include "internal/config/option_value.h"

namespace gpumon::config {
namespace {

std::string_view ValueName(const OptionRow& row) {
  switch (row.kind) {
    case Kind::kText:
      return "TEXT";
    case Kind::kInteger:
      return "N";
    case Kind::kDuration:
      return "DURATION";
    case Kind::kBytes:
      return "BYTES";
    case Kind::kWord:
      return "WORD";
    case Kind::kPath:
      return "FILE";
    case Kind::kUrlList:
      return "URL,...";
    case Kind::kTextList:
      return "TEXT,...";
    case Kind::kBool:
      break;
  }
  return "";
}

// "--cache-ttl DURATION", "--healthcheck [TEXT]", "--debug", "-f, --format WORD".
std::string Usage(const OptionRow& row) {
  std::string out =
      (row.letter.empty() ? "" : std::string(row.letter) + ", ") + std::string(row.flag);
  const std::string name(ValueName(row));
  if (name.empty()) return out;
  return out + (row.bare.empty() ? " " + name : " [" + name + "]");
}

// `text` in lines of at most `columns` columns, each indented by eight.
std::string Wrapped(std::string_view text, std::size_t columns) {
  constexpr std::string_view kIndent = "        ";
  columns -= kIndent.size();
  std::string out;
  while (!text.empty()) {
    std::size_t cut = text.size();
    if (cut > columns) {
      cut = text.rfind(' ', columns);
      if (cut == std::string_view::npos || cut == 0) cut = text.find(' ', columns);
      if (cut == std::string_view::npos) cut = text.size();
    }
    out += std::string(kIndent) + std::string(text.substr(0, cut)) + "\n";
    text.remove_prefix(cut);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  }
  return out;
}

std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string CodeCell(std::string_view text) {
  return text.empty() ? std::string() : "`" + Cell(text) + "`";
}

bool HasFile(Rows rows) {
  return std::any_of(rows.begin(), rows.end(), [](const OptionRow& row) {
    return row.flag == kConfigFileRow.flag || row.flag == kFlowConfigRow.flag;
  });
}

}  // namespace

std::string HelpText(const Program& program, Rows rows) {
  std::string out = std::string(program.name) + " " + std::string(program.version) + "\n" +
                    std::string(program.summary) + "\n\nUsage: " + std::string(program.name) + " " +
                    std::string(program.usage) + "\n\n" + std::string(program.details) +
                    "A flag wins over its environment variable, that over the " +
                    (HasFile(rows) ? "configuration file, that over the " : "") +
                    "default.\nA variable that is empty counts as not set.\n\nFlags:\n";
  for (const OptionRow& row : rows) {
    if (row.hidden) continue;
    out += "  " + Usage(row);
    if (!row.env.empty()) out += "   environment: " + std::string(row.env);
    out += "\n" + Wrapped(row.help, program.columns);
    std::string facts = "Allowed: " + AllowedText(row) + ".";
    if (!row.fallback.empty()) facts += " Default: " + std::string(row.fallback) + ".";
    if (!row.bare.empty()) facts += " Without a value: " + std::string(row.bare) + ".";
    if (!row.health_key.empty()) facts += " In the file: " + std::string(row.health_key) + ".";
    out += Wrapped(facts, program.columns);
  }
  return out + "  --help, -h\n        Prints this text.\n" +
         "  --version\n        Prints the version.\n";
}

std::string VersionText(const Program& program) {
  return std::string(program.name) + " " + std::string(program.version) + "\n";
}

bool PrintIfWanted(const Values& values, const Program& program, Rows rows, std::ostream& out) {
  if (!values.help_wanted() && !values.version_wanted()) return false;
  out << (values.help_wanted() ? HelpText(program, rows) : VersionText(program));
  return true;
}

std::string MarkdownTable(Rows rows) {
  std::string out = "| Flag | Environment | Default | Allowed | Meaning |\n|---|---|---|---|---|\n";
  for (const OptionRow& row : rows) {
    if (row.hidden) continue;
    out += "| " + CodeCell(Usage(row)) + " | " + CodeCell(row.env) + " | " +
           CodeCell(row.fallback) + " | " + Cell(AllowedText(row)) + " | " + Cell(row.help);
    if (!row.health_key.empty()) out += " In the file: `" + std::string(row.health_key) + "`.";
    out += " |\n";
  }
  return out;
}

}  // namespace gpumon::config
