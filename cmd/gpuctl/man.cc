#include "cmd/gpuctl/man.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "internal/config/option_value.h"
#include "version.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr std::array kRows = {
    OptionRow{.flag = "--directory",
              .help = "Where to write all pages to, instead of printing one.",
              .allowed = "a directory"},
};

// One line of text, as roff prints it.
std::string Roff(std::string_view line) {
  std::string out;
  if (line.starts_with('.') || line.starts_with('\'')) out = "\\&";
  for (const char c : line) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

// As it stands, line by line.
std::string Verbatim(std::string_view text) {
  std::string out = ".nf\n";
  while (text.ends_with('\n')) text.remove_suffix(1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    // An empty line is no request in a text that is not filled.
    out += Roff(text.substr(0, end)) + '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + ".fi\n";
}

std::string Head(const std::string& name, std::string_view summary) {
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  // The summary of a page is no sentence.
  while (summary.ends_with('.')) summary.remove_suffix(1);
  return ".TH " + upper + " 1 \"\" \"gpuctl " + std::string(kVersion) +
         "\" \"GPU Monitoring\"\n.SH NAME\n" + Roff(name) + " \\- " + Roff(summary) + '\n';
}

std::string Option(const OptionRow& row) {
  std::string out = ".TP\n.B ";
  if (!row.letter.empty()) out += Roff(row.letter) + ", ";
  out += Roff(row.flag);
  out += '\n' + Roff(row.help) + '\n';
  std::string facts = "Allowed: " + config::AllowedText(row) + '.';
  if (!row.fallback.empty()) facts += " Default: " + std::string(row.fallback) + '.';
  if (!row.env.empty()) facts += " Environment: " + std::string(row.env) + '.';
  return out + Roff(facts) + '\n';
}

// "", or what is wrong.
std::string WriteFile(const std::string& text, const std::filesystem::path& path) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  return file ? std::string() : path.string() + " could not be written";
}

}  // namespace

std::string ManName(const Command& command) {
  std::string name = "gpuctl-" + std::string(command.name);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string ManPage(std::span<const Command> commands) {
  std::string out =
      Head("gpuctl", "one command line for the fleet, the node and the services around it") +
      ".SH SYNOPSIS\n.B gpuctl\n.I COMMAND\n[flags]\n.SH COMMANDS\n";
  std::string pages;
  for (const Command& command : commands) {
    out += ".TP\n.B " + Roff(command.name) + '\n' + Roff(command.summary) + '\n';
    if (!pages.empty()) pages += ",\n";
    pages += ".BR " + Roff(ManName(command)) + " (1)";
  }
  return out + ".SH SEE ALSO\n" + pages + '\n';
}

std::string ManPage(const Command& command) {
  std::string out = Head(ManName(command), command.summary) + ".SH SYNOPSIS\n.B gpuctl " +
                    Roff(command.name) + '\n' + Roff(command.usage) + "\n.SH DESCRIPTION\n" +
                    Verbatim(command.details) + ".SH OPTIONS\n" +
                    "A flag wins over its environment variable, that over the default.\n";
  for (const OptionRow& row : command.options()) {
    if (!row.hidden) out += Option(row);
  }
  return out + ".TP\n.B \\-\\-help, \\-h\nPrints the text of the command.\n" +
         ".SH SEE ALSO\n.BR gpuctl (1)\n";
}

config::Rows ManOptions() {
  return kRows;
}

int RunMan(const config::Values& values, std::ostream& out, std::ostream& err) {
  const std::filesystem::path folder(values.Text("--directory"));
  if (folder.empty()) {
    out << ManPage(Commands());
    return kWell;
  }
  std::error_code made;
  std::filesystem::create_directories(folder, made);
  std::string wrong = WriteFile(ManPage(Commands()), folder / "gpuctl.1");
  for (const Command& command : Commands()) {
    if (!wrong.empty()) break;
    wrong = WriteFile(ManPage(command), folder / (ManName(command) + ".1"));
  }
  if (wrong.empty()) return kWell;
  err << "gpuctl: " << wrong << "; see --directory, and whether there is room\n";
  return kNoOutput;
}

}  // namespace gpumon::ctl
