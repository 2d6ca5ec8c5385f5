#include "internal/checks/table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "internal/base/text.h"
#include "internal/checks/columns.h"

namespace gpumon::checks {
namespace {

constexpr std::string_view kNoColour = "\x1b[0m";
// A longer text goes on in the next line of its cell.
constexpr std::size_t kWidest = 60;

struct Column {
  std::string_view title;
  std::size_t least;  // columns
  std::string (*text)(const Done& done);
};

std::string DetailsOf(const Done& done) {
  return Shown(done.outcome.details.empty() ? done.outcome.error : done.outcome.details);
}

constexpr std::size_t kStatusColumn = 1;
constexpr std::array kColumns = {
    Column{"Service", 35, [](const Done& done) { return Shown(done.name); }},
    Column{"Status", 11, [](const Done& done) { return Marked(done.outcome.status); }},
    Column{"Response Time", 13,
           [](const Done& done) { return std::to_string(done.took.count()) + "ms"; }},
    Column{"Details", 32, DetailsOf},
};
using Widths = std::array<std::size_t, kColumns.size()>;

Widths WidthsOf(const Report& report) {
  Widths widths{};
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    widths[i] = kColumns[i].least;
    for (const Done& done : report.checks) {
      widths[i] = std::max(widths[i], std::min(kWidest, DisplayWidth(kColumns[i].text(done))));
    }
  }
  return widths;
}

std::string Border(const Widths& widths, std::string_view left, std::string_view middle,
                   std::string_view right) {
  std::string line;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    line += i == 0 ? left : middle;
    for (std::size_t column = 0; column < widths[i] + 2; ++column) line += "─";
  }
  return line.append(right) + '\n';
}

std::string Coloured(std::string_view text, Status status, const Style& style) {
  if (!style.colour) return std::string(text);
  return std::string(RowOf(status).colour).append(text).append(kNoColour);
}

std::string RowText(const Done& done, const Widths& widths, const Style& style) {
  std::array<std::vector<std::string>, kColumns.size()> cells;
  std::size_t height = 1;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    cells[i] = Wrapped(kColumns[i].text(done), widths[i]);
    height = std::max(height, cells[i].size());
  }
  std::string text;
  for (std::size_t line = 0; line < height; ++line) {
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      const std::string cell = Padded(line < cells[i].size() ? cells[i][line] : "", widths[i]);
      text += "│ ";
      text += i == kStatusColumn && line == 0 ? Coloured(cell, done.outcome.status, style) : cell;
      text += ' ';
    }
    text += "│\n";
  }
  return text;
}

std::string Titles(const Widths& widths) {
  std::string line;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    line += "│ " + Padded(kColumns[i].title, widths[i]) + ' ';
  }
  return line + "│\n";
}

void AddLines(std::string_view title, const std::vector<std::string>& lines, std::string& text) {
  if (lines.empty()) return;
  text.append("  ").append(title).append(":\n");
  for (const std::string& line : lines) text += "    " + Shown(line) + '\n';
}

std::string Explained(const Report& report, const Style& style) {
  std::string text;
  if (!style.verbose) return text;
  for (const Done& done : report.checks) {
    const Outcome& outcome = done.outcome;
    if (outcome.status == Status::kHealthy) continue;
    text += '\n' + Shown(done.name) + ": " +
            Coloured(Marked(outcome.status), outcome.status, style) + '\n';
    if (!outcome.error.empty()) text += "  Why: " + Shown(outcome.error) + '\n';
    if (!outcome.hint.empty()) text += "  Next: " + Shown(outcome.hint) + '\n';
    AddLines("Steps", outcome.steps, text);
    AddLines("Last log lines", outcome.log_lines, text);
  }
  return text;
}

// "2025-07-28T10:30:00Z"
std::string WholeSeconds(WallTime at) {
  return FormatTime(std::chrono::floor<std::chrono::seconds>(at));
}

}  // namespace

std::string TableText(const Report& report, const Style& style) {
  const Widths widths = WidthsOf(report);
  const std::string at = WholeSeconds(report.at);
  std::string text =
      "Backend.AI Health Check Report\nTimestamp: " + at.substr(0, 10) + ' ' + at.substr(11, 8) +
      " UTC\nOverall Status: " + Coloured(Marked(report.overall), report.overall, style) + "\n\n";
  text += Border(widths, "┌", "┬", "┐") + Titles(widths) + Border(widths, "├", "┼", "┤");
  for (const Done& done : report.checks) text += RowText(done, widths, style);
  text += Border(widths, "└", "┴", "┘") + '\n' + SummaryLine(report.counts) + '\n';
  return text + Explained(report, style);
}

std::string SummaryText(const Report& report, const Style& style) {
  std::string text = "Backend.AI Health Status - " + WholeSeconds(report.at).substr(11, 8) + '\n';
  for (const Done& done : report.checks) {
    text += Shown(done.name) + ": " +
            Coloured(Marked(done.outcome.status), done.outcome.status, style) + " (" +
            std::to_string(done.took.count()) + "ms)\n";
  }
  return text + SummaryLine(report.counts) + '\n' + Explained(report, style);
}

}  // namespace gpumon::checks
