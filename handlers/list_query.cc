#include "handlers/list_query.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "internal/base/text.h"
#include "internal/gpu/gpu_rows.h"
#include "internal/gpu/identity.h"
#include "internal/gpu/mig.h"

namespace gpumon::handlers {
namespace {

using models::Part;
using models::Text;
using wire::Cell;
using wire::Page;
using wire::Table;

struct TextFilterRow {
  ParameterSpec spec;
  Text which;
};
constexpr std::array kTextFilters = {
    TextFilterRow{{"node", ParameterKind::kNodeName, true, "Node name, exact or with *."},
                  Text::kNode},
    TextFilterRow{{"gpu", ParameterKind::kText, true, "gpu_id, exact or with *."}, Text::kGpuId},
    TextFilterRow{{"uuid", ParameterKind::kText, true,
                   "UUID, of a MIG instance its own or its GPU's, exact or with *."},
                  Text::kUuid},
    TextFilterRow{{"model", ParameterKind::kText, true, "gpu_name, exact or with *."},
                  Text::kGpuName},
    TextFilterRow{{"namespace", ParameterKind::kText, true, "Namespace, exact or with *."},
                  Text::kNamespace},
    TextFilterRow{{"pod", ParameterKind::kText, true, "Pod, exact or with *."}, Text::kPod},
    TextFilterRow{{"user", ParameterKind::kText, true,
                   "Owner of the process, or of one on the GPU, exact or with *."},
                  Text::kUser},
};

constexpr std::array kFormParameters = {
    ParameterSpec{.name = "sort",
                  .kind = ParameterKind::kText,
                  .help = "A field, or -field for descending; nulls come last."},
    ParameterSpec{.name = "limit",
                  .kind = ParameterKind::kInteger,
                  .help = "At most so many rows; absent: all.",
                  .min = 1,
                  .max = 100'000},
    ParameterSpec{.name = "offset",
                  .kind = ParameterKind::kInteger,
                  .help = "Skip so many rows.",
                  .min = 0,
                  .max = 100'000'000},
    ParameterSpec{.name = "fields",
                  .kind = ParameterKind::kList,
                  .help = "Only these fields, comma-separated, in this order."},
    ParameterSpec{.name = "at",
                  .kind = ParameterKind::kTime,
                  .help = "The answer as of this past instant: RFC 3339 or Unix seconds."},
    ParameterSpec{.name = "stale",
                  .kind = ParameterKind::kWord,
                  .help = "never: an error rather than a stale answer.",
                  .words = "allow|never"},
    ParameterSpec{.name = "partial",
                  .kind = ParameterKind::kWord,
                  .help = "abort: an error rather than a partial answer.",
                  .words = "allow|abort"},
    ParameterSpec{.name = "format",
                  .kind = ParameterKind::kWord,
                  .help = "csv: a table instead of the envelope.",
                  .words = "json|csv"},
};

bool IsNumeric(const models::FieldSpec& field) {
  return field.from == models::From::kReading || field.from == models::From::kInteger ||
         field.from == models::From::kAge || field.from == models::From::kGpuIndex ||
         field.from == models::From::kPid;
}

bool IsSortable(const models::FieldSpec& field) {
  return field.from != models::From::kWorkloads && field.from != models::From::kReasons &&
         field.from != models::From::kMig && field.from != models::From::kThrottle;
}

ParameterList MakeParameters(Part part) {
  ParameterList list;
  for (const auto& row : kTextFilters) list.Add(row.spec);
  for (const auto& field : wire::FieldsOf(part)) {
    if (IsNumeric(field)) list.AddBounds(field.name);
  }
  list.AddForm();
  return list;
}

// What `sort` and `fields` may name.
class FieldNames {
 public:
  FieldNames(std::span<const NamedField> fields, std::string_view all)
      : fields_(fields), all_(all) {}

  Result<void> ParseFields(std::string_view list, ListQuery& query) const {
    while (true) {
      const std::size_t comma = list.find(',');
      const auto field = Find(list.substr(0, comma), "fields");
      if (!field) return Error(field.error());
      const auto index = static_cast<std::uint16_t>(*field);
      if (std::find(query.fields.begin(), query.fields.end(), index) != query.fields.end()) {
        return Error(Code::kInvalidParameter, "parameter 'fields' names a field twice");
      }
      query.fields.push_back(index);
      if (comma == std::string_view::npos) return {};
      list.remove_prefix(comma + 1);
    }
  }

  Result<void> ParseSort(std::string_view sort, ListQuery& query) const {
    query.descending = sort.starts_with('-');
    if (query.descending) sort.remove_prefix(1);
    const auto field = Find(sort, "sort");
    if (!field) return Error(field.error());
    if (!fields_[*field].has_order) {
      return Error(Code::kInvalidParameter, "parameter 'sort' names a field without an order");
    }
    query.sort_field = *field;
    return {};
  }

 private:
  Result<std::size_t> Find(std::string_view name, std::string_view parameter) const {
    std::vector<std::string_view> names;
    for (const NamedField& field : fields_) {
      if (field.name == name) return names.size();
      names.push_back(field.name);
    }
    const std::string_view near = MeantBy(name, names);
    return Error(
        Code::kInvalidParameter,
        "parameter '" + std::string(parameter) + "' names an unknown field; " +
            (near.empty() ? std::string(all_) : "did you mean '" + std::string(near) + "'?"));
  }

  const std::span<const NamedField> fields_;
  const std::string_view all_;
};

bool IsOfWorkload(const ListQuery::TextFilter& filter) {
  return filter.which == Text::kPod || filter.which == Text::kNamespace;
}

// Of a GPU's workloads one has to meet all filters: a namespace and a pod name one pod.
bool AnyWorkloadPasses(std::span<const models::Workload> workloads, const ListQuery& query) {
  return std::any_of(workloads.begin(), workloads.end(), [&](const models::Workload& workload) {
    return std::all_of(query.texts.begin(), query.texts.end(), [&](const auto& filter) {
      const bool pod = filter.which == Text::kPod;
      return !IsOfWorkload(filter) ||
             AnyMatches(filter.patterns, pod ? workload.pod : workload.name_space);
    });
  });
}

// What a GPU says of itself and of who holds it.
bool IsOfGpu(Text which) {
  return which == Text::kUuid || which == Text::kGpuId || which == Text::kGpuName ||
         which == Text::kNamespace || which == Text::kPod;
}

bool PassesText(const Table& table, std::size_t row, const ListQuery::TextFilter& filter) {
  const bool by_gpu = filter.gpus && (*filter.gpus)[row];
  const std::string_view own = table.text(row, filter.which);
  if (filter.which != Text::kUuid) {
    return own.empty() && filter.gpus ? by_gpu : AnyMatches(filter.patterns, own);
  }
  return by_gpu || AnyMatches(filter.patterns, own) ||
         AnyMatches(filter.patterns, table.text(row, Text::kMigUuid));
}

bool Passes(const Table& table, std::size_t row, const ListQuery& query) {
  if (query.used_gpus && !(*query.used_gpus)[row]) return false;
  const auto workloads = table.workloads(row);
  for (const auto& filter : query.texts) {
    if (!workloads.empty() && IsOfWorkload(filter)) continue;
    if (!PassesText(table, row, filter)) return false;
  }
  if (!workloads.empty() && !AnyWorkloadPasses(workloads, query)) return false;
  for (const auto& range : query.ranges) {
    const Cell cell = table.cell(row, range.field);
    if (!cell.is_numeric()) return false;
    if (range.min && cell.AsNumber() < *range.min) return false;
    if (range.max && cell.AsNumber() > *range.max) return false;
  }
  return true;
}

void Sort(const Table& table, const ListQuery& query, std::vector<std::uint32_t>& rows) {
  const std::size_t field = *query.sort_field;
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    const Cell x = table.cell(query.descending ? b : a, field);
    const Cell y = table.cell(query.descending ? a : b, field);
    if (x.is_null() || y.is_null()) {
      // Last in both directions.
      return query.descending ? !y.is_null() && x.is_null() : !x.is_null() && y.is_null();
    }
    if (x.type == Cell::Type::kText) return x.text < y.text;
    return x.AsNumber() < y.AsNumber();
  };
  std::stable_sort(rows.begin(), rows.end(), before);
}

}  // namespace

bool AnyMatches(const std::vector<std::string>& patterns, std::string_view text) {
  return !text.empty() &&
         std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return GlobMatch(pattern, text); });
}

