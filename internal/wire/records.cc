#include "internal/wire/records.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "internal/base/text.h"
#include "internal/json/writer.h"
#include "internal/wire/data_envelope.h"
#include "internal/wire/form.h"
#include "internal/wire/meta.h"

namespace gpumon::wire {
namespace {

using json::Writer;
using models::NullReason;

// How large all rows are is told by the first ones.
constexpr std::size_t kMeasuredRows = 16;
constexpr std::size_t kBesideRows = 4096;  // bytes: messages, warnings and meta

NullReason ReasonOf(const Value& value) {
  const auto* const reason = std::get_if<NullReason>(&value);
  return reason == nullptr ? NullReason::kNone : *reason;
}

// Whole numbers of bytes are counts: 1024, not 1024.0.
void WriteNumber(Writer& writer, const Column& column, double number) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (column.unit == "bytes" && number >= 0 && number < kExact && number == std::floor(number)) {
    return writer.Unsigned(static_cast<std::uint64_t>(number));
  }
  writer.Number(number);
}

void WriteNotes(Writer& writer, const std::vector<Note>& notes) {
  writer.BeginArray();
  for (const Note& note : notes) {
    writer.BeginObject();
    for (const auto& [key, text] :
         {std::pair("severity", &note.severity), std::pair("component", &note.component),
          std::pair("finding", &note.text), std::pair("action", &note.action)}) {
      writer.Key(key);
      writer.String(*text);
    }
    writer.Key("factor");
    writer.Number(note.factor);
    writer.Key("since");
    note.since ? writer.String(FormatTime(ToWallTime(*note.since))) : writer.Null();
    writer.Key("open_before");
    writer.Bool(note.or_before);
    writer.EndObject();
  }
  writer.EndArray();
}

// What a cell of a row and of an item may both be. False: it is something else.
template <class ValueT>
bool WritePlain(Writer& writer, const Column& column, const ValueT& value) {
  if (const auto* const number = std::get_if<double>(&value)) {
    if (column.type == Column::Type::kTime) {
      writer.String(FormatTime(ToWallTime(*number)));
    } else {
      WriteNumber(writer, column, *number);
    }
  } else if (const auto* const integer = std::get_if<std::int64_t>(&value)) {
    writer.Integer(*integer);
  } else if (const auto* const text = std::get_if<std::string>(&value)) {
    writer.String(*text);
  } else if (const auto* const truth = std::get_if<bool>(&value)) {
    writer.Bool(*truth);
  } else {
    return false;
  }
  return true;
}

void WriteItems(Writer& writer, const Column& column, const std::vector<Item>& items) {
  const std::span<const Column> columns = column.items();
  writer.BeginArray();
  for (const Item& item : items) {
    writer.BeginObject();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      writer.Key(columns[i].name);
      if (!WritePlain(writer, columns[i], item.cells[i])) writer.Null();
    }
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteValue(Writer& writer, const Column& column, const Value& value) {
  if (WritePlain(writer, column, value)) return;
  if (const auto* const texts = std::get_if<std::vector<std::string>>(&value)) {
    return WriteTexts(writer, *texts);
  }
  if (const auto* const notes = std::get_if<std::vector<Note>>(&value)) {
    return WriteNotes(writer, *notes);
  }
  if (const auto* const numbers = std::get_if<std::vector<double>>(&value)) {
    writer.BeginArray();
    for (const double number : *numbers) WriteNumber(writer, column, number);
    return writer.EndArray();
  }
  if (const auto* const items = std::get_if<std::vector<Item>>(&value)) {
    return WriteItems(writer, column, *items);
  }
  writer.Null();
}

// Per column: what every row lacks for the one reason that nobody exports it.
std::vector<bool> NobodyExports(const Records& records) {
  std::vector<bool> nobody(records.columns.size());
  for (std::size_t c = 0; c < nobody.size(); ++c) {
    nobody[c] = std::all_of(records.rows.begin(), records.rows.end(), [&](const auto& row) {
      return ReasonOf(row[c]) == NullReason::kNotExported;
    });
    if (records.rows.empty()) nobody[c] = false;
  }
  return nobody;
}

void WriteRow(Writer& writer, const Records& records, const Page& page,
              const std::vector<bool>& nobody, std::size_t row) {
  writer.BeginObject();
  for (const auto c : page.fields) {
    writer.Key(records.columns[c].name);
    WriteValue(writer, records.columns[c], records.cell(row, c));
  }
  if (!page.chosen_fields) {
    writer.Key("null_reasons");
    writer.BeginObject();
    for (const auto c : page.fields) {
      const NullReason reason = ReasonOf(records.cell(row, c));
      if (reason == NullReason::kNone || nobody[c]) continue;
      writer.Key(records.columns[c].name);
      writer.String(models::NameOf(reason));
    }
    writer.EndObject();
  }
  writer.EndObject();
}

Behind BehindOf(const Records& records, const RecordsMeta& meta, const Page& page,
                const std::vector<bool>& nobody) {
  Behind behind{meta.as_of, meta.partial, meta.sources, {}, meta.window};
  for (const auto c : page.fields) {
    if (nobody[c])
      behind.null_reasons.emplace_back(records.columns[c].name, NullReason::kNotExported);
  }
  return behind;
}

// Of what a cell of a row and of an item may both be; "" for null and for something else.
template <class ValueT>
std::string PlainText(const Column& column, const ValueT& value) {
  if (const auto* const number = std::get_if<double>(&value)) {
    if (column.type == Column::Type::kTime) return FormatTime(ToWallTime(*number));
    return FormatNumber(*number);
  }
  if (const auto* const integer = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*integer);
  }
  if (const auto* const truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  const auto* const text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string() : *text;
}

std::string ItemText(const Column& column, const Item& item) {
  const std::span<const Column> columns = column.items();
  std::string joined;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (std::holds_alternative<NullReason>(item.cells[i])) continue;
    joined.append(joined.empty() ? "" : " ").append(columns[i].name).append("=");
    joined += PlainText(columns[i], item.cells[i]);
  }
  return joined;
}

std::string CsvText(const Column& column, const Value& value) {
  std::string out;
  if (const auto* const text = std::get_if<std::string>(&value)) {
    AppendCsvText(out, *text);
  } else if (const auto* const texts = std::get_if<std::vector<std::string>>(&value)) {
    std::string joined;
    for (const auto& one : *texts) joined.append(joined.empty() ? "" : " ").append(one);
    AppendCsvText(out, joined);
  } else if (const auto* const notes = std::get_if<std::vector<Note>>(&value)) {
    std::string joined;
    for (const Note& note : *notes) {
      joined.append(joined.empty() ? "" : "; ").append(note.severity).append(" ");
      joined.append(note.component).append(": ").append(note.text);
    }
    AppendCsvText(out, joined);
  } else if (const auto* const numbers = std::get_if<std::vector<double>>(&value)) {
    for (const double number : *numbers) {
      out.append(out.empty() ? "" : " ").append(std::isnan(number) ? "null" : FormatNumber(number));
    }
  } else if (const auto* const items = std::get_if<std::vector<Item>>(&value)) {
    std::string joined;
    for (const Item& item : *items) {
      joined.append(joined.empty() ? "" : "; ").append(ItemText(column, item));
    }
    AppendCsvText(out, joined);
  } else {
    return PlainText(column, value);
  }
  return out;
}

}  // namespace

