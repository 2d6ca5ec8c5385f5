// Rows that are computed for an answer: workloads, users. One table of columns drives JSON, CSV,
// filters, sorting and the OpenAPI document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "internal/wire/encode.h"
#include "models/gpu.h"

namespace gpumon::wire {

struct Column {
  enum class Type : std::uint8_t { kText, kTexts, kNumber, kInteger, kTime, kNotes, kNumbers };

  std::string_view name;
  Type type = Type::kText;
  std::string_view unit = "";    // "%", "bytes", "" for none
  std::string_view filter = "";  // the parameter that filters by it: kText and kTexts
  std::string_view help = "";

  bool has_order() const {
    return type != Type::kTexts && type != Type::kNotes && type != Type::kNumbers;
  }
  bool is_numeric() const { return type == Type::kNumber || type == Type::kInteger; }
};

// What is the matter with a GPU, or worth knowing of it.
struct Note {
  std::string severity;   // "critical"
  std::string component;  // what it is about
  std::string text;
  double factor = 1;  // what it does to the score
  std::string action;

  bool operator==(const Note&) const = default;
};

// One cell: null with its reason, a number (kTime: Unix seconds), an integer, a text, texts, notes,
// numbers (NaN: null).
using Value = std::variant<models::NullReason, double, std::int64_t, std::string,
                           std::vector<std::string>, std::vector<Note>, std::vector<double>>;

// Null for an empty text.
Value TextOrNull(std::string_view text,
                 models::NullReason reason = models::NullReason::kNotExported);

struct Records {
  std::span<const Column> columns;
  std::vector<std::vector<Value>> rows;  // as many cells as columns

  const Value& cell(std::size_t row, std::size_t column) const { return rows[row][column]; }
};

// What the envelope's `meta` and `warnings` say of the data behind the records.
struct RecordsMeta {
  double as_of = 0;
  bool partial = false;
  std::vector<std::string> sources;
  std::vector<std::string> warnings;
  std::optional<Span> window = std::nullopt;
};

// Every row and column, as they stand.
Page WholePage(const Records& records);
// As EncodeList: each row ends with its null_reasons, and what no row has stands once in `meta`.
Encoded EncodeRecords(const Records& records, const RecordsMeta& meta, const Page& page,
                      std::string_view message);
// As EncodeCsv; texts and numbers are joined by blanks, notes by "; ".
Encoded EncodeCsv(const Records& records, const Page& page);

}  // namespace gpumon::wire
