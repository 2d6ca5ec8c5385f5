#include <string>
#include <string_view>

#include "internal/base/text.h"
#include "internal/wire/encode.h"
#include "internal/wire/form.h"
#include "internal/wire/throttle.h"

namespace gpumon::wire {
namespace {

using models::NullReason;
using models::Text;

// namespace/pod/container, several of them with blanks between.
std::string CsvWorkloads(const Table& table, std::size_t row) {
  std::string text;
  for (const models::Workload& workload : table.workloads(row)) {
    if (!text.empty()) text += ' ';
    text.append(workload.name_space).append("/").append(workload.pod);
    if (!workload.container.empty()) text.append("/").append(workload.container);
  }
  return text;
}

// gpu_instance_id/compute_instance_id/profile
std::string CsvMig(const Table& table, std::size_t row) {
  std::string text(table.text(row, Text::kMigGpuInstance));
  text.append("/").append(table.text(row, Text::kMigComputeInstance));
  return text.append("/").append(table.text(row, Text::kMigProfile));
}

std::string CsvThrottle(std::int64_t mask) {
  std::string text;
  VisitThrottleNames(
      mask, [&](std::string_view name) { text.append(text.empty() ? "" : " ").append(name); });
  return text;
}

std::string CsvReasons(const Table& table, const Page& page, std::size_t row) {
  std::string text;
  for (const auto f : page.fields) {
    const NullReason reason = table.reason(row, f);
    if (reason == NullReason::kNone) continue;
    if (!text.empty()) text += ' ';
    text += table.fields()[f].name;
    text += '=';
    text += models::NameOf(reason);
  }
  return text;
}

void AppendCsvCell(std::string& out, const Table& table, const Page& page, std::size_t row,
                   const Cell& cell) {
  switch (cell.type) {
    case Cell::Type::kNull:
      return;
    case Cell::Type::kNumber:
      out += FormatNumber(cell.number);
      return;
    case Cell::Type::kInteger:
      out += std::to_string(cell.integer);
      return;
    case Cell::Type::kText:
      return AppendCsvText(out, cell.text);
    case Cell::Type::kTime:
      out += FormatTime(ToWallTime(cell.number));
      return;
    case Cell::Type::kWorkloads:
      return AppendCsvText(out, CsvWorkloads(table, row));
    case Cell::Type::kMig:
      return AppendCsvText(out, CsvMig(table, row));
    case Cell::Type::kThrottle:
      out += CsvThrottle(cell.integer);
      return;
    case Cell::Type::kReasons:
      return AppendCsvText(out, CsvReasons(table, page, row));
  }
}

}  // namespace

Encoded EncodeCsv(const Table& table, const Page& page) {
  Encoded encoded;
  for (std::size_t i = 0; i < page.fields.size(); ++i) {
    if (i > 0) encoded.body += ',';
    encoded.body += table.fields()[page.fields[i]].name;
  }
  encoded.body += "\r\n";
  for (const auto row : page.rows) {
    const std::size_t begin = encoded.body.size();
    for (std::size_t i = 0; i < page.fields.size(); ++i) {
      if (i > 0) encoded.body += ',';
      AppendCsvCell(encoded.body, table, page, row, table.cell(row, page.fields[i]));
    }
    EndCsvRow(encoded.body, begin);
  }
  encoded.etag = Tag(encoded.body, "csv");
  return encoded;
}

}  // namespace gpumon::wire