std::vector<std::string> UuidPatterns(std::vector<std::string> patterns) {
  const std::size_t asked = patterns.size();
  for (std::size_t i = 0; i < asked; ++i) {
    if (auto shown = gpu::RewriteUuid(patterns[i], "NVIDIA")) patterns.push_back(*std::move(shown));
  }
  return patterns;
}

void ParameterList::AddBounds(std::string_view number) {
  for (const std::string_view prefix : {"min_", "max_"}) {
    names_.push_back(std::string(prefix) + std::string(number));
    specs_.push_back({.name = names_.back(),
                      .kind = ParameterKind::kNumber,
                      .help = prefix == "min_" ? "Rows with at least this value."
                                               : "Rows with at most this value."});
  }
}

void ParameterList::AddForm() {
  specs_.insert(specs_.end(), kFormParameters.begin(), kFormParameters.end());
}

void ParameterList::AddFormOfNow() {
  for (const ParameterSpec& spec : kFormParameters) {
    if (spec.name != "at" && spec.name != "partial") Add(spec);
  }
}

void ParameterList::AddFormOfOne() {
  for (const ParameterSpec& spec : kFormParameters) {
    if (spec.name != "sort" && spec.name != "limit" && spec.name != "offset") Add(spec);
  }
}

std::span<const ParameterSpec> ListParameters(Part part) {
  static const ParameterList kGpus = MakeParameters(Part::kGpus);
  static const ParameterList kProcesses = MakeParameters(Part::kProcesses);
  return part == Part::kGpus ? kGpus.specs() : kProcesses.specs();
}

