#include <algorithm>
#include <array>
#include <span>

#include "cmd/gpuctl/cells.h"
#include "cmd/gpuctl/top.h"
#include "internal/base/text.h"
#include "internal/checks/columns.h"

namespace gpumon::ctl {
namespace {

constexpr TopSize kSmallest{40, 10};
constexpr std::size_t kHeadLines = 6;  // the list's titles are the last of them
constexpr std::size_t kFootLines = 1;

enum class Paint : std::uint8_t { kPlain, kBold, kReverse, kBad };
constexpr std::array<std::string_view, 4> kSequences = {"", "\x1b[1m", "\x1b[7m", "\x1b[1;31m"};

std::string Painted(const std::string& text, Paint paint, bool colors) {
  if (!colors || paint == Paint::kPlain) return text;
  return std::string(kSequences[static_cast<std::size_t>(paint)]) + text + "\x1b[0m";
}

std::string NumberText(const Known& value, std::string_view unit = {}) {
  return value ? DecimalText(*value, 0) + std::string(unit) : std::string(kAbsentCell);
}

// "[||||||     46%]" of `width` columns.
std::string Meter(const Known& percent, const std::string& text, std::size_t width) {
  if (width < text.size() + 4) return Filled(text, width, true);
  const std::size_t room = width - text.size() - 2;
  const double share = percent ? std::clamp(*percent, 0.0, 100.0) / 100 : 0;
  const auto bars = static_cast<std::size_t>(share * static_cast<double>(room) + 0.5);
  return '[' + std::string(bars, '|') + std::string(room - bars, ' ') + text + ']';
}

struct TopColumn {
  std::string_view title;
  std::size_t width = 0;  // 0: a share of what is left
  std::size_t from = 0;   // only on screens of so many columns
  bool right = false;
  std::string (*text)(const TopRow& row, std::size_t width) = nullptr;
  bool meter = false;  // takes what names do not need
};
constexpr std::size_t kLongestName = 40;
constexpr std::size_t kLongestMeter = 50;

std::string PercentMeter(const Known& value, std::size_t width) {
  return Meter(value, NumberText(value, "%"), width);
}

constexpr TopColumn kGpuColumns[] = {
    {"NODE", 0, 0, false, [](const TopRow& row, std::size_t) { return row.of_gpu->node; }},
    {"GPU", 3, 0, false, [](const TopRow& row, std::size_t) { return row.of_gpu->id; }},
    {"MODEL", 24, 120, false, [](const TopRow& row, std::size_t) { return row.of_gpu->model; }},
    {"UTIL", 14, 0, false,
     [](const TopRow& row, std::size_t width) {
       return PercentMeter(row.of_gpu->utilization, width);
     },
     true},
    {"MEMORY", 14, 56, false,
     [](const TopRow& row, std::size_t width) { return PercentMeter(row.of_gpu->memory, width); },
     true},
    {"TEMP-C", 6, 0, true,
     [](const TopRow& row, std::size_t) { return NumberText(row.of_gpu->temperature); }},
    {"POWER-W", 7, 64, true,
     [](const TopRow& row, std::size_t) { return NumberText(row.of_gpu->power); }},
    {"PODS", 0, 70, false, [](const TopRow& row, std::size_t) { return row.of_gpu->holder; }},
};

constexpr TopColumn kNodeColumns[] = {
    {"NODE", 0, 0, false, [](const TopRow& row, std::size_t) { return row.of_node->name; }},
    {"STATUS", 7, 0, false, [](const TopRow& row, std::size_t) { return row.of_node->status; }},
    {"LEVEL", 8, 120, false, [](const TopRow& row, std::size_t) { return row.of_node->level; }},
    {"GPUS", 4, 0, true,
     [](const TopRow& row, std::size_t) { return NumberText(row.of_node->gpus); }},
    {"BUSY", 4, 60, true,
     [](const TopRow& row, std::size_t) { return NumberText(row.of_node->busy); }},
    {"IDLE", 4, 100, true,
     [](const TopRow& row, std::size_t) { return NumberText(row.of_node->idle); }},
    {"FREE", 4, 60, true,
     [](const TopRow& row, std::size_t) { return NumberText(row.of_node->free); }},
    {"BAD", 3, 60, true,
     [](const TopRow& row, std::size_t) { return NumberText(row.of_node->unhealthy); }},
    {"UTIL", 12, 0, false,
     [](const TopRow& row, std::size_t width) {
       return PercentMeter(row.of_node->utilization, width);
     },
     true},
    {"MEMORY", 12, 76, false,
     [](const TopRow& row, std::size_t width) { return PercentMeter(row.of_node->memory, width); },
     true},
    {"TEMP-C", 6, 100, true,
     [](const TopRow& row, std::size_t) { return NumberText(row.of_node->temperature); }},
    {"POWER-W", 7, 50, true,
     [](const TopRow& row, std::size_t) { return NumberText(row.of_node->power); }},
};

// The columns that a screen has room for, those without a width with one.
std::vector<TopColumn> ColumnsFor(std::span<const TopColumn> all, std::size_t columns) {
  std::vector<TopColumn> shown;
  std::size_t taken = 1;  // the mark of the selected row
  std::size_t open = 0;
  for (const TopColumn& column : all) {
    if (columns < column.from) continue;
    shown.push_back(column);
    taken += column.width + (shown.size() > 1 ? 1 : 0);
    open += column.width == 0 ? 1 : 0;
  }
  std::size_t left = columns > taken ? columns - taken : 0;
  std::size_t meters = 0;
  for (TopColumn& column : shown) {
    meters += column.meter ? 1 : 0;
    if (column.width > 0) continue;
    column.width = std::min(left / open, kLongestName);
    left -= column.width;
    --open;
  }
  for (TopColumn& column : shown) {
    if (!column.meter) continue;
    const std::size_t more = std::min(left / meters, kLongestMeter - column.width);
    column.width += more;
    left -= more;
    --meters;
  }
  return shown;
}

class Screen {
 public:
  Screen(const TopFleet& fleet, const TopView& view, TopSize size, WallTime now, bool colors)
      : fleet_(fleet), view_(view), size_(size), now_(now), colors_(colors) {}

