#include <algorithm>
#include <vector>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/get.h"
#include "internal/base/text.h"
#include "internal/checks/columns.h"

namespace gpumon::ctl {
namespace {

using json::Value;

constexpr std::string_view kGap = "  ";
// A column that is cut shows at least so much.
constexpr std::size_t kNarrowest = 8;

WallTime AsOf(const Value& answer) {
  const std::string* const text = answer["meta"]["as_of"].AsString();
  const auto time = text == nullptr ? std::nullopt : ParseTime(*text);
  return time ? *time : SystemClock().Wall();
}

struct Cells {
  std::vector<const Column*> columns;
  std::vector<std::string> texts;  // row by row
  std::vector<std::size_t> widths;
};

Cells CellsOf(const Resource& resource, const Value& answer, bool wide) {
  Cells cells;
  for (const Column& column : resource.columns) {
    if (column.wide && !wide) continue;
    cells.columns.push_back(&column);
    cells.widths.push_back(checks::DisplayWidth(column.title));
  }
  const WallTime as_of = AsOf(answer);
  cells.texts.reserve(answer["data"].size() * cells.columns.size());
  for (const Value& row : answer["data"].elements()) {
    for (std::size_t i = 0; i < cells.columns.size(); ++i) {
      const Column& column = *cells.columns[i];
      cells.texts.push_back(CellText(row[column.field], column.kind, as_of));
      cells.widths[i] = std::max(cells.widths[i], checks::DisplayWidth(cells.texts.back()));
    }
  }
  return cells;
}

std::size_t LineWidth(const Cells& cells) {
  std::size_t all = kGap.size() * (cells.widths.size() - 1);
  for (const std::size_t width : cells.widths) all += width;
  return all;
}

// Takes from the widest column that may be cut, until the line fits or none is left.
void Shrink(Cells& cells, std::size_t width, bool last) {
  for (std::size_t all = LineWidth(cells); all > width; --all) {
    std::size_t* widest = nullptr;
    for (std::size_t i = 0; i < cells.widths.size(); ++i) {
      const Column& column = *cells.columns[i];
      const bool may = column.shrinks && column.last == last && cells.widths[i] > kNarrowest;
      if (may && (widest == nullptr || cells.widths[i] > *widest)) widest = &cells.widths[i];
    }
    if (widest == nullptr) return;
    --*widest;
  }
}

std::string LineOf(const Cells& cells, const std::function<std::string_view(std::size_t)>& text) {
  std::string line;
  for (std::size_t i = 0; i < cells.columns.size(); ++i) {
    if (i > 0) line += kGap;
    line += Filled(text(i), cells.widths[i], IsNumber(cells.columns[i]->kind));
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

void WriteTable(const Resource& resource, const Value& answer, bool wide, std::size_t width,
                const Line& line) {
  if (answer["data"].size() == 0) return;
  Cells cells = CellsOf(resource, answer, wide);
  for (const bool last : {false, true}) {
    if (width > 0) Shrink(cells, width, last);
  }
  line(LineOf(cells, [&](std::size_t i) { return cells.columns[i]->title; }));
  for (std::size_t first = 0; first < cells.texts.size(); first += cells.columns.size()) {
    line(LineOf(cells, [&](std::size_t i) { return std::string_view(cells.texts[first + i]); }));
  }
}

std::string RowName(const Resource& resource, const Value& row) {
  std::string name(resource.singular);
  for (const std::string_view field : resource.names) {
    const bool mig = field == "mig" || field == "mig_uuid";
    // A whole GPU has none: it is not a part of its name.
    if (mig && row[field].is_null()) continue;
    name += '/' + CellText(row[field], mig ? CellKind::kMig : CellKind::kText, {});
  }
  return name;
}

void WriteNames(const Resource& resource, const Value& answer, const Line& line) {
  for (const Value& row : answer["data"].elements()) line(RowName(resource, row));
}

void WriteRows(const Value& answer, const Line& line) {
  const Value::Array& rows = answer["data"].elements();
  if (rows.empty()) return line("[]");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    json::Writer writer;
    CopyJson(rows[i], writer);
    line((i == 0 ? "[" : " ") + EscapeHidden(writer.view()) + (i + 1 < rows.size() ? "," : "]"));
  }
}

std::string Notes(const Resource& resource, const Value& answer) {
  std::string notes;
  const auto note = [&](const std::string& text) {
    notes += "gpuctl: " + checks::Shown(text) + '\n';
  };
  const Value& meta = answer["meta"];
  if (meta["stale"].AsBool() == true) {
    note("stale: Prometheus gives nothing newer than " +
         CellText(meta["as_of"], CellKind::kText, {}) + "; see the server's log");
  }
  if (meta["partial"].AsBool() == true) {
    note("partial: some queries failed, what they would have told is \"-\"; see the server's log");
  }
  for (const Value& warning : answer["warnings"].elements()) {
    note("warning: " + CellText(warning, CellKind::kText, {}));
  }
  if (answer["data"].size() == 0) {
    const std::string one(resource.name == "idle" ? "GPUs that were held idle" : resource.name);
    note("there are no " + one + " to show" +
         (meta["partial"].AsBool() == true ? ", as far as the other queries tell" : ""));
  }
  return notes;
}

}  // namespace gpumon::ctl
