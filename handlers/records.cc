#include "handlers/records.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

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
    const bool matches = std::any_of(
        filter.columns.begin(), filter.columns.end(),
        [&](std::size_t column) { return Matches(records.cell(row, column), filter.patterns); });
    if (!matches) return false;
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
                                   std::span<const ParameterSpec> more, bool has_past) {
  for (const ParameterSpec& spec : more) Add(spec);
  std::set<std::string_view> filters;
  for (const Column& column : columns) {
    if (column.filter.empty() || !filters.insert(column.filter).second) continue;
    Add({.name = column.filter,
         .kind = !column.words.empty()     ? ParameterKind::kPattern
                 : column.filter == "node" ? ParameterKind::kNodeName
                                           : ParameterKind::kText,
         .repeatable = true,
         .help = "Exact, or with *.",
         .words = column.words});
  }
  for (const Column& column : columns) {
    if (column.is_numeric()) AddBounds(column.name);
  }
  has_past ? AddForm() : AddFormOfNow();
}

std::span<const ParameterSpec> OneRecordParameters() {
  static const ParameterList kParameters = [] {
    ParameterList list;
    list.AddFormOfOne();
    return list;
  }();
  return kParameters.specs();
}

Result<RecordQuery> ParseRecordQuery(std::span<const Column> columns,
                                     const Parameters& parameters) {
  RecordQuery query;
  std::vector<NamedField> fields;
  std::string all = "allowed:";
  std::map<std::string_view, std::vector<std::size_t>> columns_by_filter;
  for (const Column& column : columns) {
    const std::size_t place = fields.size();
    if (!column.filter.empty() && parameters.Has(column.filter)) {
      columns_by_filter[column.filter].push_back(place);
    }
    ParseBounds(parameters, column.name, place, query.form);
    fields.push_back({column.name, column.has_order()});
    all.append(" ").append(column.name);
  }
  for (auto& [filter, places] : columns_by_filter) {
    auto patterns = parameters.All(filter);
    if (filter == "uuid") patterns = UuidPatterns(std::move(patterns));
    query.texts.push_back({std::move(places), std::move(patterns)});
  }
  auto parsed = ParseForm(parameters, fields, all, query.form);
  if (!parsed) return Error(parsed.error());
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