  std::vector<std::string> Lines() {
    if (size_.columns < kSmallest.columns || size_.rows < kSmallest.rows) {
      Add("gpuctl top needs " + std::to_string(kSmallest.columns) + "x" +
          std::to_string(kSmallest.rows));
      return Whole();
    }
    Head();
    view_.help ? Help() : List();
    while (lines_.size() + kFootLines < size_.rows) Add("");
    Foot();
    return Whole();
  }

 private:
  void Add(std::string_view text, Paint paint = Paint::kPlain) {
    // A painted line is painted to its end.
    const std::string fit = paint == Paint::kReverse ? Filled(checks::Shown(text), size_.columns)
                                                     : Fit(checks::Shown(text), size_.columns);
    lines_.push_back(Painted(fit, paint, colors_));
  }
  std::vector<std::string> Whole() {
    lines_.resize(size_.rows);
    return std::move(lines_);
  }

  void Head() {
    std::string first = "gpuctl top  " + fleet_.server;
    if (fleet_.as_of) {
      const double age = std::chrono::duration<double>(now_ - *fleet_.as_of).count();
      first += "  as of " + FormatTime(std::chrono::floor<std::chrono::seconds>(*fleet_.as_of)) +
               ", " + DurationText(age) + " ago";
    }
    Add(first, Paint::kBold);
    Add("GPUs " + NumberText(fleet_.gpus) + ": " + NumberText(fleet_.busy) + " busy, " +
        NumberText(fleet_.idle) + " held idle, " + NumberText(fleet_.free) + " free, " +
        NumberText(fleet_.unhealthy) + " unhealthy, " + NumberText(fleet_.unknown) + " unknown" +
        (fleet_.lost.value_or(0) > 0 ? ", " + NumberText(fleet_.lost) + " lost" : ""));
    Meters();
    Add("Power " + NumberText(fleet_.power, " W") + "  Hottest " +
        NumberText(fleet_.temperature, " C") + "  Users " + NumberText(fleet_.users) +
        "  Pods running " + NumberText(fleet_.pods_running) + ", pending " +
        NumberText(fleet_.pods_pending));
    Banner();
  }

  void Meters() {
    constexpr double kBytesPerGiB = 1024.0 * 1024.0 * 1024.0;
    constexpr double kMostGiB = 10'000;  // more are told in TiB
    const std::size_t width = std::min<std::size_t>(60, size_.columns / 2 - 7);
    Known share;
    std::string text(kAbsentCell);
    if (fleet_.memory_used && fleet_.memory_total && *fleet_.memory_total > 0) {
      share = 100 * *fleet_.memory_used / *fleet_.memory_total;
      const bool large = *fleet_.memory_total > kMostGiB * kBytesPerGiB;
      const double unit = large ? 1024 * kBytesPerGiB : kBytesPerGiB;
      text = DecimalText(*fleet_.memory_used / unit, large ? 1 : 0) + '/' +
             DecimalText(*fleet_.memory_total / unit, large ? 1 : 0) + (large ? " TiB" : " GiB");
    }
    Add("Util " + Meter(fleet_.utilization, NumberText(fleet_.utilization, "%"), width) + "  Mem " +
        Meter(share, text, width));
  }

