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
  enum class Type : std::uint8_t {
    kText,
    kTexts,
    kNumber,
    kNumbers,
    kInteger,
    kTime,
    kBool,
    kNotes,
    kItems
  };

  std::string_view name;
  Type type = Type::kText;
  std::string_view unit = "";    // "%", "bytes", "" for none
  std::string_view filter = "";  // the parameter that filters by it: kText and kTexts; of
                                 // several columns any has to pass
  std::string_view help = "";
  // kItems: what each item has; no lists among them.
  std::span<const Column> (*items)() = nullptr;
  std::string_view words = "";  // a filter's: all that its texts may be, "a|b|c"; "": anything
  bool unknown_list = false;    // a list that may be null; others are empty at the least

  bool is_list() const {
    return type == Type::kTexts || type == Type::kNumbers || type == Type::kNotes ||
           type == Type::kItems;
  }
  bool has_order() const { return !is_list() && type != Type::kBool; }
  bool is_numeric() const { return type == Type::kNumber || type == Type::kInteger; }
};

// What is the matter with a GPU, or worth knowing of it.
struct Note {
  std::string severity;   // "critical"
  std::string component;  // what it is about
  std::string text;
  double factor = 1;  // what it does to the score
  std::string action;
  std::optional<double> since = std::nullopt;  // Unix seconds
  bool or_before = false;                      // `since`

  bool operator==(const Note&) const = default;
};

// One of a list of things that a row has: as many cells as its column's `items`.
struct Item {
  using Cell = std::variant<models::NullReason, double, std::int64_t, std::string, bool>;
  std::vector<Cell> cells;

  bool operator==(const Item&) const = default;
};

// One cell: null with its reason, a number (kTime: Unix seconds), an integer, a text, texts, notes,
// a truth, items, numbers (NaN: null).
using Value =
    std::variant<models::NullReason, double, std::int64_t, std::string, std::vector<std::string>,
                 std::vector<Note>, bool, std::vector<Item>, std::vector<double>>;

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
// The same of the only row: `data` is that row, no list. A page without a row is the caller's
// error.
Encoded EncodeRecord(const Records& records, const RecordsMeta& meta, const Page& page,
                     std::string_view message);
// As EncodeCsv; texts and numbers are joined by blanks, notes and items by "; ". An item is the
// names and values of its cells that are not null, `name=value`, joined by blanks.
Encoded EncodeCsv(const Records& records, const Page& page);

}  // namespace gpumon::wire
