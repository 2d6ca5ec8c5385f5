#include "tests/e2e/documents/examples.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "internal/json/document.h"

namespace gpumon::e2e {
namespace {

constexpr std::string_view kOpen = "```console\n";
constexpr std::string_view kClose = "```\n";
constexpr std::string_view kHead = "| requirement line | command | output |\n";
constexpr std::string_view kMore = "...";
constexpr std::string_view kGoesOn = " ...";
constexpr std::string_view kBreak = "<br>";

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void TakeMore(Example& example) {
  example.cut = !example.lines.empty() && example.lines.back() == kMore;
  if (example.cut) example.lines.pop_back();
}

void ReadBlocks(const std::string& document, std::vector<Example>& examples) {
  for (std::size_t at = document.find(kOpen); at != std::string::npos;
       at = document.find(kOpen, at)) {
    at += kOpen.size();
    const std::size_t end = document.find(kClose, at);
    while (at < end) {
      const std::size_t command = at + 2;
      if (document.compare(at, 2, "$ ") != 0) throw std::runtime_error("a block without a command");
      Example example;
      example.begin = document.find('\n', command) + 1;
      example.command = document.substr(command, example.begin - command - 1);
      at = std::min(document.find("\n$ ", example.begin - 1) + 1, end);
      if (at == 0) at = end;
      example.size = at - example.begin;
      example.lines = Lines(std::string_view(document).substr(example.begin, example.size));
      TakeMore(example);
      examples.push_back(std::move(example));
    }
  }
}

std::string Unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '|') continue;
    plain += text[i];
  }
  return plain;
}

std::string Escaped(std::string_view text) {
  std::string cell;
  for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

// The text between the backticks of a cell, or of one line of it; "" for none.
std::string Code(std::string_view cell) {
  while (cell.starts_with(' ')) cell.remove_prefix(1);
  while (cell.ends_with(' ')) cell.remove_suffix(1);
  if (cell.size() < 2 || cell.front() != '`' || cell.back() != '`') return std::string(cell);
  return Unescaped(cell.substr(1, cell.size() - 2));
}

// Where the cells of the row end: at pipes that are not escaped.
std::vector<std::size_t> Pipes(std::string_view row) {
  std::vector<std::size_t> pipes;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == '|' && (i == 0 || row[i - 1] != '\\')) pipes.push_back(i);
  }
  return pipes;
}

Example ReadRow(std::string_view row, std::size_t begin) {
  const std::vector<std::size_t> pipes = Pipes(row);
  if (pipes.size() != 4) throw std::runtime_error("no three cells: " + std::string(row));
  Example example;
  example.in_table = true;
  example.command = Code(row.substr(pipes[1] + 1, pipes[2] - pipes[1] - 1));
  std::string_view cell = row.substr(pipes[2] + 1, pipes[3] - pipes[2] - 1);
  example.begin = begin + pipes[2] + 1;
  example.size = cell.size();
  while (cell.find_first_not_of(' ') != std::string_view::npos) {
    const std::size_t end = std::min(cell.find(kBreak), cell.size());
    example.lines.push_back(Code(cell.substr(0, end)));
    cell.remove_prefix(std::min(end + kBreak.size(), cell.size()));
  }
  TakeMore(example);
  return example;
}

void ReadTables(const std::string& document, std::vector<Example>& examples) {
  for (std::size_t at = document.find(kHead); at != std::string::npos;
       at = document.find(kHead, at)) {
    // The line of dashes, then rows.
    at = document.find('\n', at + kHead.size()) + 1;
    while (document.compare(at, 2, "| ") == 0) {
      const std::size_t end = document.find('\n', at);
      examples.push_back(ReadRow(std::string_view(document).substr(at, end - at), at));
      at = end + 1;
    }
  }
}

// Keys and types without values; the first element stands for all of a list.
std::string Shape(const json::Value& value) {
  switch (value.type()) {
    case json::Value::Type::kObject: {
      std::string shape = "{";
      for (const auto& [name, member] : value.members()) shape += name + ':' + Shape(member) + ' ';
      return shape + '}';
    }
    case json::Value::Type::kArray:
      return value.size() == 0 ? "[]" : '[' + Shape(value[0]) + ']';
    case json::Value::Type::kNull:
      return "null";
    case json::Value::Type::kBool:
      return *value.AsBool() ? "true" : "false";
    case json::Value::Type::kNumber:
      return "number";
    case json::Value::Type::kString:
      return "text";
  }
  return "";
}