Result<void> ParseForm(const Parameters& parameters, std::span<const NamedField> fields,
                       std::string_view all, ListQuery& query) {
  const FieldNames names(fields, all);
  if (parameters.Has("sort")) {
    if (auto sorted = names.ParseSort(parameters.Text("sort"), query); !sorted) return sorted;
  }
  if (parameters.Has("fields")) {
    if (auto parsed = names.ParseFields(parameters.Text("fields"), query); !parsed) return parsed;
  }
  if (const auto limit = parameters.Integer("limit")) {
    query.limit = static_cast<std::size_t>(*limit);
  }
  query.offset = static_cast<std::size_t>(parameters.Integer("offset").value_or(0));
  if (parameters.Has("at")) query.at = ParseTime(parameters.Text("at"));
  query.allow_stale = parameters.Text("stale") != "never";
  query.allow_partial = parameters.Text("partial") != "abort";
  query.csv = parameters.Text("format") == "csv";
  return {};
}

void ParseBounds(const Parameters& parameters, std::string_view name, std::size_t field,
                 ListQuery& query) {
  ListQuery::RangeFilter range{field, parameters.Number("min_" + std::string(name)),
                               parameters.Number("max_" + std::string(name))};
  if (range.min || range.max) query.ranges.push_back(range);
}

