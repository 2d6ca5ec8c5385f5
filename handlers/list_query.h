// Filters, sorting, paging and form of the list routes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "handlers/parameters.h"
#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/gpu/source.h"
#include "internal/wire/encode.h"
#include "internal/wire/table.h"
#include "models/gpu.h"

namespace gpumon::handlers {

// The parameters of the list of `part`: those of docs/API.md and min_/max_ of each number field.
std::span<const ParameterSpec> ListParameters(models::Part part);

// A checked request for a list.
struct ListQuery {
  struct TextFilter {
    models::Text which = models::Text::kNode;
    std::vector<std::string> patterns;  // any of them; `*` is any run of bytes
    // For processes whose exporter does not say it, by row: their GPU passes. MeetGpus finds it.
    std::shared_ptr<const std::vector<bool>> gpus = nullptr;
  };
  struct RangeFilter {
    std::size_t field = 0;
    std::optional<double> min;
    std::optional<double> max;
  };

  std::vector<TextFilter> texts;  // all of them
  // GPUs with a process of such a user: UseGpusOf finds them before Select.
  std::vector<std::string> users;
  std::shared_ptr<const std::vector<bool>> used_gpus;  // by row
  gpu::Got other;  // the list that was asked for it; null when none was
  // Why there is none; filters then see what the rows themselves say.
  std::optional<Status> other_failed;
  std::vector<RangeFilter> ranges;
  std::optional<std::size_t> sort_field;
  bool descending = false;
  std::optional<std::size_t> limit;
  std::size_t offset = 0;
  std::vector<std::uint16_t> fields;  // empty: every shown field
  std::optional<WallTime> at;
  bool allow_stale = true;
  bool allow_partial = true;
  bool csv = false;

  // Every row and field, as JSON: the body that all such requests share.
  bool IsWhole() const {
    return texts.empty() && users.empty() && ranges.empty() && !sort_field && !limit &&
           offset == 0 && fields.empty() && !csv;
  }
};

// The parameters of a list, made once, for good.
class ParameterList {
 public:
  void Add(const ParameterSpec& spec) { specs_.push_back(spec); }
  void AddBounds(std::string_view number);  // min_ and max_ of that field
  // What all lists share: sort, limit, offset, fields, at, stale, partial, format.
  void AddForm();
  // Those of these that one row by itself has: fields, at, stale, partial, format.
  void AddFormOfOne();
  // Of what is asked in one piece and only of the present: all of AddForm but at and partial.
  void AddFormOfNow();
  std::span<const ParameterSpec> specs() const { return specs_; }

 private:
  std::deque<std::string> names_;  // what the specs' views point to
  std::vector<ParameterSpec> specs_;
};

// A field as `sort` and `fields` name it; its place is the field's.
struct NamedField {
  std::string_view name;
  bool has_order = true;
};
// Takes what AddForm added. kInvalidParameter naming the parameter and, of a field that is not
// there, the nearest name or else `all`, which says where the names are.
Result<void> ParseForm(const Parameters& parameters, std::span<const NamedField> fields,
                       std::string_view all, ListQuery& query);
// Takes min_ and max_ of the field at that place.
void ParseBounds(const Parameters& parameters, std::string_view name, std::size_t field,
                 ListQuery& query);
// Cuts the rows of `page` down to the asked ones and takes the asked fields.
void CutPage(const ListQuery& query, wire::Page& page);
// A pattern is the whole text, or has `*` for any run of bytes. No pattern matches "".
bool AnyMatches(const std::vector<std::string>& patterns, std::string_view text);
// These, and as rows show the UUIDs: other cases of letters and none of NVIDIA's prefixes.
std::vector<std::string> UuidPatterns(std::vector<std::string> patterns);

// kInvalidParameter naming the parameter.
Result<ListQuery> ParseListQuery(models::Part part, const Parameters& parameters);

// Whether filters on a list of processes ask for what may be known of their GPUs only.
bool AsksForGpus(const ListQuery& query);
// A process passes such a filter when it says so itself, or, saying nothing, when its GPU does; one
// on a MIG instance passes by the GPU's UUID too.
void MeetGpus(const models::Snapshot& gpus, const models::Snapshot& processes, ListQuery& query);

// Keeps of the GPUs those that a process of query.users runs on: its MIG instance, where that is
// known, and else the GPU with all of them.
void UseGpusOf(const models::Snapshot& gpus, const models::Snapshot& processes, ListQuery& query);

// The rows that pass every filter, in order, of the asked page. Nulls pass no filter and sort
// last.
wire::Page Select(const wire::Table& table, const ListQuery& query);

}  // namespace gpumon::handlers
