// List routes over rows that are computed for the answer: parameters, selection, answer.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/list_query.h"
#include "handlers/parameters.h"
#include "internal/base/result.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

// The parameters of a list with these columns: each column's filter, min_/max_ of each number, and
// those of all lists, `at` and `partial` where it has a past; `more` first.
class RecordParameters : public ParameterList {
 public:
  explicit RecordParameters(std::span<const wire::Column> columns,
                            std::span<const ParameterSpec> more = {}, bool has_past = true);
};

// The parameters of one row by itself: fields, at, stale, partial, format.
std::span<const ParameterSpec> OneRecordParameters();

// A checked request for such a list.
struct RecordQuery {
  struct TextFilter {
    std::vector<std::size_t> columns;   // any of them
    std::vector<std::string> patterns;  // any of them
  };

  std::vector<TextFilter> texts;  // all of them
  // `texts` and `users` of it are not used, and its fields are places of columns.
  ListQuery form;
};

// kInvalidParameter naming the parameter.
Result<RecordQuery> ParseRecordQuery(std::span<const wire::Column> columns,
                                     const Parameters& parameters);

// As Select of lists: the rows that pass every filter, in order, of the asked page.
wire::Page Select(const wire::Records& records, const RecordQuery& query);

}  // namespace gpumon::handlers
