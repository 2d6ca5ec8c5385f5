// Models as the API's JSON and CSV. Driven by the field registry: no field is named here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/status.h"
#include "internal/wire/table.h"
#include "models/envelope.h"

namespace gpumon::wire {

// One page of a list, ready to be written.
struct Page {
  std::vector<std::uint32_t> rows;    // of the table, in the order to write
  std::vector<std::uint16_t> fields;  // of the table, in the order to write
  bool chosen_fields = false;         // by the client: it hears of no others
  std::size_t total = 0;              // rows before paging
  std::optional<std::size_t> limit;
  std::size_t offset = 0;
  bool stale = false;
  std::string_view stale_code;               // wire name of the error that made it stale
  std::string_view upstream = "Prometheus";  // who gave nothing newer then
  // Of the other list, where that filters this one.
  bool partial = false;
  std::vector<std::string> warnings;
};

// What a list is about, where it is more than an instant. Unix seconds.
struct Span {
  double start = 0;
  double end = 0;
  double step = 0;  // seconds
};

// `warnings` and the page's own, after what a stale page has to say.
std::vector<std::string> WarningsOf(std::vector<std::string> warnings, const Page& page);

// Every row and every shown field.
Page WholePage(const Table& table);

struct Encoded {
  std::string body;
  // Over data and warnings only: the same rows at another instant have the same tag.
  std::string etag;  // W/"..."
};

// One row with the fields of `page`, as a JSON object.
std::string EncodeRow(const Table& table, const Page& page, std::size_t row);

// Rows one by one, for whoever sends only those that have changed.
struct RowTexts {
  struct Row {
    std::size_t begin = 0;  // of its object in `text`
    std::size_t end = 0;
    // Equal for equal bytes, its times (timestamp, sample_age_seconds) aside.
    std::uint64_t fingerprint = 0;
  };
  std::string text;  // "[{...},{...}]"
  std::vector<Row> rows;

  std::string_view Of(std::size_t row) const {
    return std::string_view(text).substr(rows[row].begin, rows[row].end - rows[row].begin);
  }
};

// All rows of the table with the fields of `page`, each behind a `key` that names it.
RowTexts EncodeRows(const Table& table, const Page& page, const std::vector<std::string>& keys);

// The `null_reasons` of a list's meta, as a JSON object.
std::string EncodeSharedReasons(const Table& table, const Page& page);

// The whole envelope of a list. Equal input gives equal bytes.
Encoded EncodeList(const Table& table, const Page& page, std::string_view message);

// RFC 4180, header line first, CRLF; absent values are empty; a text that a spreadsheet would
// take for a formula gets a leading apostrophe.
Encoded EncodeCsv(const Table& table, const Page& page);

std::string EncodeEnvelope(const models::Envelope& envelope);
// The envelope of an error.
std::string EncodeError(const Status& status);

// The whole envelope of GET /api/v1/gpu/fields: [{name, list, type, unit, always, help}].
Encoded EncodeFields(std::string_view message);

}  // namespace gpumon::wire
