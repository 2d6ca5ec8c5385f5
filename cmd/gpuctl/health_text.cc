#include <algorithm>
#include <array>
#include <cmath>

#include "cmd/gpuctl/health_report.h"
#include "cmd/gpuctl/page.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

constexpr std::string_view kUnknown = "-";
constexpr std::size_t kMostRemarks = 20;  // of a fleet, unless --verbose

std::string Whole(std::optional<double> value, std::string_view unit) {
  if (!value) return std::string(kUnknown);
  return std::to_string(std::llround(*value)).append(unit);
}

std::string Age(WallTime then, WallTime now) {
  const auto seconds = std::max<std::int64_t>(
      0, std::chrono::duration_cast<std::chrono::seconds>(now - then).count());
  if (seconds < 120) return std::to_string(seconds) + 's';
  if (seconds < 7200) return std::to_string(seconds / 60) + 'm';
  if (seconds < 172800) return std::to_string(seconds / 3600) + 'h';
  return std::to_string(seconds / 86400) + 'd';
}

constexpr std::size_t kNames = 28;  // characters of names, at least

std::size_t Characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

struct Column {
  std::string_view title;
  std::size_t width;
  bool right = true;
};

// One line of cells, the last characters of a long one cut.
template <class Columns, class Cells>
std::string Line(const Columns& columns, const Cells& cells) {
  std::string line;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string text = ReplaceHidden(cells[i], "?");
    std::string cell(FrontCharacters(text, columns[i].width));
    if (cell.size() < text.size())
      cell.replace(FrontCharacters(cell, columns[i].width - 1).size(), std::string::npos, "~");
    line += (i == 0 ? "" : " ") + Padded(cell, columns[i].width, columns[i].right);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

template <class Columns>
std::string Titles(const Columns& columns) {
  std::vector<std::string> titles;
  for (const Column& column : columns) titles.emplace_back(column.title);
  return Line(columns, titles);
}

template <class Get>
std::optional<double> MeanOf(const store::Snapshot& task, Get get) {
  double sum = 0;
  double count = 0;
  for (const store::GpuReading& gpu : task.gpu_metrics) {
    const std::optional<double> value = get(gpu);
    if (!value) continue;
    sum += *value;
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

// What the other columns leave to the names.
std::size_t NameWidth(const HealthReport& report, const HealthStyle& style) {
  std::size_t longest = 0;
  for (const store::Snapshot& task : report.tasks) {
    longest = std::max(longest, Characters(ReplaceHidden(task.task_id, "?")));
  }
  const std::size_t room = kNames + style.columns - Page::kColumns;
  if (style.verbose || style.whole_names) return std::max(kNames, longest);
  return std::clamp(longest, kNames, room);
}

std::string RowTable(const HealthReport& report, const Remarks& remarks, const HealthStyle& style) {
  std::vector<std::size_t> issues(report.tasks.size());
  for (const auto* const list : {&remarks.issues, &remarks.warnings}) {
    for (const Remark& remark : *list) ++issues[remark.task];
  }
  const std::array columns = {
      Column{report.row == "node" ? "NODE" : "TASK", NameWidth(report, style), false},
      Column{"STATUS", 8, false},
      Column{"HEALTH", 6},
      Column{"GPUS", 4},
      Column{"TEMP", 5},
      Column{"USAGE", 5},
      Column{"MEMORY", 6},
      Column{"ISSUES", 6},
      Column{"AGE", 4}};
  std::string text = Titles(columns);
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    const store::Snapshot& task = report.tasks[i];
    const std::array<std::string, columns.size()> cells = {
        task.task_id,
        task.health_status,
        ScoreText(task.health_score),
        std::to_string(task.gpu_metrics.size()),
        Whole(MeanOf(task, [](const auto& gpu) { return gpu.temperature_c; }), "C"),
        Whole(MeanOf(task, [](const auto& gpu) { return gpu.gpu_utilization_pct; }), "%"),
        Whole(MeanOf(task, MemoryPercent), "%"),
        std::to_string(issues[i]),
        Age(task.timestamp, report.time)};
    text += Line(columns, cells);
  }
  return text;
}

std::string Of(std::optional<double> value, std::optional<double> limit, std::string_view unit) {
  return Whole(value, "") + '/' + Whole(limit, "") + std::string(unit);
}

// Where the next GPUs of `task` are; "" where nobody can take it for another place.
std::string PlaceOf(const HealthReport& report, const store::Snapshot& task,
                    const store::GpuReading& gpu) {
  std::string node = task.instance_id;
  if (!report.node_of.empty() && !gpu.uuid.empty()) {
    const auto at = report.node_of.find(gpu.uuid);
    node = at == report.node_of.end() ? "" : at->second;
  }
  std::string place = report.tasks.size() > 1 ? task.task_id : "";
  if (!node.empty() && report.row != "node" && node != task.task_id) {
    place += (place.empty() ? "on " : " on ") + node;
  }
  return place;
}

std::string GpuTable(const HealthReport& report, const store::Snapshot& task,
                     const HealthStyle& style) {
  constexpr std::array kColumns = {
      Column{"GPU", 3},   Column{"MODEL", 22, false}, Column{"TEMP", 4},        Column{"POWER", 9},
      Column{"USAGE", 5}, Column{"MEMORY", 19},       Column{"CLOCK", 9, false}};
  std::string text = Titles(kColumns);
  std::string last;
  for (const store::GpuReading& gpu : task.gpu_metrics) {
    const std::string place = PlaceOf(report, task, gpu);
    if (place != last) {
      Page heading(style.columns);
      heading.Wrap("", place + ":");
      text += heading.text();
    }
    last = place;
    const auto percent = MemoryPercent(gpu);
    const std::array<std::string, kColumns.size()> cells = {
        gpu.gpu_index ? std::to_string(*gpu.gpu_index) : std::string(kUnknown),
        gpu.name.empty() ? gpu.uuid : gpu.name,
        Whole(gpu.temperature_c, "C"),
        Of(gpu.power_draw_w, gpu.power_limit_w, "W"),
        Whole(gpu.gpu_utilization_pct, "%"),
        Of(gpu.memory_used_mb, gpu.memory_total_mb, "MB") +
            (percent ? "(" + Whole(percent, "%") + ")" : ""),
        Whole(gpu.clock_mhz, "")};
    text += Line(kColumns, cells);
    if (IsThrottled(gpu)) text += "    (throttled: its clock is below 90 % of what it may be)\n";
  }
  return text;
}

void AddRemarks(std::string_view title, const std::vector<Remark>& remarks, std::size_t most,
                Page& page) {
  if (remarks.empty()) return;
  page.Blank();
  page.Wrap("", std::string(title) + " (" + std::to_string(remarks.size()) + ")");
  for (std::size_t i = 0; i < std::min(most, remarks.size()); ++i) {
    page.Wrap("  ", remarks[i].message + " [" + remarks[i].category + "]");
    if (!remarks[i].suggestion.empty()) page.Wrap("    next: ", remarks[i].suggestion);
  }
  if (remarks.size() > most) {
    page.Wrap("  ", "... and " + std::to_string(remarks.size() - most) + " more; -v shows all");
  }
}

std::string Counts(const HealthReport& report) {
  const FleetSummary fleet = SummaryOf(report);
  std::string text = std::to_string(fleet.healthy_nodes) + " healthy, " +
                     std::to_string(fleet.degraded_nodes) + " degraded, " +
                     std::to_string(fleet.critical_nodes) + " critical, " +
                     std::to_string(fleet.unknown_nodes) + " unknown of " +
                     std::to_string(report.tasks.size()) + ' ' + std::string(report.row) + 's';
  return text + "; " + std::to_string(fleet.healthy_gpus) + " of " +
         std::to_string(fleet.total_gpus) + " GPUs cool and not throttled";
}

void AddUsage(const HealthReport& report, Page& page) {
  const auto& usage = report.usage;
  const bool known = std::any_of(usage.begin(), usage.end(), [](const auto& v) { return !!v; });
  if (!known) return;
  const auto last =
      std::find_if(usage.rbegin(), usage.rend(), [](const auto& value) { return !!value; });
  page.Blank();
  page.Wrap("", "GPU usage, " + report.usage_of + ", 0 to 100 %; now " + Whole(*last, " %"));
  // Wrap cuts by bytes; a sparkline is narrower than its bytes.
  page.Raw("  " + Sparkline(usage) + '\n');
}

}  // namespace

std::string ScoreText(std::optional<double> score) {
  if (!score) return std::string(kUnknown);
  return std::to_string(static_cast<int>(std::floor(100 * *score + 1e-7))) + '%';
}

std::string Sparkline(const std::vector<std::optional<double>>& values) {
  constexpr std::array<std::string_view, 8> kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t count = std::min(values.size(), kUsagePoints);
  std::string line;
  for (auto value = values.end() - static_cast<std::ptrdiff_t>(count); value != values.end();
       ++value) {
    if (!*value || std::isnan(**value)) {
      line += ' ';
      continue;
    }
    const double part = std::clamp(**value, 0.0, 100.0) / 100;
    line += kBars[std::min(kBars.size() - 1, static_cast<std::size_t>(part * kBars.size()))];
  }
  return line;
}

std::string HealthText(const HealthReport& report, const HealthStyle& style) {
  const Remarks remarks = RemarksOf(report);
  Page page(style.columns);
  page.Wrap("GPU health  ", FormatTime(report.time) + "  " + report.source);
  page.Wrap("", Counts(report));
  for (const std::string& note : report.notes) page.Wrap("note: ", note);
  for (const std::string& fact : report.facts) page.Wrap("host: ", fact);
  page.Blank();
  page.Raw(RowTable(report, remarks, style));
  if (report.of_one) {
    for (const store::Snapshot& task : report.tasks) {
      if (task.gpu_metrics.empty()) continue;
      page.Blank();
      page.Raw(GpuTable(report, task, style));
    }
  }
  const std::size_t most = style.verbose || report.of_one
                               ? remarks.issues.size() + remarks.warnings.size()
                               : kMostRemarks;
  AddRemarks("ISSUES", remarks.issues, most, page);
  AddRemarks("WARNINGS", remarks.warnings, most, page);
  AddUsage(report, page);
  return page.text();
}

}  // namespace gpumon::ctl