  void Banner() {
    if (!fleet_.away.empty()) return Add("AWAY: " + fleet_.away, Paint::kBad);
    if (fleet_.stale) return Add("STALE: Prometheus gives nothing newer", Paint::kBad);
    if (fleet_.partial) return Add("PARTIAL: some queries failed", Paint::kBad);
    Add("");
  }

  std::string Titles(const std::vector<TopColumn>& columns) const {
    std::string line = " ";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line += (i == 0 ? "" : " ") + Filled(columns[i].title, columns[i].width, columns[i].right);
    }
    return line;
  }

  void List() {
    const bool nodes = view_.nodes && view_.node.empty();
    const auto columns = ColumnsFor(
        nodes ? std::span<const TopColumn>(kNodeColumns) : std::span<const TopColumn>(kGpuColumns),
        size_.columns);
    const auto rows = RowsOf(fleet_, view_);
    const std::size_t selected = SelectedIn(rows, view_);
    // Whole pages: the list stands still while the selection moves in it.
    const std::size_t page = ListLines(size_);
    const std::size_t most = rows.size() - std::min(rows.size(), page);  // the last page is full
    const std::size_t first = std::min(selected / page * page, most);
    const std::size_t last = std::min(rows.size(), first + page);
    position_ =
        rows.empty() ? "none" : std::to_string(selected + 1) + '/' + std::to_string(rows.size());
    Add(Titles(columns), Paint::kReverse);
    for (std::size_t i = first; i < last; ++i) Row(rows[i], columns, i == selected);
    if (rows.empty()) Add(view_.filter.empty() ? "  nothing to show" : "  nothing fits the filter");
  }

  void Row(const TopRow& row, const std::vector<TopColumn>& columns, bool selected) {
    // The mark shows it without colour.
    std::string line = selected ? ">" : " ";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const TopColumn& column = columns[i];
      const std::string text = checks::Shown(column.text(row, column.width));
      line += (i == 0 ? "" : " ") + Filled(text, column.width, column.right);
    }
    const bool bad = row.of_node != nullptr &&
                     (row.of_node->status == "offline" || row.of_node->level == "critical");
    Add(line, selected ? Paint::kReverse : bad ? Paint::kBad : Paint::kPlain);
  }

  void Help() {
    Add(" Keys", Paint::kReverse);
    for (const std::string_view line :
         {"  up, down, PgUp, PgDn, Home, End   choose a row", "  Enter       the GPUs of its node",
          "  Esc, q      back; q also ends", "  n           nodes, or GPUs",
          "  u m t p     by utilization, memory, temperature, power: most first",
          "  s           as the server sorts",
          "  /           filter by part of a text; Enter keeps, Esc clears",
          "  ?           this page, or back"}) {
      Add(line);
    }
  }

  void Foot() {
    if (view_.typing) return Add("/" + view_.filter + "_", Paint::kReverse);
    std::string line = " " + position_;
    if (!view_.node.empty()) line += "  node " + view_.node;
    if (!view_.filter.empty()) line += "  filter " + view_.filter;
    if (!view_.sort.empty()) line += "  by " + view_.sort;
    constexpr std::string_view kKeys = "?:help n:nodes umtp:sort /:filter Enter:node q:quit";
    line = Fit(checks::Shown(line), size_.columns);
    const std::size_t taken = checks::DisplayWidth(line);
    if (taken + 2 + kKeys.size() <= size_.columns) {
      line += std::string(size_.columns - taken - kKeys.size(), ' ') + std::string(kKeys);
    }
    Add(line, Paint::kReverse);
  }

  const TopFleet& fleet_;
  const TopView& view_;
  const TopSize size_;
  const WallTime now_;
  const bool colors_;
  std::string position_;
  std::vector<std::string> lines_;
};

}  // namespace

std::size_t ListLines(TopSize size) {
  constexpr std::size_t kOthers = kHeadLines + kFootLines;
  return size.rows > kOthers ? size.rows - kOthers : 1;
}

std::vector<std::string> Frame(const TopFleet& fleet, const TopView& view, TopSize size,
                               WallTime now, bool colors) {
  return Screen(fleet, view, size, now, colors).Lines();
}

}  // namespace gpumon::ctl