// The names of columns, and how many columns each row has. Empty: it is no CSV.
std::string CsvForm(const std::string& text) {
  const std::size_t end = text.find('\n');
  const std::string names = text.substr(0, end);
  constexpr std::string_view kOfNames = "abcdefghijklmnopqrstuvwxyz0123456789_,";
  if (end == std::string::npos || names.find(',') == std::string::npos ||
      names.find_first_not_of(kOfNames) != std::string::npos) {
    return "";
  }
  std::string form = names;
  std::size_t commas = 0;
  bool quoted = false;
  for (const char c : text.substr(end + 1)) {
    if (c == '"') quoted = !quoted;
    commas += c == ',' && !quoted ? 1U : 0U;
    if (c != '\n' || quoted) continue;
    form += ' ' + std::to_string(commas);
    commas = 0;
  }
  return form;
}

// Text with each number as one 0 and each gap as one blank.
std::string TextForm(std::string_view text) {
  constexpr std::string_view kRule = "─";
  std::string form;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with(kRule)) {
      if (!form.ends_with(kRule)) form += kRule;
      i += kRule.size() - 1;
      continue;
    }
    const char c = text[i] >= '0' && text[i] <= '9' ? '0' : text[i];
    const bool repeats = (c == '0' || c == ' ') && !form.empty() && form.back() == c;
    if (!repeats) form += c;
  }
  return form;
}

// NODE  GPU  UTIL%: the first line of a table of gpuctl, at least three columns of it.
bool IsTableHead(const std::string& line) {
  // The small letters are those of MiB and MHz.
  constexpr std::string_view kOfNames = "ABCDEFGHIJKLMNOPQRSTUVWXYZiz0123456789%- ";
  const std::string form = TextForm(line);
  return line.find_first_not_of(kOfNames) == std::string::npos &&
         std::count(form.begin(), form.end(), ' ') >= 2;
}

// Its columns and how many rows it has: whose the rows are changes by the hour. Empty: it is none.
std::string TableForm(const std::string& text) {
  const std::string head = text.substr(0, text.find('\n'));
  if (!IsTableHead(head)) return "";
  return TextForm(head) + ' ' + std::to_string(std::count(text.begin(), text.end(), '\n'));
}

std::string Form(const std::string& text) {
  const auto json = json::ParseDocument(text);
  if (json) return Shape(*json);
  if (std::string csv = CsvForm(text); !csv.empty()) return csv;
  if (std::string table = TableForm(text); !table.empty()) return table;
  return TextForm(text);
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

bool FitsLine(const std::string& shown, const std::string& line) {
  if (!shown.ends_with(kGoesOn)) return TextForm(shown) == TextForm(line);
  const std::string begin = TextForm(shown.substr(0, shown.size() - kGoesOn.size()));
  return TextForm(line).starts_with(begin);
}

// As far as `shown` goes, and no character in two.
std::string CutAs(const std::string& shown, const std::string& line) {
  std::size_t size = shown.size() - kGoesOn.size();
  if (!shown.ends_with(kGoesOn) || line.size() <= size) return line;
  while (size > 0 && (static_cast<unsigned char>(line[size]) & 0xC0U) == 0x80U) --size;
  return line.substr(0, size) + std::string(kGoesOn);
}

}  // namespace

std::vector<Example> ExamplesOf(const std::string& document) {
  std::vector<Example> examples;
  ReadBlocks(document, examples);
  ReadTables(document, examples);
  std::sort(examples.begin(), examples.end(),
            [](const Example& a, const Example& b) { return a.begin < b.begin; });
  return examples;
}

bool Fits(const Example& shown, const std::string& output) {
  const bool in_part =
      shown.cut || std::any_of(shown.lines.begin(), shown.lines.end(),
                               [](const std::string& line) { return line.ends_with(kGoesOn); });
  if (!in_part) return Form(Joined(shown.lines)) == Form(output);
  const std::vector<std::string> lines = Lines(output);
  const bool enough =
      shown.cut ? lines.size() >= shown.lines.size() : lines.size() == shown.lines.size();
  if (enough && !lines.empty() && IsTableHead(lines[0])) return FitsLine(shown.lines[0], lines[0]);
  return enough && std::equal(shown.lines.begin(), shown.lines.end(), lines.begin(), FitsLine);
}

std::string Pasted(const Example& shown, const std::string& output) {
  std::vector<std::string> lines = Lines(output);
  if (shown.cut) lines.resize(std::min(lines.size(), shown.lines.size()));
  for (std::size_t i = 0; i < std::min(lines.size(), shown.lines.size()); ++i) {
    lines[i] = CutAs(shown.lines[i], lines[i]);
  }
  if (shown.cut) lines.emplace_back(kMore);
  if (!shown.in_table) return Joined(lines);
  std::string cell;
  for (const std::string& line : lines) {
    const std::string code = line.empty() ? "" : '`' + Escaped(line) + '`';
    cell += (cell.empty() ? " " : std::string(kBreak)) + code;
  }
  return cell + ' ';
}

}  // namespace gpumon::e2e
