#include "handlers/list_query.h"

#include <algorithm>
#include <array>
#include <deque>
#include <span>
#include <string_view>

#include "internal/base/text.h"

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
    TextFilterRow{{"uuid", ParameterKind::kText, true, "UUID, exact or with *."}, Text::kUuid},
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

struct ParameterTable {
  std::deque<std::string> names;  // what the specs' views point to
  std::vector<ParameterSpec> specs;
};

ParameterTable MakeParameters(Part part) {
  ParameterTable table;
  for (const auto& row : kTextFilters) table.specs.push_back(row.spec);
  for (const auto& field : wire::FieldsOf(part)) {
    if (!IsNumeric(field)) continue;
    for (const std::string_view prefix : {"min_", "max_"}) {
      table.names.push_back(std::string(prefix) + std::string(field.name));
      table.specs.push_back({.name = table.names.back(),
                             .kind = ParameterKind::kNumber,
                             .help = prefix == "min_" ? "Rows with at least this value."
                                                      : "Rows with at most this value."});
    }
  }
  table.specs.insert(table.specs.end(), kFormParameters.begin(), kFormParameters.end());
  return table;
}

Result<std::size_t> FieldByName(Part part, std::string_view name, std::string_view parameter) {
  const int field = wire::FindField(part, name);
  if (field >= 0) return static_cast<std::size_t>(field);
  std::vector<std::string_view> names;
  for (const auto& spec : wire::FieldsOf(part)) names.push_back(spec.name);
  std::string message = "parameter '" + std::string(parameter) + "' names an unknown field";
  if (const auto near = NearestWord(name, names); !near.empty()) {
    message += "; did you mean '" + std::string(near) + "'?";
  } else {
    message += "; the fields route lists them";
  }
  return Error(Code::kInvalidParameter, std::move(message));
}

Result<void> ParseFields(Part part, const std::string& list, ListQuery& query) {
  std::string_view rest = list;
  while (true) {
    const std::size_t comma = rest.find(',');
    const auto field = FieldByName(part, rest.substr(0, comma), "fields");
    if (!field) return Error(field.error());
    const auto index = static_cast<std::uint16_t>(*field);
    if (std::find(query.fields.begin(), query.fields.end(), index) != query.fields.end()) {
      return Error(Code::kInvalidParameter, "parameter 'fields' names a field twice");
    }
    query.fields.push_back(index);
    if (comma == std::string_view::npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

Result<void> ParseSort(Part part, std::string_view sort, ListQuery& query) {
  query.descending = sort.starts_with('-');
  if (query.descending) sort.remove_prefix(1);
  const auto field = FieldByName(part, sort, "sort");
  if (!field) return Error(field.error());
  if (!IsSortable(wire::FieldsOf(part)[*field])) {
    return Error(Code::kInvalidParameter, "parameter 'sort' names a field without an order");
  }
  query.sort_field = *field;
  return {};
}

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

std::string GpuKey(std::string_view node, std::string_view gpu) {
  return std::string(node).append(1, '\0').append(gpu);
}

// What a GPU says of itself and of who holds it.
bool IsOfGpu(Text which) {
  return which == Text::kUuid || which == Text::kGpuName || which == Text::kNamespace ||
         which == Text::kPod;
}

bool Passes(const Table& table, std::size_t row, const ListQuery& query) {
  if (query.used_gpus && query.used_gpus->count(GpuKey(table.text(row, Text::kNode),
                                                       table.text(row, Text::kGpuId))) == 0) {
    return false;
  }
  const auto workloads = table.workloads(row);
  for (const auto& filter : query.texts) {
    if (!workloads.empty() && IsOfWorkload(filter)) continue;
    const std::string_view own = table.text(row, filter.which);
    const bool passes = own.empty() && filter.gpus
                            ? filter.gpus->count(GpuKey(table.text(row, Text::kNode),
                                                        table.text(row, Text::kGpuId))) > 0
                            : AnyMatches(filter.patterns, own);
    if (!passes) return false;
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

std::span<const ParameterSpec> FormParameters() {
  return kFormParameters;
}

std::span<const ParameterSpec> ListParameters(Part part) {
  static const ParameterTable kGpus = MakeParameters(Part::kGpus);
  static const ParameterTable kProcesses = MakeParameters(Part::kProcesses);
  return part == Part::kGpus ? kGpus.specs : kProcesses.specs;
}

void ParseForm(const Parameters& parameters, ListQuery& query) {
  if (const auto limit = parameters.Integer("limit")) {
    query.limit = static_cast<std::size_t>(*limit);
  }
  query.offset = static_cast<std::size_t>(parameters.Integer("offset").value_or(0));
  if (parameters.Has("at")) query.at = ParseTime(parameters.Text("at"));
  query.allow_stale = parameters.Text("stale") != "never";
  query.allow_partial = parameters.Text("partial") != "abort";
  query.csv = parameters.Text("format") == "csv";
}

Result<ListQuery> ParseListQuery(Part part, const Parameters& parameters) {
  ListQuery query;
  for (const auto& row : kTextFilters) {
    const auto& patterns = parameters.All(row.spec.name);
    if (patterns.empty()) continue;
    if (part == Part::kGpus && row.which == Text::kUser) {
      query.users = patterns;
    } else {
      query.texts.push_back({row.which, patterns});
    }
  }
  const auto fields = wire::FieldsOf(part);
  for (std::size_t f = 0; f < fields.size(); ++f) {
    ListQuery::RangeFilter range{f, parameters.Number("min_" + std::string(fields[f].name)),
                                 parameters.Number("max_" + std::string(fields[f].name))};
    if (range.min || range.max) query.ranges.push_back(range);
  }
  if (parameters.Has("sort")) {
    if (auto sorted = ParseSort(part, parameters.Text("sort"), query); !sorted) {
      return Error(sorted.error());
    }
  }
  if (parameters.Has("fields")) {
    if (auto parsed = ParseFields(part, parameters.Text("fields"), query); !parsed) {
      return Error(parsed.error());
    }
  }
  ParseForm(parameters, query);
  return query;
}

bool AsksForGpus(const ListQuery& query) {
  return std::any_of(query.texts.begin(), query.texts.end(),
                     [](const auto& filter) { return IsOfGpu(filter.which); });
}

void MeetGpus(const models::Snapshot& gpus, ListQuery& query) {
  for (auto& filter : query.texts) {
    if (!IsOfGpu(filter.which)) continue;
    auto passing = std::make_shared<std::set<std::string>>();
    for (const models::GpuMetrics& gpu : gpus.gpus) {
      const auto workloads =
          std::span(gpus.workloads).subspan(gpu.first_workload, gpu.workload_count);
      const bool passes = IsOfWorkload(filter) && !workloads.empty()
                              ? AnyWorkloadPasses(workloads, query)
                              : AnyMatches(filter.patterns, gpu.text(filter.which));
      if (!passes) continue;
      passing->insert(GpuKey(gpu.text(Text::kNode), gpu.text(Text::kGpuId)));
    }
    filter.gpus = std::move(passing);
  }
}

void UseGpusOf(const models::Snapshot& processes, ListQuery& query) {
  auto used = std::make_shared<std::set<std::string>>();
  for (const models::GpuProcess& process : processes.processes) {
    if (AnyMatches(query.users, process.text(Text::kUser))) {
      used->insert(GpuKey(process.text(Text::kNode), process.text(Text::kGpuId)));
    }
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