Result<ListQuery> ParseListQuery(Part part, const Parameters& parameters) {
  ListQuery query;
  for (const auto& row : kTextFilters) {
    const auto& patterns = parameters.All(row.spec.name);
    if (patterns.empty()) continue;
    if (part == Part::kGpus && row.which == Text::kUser) {
      query.users = patterns;
    } else {
      query.texts.push_back(
          {row.which, row.which == Text::kUuid ? UuidPatterns(patterns) : patterns});
    }
  }
  std::vector<NamedField> fields;
  for (const auto& field : wire::FieldsOf(part)) {
    ParseBounds(parameters, field.name, fields.size(), query);
    fields.push_back({field.name, IsSortable(field)});
  }
  auto parsed = ParseForm(parameters, fields, "the fields route lists them", query);
  if (!parsed) return Error(parsed.error());
  return query;
}

bool AsksForGpus(const ListQuery& query) {
  return std::any_of(query.texts.begin(), query.texts.end(),
                     [](const auto& filter) { return IsOfGpu(filter.which); });
}

void MeetGpus(const models::Snapshot& gpus, const models::Snapshot& processes, ListQuery& query) {
  const gpu::GpuRows rows(gpus.gpus);
  const auto passes = [&](const models::GpuMetrics& gpu, const ListQuery::TextFilter& filter) {
    const auto workloads =
        std::span(gpus.workloads).subspan(gpu.first_workload, gpu.workload_count);
    if (IsOfWorkload(filter) && !workloads.empty()) return AnyWorkloadPasses(workloads, query);
    return AnyMatches(filter.patterns, gpu.text(filter.which)) ||
           (filter.which == Text::kUuid && AnyMatches(filter.patterns, gpu.text(Text::kMigUuid)));
  };
  std::vector<std::size_t> on;  // by process
  for (const models::GpuProcess& process : processes.processes) on.push_back(rows.Find(process));
  for (auto& filter : query.texts) {
    if (!IsOfGpu(filter.which)) continue;
    auto passing = std::make_shared<std::vector<bool>>();
    for (const std::size_t row : on) {
      passing->push_back(row != gpu::GpuRows::kNone && passes(gpus.gpus[row], filter));
    }
    filter.gpus = std::move(passing);
  }
}

void UseGpusOf(const models::Snapshot& gpus, const models::Snapshot& processes, ListQuery& query) {
  const gpu::GpuRows rows(gpus.gpus);
  auto used = std::make_shared<std::vector<bool>>(gpus.gpus.size());
  std::set<std::pair<std::string_view, std::string_view>> whole;  // node and id
  for (const models::GpuProcess& process : processes.processes) {
    if (!AnyMatches(query.users, process.text(Text::kUser))) continue;
    const std::size_t row = rows.Find(process);
    if (row != gpu::GpuRows::kNone && gpu::IsInstance(gpus.gpus[row])) {
      (*used)[row] = true;
    } else {
      whole.emplace(process.text(Text::kNode), process.text(Text::kGpuId));
    }
  }
  for (std::size_t i = 0; i < gpus.gpus.size(); ++i) {
    const models::GpuMetrics& row = gpus.gpus[i];
    if (whole.contains({row.text(Text::kNode), row.text(Text::kGpuId)})) (*used)[i] = true;
  }
  query.used_gpus = std::move(used);
}

void CutPage(const ListQuery& query, Page& page) {
  page.limit = query.limit;
  page.offset = query.offset;
  page.rows.erase(page.rows.begin(), page.rows.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                             query.offset, page.rows.size())));
  if (query.limit && page.rows.size() > *query.limit) page.rows.resize(*query.limit);
  page.chosen_fields = !query.fields.empty();
  if (page.chosen_fields) page.fields = query.fields;
}

Page Select(const Table& table, const ListQuery& query) {
  Page page = wire::WholePage(table);
  if (!query.texts.empty() || !query.ranges.empty() || query.used_gpus) {
    std::erase_if(page.rows, [&](std::uint32_t row) { return !Passes(table, row, query); });
  }
  page.total = page.rows.size();
  if (query.sort_field) Sort(table, query, page.rows);
  CutPage(query, page);
  return page;
}

}  // namespace gpumon::handlers