Value TextOrNull(std::string_view text, NullReason reason) {
  if (text.empty()) return reason;
  return std::string(text);
}

Page WholePage(const Records& records) {
  Page page;
  page.rows.resize(records.rows.size());
  std::iota(page.rows.begin(), page.rows.end(), 0U);
  page.fields.resize(records.columns.size());
  std::iota(page.fields.begin(), page.fields.end(), std::uint16_t{0});
  page.total = records.rows.size();
  return page;
}

Encoded EncodeRecords(const Records& records, const RecordsMeta& meta, const Page& page,
                      std::string_view message) {
  const auto nobody = NobodyExports(records);
  DataEnvelope envelope(0);
  Writer& data = envelope.data();
  data.BeginArray();
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    if (i == kMeasuredRows) data.Reserve(kBesideRows + data.size() / i * page.rows.size() * 9 / 8);
    WriteRow(data, records, page, nobody, page.rows[i]);
  }
  data.EndArray();
  return envelope.Finish(message, meta.warnings, BehindOf(records, meta, page, nobody), page);
}

Encoded EncodeRecord(const Records& records, const RecordsMeta& meta, const Page& page,
                     std::string_view message) {
  // Its reasons stand beside it: `meta` is about all rows.
  const std::vector<bool> nobody(records.columns.size(), false);
  DataEnvelope envelope(0);
  WriteRow(envelope.data(), records, page, nobody, page.rows.front());
  return envelope.Finish(message, meta.warnings, BehindOf(records, meta, page, nobody), page);
}

Encoded EncodeCsv(const Records& records, const Page& page) {
  Encoded encoded;
  for (std::size_t i = 0; i < page.fields.size(); ++i) {
    if (i > 0) encoded.body += ',';
    encoded.body += records.columns[page.fields[i]].name;
  }
  encoded.body += "\r\n";
  for (const auto row : page.rows) {
    const std::size_t begin = encoded.body.size();
    for (std::size_t i = 0; i < page.fields.size(); ++i) {
      if (i > 0) encoded.body += ',';
      const auto c = page.fields[i];
      encoded.body += CsvText(records.columns[c], records.cell(row, c));
    }
    EndCsvRow(encoded.body, begin);
  }
  encoded.etag = Tag(encoded.body, "csv");
  return encoded;
}

}  // namespace gpumon::wire
