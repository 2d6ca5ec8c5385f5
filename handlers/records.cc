#include "handlers/records.h"

#include <algorithm>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::handlers {
namespace {

using wire::Column;
using wire::Value;

std::optional<double> NumberOf(const Value& value) {
  if (const auto* const number = std::get_if<double>(&value)) return *number;
  if (const auto* const integer = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*integer);
  }
  return std::nullopt;
}

bool IsNull(const Value& value) {
  return std::holds_alternative<models::NullReason>(value);
}

Result<std::size_t> ColumnByName(std::span<const Column> columns, std::string_view name,
                                 std::string_view parameter) {
  std::vector<std::string_view> names;
  for (const Column& column : columns) {
    if (column.name == name) return names.size();
    names.push_back(column.name);
  }
  std::string message = "parameter '" + std::string(parameter) + "' names an unknown field";
  if (const auto near = NearestWord(name, names); !near.empty()) {
    message += "; did you mean '" + std::string(near) + "'?";
  } else {
    message += "; allowed:";
    for (const auto& one : names) message.append(" ").append(one);
  }
  return Error(Code::kInvalidParameter, std::move(message));
}

Result<void> ParseFields(std::span<const Column> columns, std::string_view rest, ListQuery& form) {
  while (true) {
    const std::size_t comma = rest.find(',');
    const auto column = ColumnByName(columns, rest.substr(0, comma), "fields");
    if (!column) return Error(column.error());
    const auto index = static_cast<std::uint16_t>(*column);
    if (std::find(form.fields.begin(), form.fields.end(), index) != form.fields.end()) {
      return Error(Code::kInvalidParameter, "parameter 'fields' names a field twice");
    }
    form.fields.push_back(index);
    if (comma == std::string_view::npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

Result<void> ParseSort(std::span<const Column> columns, std::string_view sort, ListQuery& form) {
  form.descending = sort.starts_with('-');
  if (form.descending) sort.remove_prefix(1);
  const auto column = ColumnByName(columns, sort, "sort");
  if (!column) return Error(column.error());
  if (columns[*column].type == Column::Type::kTexts) {
    return Error(Code::kInvalidParameter, "parameter 'sort' names a field without an order");
  }
  form.sort_field = *column;
  return {};
}

bool Matches(const Value& value, const std::vector<std::string>& patterns) {
  if (const auto* const text = std::get_if<std::string>(&value)) {
    return AnyMatches(patterns, *text);
  }
  const auto* const texts = std::get_if<std::vector<std::string>>(&value);
  return texts != nullptr &&
         std::any_of(texts->begin(), texts->end(),
                     [&](const std::string& text) { return AnyMatches(patterns, text); });
}

bool Passes(const wire::Records& records, std::size_t row, const RecordQuery& query) {
  for (const auto& filter : query.texts) {
    if (!Matches(records.cell(row, filter.column), filter.patterns)) return false;
  }
  for (const auto& range : query.form.ranges) {
    const auto number = NumberOf(records.cell(row, range.field));
    if (!number) return false;
    if ((range.min && *number < *range.min) || (range.max && *number > *range.max)) return false;
  }
  return true;
}

void Sort(const wire::Records& records, const ListQuery& form, std::vector<std::uint32_t>& rows) {
  const std::size_t column = *form.sort_field;
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    const Value& x = records.cell(form.descending ? b : a, column);
    const Value& y = records.cell(form.descending ? a : b, column);
    // Nulls last in both directions.
    if (IsNull(x) || IsNull(y))
      return form.descending ? IsNull(x) && !IsNull(y) : !IsNull(x) && IsNull(y);
    const auto* const text = std::get_if<std::string>(&x);
    if (text != nullptr) return *text < std::get<std::string>(y);
    return *NumberOf(x) < *NumberOf(y);
  };
  std::stable_sort(rows.begin(), rows.end(), before);
}

}  // namespace

RecordParameters::RecordParameters(std::span<const Column> columns,
                                   std::span<const ParameterSpec> more)
    : specs_(more.begin(), more.end()) {
  for (const Column& column : columns) {
    if (column.filter.empty()) continue;
    specs_.push_back(
        {.name = column.filter,
         .kind = column.filter == "node" ? ParameterKind::kNodeName : ParameterKind::kText,
         .repeatable = true,
         .help = "Exact, or with *."});
  }
  for (const Column& column : columns) {
    if (!column.is_numeric()) continue;
    for (const std::string_view prefix : {"min_", "max_"}) {
      names_.push_back(std::string(prefix) + std::string(column.name));
      specs_.push_back({.name = names_.back(),
                        .kind = ParameterKind::kNumber,
                        .help = prefix == "min_" ? "Rows with at least this value."
                                                 : "Rows with at most this value."});
    }
  }
  const auto form = FormParameters();
  specs_.insert(specs_.end(), form.begin(), form.end());
}

Result<RecordQuery> ParseRecordQuery(std::span<const Column> columns,
                                     const Parameters& parameters) {
  RecordQuery query;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (!columns[c].filter.empty() && parameters.Has(columns[c].filter)) {
      query.texts.push_back({c, parameters.All(columns[c].filter)});
    }
    if (!columns[c].is_numeric()) continue;
    ListQuery::RangeFilter range{c, parameters.Number("min_" + std::string(columns[c].name)),
                                 parameters.Number("max_" + std::string(columns[c].name))};
    if (range.min || range.max) query.form.ranges.push_back(range);
  }
  if (parameters.Has("sort")) {
    if (auto sorted = ParseSort(columns, parameters.Text("sort"), query.form); !sorted) {
      return Error(sorted.error());
    }
  }
  if (parameters.Has("fields")) {
    if (auto parsed = ParseFields(columns, parameters.Text("fields"), query.form); !parsed) {
      return Error(parsed.error());
    }
  }
  ParseForm(parameters, query.form);
  return query;
}

wire::Page Select(const wire::Records& records, const RecordQuery& query) {
  wire::Page page = WholePage(records);
  std::erase_if(page.rows, [&](std::uint32_t row) { return !Passes(records, row, query); });
  page.total = page.rows.size();
  if (query.form.sort_field) Sort(records, query.form, page.rows);
  CutPage(query.form, page);
  return page;
}

}  // namespace gpumon::handlers
